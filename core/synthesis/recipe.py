"""The recipe of the Synthesis page."""

from dataclasses import dataclass

from core import worlds
from core.recipes.base import option

TASKS = ("generate", "turn", "inpaint", "sharpen", "mix", "feature")
REGIONS = ("centre", "upper half", "lower half", "left half", "right half", "all")
LIMITS = ("1", "2", "4", "6", "8", "12", "none")


@dataclass(frozen=True)
class SynthesisRecipe:
    """Pictures that two models paint, each from the same starts.

    Args:
        view: "morph": a canvas and held buttons; "studio": sixteen at once.
        standard: Checkpoint of the left column.
        robust: Checkpoint of the right column.
        start: Of the canvas, a name of `core.synthesis.morph.start`: "seed/frog/0", "blank", or a picture's id.
        picture: Of the studio, where a picture is wanted, see `core.data.pictures.get`.
        holds: What the canvas opens with, in order: "frog:40" is forty steps toward the frog.
        reach: How far the canvas may go from its anchor, L2 in pixel units, or "none".
        task: Of the studio: "generate" from seeds of the class, "turn" the picture into it, "inpaint" a region of it,
            "sharpen" it from few pixels, "mix" two classes, or excite one "feature" of the representation.
        target: The wanted class; "each" is all of them in turn.
        second: The other class of a mixture.
        share: Of the target in the mixture, per cent.
        region: Where painting is allowed, a key of `core.synthesis.REGIONS`.
        coarse: Side of the picture that is sharpened, pixels.
        feature: Coordinate of g(x).
        eps: How far a picture of the studio may go from its start, L2 in pixel units, or "none".
        steps: Gradient steps.
        seed: Of the starts.
        frame: Which iterate is in view, as index into the frames kept.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("morph", among=("morph", "studio"))
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    start: str = option("sketch/meadow")
    picture: str = option("")
    holds: tuple[str, ...] = option(("horse:40",))
    reach: str = option("6", among=LIMITS)
    task: str = option("generate", among=TASKS)
    target: str = option("each")
    second: str = option("dog")
    share: int = option(50, low=0, high=100)
    region: str = option("centre", among=REGIONS)
    coarse: str = option("8", among=("4", "8", "16"))
    feature: int = option(0, low=0, high=4095)
    eps: str = option("6", among=LIMITS)
    steps: int = option(40, low=0, high=300)
    seed: int = option(0, low=0, high=2**31 - 1)
    frame: int = option(30, low=0, high=200)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
