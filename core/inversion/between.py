"""The straight line between the representations of two pictures, inverted point by point."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core.attacks import OnStep
from core.compute import arrived
from core.data import pictures
from core.inversion.invert import interpolate, invert, relative_distance, representation
from core.inversion.recipe import InvertRecipe
from core.inversion.starts import canvas_of, other_of, ready_for, setting_of
from core.models.ready import placed
from core.types import Images

POINTS = 11


@dataclass(frozen=True)
class InterpolationPath:
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


def between(
    recipe: InvertRecipe,
    name: str,
    *,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> InterpolationPath:
    """Invert the points of the line between two representations, all in one batch.

    All points start at the same noise or grey; on the canvas "fade" each starts at its point of the pixels' cross-fade.
    The arguments are those of `core.inversion.emergence.emerge`; the picture is the one at t = 0.
    """
    ready, block = ready_for(recipe, name, model)
    picture = picture if picture is not None else pictures.get(recipe.picture)
    here = replace(recipe, picture=picture.id)
    other = other_of(here)
    x = placed(torch.cat([picture.x, other.x]), ready)
    fade = placed(interpolate(x[0], x[1], POINTS).reshape(POINTS, *x.shape[1:]), ready)
    z = representation(ready, x, block)
    line = interpolate(z[0], z[1], POINTS).reshape(POINTS, *z.shape[1:])
    start = fade if recipe.canvas == "fade" else placed(canvas_of(here).repeat(POINTS, 1, 1, 1), ready)
    made = invert(ready, line, start, setting=setting_of(recipe), block=block, on_step=on_step)
    with torch.no_grad():
        distance, logits, faded = relative_distance(ready, line, block)(made), ready(made), ready(fade)
    t = tuple(i / (POINTS - 1) for i in range(POINTS))
    return arrived(InterpolationPath(t, x, other.caption, start, made, distance, logits, fade, faded))
