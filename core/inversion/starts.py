"""Where an inversion starts: another picture, noise or grey; and the model and block that it goes through."""

import zlib
from dataclasses import replace

import torch
from torch import nn

from core import worlds
from core.attacks.rules import steepest
from core.data import pictures
from core.inversion.invert import SETTINGS, UNLIMITED, Setting, noise_start
from core.inversion.recipe import InvertRecipe
from core.models import Classifier
from core.models.ready import load
from core.types import Images


def start_of(recipe: InvertRecipe) -> tuple[Images, str]:
    """Return the start (1, C, H, W) and what it is; each picture has its own.

    "picture" draws from the same source, independently of the label (paper, section 3.1); an upload draws from what
    there is.
    """
    side = worlds.of(recipe).side
    if recipe.start == "noise":
        return noise_start((1, 3, side, side), draws_of(recipe)), "noise"
    if recipe.start == "grey":
        return torch.full((1, 3, side, side), 0.5), "grey"
    other = other_of(recipe)
    return other.x, other.caption


def other_of(recipe: InvertRecipe) -> pictures.Picture:
    """Draw another picture than the recipe's from the same source, independently of the label."""
    others = [id for id in pictures.ids(source_of(recipe)) if id != recipe.picture]
    return pictures.get(others[int(torch.randint(len(others), (), generator=draws_of(recipe)))])


def source_of(recipe: InvertRecipe) -> str:
    """Return the source that other pictures come from: the picture's own, or the first there is."""
    kind, sources = recipe.picture.partition("/")[0], pictures.available(worlds.of(recipe).sources)
    return kind if kind in sources else sources[0]


def draws_of(recipe: InvertRecipe) -> torch.Generator:
    """Make the generator of a recipe; it depends on the seed and on the picture's name alone."""
    return torch.Generator().manual_seed(zlib.crc32(f"{recipe.seed} {recipe.picture}".encode()))


def setting_of(recipe: InvertRecipe) -> Setting:
    """Return how the recipe's representation is inverted in its world."""
    mine = worlds.of(recipe).inversion.get(recipe.setting)
    if mine is None:
        return SETTINGS[recipe.setting]
    steps, length = mine
    return Setting(steps, lambda: steepest(UNLIMITED, length))


def ready_for(recipe: InvertRecipe, name: str, model: nn.Module | None) -> tuple[Classifier, str | None]:
    ready = model if model is not None else load(name)
    assert isinstance(ready, Classifier)
    return ready, None if recipe.block == ready.blocks[-1] else recipe.block


def canvas_of(recipe: InvertRecipe) -> Images:
    return start_of(replace(recipe, start="grey" if recipe.canvas == "grey" else "noise"))[0]
