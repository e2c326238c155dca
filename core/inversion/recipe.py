"""The recipe of the Robust frog page."""

from dataclasses import dataclass

from core import worlds
from core.recipes.base import option


@dataclass(frozen=True)
class InvertRecipe:
    """Representations in two models, each inverted from the same start.

    Args:
        view: "emergence" of one picture, a "gallery" of several, one "feature", or the way "between" two pictures.
        picture: The picture whose representation is wanted, see `core.data.pictures.get`.
        standard: Checkpoint of the left column.
        robust: Checkpoint of the right column.
        start: "picture" (another one, drawn independently of the label), "noise" or "grey".
        block: Which representation: a name of `Classifier.blocks`; "pool" is g(x), the penultimate one.
        setting: "fast", "smooth" (momentum), or "paper": 1000 steps of 0.1.
        frame: Which iterate (emergence) or point (between) is in view, as index into the frames kept.
        seed: Decides which other picture, which gallery, and the noise.
        only: The class of the gallery's pictures; "" is one of each.
        feature: Which coordinate of g(x); -1 is the one in which the picture stands out most.
        canvas: Where the views "feature" and "between" start: "noise", "grey", or (only the latter) the "fade" of
            pixels.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("emergence", among=("emergence", "gallery", "feature", "between"))
    picture: str = option("")
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    start: str = option("picture", among=("picture", "noise", "grey"))
    block: str = option("pool")
    setting: str = option("fast", among=("fast", "smooth", "paper"))
    frame: int = option(40, low=0, high=200)
    seed: int = option(0, low=0, high=2**31 - 1)
    only: str = option("")
    feature: int = option(-1, low=-1, high=4095)
    canvas: str = option("noise", among=("noise", "grey", "fade"))
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
