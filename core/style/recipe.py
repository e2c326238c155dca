"""The recipe of the Style page."""

from dataclasses import dataclass

from core import worlds
from core.recipes.base import option
from core.style.pictures import CONTENTS, STYLES

SIDES = (32, 48, 64, 96)  # that are offered where networks live on pictures no larger


@dataclass(frozen=True)
class StyleRecipe:
    """A style transfer through two networks.

    Args:
        view: "transfer", or "layers" (the robustness of every layer).
        content: What the picture is to show, a key of `core.style.pictures.CONTENTS`, or "upload".
        style: Whose texture it is to have, a key of `core.style.pictures.STYLES`, or "upload".
        standard: Checkpoint of the left panel.
        robust: Checkpoint of the right panel.
        side: Of the picture, in pixels.
        strength: Weight of the style against the content, as a power of ten.
        steps: Steps of L-BFGS.
        frame: Which iterate is in view.
        world: Whose networks they are, a name of `core.worlds.names`.
    """

    view: str = option("transfer", among=("transfer", "layers"))
    content: str = option("rocket", among=(*CONTENTS, "upload"))
    style: str = option("strokes", among=(*STYLES, "upload"))
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    side: int = option(64, low=16, high=512)
    strength: float = option(1.0, low=-2.0, high=4.0)
    steps: int = option(100, low=10, high=400)
    frame: int = option(40, low=0, high=200)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
