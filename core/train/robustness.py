"""Is a robust accuracy to be believed? Does it still fall when the attack takes more steps?

    found = by_steps(model, x, y, L2(0.5), counts=(10, 20, 40, 80))
    found.falls                     # True: the attack had not finished, and the last number is too kind

An attack that has not finished overstates robustness; one that has may still be the wrong attack.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from core.attacks import OnStep
from core.attacks.balls import Ball
from core.rates import Rate
from core.train import evaluate
from core.types import Images, Labels

COUNTS = (10, 20, 40, 80)
NOTABLE = 0.01  # of the pictures, and two of them at least


@dataclass(frozen=True)
class BySteps:
    """Accuracy under the same attack with more and more steps, on the same pictures.

    Args:
        counts: Numbers of steps, ascending.
        rates: What stood after each.
        warnings: Those of `robust_accuracy` at any.
    """

    counts: tuple[int, ...]
    rates: tuple[Rate, ...]
    warnings: tuple[str, ...]

    @property
    def falls(self) -> bool:
        """Whether the last doubling still broke two pictures, and one in a hundred."""
        if len(self.rates) < 2:
            return False
        lost = self.rates[-2].hits - self.rates[-1].hits
        return lost >= max(2, NOTABLE * self.rates[-1].n)

    @property
    def says(self) -> str:
        """The verdict in a sentence."""
        if len(self.rates) < 2:
            return "Not finished."
        before, after = self.counts[-2:]
        lost = self.rates[-2].hits - self.rates[-1].hits
        if self.falls:
            return (
                f"It still falls: {after} steps break {lost} more of {self.rates[-1].n} pictures than {before}. Read"
                " the number as an upper bound that is too kind, and attack longer."
            )
        return f"It has settled: {after} steps break {max(0, lost)} more of {self.rates[-1].n} pictures than {before}."


def by_steps(
    model: nn.Module,
    x: Images,
    y: Labels,
    ball: Ball,
    *,
    counts: Sequence[int] = COUNTS,
    on_step: OnStep | None = None,
) -> BySteps:
    """Measure robust accuracy with each number of steps; see `core.train.evaluate.robust_accuracy`.

    Stopping returns the numbers of steps that were finished.
    """
    taken, stopped = 0, False
    rates: list[Rate] = []
    reasons: set[str] = set()

    def watch(_: int, state: object) -> bool:
        nonlocal taken, stopped
        stopped = on_step is not None and bool(on_step(taken, state))  # type: ignore[arg-type]
        taken += 1
        return stopped

    for steps in counts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", evaluate.SuspiciousAttack)  # they are in the result
            found = evaluate.robust_accuracy(model, x, y, ball, steps=steps, on_step=watch)
        if stopped:
            break
        rates.append(found.rate)
        reasons.update(found.warnings)
    return BySteps(tuple(counts[: len(rates)]), tuple(rates), tuple(sorted(reasons)))
