"""What was measured of learners with and without labels, summed up over seeds, and what it says of the claim.

`span(found, "contrastive", "nonrobust", "own")` reads the part "learners" of errors.json, which `core.errors.learners`
measures.
"""

import math
from collections.abc import Mapping
from typing import Any

from core.rates import Estimate

SETS = {"original": "original pictures", "robust": "D_R", "nonrobust": "D_NR"}
LEARNERS = {"supervised": "taught with labels", "contrastive": "taught without labels", "untrained": "not taught"}
PROBES = {"own": "probe taught by the set itself", "fresh": "probe taught by other original pictures"}


def runs(found: Mapping[str, Any], learner: str, kind: str) -> list[Mapping[str, Any]]:
    """List what was measured of a learner on a set, one seed after the other."""
    return [run for name, run in found["runs"].items() if name.rpartition("-")[0] == f"{learner}-{kind}"]


def span(found: Mapping[str, Any], learner: str, kind: str, probe: str) -> Estimate:
    """Sum up the seeds of a learner, a set and a probe, keys of `LEARNERS`, `SETS` and `PROBES`.

    Returns:
        The mean accuracy, from the lowest to the highest end of the seeds' 95 % intervals, with n test pictures each.

    Raises:
        KeyError: If none of them is measured yet.
    """
    rates = [Estimate.from_json(run[probe]) for run in runs(found, learner, kind)]
    if not rates:
        raise KeyError(f"{learner}-{kind}")
    interval = min(rate.low for rate in rates), max(rate.high for rate in rates)
    return Estimate(sum(rate.value for rate in rates) / len(rates), interval, rates[0].n)


def whole(found: Mapping[str, Any]) -> bool:
    """Whether every learner is measured on every set, with one seed at least."""
    return all(runs(found, learner, kind) for learner in LEARNERS for kind in SETS)


def change(labels: Estimate, none: Estimate) -> tuple[float, float]:
    """Say by how much accuracy changes once labels are taken away, and half of the interval of that.

    Args:
        labels: With labels.
        none: Without.
    """
    return none.value - labels.value, math.hypot(labels.high - labels.low, none.high - none.low) / 2


def points(value: float) -> str:
    """Write a difference of accuracies as percentage points, with its sign."""
    return f"{100 * value:+.0f}".replace("-", "−")


def verdict(robust: tuple[float, float], nonrobust: tuple[float, float]) -> str:
    """Say in a sentence what both changes (see `change`) make of the claim that D_NR loses more than D_R."""
    (r, half_r), (n, half_n) = robust, nonrobust
    by = f"without labels the probe's accuracy changes by {points(n)} points on D_NR and by {points(r)} on D_R."
    if abs(n - r) <= math.hypot(half_r, half_n):
        return f"Not told apart at this size: {by}"
    return f"{'As Li et al. found' if n < r else 'We found otherwise'}: {by}"


def of_fresh(found: Mapping[str, Any]) -> str:
    """Say in two sentences what encoders are worth to a probe that learns from ordinary pictures with their labels."""
    original, robust, nonrobust = (span(found, "contrastive", kind, "fresh") for kind in SETS)
    untrained = span(found, "untrained", "nonrobust", "fresh")
    text = (
        "Asked about ordinary pictures, the network that D_NR taught without labels reaches"
        f" {nonrobust.per_cent()}, that of D_R {robust.per_cent()}, that of the originals {original.per_cent()}; not"
        f" taught, {untrained.per_cent()}."
    )
    if nonrobust.above(untrained):
        return f"{text} D_NR did teach it something: to see how pictures look takes no label."
    if untrained.above(nonrobust):
        return f"{text} D_NR made it worse than it was before."
    return f"{text} D_NR taught it nothing that this probe can use."
