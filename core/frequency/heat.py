"""The heat map: how often a network errs when one wave is added, for every frequency there is.

Pictures are counted in blocks, all frequencies on each: after every block there is a whole map, of more pictures than
before, and a measurement that was stopped goes on with the next block.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from core.frequency.waves import add_wave, frequencies, radius, signs, wave
from core.rates import Estimate
from core.train.batches import mix
from core.types import Images, Labels

NORM = 4.0  # per channel, Yin et al. for 32 pixels
REGIONS = {"low": (0.0, 4.0), "middle": (4.0, 11.0), "high": (11.0, math.inf)}  # cycles per picture, chosen beforehand
AT_ONCE = 10  # frequencies in a batch


def errors(
    model: nn.Module, x: Images, y: Labels, chosen: Sequence[tuple[int, int]], *, norm: float = NORM, seed: int = 0
) -> Tensor:
    """Tell for each frequency and picture whether the network errs: bool (F, N).

    Args:
        model: Maps images to logits.
        x: Pictures (N, C, H, W) in [0, 1].
        y: Labels (N,).
        chosen: Frequencies (u, v).
        norm: Of the wave, per channel.
        seed: Of the signs, which are drawn anew for each frequency, picture and channel.
    """
    side, found = x.shape[-1], []
    with torch.no_grad():
        for first in range(0, len(chosen), AT_ONCE):
            part = chosen[first : first + AT_ONCE]
            seen = torch.cat([waved(x, at, norm, seed, side) for at in part])
            wrong = model(seen.contiguous(memory_format=torch.channels_last)).argmax(1) != y.repeat(len(part))
            found.append(wrong.view(len(part), len(x)))
    return torch.cat(found)


def waved(x: Images, at: tuple[int, int], norm: float, seed: int, side: int) -> Images:
    """Add the wave at that frequency with the signs that belong to it."""
    u, v = at
    draws = torch.Generator().manual_seed(mix(seed, u + side, v + side))
    return add_wave(x, wave(u, v, side), norm, signs(len(x), x.shape[1], draws))


def plane(values: Sequence[float], side: int) -> np.ndarray:
    """Lay one value a distinct frequency out as a map (side, side), zero frequency in the middle, mirrors filled in."""
    half = side // 2
    laid = np.full((side, side), np.nan)
    for (u, v), value in zip(frequencies(side), values, strict=True):
        laid[u + half, v + half] = value
        laid[(-u + half) % side, (-v + half) % side] = value
    return laid


def region_of(at: tuple[int, int], regions: dict[str, tuple[float, float]] | None = None) -> str:
    """Name the region a frequency lies in."""
    r = radius(*at)
    return next(name for name, (low, high) in (regions or REGIONS).items() if low <= r < high)


def rows_of(region: str, side: int) -> list[int]:
    """List which of the distinct frequencies lie in a region."""
    return [i for i, at in enumerate(frequencies(side)) if region_of(at) == region]


def mean(per_picture: Iterable[float]) -> Estimate:
    """Return the mean over pictures, a fraction, with its interval from their spread.

    Each picture carries all frequencies of a region, so pictures are what is independent, not forward passes.
    """
    return Estimate.of(per_picture).within(0.0, 1.0)
