"""Band-pass filters: what of a picture is coarse, and what is fine.

    low_pass(x, 4.0), high_pass(x, 4.0)    # they add up to x
    for_the_eye(high_pass(x, 12.0))        # around mid-grey, stretched until a person sees it

The cut-off is in cycles per picture, the same in all directions.
"""

import math

import torch
from torch import Tensor

from core.types import Images

GREY = 0.5  # where a picture without its coarse part is put, so that it fits between black and white


def radii(side: int) -> Tensor:
    """Return the frequency of each coefficient of `fft2`, in cycles per picture: (side, side)."""
    each = torch.fft.fftfreq(side, 1 / side)
    return torch.hypot(each[:, None], each[None, :])


def coarse_part(side: int, cut: float, soft: float = 0.0) -> Tensor:
    """Return the mask (side, side) over `fft2` of what is coarser than `cut` cycles.

    Args:
        side: Pixels.
        cut: The edge; a frequency exactly there is not coarse.
        soft: Width in cycles of a cosine ramp around the edge; 0 is a hard edge, which rings around every contour.
    """
    r = radii(side)
    if not soft:
        return (r < cut).float()
    along = ((r - cut) / soft + 0.5).clamp(0, 1)
    return 0.5 + 0.5 * torch.cos(math.pi * along)


def low_pass(x: Images, cut: float, soft: float = 0.0) -> Images:
    """Keep what is coarser than `cut` cycles per picture; nothing is clipped."""
    return _masked(x, coarse_part(x.shape[-1], cut, soft))


def high_pass(x: Images, cut: float, soft: float = 0.0) -> Images:
    """Keep the rest, the mean at cut > 0 not among it: values around 0."""
    return _masked(x, 1 - coarse_part(x.shape[-1], cut, soft))


def as_picture(x: Images, kind: str, cut: float, soft: float = 0.0) -> Images:
    """Return the filtered picture as a picture file holds it: around grey where it has no mean, clipped, in 8 bits.

    Args:
        x: Pictures (N, C, H, W) in [0, 1].
        kind: "low" or "high".
        cut: Cycles per picture.
        soft: Width of the edge.

    Raises:
        ValueError: If the kind is another one.
    """
    if kind not in ("low", "high"):
        raise ValueError(f"a filter is low or high, got {kind!r}")
    kept = low_pass(x, cut, soft) if kind == "low" else high_pass(x, cut, soft) + (GREY if cut > 0 else 0)
    return (kept.clamp(0, 1) * 255).round() / 255


def for_the_eye(x: Images) -> Images:
    """Stretch each picture around its mean until 1 % of its values are black or white; one factor for all channels.

    A picture without any contrast is returned as it is.
    """
    mean = x.mean((2, 3), keepdim=True)
    size = (x - mean).abs().flatten(1).quantile(0.99, dim=1)[:, None, None, None]
    gain = torch.where(size > 1e-6, 0.5 / size.clamp_min(1e-6), torch.ones_like(size))
    return (GREY + (x - mean) * gain).clamp(0, 1)


def _masked(x: Images, mask: Tensor) -> Images:
    return torch.fft.ifft2(torch.fft.fft2(x) * mask.to(x.device)).real.contiguous()
