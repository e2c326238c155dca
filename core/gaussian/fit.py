"""The Gaussian game by sampling and gradient descent, which knows none of the formulas of `core.gaussian`.

Draw points, let the one loop of `core.attacks` move them so that the loss grows, and descend on the covariance:
adversarial training, with a Gaussian for a network. A point of the plane is a picture of two pixels here, and a
linear adversary one of four; a box wide enough never binds. Several samples are fitted side by side, for intervals.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.attacks import descend
from core.attacks.balls import L2
from core.attacks.rules import steepest
from core.gaussian.theory import worst_move
from core.rates import Estimate

REPEATS = 8
POINTS = 250


@dataclass(frozen=True)
class Fit:
    """What adversarial training found, for R samples.

    Args:
        mu: Means (R, D) of class +1.
        covariance: (R, D, D).
    """

    mu: Tensor
    covariance: Tensor

    @property
    def gradient(self) -> Tensor:
        """The input gradient Sigma^-1 mu (R, D), at right angles to the decision line."""
        return torch.linalg.solve(self.covariance, self.mu)

    @property
    def angles(self) -> Tensor:
        """The angle between gradient and mu (R,), degrees."""
        cosine = torch.cosine_similarity(self.gradient, self.mu, dim=1).clamp(-1, 1)
        return cosine.acos() * 180 / math.pi

    @property
    def condition_numbers(self) -> Tensor:
        """Largest over smallest variance (R,)."""
        values = torch.linalg.eigvalsh(self.covariance)
        return values[:, -1] / values[:, 0]

    @property
    def estimates(self) -> dict[str, Estimate]:
        """Angle and condition number, their means over the samples."""
        return {name: Estimate.of(getattr(self, name).tolist()) for name in ("angles", "condition_numbers")}


def standard_draws(shape: tuple[int, ...], generator: torch.Generator, *, ellipse: bool = False) -> Tensor:
    """Draw points (..., D) of mean 0 and covariance I: Gaussian, or uniform on the disc of radius 2.

    Raises:
        ValueError: If an ellipse is asked for in other than two dimensions.
    """
    z = torch.randn(shape, generator=generator, dtype=torch.float64)
    if not ellipse:
        return z
    if shape[-1] != 2:
        raise ValueError(f"an ellipse has two dimensions, got {shape[-1]}")
    radius = 2 * torch.rand(shape[:-1], generator=generator, dtype=torch.float64).sqrt()
    return z / z.norm(dim=-1, keepdim=True) * radius[..., None]


def train(u: Tensor, eps: float, budget: str, *, steps: int = 40, inner: int = 4) -> Fit:
    """Minimise over (mu, Sigma) the loss that the adversary has maximised, on R samples side by side.

    The gradient with respect to Sigma^-1 is (Sigma - S) / 2, with S the second moment of the moved points around mu
    (Danskin: the moves count as constants), so that Sigma <- Sigma + a (S - Sigma) is a natural-gradient step. The mean
    stays where the sample has it: the loss is convex in mu and symmetric around the class mean.

    Args:
        u: Points times their labels, y x (R, N, D).
        eps: Budget of the adversary.
        budget: "each" point moves by at most eps, or by eps in mean square, "average", and linearly in y x - mu.
        steps: Steps on Sigma.
        inner: Gradient steps of the adversary in each of them, from where it was.
    """
    mu = u.mean(1)
    v = u - mu[:, None]
    covariance = _second_moment(v)
    adversary = _each if budget == "each" else _average
    last = None
    for i in range(steps if eps > 0 else 0):
        moves, last = adversary(v, torch.linalg.inv(covariance), eps, inner, last)
        covariance = covariance + 0.5 / (1 + i / 20) * (_second_moment(v + moves) - covariance)
    return Fit(mu, covariance)


def sampled_variances(v: Tensor, eps: float, start: Tensor, *, steps: int = 40) -> Tensor:
    """Solve the game in which each point moves by eps, on a sample, along the principal axes.

    Natural-gradient steps Sigma <- Sigma + a (E[(v + delta)^2] - Sigma) with lemma 1's delta; the problem is convex in
    Sigma^-1, so there is one solution. What theorem 2 approximates, and meets as D grows.

    Args:
        v: Points relative to the mean (N, D).
        eps: Radius of the ball.
        start: First variances (D,). Theorem 2's are near; longer steps than these swing where the metric is almost
            round.
        steps: Number of steps.
    """
    variances = start
    for i in range(steps):
        second = (v + worst_move(v, variances, eps)).square().mean(0)
        variances = variances + 0.3 / (1 + i / 10) * (second - variances)
    return variances


def _second_moment(v: Tensor) -> Tensor:
    return v.mT @ v / v.shape[1]


def _each(v: Tensor, precision: Tensor, eps: float, inner: int, last: Tensor | None) -> tuple[Tensor, Tensor]:
    """Move every point within its own ball; return the moves and where the loop stands."""
    width = 4 * (float(v.abs().max()) + eps)  # of the box: no pixel comes near 0 or 1

    def objective(pixels: Tensor) -> Tensor:
        moved = (pixels.reshape(v.shape) - 0.5) * width
        return -((moved @ precision) * moved).sum(2).flatten()

    x = (v / width + 0.5).reshape(-1, 1, 1, v.shape[2])
    ball = L2(eps / width)
    x_adv = descend(objective, x, ball, steps=inner, rule=steepest(ball, eps / width), start=last)
    return ((x_adv - x) * width).reshape(v.shape), x_adv


def _average(v: Tensor, precision: Tensor, eps: float, inner: int, last: Tensor | None) -> tuple[Tensor, Tensor]:
    """Look for the linear map M with E|M v|^2 = eps^2: a point of an L2 ball, once v is made white."""
    root = torch.linalg.cholesky(_second_moment(v))
    width = 4 * eps

    def objective(pixels: Tensor) -> Tensor:
        moved = root + (pixels[:, 0] - 0.5) * width  # of the white v: E|P^(1/2) (v + M v)|^2 is a sum over its columns
        return -((precision @ moved) * moved).sum((1, 2))

    x = torch.full((len(v), 1, *precision.shape[1:]), 0.5, dtype=v.dtype)
    ball = L2(eps / width)
    x_adv = descend(objective, x, ball, steps=inner, rule=steepest(ball, eps / width), start=last)
    white = torch.linalg.solve_triangular(root, v.mT, upper=False)
    return (((x_adv - x)[:, 0] * width) @ white).mT, x_adv
