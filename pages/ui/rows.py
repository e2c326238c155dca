"""Columns of the scrubber for an inversion, shared by the topics that show one."""

from core.files.trajectory import Row
from core.inversion import scene
from core.inversion.emergence import Emergence
from pages.ui.judge import logits_of
from pages.ui.world import current


def row(name: str, made: Emergence, label: int | None, other: str) -> Row:
    """Build a model's column of the scrubber: see `core.inversion.scene.row`."""
    return scene.row(name, made, label, other, current().classes, logits_of)
