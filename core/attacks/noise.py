"""Moving pictures by a given length: the control beside every attack."""

import torch

from core.attacks import balls
from core.types import Images, PerExample


def noise_of_length(x: Images, direction: Images, length: PerExample, norm: str) -> tuple[Images, PerExample]:
    """Move images that far in a direction, making up by rescaling for what clipping to [0, 1] takes away.

    Args:
        x: Where to start (N, C, H, W).
        direction: Where to go (N, C, H, W), of any length.
        length: How far (N,), in that norm, pixel units.
        norm: "L2" or "Linf".

    Returns:
        The images, and how far each really went (N,): to 2 % as asked, wherever the picture leaves room for it.
    """
    size, moved, reached = length, x, torch.zeros_like(length)
    for _ in range(8):
        ball = balls.make(norm, size)
        moved = (x + ball.rescale(direction)).clamp(0, 1)
        reached = ball.norm(moved - x)
        size = torch.where(reached > 0, size * length / reached.clamp_min(1e-12), size)
    return moved, reached
