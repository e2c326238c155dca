"""rho and gamma of the planted features: in closed form, and as the atlas measures them."""

from collections.abc import Callable

import torch
from torch import Tensor

from core.attacks.balls import L2
from core.data.planted.scenes import Scenes, render
from core.data.planted.world import GREY, PlantedWorld, colours, masks, slopes, weaves
from core.planted.bayes import Means
from core.types import Features, Images
from core.usefulness.definitions import Measured, Usefulness, against_rest
from core.usefulness.search import extremes

RADII = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)


def weave_features(world: PlantedWorld, x: Images) -> Features:
    """Read the K faint patterns, each by its own inner product (N, K)."""
    return (x - GREY).flatten(1) @ weaves(world.classes, world.weave).flatten(1).T


def shape_features(world: PlantedWorld, x: Images) -> Features:
    """Read the K shapes: the best match over all places, sizes and colours, the background taken out (N, K).

    The largest of linear features of length at most 1: a perturbation of length eps moves it by at most eps.
    """
    means = Means(world)
    return means.matches(x).flatten(2).amax(2)


def closed_form(world: PlantedWorld, radii: tuple[float, ...] = RADII) -> tuple[Tensor, Tensor]:
    """Compute rho (K,) and gamma (E, K) of the weave features for "this class or the rest", without the limits [0, 1].

    A weave feature is linear and its pattern has length 1: gamma = rho - eps / std. Its mean and variance follow from
    p(weave | label), the noise, and the little that shapes and background overlap with the pattern.
    """
    k = world.classes
    patterns = weaves(k, world.weave).flatten(2)
    overlap = torch.einsum("fhq,spq,ch->fspc", patterns, masks(k), colours()).flatten(2) * world.visible  # (F, K, P C)
    present = world.faint * torch.cat([torch.eye(k), torch.zeros(k, 1)], 1)  # (F, K + 1)
    p_shape, p_weave = world.shape_given_label(), world.weave_given_label()
    mean = torch.einsum("ys,fs->yf", p_shape, overlap.mean(2)) + p_weave @ present.T  # (K labels, F)
    second = (
        torch.einsum("ys,fs->yf", p_shape, overlap.square().mean(2))
        + p_weave @ present.square().T
        + 2 * torch.einsum("ys,fs->yf", p_shape, overlap.mean(2)) * (p_weave @ present.T)
    )
    smooth = world.background**2 * (patterns @ slopes().T).square().sum((1, 2))
    variance = second.mean(0) - mean.mean(0).square() + world.noise**2 + (1 / 255) ** 2 / 12 + smooth
    own = mean.diagonal()
    rest = (mean.sum(0) - own) / (k - 1)
    rho = (own - rest) / 2 / variance.sqrt()
    gamma = rho.abs() - torch.tensor(radii)[:, None] / variance.sqrt()
    return rho, gamma


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
    with torch.no_grad():
        f = torch.cat([features(part) for part in x.split(500)])
    each = max(2, pushed // world.classes)
    rows = torch.cat([(scenes.y == c).nonzero()[:each, 0] for c in range(world.classes)])
    found = extremes(features, x[rows], L2, radii)
    table = Measured.of(f, scenes.y, found, scenes.y[rows], world.classes)
    return [table.on(against_rest(c, world.classes)) for c in range(world.classes)]
