"""The two networks with which a world opens: a standard one and, where there is one, a robust one beside it."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.models import checkpoints
from core.worlds import World

SAYS_ROBUST = ("adversarial training", "robust")  # in a title; headers of this project say it in their recipes


@dataclass(frozen=True)
class Pair:
    """Names of checkpoints; "" where there is none.

    Args:
        standard: On the left.
        robust: On the right.
    """

    standard: str
    robust: str

    @property
    def right(self) -> str:
        """What stands on the right: the standard network once more where there is no robust one."""
        return self.robust or self.standard


def opening(world: World) -> Pair:
    """Choose the pair: that which the world names, else its first networks that say to be robust or not."""
    here = checkpoints.names(world=world.name)
    if world.standard and world.robust:  # a missing one is told by whoever loads it
        return Pair(world.standard, world.robust)
    standard = world.standard or _first(here, robust=False) or _first(here, robust=True)
    robust = world.robust or _first([name for name in here if name != standard], robust=True)
    return Pair(standard, robust)


def _first(names: Sequence[str], *, robust: bool) -> str:
    return next((name for name in names if is_robust(name) == robust), "")


def is_robust(name: str, title: str = "") -> bool:
    """Tell whether a network says that it was trained adversarially: its recipe, or else its title.

    Args:
        name: Of a checkpoint.
        title: What it was called, where its weights are not here.
    """
    try:
        about = checkpoints.header(name)
    except checkpoints.CheckpointError:
        return _says_robust(title)
    return bool(about.recipe["inner"]) if "inner" in about.recipe else _says_robust(about.title)


def _says_robust(title: str) -> bool:
    return any(words in title.lower() for words in SAYS_ROBUST)
