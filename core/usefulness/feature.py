"""What one feature looks like.

Pictures that excite it, one made for it, its gradient, and its worst-case perturbation.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core import worlds
from core.attacks import OnStep, descend, pgd
from core.attacks.balls import L2
from core.attacks.rules import momentum
from core.compute import arrived
from core.data import pictures
from core.inversion.invert import UNLIMITED, noise_start, representation
from core.models import Classifier
from core.models.ready import placed
from core.types import Features, Images
from core.usefulness.atlas import SHIPPED, Atlas, lookup
from core.usefulness.choice import Have, atlas_of, feature_of, gamma_at, loaded, radius, source_of
from core.usefulness.recipe import UsefulnessRecipe

TOP = 8
CLIMB, STRIDE = 100, 0.05  # steps that maximise a feature, and the L2 length of the first at 32 pixels, pixel units
PUSH = 20  # PGD steps of the worst move


@dataclass(frozen=True)
class Look:
    """One feature, turned so that it speaks for its class, in standard deviations from its mean.

    Args:
        index: Which coordinate of g.
        sign: -1 if it was turned.
        label: The class that it is judged by.
        rho: Its usefulness for that class.
        gamma: Its robust usefulness at the recipe's radius; NaN if it was not searched.
        eps: That radius, pixel units.
        ids: Pictures that excite it most (T).
        x: Those pictures (T, C, H, W).
        values: Its values for them (T).
        seen: How many pictures were looked at.
        made: A picture made to excite it (1, C, H, W), started at noise.
        made_value: Its value there.
        typical_id: A picture of the class whose value is nearest to the class's mean.
        typical: That picture (1, C, H, W).
        typical_value: Its value there.
        gradient: Of the feature at the typical picture (1, C, H, W).
        moved: The typical picture, moved within the ball so as to lower the feature most (1, C, H, W).
        moved_value: Its value there.
    """

    index: int
    sign: int
    label: int
    rho: float
    gamma: float
    eps: float
    ids: tuple[str, ...]
    x: Images
    values: Tensor
    seen: int
    made: Tensor
    made_value: float
    typical_id: str
    typical: Tensor
    typical_value: float
    gradient: Tensor
    moved: Tensor
    moved_value: float


def look(
    recipe: UsefulnessRecipe,
    side: str,
    *,
    model: Classifier | None = None,
    have: Have = None,
    on_step: OnStep | None = None,
) -> Look:
    """Show what a feature is about.

    Pictures that excite it, one made for it, its gradient, and its worst-case perturbation.

    Args:
        recipe: What to look at.
        side: "standard" or "robust".
        model: The loaded model, if the caller has it.
        have: Atlases that the caller has.
        on_step: See `core.attacks.descend`; `CLIMB + PUSH` steps in all. Stopping keeps what was reached.

    Raises:
        ValueError: If there is no such feature.
        core.data.pictures.PictureError, core.data.DataError: If pictures or atlas are not there.
    """
    atlas = atlas_of(recipe, side, have)
    ready = model if model is not None else loaded(atlas.name)
    found, labels = lookup(atlas, recipe.task, recipe.against)
    k = feature_of(recipe, side, have)
    sign = int(found.sign[k])
    eps = radius(atlas, recipe.frame)
    centre, deviation = float(atlas.centre[k]), float(atlas.deviation[k])

    def value(x: Images) -> Tensor:
        return sign * (ready.features(x)[:, k] - centre) / deviation

    source = source_of(recipe)
    there, known, z = _seen(atlas, source, ready)
    excited = sign * (z[:, k] - centre) / deviation
    best = excited.topk(min(TOP, len(excited)))
    ids = tuple(there[i] for i in best.indices.tolist())
    x = placed(torch.cat([pictures.get(id).x for id in ids]), ready)
    own = [i for i, label in enumerate(known) if label == labels[k]] or list(range(len(known)))
    middle = own[int((excited[own] - excited[own].mean()).abs().argmin())]
    typical = placed(pictures.get(there[middle]).x, ready)
    world = worlds.get(atlas.world)
    start = placed(noise_start((1, 3, world.side, world.side), torch.Generator().manual_seed(k)), ready)
    decay = [world.scale * STRIDE * (1 + math.cos(math.pi * i / CLIMB)) / 2 for i in range(CLIMB)]
    made = descend(
        lambda images: -value(images),
        start,
        UNLIMITED,
        steps=CLIMB,
        rule=momentum(UNLIMITED, decay),
        best=True,
        on_step=on_step,
    )
    gradient = torch.zeros_like(typical)

    def watch(i: int, state: object) -> bool | None:
        nonlocal gradient
        if i == 0:
            gradient = state.grad  # type: ignore[attr-defined]
        return on_step(CLIMB + i, state) if on_step is not None else None  # type: ignore[arg-type]

    moved = pgd(value, typical, L2(eps), steps=PUSH, step_size=2.5 * eps / PUSH, best=True, on_step=watch)
    with torch.no_grad():
        made_value, typical_value, moved_value = (float(value(images)) for images in (made, typical, moved))
    seen = Look(
        index=k,
        sign=sign,
        label=labels[k],
        rho=float(found.rho[k]),
        gamma=float(gamma_at(found, recipe.frame)[k]),
        eps=eps,
        ids=ids,
        x=x,
        values=best.values,
        seen=len(excited),
        made=made,
        made_value=made_value,
        typical_id=there[middle],
        typical=typical,
        typical_value=typical_value,
        gradient=gradient,
        moved=moved,
        moved_value=moved_value,
    )
    return arrived(seen)


def _seen(atlas: Atlas, source: str, model: Classifier) -> tuple[tuple[str, ...], tuple[int | None, ...], Features]:
    """Return the names and classes of the pictures that a feature is shown on, and the features of them."""
    if source == atlas.source:
        return tuple(f"{source}/{name}" for name in atlas.pictures), tuple(atlas.y.tolist()), atlas.z
    shown = [pictures.get(id) for id in pictures.ids(source)[:SHIPPED]]
    z = representation(model, placed(torch.cat([picture.x for picture in shown]), model))
    return tuple(picture.id for picture in shown), tuple(picture.label for picture in shown), z.cpu()
