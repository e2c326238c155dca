"""Weather and other harm that nobody computed against a network: seven corruptions of CIFAR-10-C, by their formulas.

    corrupt(x, "fog", 5, torch.Generator().manual_seed(0))     # severities 1 to 5; 0 is the picture itself

Source: Hendrycks & Dietterich (2019), https://arxiv.org/abs/1903.12261, and the parameters that their generator has for
32 pixels. As there, the result is what an 8-bit file holds: cut off, not rounded.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from core.types import Images

SEVERITIES = (1, 2, 3, 4, 5)
Formula = Callable[[Images, int, torch.Generator], Images]


@dataclass(frozen=True)
class Corruption:
    """One of them: what people call it, and its formula (x, severity 1 to 5, draws)."""

    title: str
    formula: Formula


def corrupt(x: Images, name: str, severity: int, generator: torch.Generator) -> Images:
    """Return corrupted pictures (N, C, H, W) in [0, 1].

    Args:
        x: Square pictures in [0, 1].
        name: A key of `CORRUPTIONS`.
        severity: 0 to 5; 0 returns x itself, unrounded.
        generator: Source of noise and fog; the others take nothing from it.

    Raises:
        ValueError: If there is no such corruption or severity.
    """
    if name not in CORRUPTIONS:
        raise ValueError(f"no corruption {name!r}; have {', '.join(CORRUPTIONS)}")
    if severity not in (0, *SEVERITIES):
        raise ValueError(f"severity must be 0 to 5, got {severity}")
    if severity == 0:
        return x
    made = CORRUPTIONS[name].formula(x, severity, generator).clamp(0, 1)
    return ((made * 255 + 1e-3).floor() / 255).to(x)  # 1e-3: float32 falls below whole numbers that it should reach


SIGMAS = (0.04, 0.06, 0.08, 0.09, 0.10)
CONTRASTS = (0.75, 0.5, 0.4, 0.3, 0.15)
FOGS = ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75))
LIGHTS = (0.05, 0.1, 0.15, 0.2, 0.3)
BLURS = (0.4, 0.6, 0.7, 0.8, 1.0)
QUALITIES = (80, 65, 58, 50, 40)
SIDES = (0.95, 0.9, 0.85, 0.75, 0.65)


def gaussian_noise(x: Images, severity: int, generator: torch.Generator) -> Images:
    """Add N(0, sigma²) to every value."""
    return x + SIGMAS[severity - 1] * torch.randn(x.shape, generator=generator).to(x)


def contrast(x: Images, severity: int, _: torch.Generator) -> Images:
    """Draw every value toward the mean of its channel."""
    mean = x.mean((2, 3), keepdim=True)
    return (x - mean) * CONTRASTS[severity - 1] + mean


def fog(x: Images, severity: int, generator: torch.Generator) -> Images:
    """Add a cloud, the same in all channels, and darken until the brightest value can be as before."""
    amount, decay = FOGS[severity - 1]
    cloud = plasma(len(x), x.shape[-1], decay, generator).to(x)
    brightest = x.amax((1, 2, 3), keepdim=True)
    return (x + amount * cloud) * brightest / (brightest + amount)


def brightness(x: Images, severity: int, _: torch.Generator) -> Images:
    """Raise V of HSV, hue and saturation as they were: a picture's channels keep their proportions."""
    value = x.amax(1, keepdim=True)
    raised = (value + LIGHTS[severity - 1]).clamp(0, 1)
    return torch.where(value > 0, x * raised / value.clamp_min(1e-12), raised)


def gaussian_blur(x: Images, severity: int, _: torch.Generator) -> Images:
    """Average over a Gaussian of sigma pixels, cut at four sigma, the border repeated."""
    sigma = BLURS[severity - 1]
    reach = int(4 * sigma + 0.5)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(x).repeat(x.shape[1], 1, 1, 1)
    padded = F.pad(x, [reach] * 4, mode="replicate")
    across = F.conv2d(padded, kernel, groups=x.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), groups=x.shape[1])


def jpeg(x: Images, severity: int, _: torch.Generator) -> Images:
    """Save as JPEG and read back."""

    def through(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=QUALITIES[severity - 1])
        return Image.open(file)

    return _each(x, through)


def pixelate(x: Images, severity: int, _: torch.Generator) -> Images:
    """Shrink by averaging over boxes, and enlarge again."""
    side = x.shape[-1]
    small = int(side * SIDES[severity - 1])

    def through(image: Image.Image) -> Image.Image:
        return image.resize((small, small), Image.Resampling.BOX).resize((side, side), Image.Resampling.BOX)

    return _each(x, through)


CORRUPTIONS = {
    "fog": Corruption("fog", fog),
    "contrast": Corruption("low contrast", contrast),
    "gaussian_noise": Corruption("Gaussian noise", gaussian_noise),
    "brightness": Corruption("brightness", brightness),
    "gaussian_blur": Corruption("blur", gaussian_blur),
    "jpeg": Corruption("JPEG", jpeg),
    "pixelate": Corruption("pixelation", pixelate),
}


def plasma(n: int, side: int, decay: float, generator: torch.Generator) -> Tensor:
    """Draw n clouds (n, 1, side, side) between 0 and 1 by the diamond-square algorithm on a torus.

    The generator of CIFAR-10-C multiplies its amplitude into a draw that has the amplitude for its bounds already, so
    the roughness falls by decay² at each halving, not by decay.

    Args:
        n: How many.
        side: Of the pictures; clouds are drawn on the next power of two and cut.
        decay: How much smoother each finer scale is.
        generator: Source of the draws.
    """
    size = 1 << max(1, (side - 1).bit_length())
    field = torch.zeros(n, size, size, dtype=torch.float64)
    step, amplitude = size, 1.0

    def rough(total: Tensor) -> Tensor:
        draw = torch.rand(total.shape, generator=generator, dtype=torch.float64)
        return total / 4 + amplitude * (2 * draw - 1)

    while step >= 2:
        half = step // 2
        corners = field[:, ::step, ::step]
        rows = corners + corners.roll(-1, 1)
        field[:, half::step, half::step] = rough(rows + rows.roll(-1, 2))
        centres, corners = field[:, half::step, half::step], field[:, ::step, ::step]
        field[:, ::step, half::step] = rough(centres + centres.roll(1, 1) + corners + corners.roll(-1, 2))
        field[:, half::step, ::step] = rough(centres + centres.roll(1, 2) + corners + corners.roll(-1, 1))
        step, amplitude = half, amplitude / decay**2
    field = field - field.amin((1, 2), keepdim=True)
    return (field / field.amax((1, 2), keepdim=True))[:, None, :side, :side].float()


def _each(x: Images, through: Callable[[Image.Image], Image.Image]) -> Images:
    """Send each picture through an operation of Pillow on 8 bits."""
    images = (x * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    made = np.stack([np.asarray(through(Image.fromarray(image))) for image in images])
    return torch.from_numpy(made).permute(0, 3, 1, 2).to(x) / 255
