"""What the Sandbox shows of a world before any network: a sheet of its pictures, and one picture taken apart."""

from dataclasses import dataclass, replace

import torch

from core.data.planted.scenes import Scenes, render
from core.data.planted.world import GREY, PIXELS, SIDE, PlantedWorld, colours, masks, slopes, weaves
from core.planted.networks import fresh
from core.planted.recipe import PlantedRecipe
from core.recipes import to_python
from core.types import Images

COLUMNS = 8
GAIN = 12.0  # of a weave that is to be seen


@dataclass(frozen=True)
class Layers:
    """One picture and the four layers that it is the sum of, each (1, 3, H, W); the last three around mid-grey."""

    picture: Images
    background: Images
    shape: Images
    weave: Images
    noise: Images


def sheet(recipe: PlantedRecipe) -> tuple[Scenes, Images]:
    """Draw the pictures of the sheet, a class after the other: scenes and images (8 K, 3, H, W)."""
    n = COLUMNS * recipe.classes
    drawn = fresh(recipe, n)
    order = drawn.y.argsort(stable=True)
    return drawn, render(recipe.world, drawn)[order]


def layers(world: PlantedWorld, scenes: Scenes, row: int = 0) -> Layers:
    """Take one picture apart; the weave is shown `GAIN` times as strong as it is, all else as it is."""
    picture = render(world, scenes)[row : row + 1]
    background = GREY + world.background * scenes.background[row] @ slopes()
    shape = (
        world.visible
        * colours()[scenes.colour[row]][:, None]
        * masks(world.classes)[scenes.shape[row], scenes.pose[row]]
    )
    patterns = torch.cat([weaves(world.classes, world.weave), torch.zeros(1, 3, SIDE, SIDE)])
    weave = world.faint * patterns[scenes.weave[row]].reshape(3, PIXELS)
    noise = picture.reshape(3, PIXELS) - background - shape - weave
    parts = [background, 0.5 + shape / 2, 0.5 + GAIN * weave, 0.5 + noise]
    return Layers(picture, *(part.clamp(0, 1).reshape(1, 3, SIDE, SIDE) for part in parts))


def pattern_sheet(world: PlantedWorld) -> Images:
    """Return the weave of each class, `GAIN` times as strong as in a picture of the default world: (K, 3, H, W)."""
    return (0.5 + GAIN * PlantedWorld().faint * weaves(world.classes, world.weave)).clamp(0, 1)


def without(world: PlantedWorld, feature: str) -> PlantedWorld:
    """Return the world without its "visible" or its "faint" feature."""
    return replace(world, visible=0.0) if feature == "visible" else replace(world, faint=0.0)


def script(recipe: PlantedRecipe) -> str:
    """Write the Python program that asks the recipe's networks which feature they use, and what an attack writes."""
    return to_python(
        recipe,
        [
            "from core.planted.networks import fresh, pair",
            "from core.planted.probes import follows, rules, written",
        ],
        """
        networks = pair(recipe)  # those that ship, or trained now
        scenes = fresh(recipe, 200)
        for name, followed in follows(recipe.world, scenes, rules(recipe.world, networks)).items():
            print(f"{name}: shape {followed['shape']}, weave {followed['weave']}")
        for name, model in networks.items():
            seen = written(model, recipe.world, scenes, recipe.eps)
            cosines = ", ".join(f"{where} {float(c.mean()):.3f}" for where, c in seen.cosine.items())
            print(f"{name}: fooled {float(seen.success.float().mean()):.2f}; cosine of the perturbation with {cosines}")
        """,
    )
