"""What the further views of the Robust frog page compute: a gallery, one feature, and the way between two pictures.

    grid = gallery(InvertRecipe(view="gallery"), "resnet9-l2")         # ten robustified pictures, in one batch
    found = feature(InvertRecipe(view="feature", feature=7), "resnet9-l2")
    way = between(InvertRecipe(view="between"), "resnet9-l2")

The page and the script that it offers for copying call these same functions.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import emergence
from core.attacks import OnStep
from core.data import pictures
from core.data.sets import CIFAR10_CLASSES
from core.emergence import SETTINGS, draws_of, other_of, source_of, start_of
from core.inversion import interpolate, invert, maximise_feature, relative_distance, representation
from core.models import Classifier
from core.models.ready import load, placed
from core.recipes import InvertRecipe, to_python
from core.types import Features, Images

GALLERY = 10
POINTS = 11
SEEN = 2000  # pictures among which the most active are looked for
BATCH = 100
TOP = 8
CLIMB = 100  # steps that maximise a feature
STRIDE = 0.05  # L2 length of the first of them, pixel units
# What each view does not depend on.
IGNORED = {
    "emergence": ("only", "feature", "canvas"),
    "gallery": ("feature", "canvas"),
    "feature": ("only", "start", "block", "setting"),
    "between": ("only", "feature", "start"),
}


@dataclass(frozen=True)
class Grid:
    """Several pictures and what one model's representations keep of them.

    Args:
        ids: Names of the N pictures.
        x: The pictures (N, C, H, W).
        labels: Their classes; None where unknown.
        made: Their inversions (N, C, H, W): of D_R through a robust model, of D_NR through a standard one.
        distance: |g(made) - g(x)| / |g(x)| (N).
        logits: What the inverted model says of them (N, K).
    """

    ids: tuple[str, ...]
    x: Images
    labels: tuple[int | None, ...]
    made: Images
    distance: Tensor
    logits: Tensor


@dataclass(frozen=True)
class Feature:
    """One coordinate of a representation: what excites it.

    Args:
        index: Which coordinate.
        dimensions: How many there are.
        value: Its value for the recipe's picture.
        mean: Its mean over the pictures seen.
        deviation: Its standard deviation over them.
        seen: How many pictures of the source were looked at.
        ids: Names of those that excite it most.
        x: Those pictures (T, C, H, W).
        values: Its values for them (T).
        start: Where the climb began (1, C, H, W).
        made: The picture that maximises it (1, C, H, W).
        made_value: Its value there.
        votes: What it adds to each class's logit for each unit of its value (K).
    """

    index: int
    dimensions: int
    value: float
    mean: float
    deviation: float
    seen: int
    ids: tuple[str, ...]
    x: Tensor
    values: Tensor
    start: Images
    made: Images
    made_value: float
    votes: Tensor


@dataclass(frozen=True)
class Way:
    """From one picture to another along the straight line between their representations.

    Args:
        t: Where on the line each point is (P).
        x: The two ends (2, C, H, W).
        caption: What the other picture is.
        start: Where each inversion began (P, C, H, W).
        made: The inversions (P, C, H, W).
        distance: |g(made) - z_t| / |z_t| (P).
        logits: What the model says of them (P, K).
        fade: The cross-fade of the pixels (P, C, H, W).
        fade_logits: What the model says of that (P, K).
    """

    t: tuple[float, ...]
    x: Tensor
    caption: str
    start: Images
    made: Images
    distance: Tensor
    logits: Tensor
    fade: Images
    fade_logits: Tensor


def essential(recipe: InvertRecipe) -> InvertRecipe:
    """Return the recipe with everything at its default that one model's result in this view does not depend on."""
    default = InvertRecipe()
    unused = ("standard", "robust", "frame", *IGNORED[recipe.view])
    kept = replace(recipe, **{name: getattr(default, name) for name in unused})
    return replace(kept, picture=f"{source_of(recipe)}/") if recipe.view == "gallery" else kept


def drawn(recipe: InvertRecipe) -> tuple[str, ...]:
    """Draw the gallery's pictures: ten of one class, or one of each; all of a source that has no more."""
    source = source_of(recipe)
    everything = pictures.ids(source)
    if len(everything) <= GALLERY:
        return everything
    draws = draws_of(replace(recipe, picture=source))

    def some(label: int, n: int) -> list[str]:
        of_class = pictures.ids(source, label)
        return [of_class[i] for i in torch.randperm(len(of_class), generator=draws)[:n].tolist()]

    if recipe.only in CIFAR10_CLASSES:
        return tuple(some(CIFAR10_CLASSES.index(recipe.only), GALLERY))
    return tuple(id for label in range(len(CIFAR10_CLASSES)) for id in some(label, 1))


def gallery(recipe: InvertRecipe, name: str, *, model: nn.Module | None = None, on_step: OnStep | None = None) -> Grid:
    """Invert all pictures of the gallery in one batch; each starts where the emergence view starts it.

    The arguments are those of `core.emergence.emerge`; stopping keeps each picture's best iterate.
    """
    ready, block = _ready(recipe, name, model)
    chosen = [pictures.get(id) for id in drawn(recipe)]
    x = placed(torch.cat([picture.x for picture in chosen]), ready)
    x0 = placed(torch.cat([start_of(replace(recipe, picture=picture.id))[0] for picture in chosen]), ready)
    wanted = representation(ready, x, block)
    made = invert(ready, wanted, x0, setting=SETTINGS[recipe.setting], block=block, on_step=on_step)
    with torch.no_grad():
        distance, logits = relative_distance(ready, wanted, block)(made), ready(made)
    return Grid(tuple(p.id for p in chosen), x, tuple(p.label for p in chosen), made, distance, logits)


def activity(
    source: str, name: str, *, model: nn.Module | None = None, on_batch: Callable[[int], bool | None] | None = None
) -> Features:
    """Compute g of the first pictures of a source (n, D), n at most `SEEN`.

    Args:
        source: One of `core.data.pictures.available()`.
        name: The checkpoint.
        model: The loaded model, if the caller has it.
        on_batch: Called with the number of each batch; returning True ends the loop after it.
    """
    ready, _ = _ready(InvertRecipe(), name, model)
    ids, found = pictures.ids(source)[:SEEN], []
    for i, first in enumerate(range(0, len(ids), BATCH)):
        x = torch.cat([pictures.get(id).x for id in ids[first : first + BATCH]])
        found.append(representation(ready, placed(x, ready)))
        if on_batch is not None and on_batch(i):
            break
    return torch.cat(found)


def feature(
    recipe: InvertRecipe,
    name: str,
    *,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    g: Features | None = None,
    on_step: OnStep | None = None,
) -> Feature:
    """Find the pictures that excite one coordinate of g most, and make one that excites it more.

    The arguments are those of `core.emergence.emerge`, and g is what `activity` computed for the recipe's source, if the
    caller has it.

    Raises:
        ValueError: If g has no such coordinate.
    """
    ready, _ = _ready(recipe, name, model)
    picture = picture if picture is not None else pictures.get(recipe.picture)
    source = source_of(recipe)
    g = g if g is not None else activity(source, name, model=ready)
    own = representation(ready, placed(picture.x, ready))[0]
    deviation, mean = torch.std_mean(g, dim=0, correction=0)
    k = recipe.feature if recipe.feature >= 0 else int(((own - mean) / deviation.clamp_min(1e-6)).argmax())
    if k >= g.shape[1]:
        raise ValueError(f"{name} has features 0 to {g.shape[1] - 1}, and no {k}")
    best = g[:, k].topk(min(TOP, len(g)))
    ids = tuple(pictures.ids(source)[i] for i in best.indices.tolist())
    start = placed(_canvas(recipe), ready)
    index = torch.tensor([k], device=start.device)
    made = maximise_feature(ready, index, start, steps=CLIMB, step_size=STRIDE, on_step=on_step)
    value = float(representation(ready, made)[0, k])
    top = torch.cat([pictures.get(id).x for id in ids])
    return Feature(
        index=k,
        dimensions=g.shape[1],
        value=float(own[k]),
        mean=float(mean[k]),
        deviation=float(deviation[k]),
        seen=len(g),
        ids=ids,
        x=top,
        values=best.values,
        start=start,
        made=made,
        made_value=value,
        votes=ready.head.weight[:, k].detach(),
    )


def between(
    recipe: InvertRecipe,
    name: str,
    *,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> Way:
    """Invert the points of the line between two representations, all in one batch.

    All points start at the same noise or grey; on the canvas "fade" each starts at its point of the pixels' cross-fade.
    The arguments are those of `core.emergence.emerge`; the picture is the one at t = 0.
    """
    ready, block = _ready(recipe, name, model)
    picture = picture if picture is not None else pictures.get(recipe.picture)
    here = replace(recipe, picture=picture.id)
    other = other_of(here)
    x = placed(torch.cat([picture.x, other.x]), ready)
    fade = placed(interpolate(x[0], x[1], POINTS).reshape(POINTS, *x.shape[1:]), ready)
    z = representation(ready, x, block)
    line = interpolate(z[0], z[1], POINTS).reshape(POINTS, *z.shape[1:])
    start = fade if recipe.canvas == "fade" else placed(_canvas(here).repeat(POINTS, 1, 1, 1), ready)
    made = invert(ready, line, start, setting=SETTINGS[recipe.setting], block=block, on_step=on_step)
    with torch.no_grad():
        distance, logits, faded = relative_distance(ready, line, block)(made), ready(made), ready(fade)
    t = tuple(i / (POINTS - 1) for i in range(POINTS))
    return Way(t, x, other.caption, start, made, distance, logits, fade, faded)


def script(recipe: InvertRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves its pictures."""
    if recipe.view == "emergence":
        return emergence.script(recipe)
    if recipe.view == "feature":
        body = """
        for name in (recipe.standard, recipe.robust):
            made = feature(recipe, name)
            Path(f"{name}.png").write_bytes(render.png(render.to_uint8(made.made)[0]))
        """
    else:
        body = f"""
        for name in (recipe.standard, recipe.robust):
            made = {recipe.view}(recipe, name)
            for i, picture in enumerate(made.made):
                Path(f"{{name}}-{{i}}.png").write_bytes(render.png(render.to_uint8(picture[None])[0]))
        """
    page = f"from core.inversion_views import {recipe.view}"
    return to_python(recipe, ["from pathlib import Path", "from core.files import render", page], body)


def _ready(recipe: InvertRecipe, name: str, model: nn.Module | None) -> tuple[Classifier, str | None]:
    ready = model if model is not None else load(name)
    assert isinstance(ready, Classifier)
    return ready, None if recipe.block == ready.blocks[-1] else recipe.block


def _canvas(recipe: InvertRecipe) -> Images:
    return start_of(replace(recipe, start="grey" if recipe.canvas == "grey" else "noise"))[0]
