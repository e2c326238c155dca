"""The recipe of the Usefulness page."""

from dataclasses import dataclass

from core import worlds
from core.recipes.base import option


def _sources() -> tuple[str, ...]:
    return ("", *dict.fromkeys(source for name in worlds.known() for source in worlds.get(name).sources))


@dataclass(frozen=True)
class UsefulnessRecipe:
    """A view of the feature atlas, or one of Goh's linear constructions.

    Args:
        view: "features" (the atlas, and what single features look like), "head" (the atlas, and what a head makes of
            the features that are left on), or "linear" (trucks
            against frogs).
        standard: Checkpoint of the left panel.
        robust: Checkpoint of the right panel.
        task: "best" (each feature against the rest for its own best class), or a class name.
        against: What the class is told from: "rest", or another class.
        frame: Where the slider stands: in the atlas the radius (0 is eps = 0, then its radii in order); in "linear" the
            vector, the ensemble or the mixture.
        brush: The chosen features, as a rectangle in one panel at one radius: "standard,0.1,0.6,-2,0,4" is rho from 0.1
            to 0.6 and gamma from -2 to 0 at frame 4; "" chooses none.
        feature: The coordinate that is looked at; -1 is the most useful of the chosen ones, or of all.
        side: Whose coordinate that is: "standard" or "robust".
        keep: Which features stay on: "all", "robust" (gamma > 0), "brittle" (gamma <= 0), "without" or "only" the
            chosen.
        head: "masked" (the model's own head, the rest held at their mean) or "refit" (least squares on what is on).
        source: Which pictures a feature is shown on and attacks are tried on: "" is the best there is.
        linear: "singular" vectors, an "ensemble", or a "containment".
        strong: Index of the robust direction in a containment.
        weak: Index of the non-robust direction in a containment.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("features", among=("features", "head", "linear"))
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    task: str = option("best")
    against: str = option("rest")
    frame: int = option(4, low=0, high=50)
    brush: str = option("")
    feature: int = option(-1, low=-1, high=4095)
    side: str = option("standard", among=("standard", "robust"))
    keep: str = option("all", among=("all", "robust", "brittle", "without", "only"))
    head: str = option("masked", among=("masked", "refit"))
    source: str = option("", among=_sources)
    linear: str = option("ensemble", among=("singular", "ensemble", "containment"))
    strong: int = option(0, low=0, high=3071)
    weak: int = option(2844, low=0, high=3071)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
