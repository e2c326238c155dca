"""Robust feature leakage (Goh 2019): what robust linear features alone find in D_rand and D_det.

A linear classifier w is trained against the strongest L2 adversary, which for a linear model is known in closed form:
it moves w_j.x - w_y.x by eps |w_j - w_y|. Its ten numbers w_i.x are robust features. A second linear classifier that
sees nothing but those ten numbers learns the labels of D_rand or D_det and is tested on ordinary pictures: what it gets
right was not taught by non-robust features.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from core.rates import Rate
from core.types import Features, Images, Labels, Logits

EPS = 0.25  # the response's radius, L2, pixel units
EPOCHS = 20
BATCH = 250
RATE = 1e-3
DECAY = 1e-4


@dataclass(frozen=True)
class Robust:
    """A linear classifier w.(x - mean) + b.

    Args:
        weight: (K, C, H, W).
        bias: (K,).
        mean: Mean picture of the training set (C, H, W).
    """

    weight: Tensor
    bias: Tensor
    mean: Tensor

    def logits(self, x: Images) -> Logits:
        """Compute logits (N, K) of images (N, C, H, W)."""
        return (x - self.mean).flatten(1) @ self.weight.flatten(1).T + self.bias

    def worst(self, x: Images, y: Labels, eps: float) -> Logits:
        """Compute logits (N, K) of which each is as large as an L2 adversary of radius eps can make it against y's.

        Each other class is raised by eps |w_j - w_y|, the exact largest gain over y without the limits of [0, 1].
        """
        return self.logits(x) + eps * distances(self.weight)[y]


def distances(weight: Tensor) -> Tensor:
    """Measure |w_i - w_j| (K, K); the root is smooth, so that a gradient can pass through equal rows."""
    w = weight.flatten(1)
    square = (w[:, None] - w[None]).square().sum(2)
    return torch.where(square > 0, square.clamp_min(1e-12).sqrt(), square)


def fit_robust(
    x: Images, y: Labels, classes: int, generator: torch.Generator, *, eps: float = EPS, epochs: int = EPOCHS
) -> Robust:
    """Train a linear classifier against the closed-form adversary: minimise the cross-entropy of its worst logits."""
    mean = x.mean(0)
    weight = torch.zeros(classes, *x.shape[1:]).requires_grad_()
    bias = torch.zeros(classes).requires_grad_()
    optimizer = torch.optim.Adam([weight, bias], lr=RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=epochs)
    model = Robust(weight, bias, mean)
    for _ in range(epochs):
        for rows in torch.randperm(len(x), generator=generator).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(model.worst(x[rows], y[rows], eps), y[rows]).backward()
            optimizer.step()
        schedule.step()
    return Robust(weight.detach(), bias.detach(), mean)


@dataclass(frozen=True)
class Linear:
    """A linear classifier of a few features, each scaled to deviation 1 by the pictures that it was trained on."""

    weight: Tensor
    bias: Tensor
    centre: Tensor
    scale: Tensor

    def predict(self, features: Features) -> Labels:
        """Return the class of each row of features (N, D)."""
        return ((features - self.centre) / self.scale @ self.weight.T + self.bias).argmax(1)


def fit_linear(features: Features, y: Labels, classes: int, *, steps: int = 200) -> Linear:
    """Learn the labels from a few features (N, D): logistic regression to its optimum, by L-BFGS over all rows."""
    scale, centre = torch.std_mean(features, dim=0)
    scale = torch.where(scale > 1e-6 * centre.abs(), scale, 1.0)  # a feature that never varies says nothing
    z = (features - centre) / scale
    weight = torch.zeros(classes, z.shape[1]).requires_grad_()
    bias = torch.zeros(classes).requires_grad_()
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=steps, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(z @ weight.T + bias, y) + DECAY * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return Linear(weight.detach(), bias.detach(), centre, scale)


def leaked(robust: Robust, x: Images, y: Labels, test: Tensor, y_test: Tensor) -> Rate:
    """Measure what labels y of pictures x teach about ordinary pictures, if only the robust features are seen."""
    learned = fit_linear(robust.logits(x), y, len(robust.bias))
    return Rate(int((learned.predict(robust.logits(test)) == y_test).sum()), len(y_test))


def certified(robust: Robust, x: Images, y: Labels, eps: float = EPS) -> Rate:
    """Count the pictures that no L2 perturbation of radius eps takes from their class.

    Exact but for the pixel limits.
    """
    return Rate(int((robust.worst(x, y, eps).argmax(1) == y).sum()), len(y))


def constant(robust: Robust, x: Images, eps: float = EPS) -> Rate:
    """Count the pictures whose prediction, right or wrong, no L2 perturbation of radius eps changes."""
    return certified(robust, x, robust.logits(x).argmax(1), eps)
