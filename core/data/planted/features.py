"""What was planted, as functions of pictures: features like a network's, whose usefulness is known.

    both(WORLD, x)                     # (N, 2K): how much of each class's weave and shape is in each picture
    rho, gamma = closed_form(WORLD)    # of the weaves, for "this class or the rest"
"""

import torch
from torch import Tensor

from core.data.planted.bayes import Means
from core.data.planted.world import GREY, PlantedWorld, colours, masks, slopes, weaves
from core.types import Features, Images

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


def both(world: PlantedWorld, x: Images) -> Features:
    """Read the K faint patterns and then the K shapes (N, 2K)."""
    return torch.cat([weave_features(world, x), shape_features(world, x)], 1)


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
