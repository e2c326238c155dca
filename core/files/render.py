"""Tensors to pixels: 8-bit pictures, PNG with its recipe inside, sprites, animations. Everything lossless.

JPEG, and GIF's palette, destroy exactly the faint signal this project is about; there is neither in this file.
"""

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from core.types import Images

RGB = UInt8[np.ndarray, "_ _ 3"]  # of any size: what comes out need not be as large as what went in
Frames = UInt8[np.ndarray, "f h w 3"]


def to_uint8(x: Images) -> Frames:
    """Round images (N, 3, H, W) in [0, 1] to the nearest of 256 levels: uint8 (N, H, W, 3).

    An 8-bit picture moved by at most k/255 stays within k levels; truncating instead would leave the ball.
    """
    levels = (x.detach().cpu().float() * 255).round().clamp(0, 255).byte()
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy())


def from_uint8(images: Frames) -> Images:
    """Return float32 images (N, 3, H, W) in [0, 1]: the inverse of `to_uint8` on 8-bit pictures."""
    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 255


def amplified(delta: Images, gain: float) -> Images:
    """Show a perturbation around mid-grey: clamp(0.5 + gain delta)."""
    return (0.5 + gain * delta).clamp(0, 1)


def upscaled(image: RGB, factor: int) -> UInt8[np.ndarray, "tall wide 3"]:
    """Repeat every pixel factor times in both directions, so that no browser smooths it."""
    return image.repeat(factor, 0).repeat(factor, 1)


def png(image: RGB, text: Mapping[str, str] | None = None) -> bytes:
    """Encode as PNG with text chunks (a recipe, a caption) inside."""
    info = PngInfo()
    for key, value in (text or {}).items():
        info.add_itxt(key, value)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", pnginfo=info, optimize=False, compress_level=6)
    return buffer.getvalue()


def png_text(data: bytes) -> dict[str, str]:
    """Read the text chunks of a PNG."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return {key: str(value) for key, value in getattr(image, "text", {}).items()}


def data_url(png_bytes: bytes) -> str:
    """Wrap PNG bytes as a data URL for HTML and components."""
    return "data:image/png;base64," + base64.b64encode(png_bytes).decode()


def sprite(frames: Frames) -> bytes:
    """Lay frames (F, H, W, 3) side by side in one PNG, H high and F W wide: a trajectory in one lossless file."""
    return png(np.ascontiguousarray(np.concatenate(list(frames), axis=1)))


def delta16(delta: Tensor) -> tuple[bytes, float]:
    """Pack perturbations (F, 3, H, W) for the browser: int16 little-endian (F, H, W, 3), and their unit.

    The 8-bit pictures cannot tell a perturbation of half a level from none; its amplified view needs this.
    """
    largest = float(delta.abs().max()) if delta.numel() else 0.0
    unit = largest / 32767 if largest else 1.0
    packed = (delta.detach().cpu().permute(0, 2, 3, 1) / unit).round().to(torch.int16)
    return packed.contiguous().numpy().astype("<i2").tobytes(), unit


def sheet(pictures: Sequence[RGB], columns: int, gap: int = 2, background: int = 255) -> RGB:
    """Lay equally large pictures on a grid, row by row."""
    if not pictures:
        raise ValueError("a sheet needs at least one picture")
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    page = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), background, dtype=np.uint8)
    for i, picture in enumerate(pictures):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        page[top : top + height, left : left + width] = picture
    return page


def animation(frames: Frames, kind: str, ms: int = 80, text: Mapping[str, str] | None = None) -> bytes:
    """Encode frames (F, H, W, 3) as a lossless endless animation.

    Args:
        frames: 8-bit frames, already as large as they should be shown.
        kind: "apng" or "webp".
        ms: Milliseconds a frame.
        text: Text chunks, APNG only.

    Raises:
        ValueError: For another kind.
    """
    buffer = io.BytesIO()
    first, *rest = (Image.fromarray(frame) for frame in frames)
    if kind == "apng":
        info = PngInfo()
        for key, value in (text or {}).items():
            info.add_itxt(key, value)
        first.save(buffer, "PNG", save_all=True, append_images=rest, duration=ms, loop=0, pnginfo=info)
    elif kind == "webp":
        first.save(buffer, "WEBP", save_all=True, append_images=rest, duration=ms, loop=0, lossless=True, exact=True)
    else:
        raise ValueError(f"kind must be apng or webp, got {kind!r}")
    return buffer.getvalue()
