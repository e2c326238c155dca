"""Which model, which pictures and which features a recipe of the Usefulness page chooses.

    recipe = UsefulnessRecipe(brush="standard,0.2,1,-9,0,4")     # useful, but not robustly, at eps 0.25
    on = switched_on(recipe, "standard")                          # (D,) what a head may use

A side is the left or the right model of the page: "standard" or "robust". Atlases are read from their files; those that
were measured at once (`core.usefulness.live`) the caller has, and hands in.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from core import worlds
from core.data import pictures
from core.models import Classifier, ready
from core.problems import InputError
from core.usefulness.atlas import Atlas, load, lookup
from core.usefulness.definitions import Usefulness
from core.usefulness.recipe import UsefulnessRecipe

SIDES = ("standard", "robust")
Have = Mapping[str, Atlas] | None  # atlases that the caller has, by the names of their networks


@dataclass(frozen=True)
class Brush:
    """A rectangle of the scatter at one radius: it chooses features.

    Args:
        side: "standard" or "robust".
        box: rho from, rho to, gamma from, gamma to.
        frame: The radius's index; 0 is eps = 0.
    """

    side: str
    box: tuple[float, float, float, float]
    frame: int

    @staticmethod
    def parse(text: str) -> "Brush | None":
        """Read what `str` wrote; None where there is nothing that can be read."""
        side, _, rest = text.partition(",")
        try:
            a, b, c, d, frame = (float(part) for part in rest.split(","))
        except ValueError:
            return None
        if side not in SIDES or not all(map(math.isfinite, (a, b, c, d))) or frame not in range(51):
            return None
        return Brush(side, (a, b, c, d), int(frame))

    def __str__(self) -> str:
        return ",".join([self.side, *(f"{v:g}" for v in self.box), str(self.frame)])

    def covers(self, found: Usefulness) -> Tensor:
        """Tell which features lie in it (D)."""
        low, high, bottom, top = self.box
        gamma = gamma_at(found, self.frame)
        inside = (found.rho >= low) & (found.rho <= high) & (gamma >= bottom) & (gamma <= top)
        return inside & found.searched


def gamma_at(found: Usefulness, frame: int) -> Tensor:
    """Return the robust usefulness (D) at a frame of the slider; frame 0, eps = 0, is rho itself."""
    return found.gamma[min(frame, len(found.radii)) - 1] if frame > 0 else found.rho


def radius(atlas: Atlas, frame: int) -> float:
    """Return the radius at a frame of the slider, pixel units."""
    return (0.0, *atlas.radii)[min(frame, len(atlas.radii))]


def sides(recipe: UsefulnessRecipe) -> tuple[str, ...]:
    """Return the sides: one where both models are the same."""
    return SIDES if recipe.standard != recipe.robust else SIDES[:1]


def atlas_of(recipe: UsefulnessRecipe, side: str, have: Have = None) -> Atlas:
    """Return the atlas of one side's model.

    Raises:
        core.data.DataError: If it has not been measured.
    """
    name = recipe.standard if side == "standard" else recipe.robust
    return have[name] if have and name in have else load(name)


def chosen(recipe: UsefulnessRecipe, side: str, have: Have = None) -> Tensor:
    """Tell which features of a side the brush chooses (D); none if it is in the other panel."""
    atlas = atlas_of(recipe, side, have)
    found, _ = lookup(atlas, recipe.task, recipe.against)
    brush = Brush.parse(recipe.brush)
    return brush.covers(found) if brush is not None and brush.side == side else torch.zeros_like(found.rho).bool()


def switched_on(recipe: UsefulnessRecipe, side: str, have: Have = None) -> Tensor:
    """Tell which features of a side's model stay on (D). A brush in one panel leaves the other model whole.

    One that was not searched is neither robust nor not.
    """
    atlas = atlas_of(recipe, side, have)
    found, _ = lookup(atlas, recipe.task, recipe.against)
    gamma = gamma_at(found, recipe.frame)
    robust, brittle = (gamma > 0) & found.searched, (gamma <= 0) & found.searched
    brushed = chosen(recipe, side, have)
    everything = torch.ones_like(robust)
    brush = Brush.parse(recipe.brush)
    here = brush is not None and brush.side == side
    match recipe.keep:
        case "robust":
            return robust
        case "brittle":
            return brittle
        case "without":
            return ~brushed if here else everything
        case "only":
            return brushed if here else everything
    return everything


def feature_of(recipe: UsefulnessRecipe, side: str, have: Have = None) -> int:
    """Return the coordinate of a side that is looked at.

    It is the recipe's on the recipe's side; otherwise the most useful one of those that the brush chooses, or of all.

    Raises:
        ValueError: If the model has no such coordinate.
    """
    atlas = atlas_of(recipe, side, have)
    if recipe.side == side and recipe.feature >= 0:
        if recipe.feature >= len(atlas.centre):
            raise InputError(f"{atlas.name} has features 0 to {len(atlas.centre) - 1}, and no {recipe.feature}")
        return recipe.feature
    found, _ = lookup(atlas, recipe.task, recipe.against)
    among = chosen(recipe, side, have)
    rho = torch.where(among, found.rho, -1.0) if bool(among.any()) else found.rho
    return int(rho.argmax())


def source_of(recipe: UsefulnessRecipe) -> str:
    """Return the source of pictures: the recipe's if it is there, else the best of its world."""
    there = pictures.available(worlds.of(recipe).sources)
    return recipe.source if recipe.source in there else there[0]


def loaded(name: str) -> Classifier:
    """Load a checkpoint that has a representation."""
    model = ready.load(name)
    assert isinstance(model, Classifier)
    return model
