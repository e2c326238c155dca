"""A third answer to *why*: more features than dimensions (Elhage et al. 2022; Gorton and Lewis 2025).

A toy has n sparse features, x in [0, 1]^n, and m dimensions: x' = relu(W'Wx + b). It stores more features than it has
room for, along directions that overlap, and an attack on one output goes by way of the others.

Source: Elhage et al. (2022), Toy Models of Superposition, "Superposition and adversarial vulnerability";
Gorton and Lewis (2025), arXiv 2508.17456.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.train.report import OnProgress, Progress

STORED = 0.5  # a feature whose direction is shorter than this is not represented
BATCH = 128
STEPS = 800
RATE = 0.03  # of Adam


@dataclass(frozen=True)
class Toy:
    """A trained toy.

    Args:
        directions: W (m, n): where each feature lies.
        bias: b (n,).
        losses: Mean squared error of reconstruction, now and then.
    """

    directions: Tensor
    bias: Tensor
    losses: tuple[float, ...]

    @property
    def overlaps(self) -> Tensor:
        """W'W (n, n): what each output (row) reads of each feature (column)."""
        return self.directions.T @ self.directions

    @property
    def stored(self) -> Tensor:
        """Which features are represented (n,)."""
        return self.directions.norm(dim=0) > STORED


def train_toy(
    number: int, dimensions: int, sparsity: float, seed: int, *, on_progress: OnProgress | None = None
) -> Toy:
    """Train a toy by Adam on fresh sparse vectors; all features matter alike.

    Args:
        number: Features n.
        dimensions: m.
        sparsity: Probability that a feature is 0; otherwise it is uniform in [0, 1].
        seed: Of weights and data.
        on_progress: See `core.train.fit`.
    """
    draws = torch.Generator().manual_seed(seed)
    w = (torch.randn(dimensions, number, generator=draws) / dimensions**0.5).requires_grad_()
    b = torch.zeros(number, requires_grad=True)
    optimizer = torch.optim.Adam([w, b], lr=RATE)
    losses: list[float] = []
    for step in range(STEPS):
        x = torch.rand(BATCH, number, generator=draws)
        x = x * (torch.rand(BATCH, number, generator=draws) >= sparsity)
        loss = (x - torch.relu(x @ w.T @ w + b)).square().sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 10 == 0:
            losses.append(float(loss.detach()))
            if on_progress is not None and on_progress(Progress(0, step, STEPS, losses[-1], 0.0, RATE, 0.0)):
                break
    return Toy(w.detach(), b.detach(), tuple(losses))


def vulnerability(toy: Toy) -> Tensor:
    """Compute how much further an attack moves each feature's output by way of all features than by its own.

    The pre-activation of output i moves by |(W'W)_i| along the best direction of length 1 and by (W'W)_ii along feature
    i alone. The ratio (S,) is 1 exactly where nothing overlaps.
    """
    rows = toy.overlaps[toy.stored]
    return rows.norm(dim=1) / toy.overlaps.diagonal()[toy.stored]
