"""The recipe of the page Models."""

from dataclasses import dataclass

from core import worlds
from core.recipes import option

NORMS = ("L2", "Linf")


@dataclass(frozen=True)
class ModelsRecipe:
    """Which model's card is open, and how its robustness is looked at.

    Args:
        model: Name of a checkpoint.
        norm: Of the perturbations.
        check: Whether its accuracy is also measured here with more and more steps.
        pictures: So many are attacked for that.
        world: In which world, a name of `core.worlds.names`.
    """

    model: str = option("resnet9-l2")
    norm: str = option("L2", among=NORMS)
    check: bool = option(False)
    pictures: int = option(40, among=(20, 40, 100, 200))
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
