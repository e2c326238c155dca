"""Maps side by side: the rows of each view on their common scale, and the script that draws them.

For example:

    for row in rows(SaliencyRecipe(picture="gallery/7")):
        row.painted(recipe, "resnet9-l2")       # uint8 (1, H, W, 3)
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core import worlds
from core.data import pictures
from core.files.render import Frames
from core.models.ready import load
from core.recipes import to_python
from core.saliency import maps
from core.saliency.classes import class_means, contrast
from core.saliency.methods import METHODS
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import along, explain, several
from core.types import Images


@dataclass(frozen=True)
class Row:
    """One row of a view: a picture and each model's map of it.

    Args:
        title: A method, a picture, or a step.
        x: The picture (1, C, H, W).
        attributions: Model name -> map (1, C or 1, H, W).
        limits: Model name -> where its colour scale ends (1,).
    """

    title: str
    x: Images
    attributions: dict[str, Tensor]
    limits: dict[str, Tensor]

    @staticmethod
    def of(recipe: SaliencyRecipe, title: str, x: Images, attributions: dict[str, Tensor]) -> "Row":
        """Put maps in a row, on the scale that the recipe asks for."""
        limits = {name: maps.limits(made, recipe.channel) for name, made in attributions.items()}
        if recipe.scale == "common":
            limits = dict.fromkeys(limits, torch.stack(list(limits.values())).amax(0))
        return Row(title, x, attributions, limits)

    def painted(self, recipe: SaliencyRecipe, name: str) -> Frames:
        """Paint one model's map as the recipe asks: uint8 (1, H, W, 3)."""
        return paint(recipe, self.attributions[name], self.x, self.limits[name])


def paint(recipe: SaliencyRecipe, attribution: Tensor, x: Images, limit: Tensor) -> Frames:
    """Paint maps (N, C or 1, H, W) as the recipe asks: uint8 (N, H, W, 3)."""
    return maps.painted(
        attribution,
        x,
        channel=recipe.channel,
        absolute=recipe.absolute,
        opacity=recipe.opacity / 100,
        limit=limit,
    )


def frame_limits(recipe: SaliencyRecipe, gradients: Tensor) -> Tensor:
    """Return where the scale of each frame of an attack ends (F,): commonly scaled, at the clean picture's."""
    limits = maps.limits(gradients, recipe.channel)
    return limits[:1].expand_as(limits) if recipe.scale == "common" else limits


def names_of(recipe: SaliencyRecipe) -> tuple[str, ...]:
    """List the recipe's models, each once, left to right."""
    return tuple(dict.fromkeys(name for name in (recipe.standard, recipe.robust, recipe.third) if name))


def rows(recipe: SaliencyRecipe) -> Iterator[Row]:
    """Compute the recipe's view, row by row; of an attack the frame in sight."""
    models = {name: load(name) for name in names_of(recipe)}
    match recipe.view:
        case "attack":
            found = {name: along(recipe, name, model=model) for name, model in models.items()}
            frame = min(recipe.frame, *(len(made.gradients) - 1 for made in found.values()))
            at = slice(frame, frame + 1)
            gradients = {name: made.gradients for name, made in found.items()}
            limits = {name: frame_limits(recipe, of)[at] for name, of in gradients.items()}
            x = pictures.get(recipe.picture).x
            yield Row(f"step {frame}", x, {name: of[at] for name, of in gradients.items()}, limits)
        case "classes":
            pairs = {name: contrast(recipe, name, model=model) for name, model in models.items()}
            towards = next(iter(pairs.values())).towards
            x, mean = pictures.get(recipe.picture).x, class_means(worlds.of(recipe)).x[towards][None]
            yield Row.of(recipe, "at this picture", x, {name: made.gradient for name, made in pairs.items()})
            yield Row.of(recipe, "averaged", mean, {name: made.average for name, made in pairs.items()})
        case _:
            each = [(method, recipe.picture) for method in METHODS]
            if recipe.view == "pictures":
                each = [(recipe.method, id) for id in several(recipe)]
            for method, id in each:
                here = replace(recipe, picture=id)
                made = {name: explain(here, name, method, model=model) for name, model in models.items()}
                title = id if recipe.view == "pictures" else METHODS[method].title
                yield Row.of(recipe, title, pictures.get(id).x, {name: e.attribution for name, e in made.items()})


def script(recipe: SaliencyRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves its maps as PNG."""
    return to_python(
        recipe,
        [
            "from pathlib import Path",
            "from core.files import render",
            "from core.saliency.maps import strength",
            "from core.saliency.rows import rows",
        ],
        """
        for number, row in enumerate(rows(recipe)):
            for name, attribution in row.attributions.items():
                print(f"{row.title}, {name}: strength {float(strength(attribution, recipe.channel)):.2g}")
                Path(f"{number:02d}-{name}.png").write_bytes(render.png(row.painted(recipe, name)[0]))
        """,
    )
