"""The axis of a scrubber whose rows are loops: their steps."""

from core.attacks.recording import Recording
from core.files.trajectory import Axis


def step_axis(*made: Recording, unit: str = "") -> Axis:
    """Return the axis of recordings that stand side by side.

    Loops that were stopped at different steps end in the same frame: its label says from which step to which.
    """
    each = list(zip(*(one.steps for one in made), strict=True))
    labels = tuple(str(max(at)) if len(set(at)) == 1 else f"{min(at)}–{max(at)}" for at in each)
    return Axis("step", tuple(float(max(at)) for at in each), labels, unit)
