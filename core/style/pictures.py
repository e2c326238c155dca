"""Content and style at any side.

Photographs that ship with scikit-image, the gallery's frog, and textures drawn here.
"""

import functools
import math
from collections.abc import Callable

import skimage.data
import torch
from PIL import Image
from torch import Tensor

from core import worlds
from core.data import pictures
from core.data.decode import decode
from core.data.sets import square
from core.files.render import from_uint8, to_uint8
from core.problems import InputError
from core.types import Images

PHOTOS = {
    "chelsea": "Chelsea the cat, a photograph",
    "astronaut": "an astronaut, a photograph",
    "coffee": "a cup of coffee, a photograph",
    "rocket": "a rocket, a photograph",
}
CONTENTS = {**PHOTOS, "frog": "a frog that a robust network painted"}
TEXTURES = {
    "waves": "waves, drawn by code",
    "tiles": "tiles, drawn by code",
    "dots": "dots, drawn by code",
    "strokes": "strokes, drawn by code",
}
MATERIALS = {"brick": "a brick wall, a photograph", "grass": "grass, a photograph", "gravel": "gravel, a photograph"}
STYLES = {**TEXTURES, **MATERIALS, **PHOTOS}
MIDDLE = 2  # a photograph of a material is cut to its middle, 1 / MIDDLE of the side, or it would be grey at 64 pixels


def content(name: str, side: int) -> Images:
    """Return a picture to be painted anew (1, 3, side, side) in [0, 1].

    Raises:
        InputError: If there is none of that name.
        core.data.decode.PictureError: If the gallery is not here.
    """
    if name == "frog":
        frog = pictures.ids("gallery", worlds.get().classes.index("frog"))[0]
        return _resized(Image.fromarray(to_uint8(pictures.get(frog).x)[0]), side)
    if name not in PHOTOS:
        raise InputError(f"no content {name!r}; have {', '.join(CONTENTS)}")
    return _photo(name, side)


def style(name: str, side: int) -> Images:
    """Return a picture whose texture is wanted (1, 3, side, side) in [0, 1].

    Raises:
        InputError: If there is none of that name.
    """
    if name in TEXTURES:
        return _drawn(name, side)
    if name not in STYLES:
        raise InputError(f"no style {name!r}; have {', '.join(STYLES)}")
    return _photo(name, side)


def from_upload(data: bytes, side: int) -> Images:
    """Return somebody's picture, cut to the square in its middle (1, 3, side, side).

    Raises:
        core.data.decode.PictureError: As `core.data.decode.decode`.
    """
    return _resized(decode(data)[0], side)


@functools.lru_cache(maxsize=64)
def _photo(name: str, side: int) -> Images:
    image = Image.fromarray(getattr(skimage.data, name)()).convert("RGB")
    if name in MATERIALS:
        width, height = image.width // MIDDLE, image.height // MIDDLE
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    return _resized(image, side)


def _resized(image: Image.Image, side: int) -> Images:
    return from_uint8(square(image, side)[None].copy())


@functools.lru_cache(maxsize=64)
def _drawn(name: str, side: int) -> Images:
    """Draw a texture at four times the side and average it down, so that its edges are smooth."""
    fine = 4 * side
    y, x = torch.meshgrid(torch.arange(fine) / 4, torch.arange(fine) / 4, indexing="ij")
    where, colours = _TEXTURES[name](x, y)
    palette = torch.tensor(colours)
    picture = palette[where.clamp(0, len(palette) - 1)].permute(2, 0, 1)[None]
    return from_uint8(to_uint8(torch.nn.functional.avg_pool2d(picture, 4)))


Texture = Callable[[Tensor, Tensor], tuple[Tensor, list[tuple[float, float, float]]]]


def _waves(x: Tensor, y: Tensor) -> tuple[Tensor, list[tuple[float, float, float]]]:
    phase = y / 10 + 0.35 * torch.sin(2 * math.pi * x / 19) + 0.2 * torch.sin(2 * math.pi * (x + y) / 31)
    return (4 * (phase % 1)).long(), [(0.05, 0.16, 0.36), (0.13, 0.42, 0.65), (0.55, 0.77, 0.86), (0.97, 0.93, 0.8)]


def _tiles(x: Tensor, y: Tensor) -> tuple[Tensor, list[tuple[float, float, float]]]:
    row, column = (y // 8).long(), ((x + 4 * ((y // 8) % 2)) // 8).long()
    edge = (y % 8 < 1) | ((x + 4 * ((y // 8) % 2)) % 8 < 1)
    return torch.where(edge, 0, 1 + (3 * row + 5 * column) % 3), [
        (0.93, 0.9, 0.84),
        (0.75, 0.3, 0.18),
        (0.85, 0.55, 0.2),
        (0.3, 0.42, 0.4),
    ]


def _dots(x: Tensor, y: Tensor) -> tuple[Tensor, list[tuple[float, float, float]]]:
    row = y // 7
    distance = torch.hypot((x + 3.5 * (row % 2)) % 7 - 3.5, y % 7 - 3.5)
    kind = 1 + ((row + (x + 3.5 * (row % 2)) // 7) % 3).long()
    return torch.where(distance < 2.6, kind, 0), [
        (0.98, 0.95, 0.88),
        (0.85, 0.2, 0.35),
        (0.98, 0.72, 0.1),
        (0.1, 0.45, 0.6),
    ]


def _strokes(x: Tensor, y: Tensor) -> tuple[Tensor, list[tuple[float, float, float]]]:
    along = x + y + 3 * torch.sin(2 * math.pi * (x - y) / 27)
    pieces = ((x - y + 5 * (along // 5)) // 13).long()
    return ((along // 5).long() * 7 + pieces * 3) % 5, [
        (0.1, 0.1, 0.25),
        (0.95, 0.75, 0.2),
        (0.2, 0.35, 0.7),
        (0.55, 0.7, 0.9),
        (0.85, 0.4, 0.15),
    ]


_TEXTURES: dict[str, Texture] = {"waves": _waves, "tiles": _tiles, "dots": _dots, "strokes": _strokes}
