"""rho and gamma of the planted features: in closed form, and as the atlas measures them."""

from collections.abc import Callable

import torch

from core.attacks.balls import L2
from core.data.planted.features import RADII, closed_form, shape_features, weave_features
from core.data.planted.scenes import Scenes, render
from core.data.planted.world import PlantedWorld
from core.models import in_batches
from core.types import Features, Images
from core.usefulness.definitions import Measured, Usefulness, against_rest
from core.usefulness.search import extremes

__all__ = ["RADII", "closed_form", "measured", "shape_features", "weave_features"]


def measured(
    world: PlantedWorld,
    scenes: Scenes,
    pushed: int,
    features: Callable[[Images], Features],
    radii: tuple[float, ...] = RADII,
) -> list[Usefulness]:
    """Measure features as the atlas does: for each class, all features for "this class or the rest".

    Args:
        world: Whose pictures.
        scenes: Pictures from which rho is measured.
        pushed: How many of them are pushed to measure gamma, as many of each class and at least two.
        features: Function from images (N, C, H, W) to features (N, D).
        radii: Growing L2 radii.
    """
    x = render(world, scenes)
    f = in_batches(features, x)
    each = max(2, pushed // world.classes)
    rows = torch.cat([(scenes.y == c).nonzero()[:each, 0] for c in range(world.classes)])
    found = extremes(features, x[rows], L2, radii)
    table = Measured.of(f, scenes.y, found, scenes.y[rows], world.classes)
    return [table.on(against_rest(c, world.classes)) for c in range(world.classes)]
