"""The sets of allowed perturbations, and the four operations that depend on the norm.

Everything that differs between an L2 and an Linf attack is here: how long a perturbation is
(`norm`), the nearest allowed one (`project`), the unit step that follows a gradient best
(`steepest`) and a uniform draw (`sample`). The loop in `core.attacks` knows nothing else.

`eps` is in pixel units of [0, 1] and is a number, or a tensor (N,) with one radius per image. A ball with
a numeric eps is hashable and can be a cache key.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from core.problems import InputError
from core.types import Images, PerExample

Eps = float | Float[Tensor, " n"]


@dataclass(frozen=True)
class Linf:
    """Every pixel may change by at most eps: {delta : max |delta_i| <= eps}.

    Args:
        eps: Radius, a number or (N,), in pixel units; 8/255 is the usual CIFAR-10 choice.

    Raises:
        ValueError: If eps is negative or NaN.
    """

    eps: Eps

    def __post_init__(self) -> None:
        _check(self.eps)

    def norm(self, delta: Images) -> PerExample:
        """Measure max |delta_i| per image."""
        return delta.abs().flatten(1).amax(1)

    def project(self, delta: Images) -> Images:
        """Return the nearest perturbation inside the ball; the identity inside."""
        eps = _per_row(self.eps, delta)
        return torch.minimum(torch.maximum(delta, -eps), eps)

    def steepest(self, grad: Images) -> Images:
        """Return the direction of Linf length 1 with the largest inner product with grad; 0 where grad is 0."""
        return grad.sign()

    def sample(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Draw perturbations of x's shape uniformly from the ball."""
        _check_bounded(self.eps)
        u = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        return (2 * u - 1) * _per_row(self.eps, x)

    def rescale(self, delta: Images) -> Images:
        """Return delta with every non-zero entry pushed to the boundary: the largest perturbation of delta's signs."""
        return delta.sign() * _per_row(self.eps, delta)


@dataclass(frozen=True)
class L2:
    """The whole picture may move by Euclidean length eps: {delta : sqrt(sum delta_i^2) <= eps}.

    Args:
        eps: Radius, a number or (N,), in pixel units; `L2(math.inf)` is "no limit".

    Raises:
        ValueError: If eps is negative or NaN.
    """

    eps: Eps

    def __post_init__(self) -> None:
        _check(self.eps)

    def norm(self, delta: Images) -> PerExample:
        """Measure the Euclidean length per image, without under- or overflow of the squares."""
        scale = delta.abs().flatten(1).amax(1)
        unit = delta / _column(torch.where(scale > 0, scale, torch.ones_like(scale)), delta)
        return scale * torch.linalg.vector_norm(unit.flatten(1), dim=1)

    def project(self, delta: Images) -> Images:
        """Return the nearest perturbation inside the ball; the identity inside."""
        norm = _column(self.norm(delta), delta)
        eps = _per_row(self.eps, delta)
        return torch.where(norm > eps, delta * (eps / norm), delta)

    def steepest(self, grad: Images) -> Images:
        """Return grad / |grad|: the direction of length 1 that follows grad best; 0 where grad is 0.

        Dividing by the largest entry first keeps gradients of 1e-30 as good as those of 1. The customary
        `grad / (|grad| + 1e-10)` shortens the step on confident models, which then look robust.
        """
        # Two divisions, because 1 / 1e-40 overflows; both are safe once the largest entry is 1.
        scale = grad.abs().flatten(1).amax(1)
        unit = grad / _column(torch.where(scale > 0, scale, torch.ones_like(scale)), grad)
        length = torch.linalg.vector_norm(unit.flatten(1), dim=1).clamp_min(1)  # >= 1 unless grad is 0
        return unit / _column(length, grad)

    def sample(self, x: Images, generator: torch.Generator | None = None) -> Images:
        """Draw perturbations of x's shape uniformly from the ball (not from its surface)."""
        _check_bounded(self.eps)
        direction = self.steepest(torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype))
        u = torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype)
        radius = u ** (1 / max(1, x[0].numel() if len(x) else 1))
        return direction * _column(radius, x) * _per_row(self.eps, x)

    def rescale(self, delta: Images) -> Images:
        """Return delta stretched or shrunk to length eps: the largest perturbation of delta's direction."""
        return self.steepest(delta) * _per_row(self.eps, delta)


Ball = Linf | L2

NORMS: dict[str, type[Linf] | type[L2]] = {"Linf": Linf, "L2": L2}


def make(norm: str, eps: Eps) -> Ball:
    """Build the ball of that name.

    Raises:
        ValueError: If norm is not "L2" or "Linf", or eps is negative or NaN.
    """
    if norm not in NORMS:
        raise InputError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
    return NORMS[norm](eps)


def _check(eps: Any) -> None:
    if isinstance(eps, Tensor) and not eps.numel():
        return
    smallest = float(eps.min()) if isinstance(eps, Tensor) else float(eps)
    if math.isnan(smallest) or smallest < 0:
        raise InputError(f"eps must be a number >= 0, got {smallest}")


def _check_bounded(eps: Eps) -> None:
    largest = float(eps.max()) if isinstance(eps, Tensor) and eps.numel() else float(torch.as_tensor(eps).sum())
    if math.isinf(largest):
        raise ValueError("cannot draw uniformly from an unbounded ball; give a finite eps")


def _column(values: Tensor, like: Tensor) -> Tensor:
    """Reshape (N,) to (N, 1, 1, ...) so that it broadcasts over the images."""
    return values.reshape(-1, *[1] * (like.dim() - 1))


def _per_row(eps: Eps, like: Tensor) -> Tensor:
    if not isinstance(eps, Tensor):
        return torch.tensor(eps, dtype=like.dtype, device=like.device)
    if eps.shape != like.shape[:1]:
        raise ValueError(f"eps must be a number or one per image ({len(like)},), got {tuple(eps.shape)}")
    return _column(eps.to(like), like)
