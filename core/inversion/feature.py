"""One coordinate of a representation: which pictures excite it most, and a picture that excites it more."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks import OnStep
from core.compute import arrived
from core.data import pictures
from core.inversion.invert import maximise_feature, representation
from core.inversion.recipe import InvertRecipe
from core.inversion.starts import canvas_of, ready_for, source_of
from core.models.ready import placed
from core.problems import InputError
from core.types import Features, Images

SEEN = 2000  # pictures among which the most active are looked for
BATCH = 100
TOP = 8
CLIMB = 100  # steps that maximise a feature
STRIDE = 0.05  # L2 length of the first of them, pixel units


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
    ready, _ = ready_for(InvertRecipe(), name, model)
    ids, found = pictures.ids(source)[:SEEN], []
    for i, first in enumerate(range(0, len(ids), BATCH)):
        x = torch.cat([pictures.get(id).x for id in ids[first : first + BATCH]])
        found.append(representation(ready, placed(x, ready)).cpu())
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

    The arguments are those of `core.inversion.emergence.emerge`, and g is what `activity` computed for the recipe's
    source, if the caller has it.

    Raises:
        ValueError: If g has no such coordinate.
    """
    ready, _ = ready_for(recipe, name, model)
    picture = picture if picture is not None else pictures.get(recipe.picture)
    source = source_of(recipe)
    g = g if g is not None else activity(source, name, model=ready)
    own = representation(ready, placed(picture.x, ready))[0].cpu()
    deviation, mean = torch.std_mean(g, dim=0, correction=0)
    k = recipe.feature if recipe.feature >= 0 else int(((own - mean) / deviation.clamp_min(1e-6)).argmax())
    if k >= g.shape[1]:
        raise InputError(f"{name} has features 0 to {g.shape[1] - 1}, and no {k}")
    best = g[:, k].topk(min(TOP, len(g)))
    ids = tuple(pictures.ids(source)[i] for i in best.indices.tolist())
    start = placed(canvas_of(recipe), ready)
    index = torch.tensor([k], device=start.device)
    made = maximise_feature(ready, index, start, steps=CLIMB, step_size=STRIDE, on_step=on_step)
    value = float(representation(ready, made)[0, k])
    top = torch.cat([pictures.get(id).x for id in ids])
    found = Feature(
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
    return arrived(found)
