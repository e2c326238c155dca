"""The recipe of the page Dial."""

from dataclasses import dataclass

from core import worlds
from core.dial.networks import RADII
from core.recipes.base import option
from core.saliency.methods import METHODS
from core.synthesis.recipe import LIMITS

VIEWS = ("inversion", "gradient", "paint", "measured")
TRENDS = ("accuracy", "gradients", "pictures", "transfer", "features", "shifts")


@dataclass(frozen=True)
class DialRecipe:
    """One picture in the hands of networks that differ only in the radius of the adversary that trained them.

    Args:
        view: "inversion" (what a representation keeps), "gradient" (what an answer hangs on), "paint" (what moving
            toward a class adds), or the trends as "measured".
        picture: Picture id, see `core.data.pictures.get`.
        start: View "inversion": where it starts, see `core.inversion.recipe.InvertRecipe`.
        method: View "gradient": a key of `core.saliency.METHODS`.
        target: View "paint": the class that is painted.
        canvas: View "paint": what is painted on: the "picture", or a "seed", drawn from the class's mean and
            covariance.
        eps: View "paint": how far it may go from there, L2 in pixel units, or "none".
        trend: View "measured": which one.
        frame: Where the dial stands, as index into the radii.
        seed: Of starts, seeds and noise.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("inversion", among=VIEWS)
    picture: str = option("")
    start: str = option("noise", among=("noise", "picture", "grey"))
    method: str = option("gradient", among=tuple(METHODS))
    target: str = option("horse")
    canvas: str = option("picture", among=("picture", "seed"))
    eps: str = option("6", among=LIMITS)
    trend: str = option("accuracy", among=TRENDS)
    frame: int = option(len(RADII) - 1, low=0, high=len(RADII) - 1)
    seed: int = option(0, low=0, high=2**31 - 1)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
