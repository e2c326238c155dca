"""What the draggable plane is sent, on the page and without it."""

from typing import Any

from core.files.playable import Scene
from core.gaussian.recipe import GaussianRecipe
from core.gaussian.views import SHOWN, draws, sides

DRAGGED = ("mu1", "mu2", "var1", "var2", "angle", "eps", "probe1", "probe2")
CLAIM = (
    "Two metrics that disagree are enough for adversarial examples: a step that is short for the adversary is long for"
    " the model."
)


def payload(recipe: GaussianRecipe) -> dict[str, Any]:
    """Return what the browser needs to know, ready for JSON; it computes the rest as `core.gaussian` does."""
    return {
        "values": {name: getattr(recipe, name) for name in DRAGGED},
        "draws": draws(recipe, (2, SHOWN, 2)).tolist(),
        "shape": recipe.shape,
        "budget": recipe.budget,
    }


def scene(recipe: GaussianRecipe) -> Scene:
    """Make a playable page of the plane."""
    both = sides(recipe)
    alt = " ".join(
        f"{name}: the gradient stands {side.angle:.0f} degrees from the line between the classes; accuracy"
        f" {100 * side.clean:.1f} per cent, {100 * side.attacked:.1f} per cent with points moved by {recipe.eps:g}."
        for name, side in both.items()
    )
    return Scene("gaussian", payload(recipe), alt, "Gaussian", CLAIM)
