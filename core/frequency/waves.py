"""The real Fourier basis: pictures of norm 1 that are one wave each, and in which order they are counted.

    frequencies(32)                        # 514 distinct pairs (u, v) in cycles per picture, from coarse to fine
    wave(3, -5, side=32)                   # (32, 32), L2 norm 1, spectrum at (3, -5) and (-3, 5) alone

Source: Yin et al. (2019), https://arxiv.org/abs/1906.08988.
"""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from core.types import Images


def mirror(u: int, v: int, side: int) -> tuple[int, int]:
    """Return the frequency that a real picture cannot tell from (u, v): its negative, with -side/2 its own negative."""
    return _signed(-u, side), _signed(-v, side)


def frequencies(side: int) -> tuple[tuple[int, int], ...]:
    """List the distinct frequencies (u, v), u down and v across, in cycles per picture, the lowest first.

    Of a frequency and its mirror only one is listed: (side² + 4) / 2 of them for an even side.
    """
    span = range(-(side // 2), side - side // 2)
    kept = [(u, v) for u in span for v in span if (u, v) >= mirror(u, v, side)]
    return tuple(sorted(kept, key=lambda at: (at[0] ** 2 + at[1] ** 2, at)))


def radius(u: int, v: int) -> float:
    """Return how fine a wave is, whatever its direction: cycles per picture."""
    return math.hypot(u, v)


def wave(u: int, v: int, side: int) -> Tensor:
    """Draw the wave (side, side) of L2 norm 1: sqrt(2) / side * cos(2 pi (u y + v x) / side + pi / 4).

    A frequency that is its own mirror has a single real coefficient, and its wave is a chequered +-1 / side.
    The phase pi / 4 is that of Yin et al., whose code puts 0.5 + 0.5i into the spectrum at (u, v) and its conjugate at
    the mirror; unlike 0 or pi / 2 it leaves no frequency without a wave.
    """
    across = torch.arange(side, dtype=torch.float64)
    # The angle in whole turns, before pi comes in: float error would blur the spectrum of a fine wave.
    turns = torch.remainder(u * across[:, None] + v * across[None, :], side) / side
    if (u, v) == mirror(u, v, side):
        return (torch.cos(2 * math.pi * turns) / side).float()
    return (math.sqrt(2) / side * torch.cos(2 * math.pi * turns + math.pi / 4)).float()


def basis(chosen: Iterable[tuple[int, int]], side: int) -> Tensor:
    """Draw several waves (F, side, side)."""
    return torch.stack([wave(u, v, side) for u, v in chosen])


def signs(n: int, channels: int, generator: torch.Generator) -> Tensor:
    """Draw a sign for every picture and channel: (n, channels, 1, 1) of -1 and 1."""
    return 2.0 * torch.randint(0, 2, (n, channels, 1, 1), generator=generator) - 1


def add_wave(x: Images, pattern: Tensor, norm: float | Tensor, sign: Tensor) -> Images:
    """Add a wave to each channel of each picture, and clip: clip(x + sign * norm * wave).

    Args:
        x: Pictures (N, C, H, W) in [0, 1].
        pattern: A wave (H, W), or one a picture (N, 1, H, W).
        norm: Its L2 norm per channel, pixel units; over three channels that is sqrt(3) times as much before clipping.
        sign: (N, C, 1, 1) of -1 and 1, as `signs` draws them.
    """
    return (x + sign.to(x) * norm * pattern.to(x)).clamp(0, 1)


def _signed(u: int, side: int) -> int:
    """Bring a frequency into -side/2 ... side/2 - 1."""
    half = side // 2
    return (u + half) % side - half
