"""The view "classes": a model's gradient from one class to another, beside the difference of the classes' means."""

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core import data, worlds
from core.compute import arrived
from core.data import labelled, pictures
from core.data.pictures import Picture
from core.data.sets import Pictures
from core.models.ready import load
from core.problems import InputError
from core.saliency.attribution import attribute
from core.saliency.measures import cosine
from core.saliency.methods import against
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import class_index, draws_of, placed
from core.types import Images
from core.worlds import World

AVERAGED = 100  # pictures over which the gradient is averaged


@dataclass(frozen=True)
class Contrast:
    """From one class to another: a model's gradient beside the difference of the classes' means.

    Args:
        towards: The class whose logit is to rise.
        away: The class whose logit is to fall.
        gradient: Of logit_towards - logit_away at the picture (1, C, H, W).
        average: The same, averaged over pictures of the class `towards` (1, C, H, W).
        averaged: Over how many.
        cosine: Between the gradient and the difference of the class means.
        average_cosine: Between the average and that difference.
        logits: What the model says of the picture (1, K).
    """

    towards: int
    away: int
    gradient: Tensor
    average: Tensor
    averaged: int
    cosine: float
    average_cosine: float
    logits: Tensor


@dataclass(frozen=True)
class Means:
    """Mean picture of each class (K, C, H, W), and of what."""

    x: Tensor
    of: str


def contrast(
    recipe: SaliencyRecipe, name: str, *, picture: Picture | None = None, model: nn.Module | None = None
) -> Contrast:
    """Take the gradient from one class to another, at the picture and averaged over pictures of the first class.

    Raises:
        ValueError: If the two classes are one, or one of them does not exist.
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
    """
    model = model if model is not None else load(name)
    x, picture = placed(recipe, picture, model)
    with torch.no_grad():
        logits = model(x)
    a, b = classes_of(recipe, picture, logits)
    gradient = _between(model, x, a, b)
    source = pictures.available(worlds.of(recipe).sources)[0]
    ids = pictures.ids(source, a) or (picture.id,)
    order = torch.randperm(len(ids), generator=draws_of(recipe, source))[:AVERAGED].tolist()
    others = torch.cat([pictures.get(ids[i]).x for i in order]) if ids != (picture.id,) else x
    average = _between(model, others.to(x), a, b).mean(0, keepdim=True)
    means = class_means(worlds.of(recipe)).x.to(x)
    direction = (means[a] - means[b])[None]
    found = [float(cosine(g, direction)) for g in (gradient, average)]
    return arrived(Contrast(a, b, gradient, average, len(others), found[0], found[1], logits))


def classes_of(recipe: SaliencyRecipe, picture: Picture, logits: Tensor) -> tuple[int, int]:
    """Resolve the two classes of the view "classes": by default from the picture's own class to truck (or to frog).

    Raises:
        ValueError: If the two are one, or one of them does not exist.
    """
    own = picture.label if picture.label is not None else int(logits.argmax())
    classes = worlds.of(recipe).classes
    a = class_index(recipe, recipe.towards) if recipe.towards else own
    b = class_index(recipe, recipe.away or usual(classes, classes[a]))
    if a == b:
        raise InputError(f"choose two different classes, not {classes[a]} twice")
    return a, b


def usual(classes: tuple[str, ...], towards: str = "") -> str:
    """Return the class that the gradient leads away from by default: truck or the last, for that one frog or the first.

    Args:
        classes: All classes.
        towards: Where it leads.
    """
    first, last = ("frog", "truck") if {"frog", "truck"} <= set(classes) else (classes[0], classes[-1])
    return first if towards == last else last


def _between(model: nn.Module, x: Images, a: int, b: int) -> Tensor:
    return attribute(model, x, torch.full((len(x),), a, device=x.device), "gradient", score=against(b))


def class_means(world: World | None = None) -> Means:
    """Average the pictures of each class: of CIFAR-10's test set if it is here, else of the gallery.

    Args:
        world: Of which; by default the first.

    Raises:
        core.problems.InputError: If the classes of its pictures are not known.
        core.data.pictures.PictureError: If CIFAR-10 and the gallery are not here.
    """
    if world is not None and (why := no_means(world)):
        raise InputError(why)
    if world is not None and world != worlds.get():
        return _means(labelled.load(world.name, "test"), "test")
    try:
        return means_of("test", data.cifar10_root())
    except data.DataError:
        rows = [torch.cat([pictures.get(id).x for id in pictures.ids("gallery", k)]) for k in range(10)]
        made = torch.stack([x.mean(0) for x in rows])
        return Means(made, f"the gallery's {len(rows[0])} generated pictures of each class, CIFAR-10 not being here")


def no_means(world: World) -> str:
    """Say in a sentence why there are no class means of a world; "" where there are."""
    if labelled.has(world.name):
        return ""
    return (
        f"From class to class needs labelled pictures, to average those of each class. {labelled.missing(world.title)}"
    )


@functools.lru_cache(maxsize=4)
def means_of(split: str, root: Path) -> Means:
    """Average each class of CIFAR-10's "train" or "test" set in that folder.

    Raises:
        core.data.DataError: If it is not there.
    """
    return _means(data.cifar10(split, root), split)


def _means(found: Pictures, split: str) -> Means:
    rows = [found.images[found.labels == k] for k in range(len(found.classes))]
    made = np.stack([images.mean(0, dtype=np.float64) for images in rows]) / 255
    x = torch.from_numpy(made).permute(0, 3, 1, 2).float().contiguous()
    n = " to ".join(f"{size:,}" for size in sorted({min(map(len, rows)), max(map(len, rows))}))
    return Means(x, f"the {n} {'training' if split == 'train' else split} pictures of each class")
