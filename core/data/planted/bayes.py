"""The exact Bayes rule of the world: nobody who sees only pictures can be right more often.

Given shape, weave, pose and colour a picture is Gaussian with a known mean and covariance, so p(picture | label) is a
finite sum. Only rounding and the few clipped pixels are left out.
"""

import torch
from torch import Tensor

from core.data.planted.world import GREY, PIXELS, PlantedWorld, colours, masks, slopes, weaves
from core.types import Images, Logits

CELLS = 4_000_000  # of the largest table at a time


def log_joint(world: PlantedWorld, x: Images) -> Tensor:
    """Compute log p(x | shape, weave) up to a constant of x: (N, K, K + 1); the last column is "no weave"."""
    means = Means(world)
    size = max(1, CELLS // means.squares.numel())
    return torch.cat([means.of(part) for part in x.split(size)])


def bayes_logits(world: PlantedWorld, x: Images) -> Logits:
    """Compute log p(x | label) up to a constant of x (N, K).

    Classes are equally frequent, so its argmax is the Bayes rule.
    """
    shape = world.shape_given_label().log()[:, :, None]
    weave = world.weave_given_label().log()[:, None, :]
    prior = (shape + weave).flatten(1)  # (K, K (K + 1))
    joint = log_joint(world, x).flatten(1)
    return (joint[:, None] + prior).logsumexp(2)


class Means:
    """All mean pictures, as the inner products that a likelihood needs.

    In the metric of the covariance noise^2 I + background^2 U U', U the smooth fields, <a, b> = (a.b - c (U'a).(U'b)) /
    noise^2 with c = background^2 / (noise^2 + background^2).
    """

    def __init__(self, world: PlantedWorld) -> None:
        self.world, k = world, world.classes
        rounding = (1 / 255) ** 2 / 12
        self.variance = world.noise**2 + rounding
        self.shrink = world.background**2 / (self.variance + world.background**2)
        self.masks, self.colours = masks(k), colours()
        self.patterns = torch.cat([weaves(k, world.weave).flatten(2), torch.zeros(1, 3, PIXELS)])
        whitened = self._whitened(self.patterns)
        shapes = self.masks.square().sum(2) - self.shrink * (self.masks @ slopes().T).square().sum(2)  # (K, P)
        pattern = (whitened * self.patterns).sum((1, 2))  # (K + 1)
        cross = self._against(whitened)  # (K + 1, K, P, C)
        v, f = world.visible, world.faint
        self.squares = (v**2 * shapes[..., None, None] + 2 * v * f * cross.movedim(0, -1) + f**2 * pattern) / 2

    def of(self, x: Images) -> Tensor:
        whitened = self._whitened(x.flatten(2) - GREY)
        shape = self.world.visible * self._against(whitened)  # (N, K, P, C)
        pattern = self.world.faint * whitened.flatten(1) @ self.patterns.flatten(1).T  # (N, K + 1)
        log = (shape[..., None] - self.squares).div_(self.variance).logsumexp((2, 3))
        return log + pattern[:, None] / self.variance

    def matches(self, x: Images) -> Tensor:
        """Compare pictures with all coloured shapes of length 1, the background taken out: (N, K, P, C)."""
        return self._against(self._whitened(x.flatten(2) - GREY))

    def _whitened(self, a: Tensor) -> Tensor:
        """Take most of the background out: a - c U U'a, for (N, 3, H W)."""
        return a - self.shrink * (a @ slopes().T) @ slopes()

    def _against(self, a: Tensor) -> Tensor:
        """Multiply pictures (N, 3, H W) with all coloured shapes: (N, K, P, C)."""
        with_masks = a @ self.masks.flatten(0, 1).T  # (N, 3, K P)
        return torch.einsum("nhm,ch->nmc", with_masks, self.colours).unflatten(1, self.masks.shape[:2])
