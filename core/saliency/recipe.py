"""The recipe of the Saliency page."""

from dataclasses import dataclass

from core import worlds
from core.perturb.recipe import PerturbRecipe
from core.recipes.base import option


@dataclass(frozen=True)
class SaliencyRecipe:
    """Which pixels do the models' answers hang on?

    Args:
        view: "methods" (every method on one picture), "pictures" (one method on several), "attack" (the gradient at
            each iterate of an attack) or "classes" (the gradient from one class to another).
        picture: Picture id, see `core.data.pictures.get`.
        standard: Checkpoint of the left column.
        robust: Checkpoint of the right column.
        third: Checkpoint of one more column, or "".
        method: A key of `core.saliency.METHODS`.
        target: The class that is explained: the picture's "label", each model's own "prediction", or a class name.
        samples: Noisy copies, or points on the path, see `core.saliency.attribute`.
        noise: Standard deviation of the noise, in hundredths of the pixel range.
        baseline: What stands for "nothing there".
        window: Side of the square that Occlusion covers, in pixels.
        channel: Which colour channel is shown: their "sum", one of them, or all three as a "colour" picture.
        absolute: Show sizes without signs.
        opacity: Of the map over the picture, per cent.
        scale: "relative" shows each map in units of its own root mean square; "common" all maps of a row in one unit.
        only: View "pictures": the class of the pictures; "" is one of each.
        towards: View "classes": the class towards which the gradient points; "" is the picture's own.
        away: View "classes": the class from which it leads away; "" is truck or the last; for that, frog or the first.
        norm: View "attack": "L2" or "Linf".
        at: View "attack": the radius, one of `PerturbRecipe.eps_labels`; anything else means the norm's default.
        frame: View "attack": the iterate in sight.
        seed: Of the noise and of the choice of pictures.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("methods", among=("methods", "pictures", "attack", "classes"))
    picture: str = option("")
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    third: str = option("")
    method: str = option("gradient")
    target: str = option("label")
    samples: int = option(32, low=1, high=128)
    noise: int = option(15, low=0, high=100)
    baseline: str = option("grey", among=("black", "grey", "white"))
    window: int = option(6, low=1, high=1024)
    channel: str = option("sum", among=("sum", "red", "green", "blue", "colour"))
    absolute: bool = option(default=False)
    opacity: int = option(100, low=0, high=100)
    scale: str = option("relative", among=("relative", "common"))
    only: str = option("")
    towards: str = option("")
    away: str = option("")
    norm: str = option("L2", among=("L2", "Linf"))
    at: str = option("")
    frame: int = option(0, low=0, high=200)
    seed: int = option(0, low=0, high=2**31 - 1)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)

    @property
    def attack(self) -> PerturbRecipe:
        """The attack of the view "attack": untargeted PGD, iterate by iterate."""
        return PerturbRecipe(
            self.picture,
            self.standard,
            self.robust,
            self.norm,
            axis="steps",
            at=self.at,
            world=self.world,
            steps=20,
            schedule="constant",
            precision="fp32",
        )
