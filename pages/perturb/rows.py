"""Rows of the scrubber, with the numbers and verdicts of an attack."""

from collections.abc import Sequence

from torch import Tensor

from core.files.render import to_uint8
from core.perturb import Trajectory
from pages.ui.scrubber import Row
from pages.ui.words import size, verdicts


def row(
    title: str,
    found: Trajectory,
    *,
    subtitle: str,
    norm: str,
    axis: Sequence[str],
    classes: tuple[str, ...],
    others: Sequence[tuple[str, Tensor]] = (),
    flag: str = "fooled",
) -> Row:
    """Build a scrubber row from a trajectory.

    Args:
        title: Name of the column.
        found: The frames.
        subtitle: A muted line below the title.
        norm: "L2" or "Linf".
        axis: The label of each frame, for the alt texts.
        classes: Class names.
        others: Further readouts: a name, and the logits (F, K) behind its verdicts.
        flag: The badge of a successful frame.
    """
    said = verdicts(found.logits, classes)
    sizes = tuple(
        f"{size(float(n), norm)} of {size(float(a), norm)}" for n, a in zip(found.norm, found.allowed, strict=True)
    )
    wrong_at_first = bool(found.logits[0].argmax() != found.y) and float(found.norm[0]) == 0
    badge = "wrong from the start" if wrong_at_first else flag
    return Row(
        title=title,
        subtitle=subtitle,
        frames=to_uint8(found.x_adv),
        reference=to_uint8(found.x)[0],
        delta=found.x_adv - found.x,
        classes=classes,
        probabilities=found.probabilities,
        truth=found.y,
        target=found.target,
        curve=tuple(found.probabilities[:, found.y].tolist()),
        curve_name=f"probability of “{classes[found.y]}”",
        readouts=(
            ("‖δ‖ measured", sizes),
            *((name, verdicts(logits, classes)) for name, logits in others),
        ),
        flags=tuple(badge if s else None for s in found.success.tolist()),
        threshold=found.threshold,
        alt=tuple(
            f"{title}: {classes[found.y]} at {where}; the model says {verdict}; measured size {measured}."
            for where, verdict, measured in zip(axis, said, sizes, strict=True)
        ),
    )
