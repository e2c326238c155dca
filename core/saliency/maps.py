"""From an attribution to a picture: one number per pixel, in a stated unit, on a scale that keeps the sign.

Captum's own pictures are stretched map by map, so that two models cannot be compared (captum#1103), and fail on maps
that are zero (captum#959). Here the unit is the caller's: `painted(..., limit=3 * rms(values))`.
"""

import numpy as np
import torch
from torch import Tensor

from core.files.render import Frames, to_uint8
from core.types import Images, PerExample

CHANNELS = ("sum", "red", "green", "blue", "colour")
REACH = 3.0  # where the scale ends, in units of a map's root mean square
# ColorBrewer's PuOr from purple (against) over white (0) to orange (for), and matplotlib's cividis: both are told apart
# by every kind of colour vision. Eleven anchors each, sRGB.
SIGNED = (
    "2d004b",
    "542788",
    "8073ac",
    "b2abd2",
    "d8daeb",
    "f7f7f7",
    "fee0b6",
    "fdb863",
    "e08214",
    "b35806",
    "7f3b08",
)
UNSIGNED = (
    "00224e",
    "083370",
    "35456c",
    "4f576c",
    "666970",
    "7d7c78",
    "948e77",
    "aea371",
    "c8b866",
    "e5cf52",
    "fee838",
)


def reduced(attribution: Tensor, channel: str = "sum") -> Tensor:
    """Take one number per pixel (N, H, W) from an attribution (N, C or 1, H, W).

    Args:
        attribution: As `attribute` returns it.
        channel: "red", "green" or "blue", else the sum over the channels.
    """
    if channel in CHANNELS[1:4] and attribution.shape[1] == 3:
        return attribution[:, CHANNELS.index(channel) - 1]
    return attribution.sum(1)


def magnitude(attribution: Tensor) -> Tensor:
    """Sum the sizes over the channels: (N, C, H, W) to (N, H, W)."""
    return attribution.abs().sum(1)


def rms(values: Tensor) -> PerExample:
    """Compute each map's root mean square: (N, ...) to (N,)."""
    return values.flatten(1).square().mean(1).sqrt()


def painted(
    attribution: Tensor,
    x: Images,
    *,
    channel: str = "sum",
    absolute: bool = False,
    opacity: float = 1.0,
    limit: Tensor | None = None,
) -> Frames:
    """Paint attributions: uint8 (N, H, W, 3).

    Args:
        attribution: As `attribute` returns it (N, C or 1, H, W).
        x: The pictures (N, C, H, W), which lie greyed below the maps.
        channel: One of `CHANNELS`; "colour" shows the three channels at once around mid-grey.
        absolute: Paint sizes, on the unsigned scale.
        opacity: Of the map, in [0, 1].
        limit: The value at which the scale ends, per map (N,); default `limits(...)`.
    """
    limit = limits(attribution, channel) if limit is None else limit
    per_pixel = limit.clamp_min(1e-30).reshape(-1, 1, 1, 1)
    if channel == "colour" and attribution.shape[1] == 3:
        share = attribution / per_pixel
        colours = share.abs() if absolute else 0.5 + 0.5 * share
    else:
        share = reduced(attribution, channel) / per_pixel[:, 0]
        colours = _coloured(share.abs(), UNSIGNED) if absolute else _coloured((share + 1) / 2, SIGNED)
    grey = x.mean(1, keepdim=True).expand_as(x)
    return to_uint8(opacity * colours.clamp(0, 1).to(x) + (1 - opacity) * grey)


def limits(attribution: Tensor, channel: str = "sum") -> PerExample:
    """Compute where each map's own scale ends: at `REACH` times its root mean square (N,)."""
    shown = attribution if channel == "colour" else reduced(attribution, channel)
    return REACH * rms(shown)


def strength(attribution: Tensor, channel: str = "sum") -> PerExample:
    """Compute each map's root mean square as it is shown (N,): the sum over the colours, one of them, or all three."""
    return limits(attribution, channel) / REACH


def css_gradient(*, absolute: bool = False) -> str:
    """Write the scale as a CSS gradient, low values first."""
    return f"linear-gradient(90deg, {', '.join(f'#{c}' for c in (UNSIGNED if absolute else SIGNED))})"


def _coloured(share: Tensor, anchors: tuple[str, ...]) -> Images:
    """Look values in [0, 1] (N, H, W) up on a scale: (N, 3, H, W)."""
    table = torch.tensor([[int(c[i : i + 2], 16) / 255 for i in (0, 2, 4)] for c in anchors])
    place = share.detach().cpu().float().clamp(0, 1) * (len(anchors) - 1)
    low = place.floor().long().clamp_max(len(anchors) - 2)
    part = (place - low).unsqueeze(-1)
    return (table[low] * (1 - part) + table[low + 1] * part).permute(0, 3, 1, 2)


def edge_strength(x: Images) -> Tensor:
    """Measure how much brightness changes at each pixel, by Sobel's operator: (N, C, H, W) to (N, H, W)."""
    grey = torch.nn.functional.pad(x.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    sobel = torch.tensor(np.outer([1.0, 2.0, 1.0], [-1.0, 0.0, 1.0]) / 8).to(x)
    slopes = torch.nn.functional.conv2d(grey, torch.stack([sobel, sobel.T])[:, None])
    return slopes.square().sum(1).sqrt()
