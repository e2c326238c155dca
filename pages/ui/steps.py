"""The axis of a scrubber whose rows are loops: `core.attacks.steps`, as pages import it."""

from core.attacks.steps import step_axis

__all__ = ["step_axis"]
