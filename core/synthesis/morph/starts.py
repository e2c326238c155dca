"""What a board may begin with, by name: blank paper, sketches, draws from a class, pictures."""

import numpy as np
import torch
from PIL import Image, ImageDraw

from core import worlds
from core.data import pictures
from core.data.decode import PictureError
from core.files.render import from_uint8
from core.synthesis.seeds import seeds
from core.types import Images

# Paper, and shapes on it: ovals by their box, polygons by their corners, all in [0, 1].
SKETCHES: dict[str, tuple[str, tuple[tuple[str, tuple[float, ...], str], ...]]] = {
    "meadow": (
        "#9cc9ec",
        (
            ("polygon", (0, 0.62, 1, 0.58, 1, 1, 0, 1), "#5f8f3f"),
            ("oval", (0.22, 0.34, 0.72, 0.62), "#7a4a25"),
            ("polygon", (0.28, 0.55, 0.36, 0.55, 0.35, 0.86, 0.29, 0.86), "#6a3f1f"),
            ("polygon", (0.58, 0.55, 0.66, 0.55, 0.66, 0.86, 0.6, 0.86), "#6a3f1f"),
            ("polygon", (0.62, 0.42, 0.74, 0.14, 0.9, 0.24, 0.76, 0.48), "#7a4a25"),
        ),
    ),
    "sea": (
        "#bcd9ee",
        (
            ("polygon", (0, 0.62, 1, 0.62, 1, 1, 0, 1), "#2f5f8f"),
            ("polygon", (0.12, 0.52, 0.9, 0.52, 0.78, 0.72, 0.24, 0.72), "#8a2f2a"),
            ("polygon", (0.36, 0.3, 0.66, 0.3, 0.66, 0.52, 0.36, 0.52), "#f2f2f2"),
        ),
    ),
    "face": (
        "#e8e0d4",
        (
            ("polygon", (0.2, 0.42, 0.24, 0.08, 0.46, 0.28), "#8a7a66"),
            ("polygon", (0.8, 0.42, 0.76, 0.08, 0.54, 0.28), "#8a7a66"),
            ("oval", (0.17, 0.2, 0.83, 0.86), "#a08e78"),
            ("oval", (0.32, 0.42, 0.42, 0.54), "#222222"),
            ("oval", (0.58, 0.42, 0.68, 0.54), "#222222"),
            ("oval", (0.45, 0.6, 0.55, 0.68), "#5a3a3a"),
        ),
    ),
    "pond": (
        "#3c5a3a",
        (
            ("oval", (0.15, 0.4, 0.85, 0.9), "#7fae45"),
            ("oval", (0.22, 0.28, 0.44, 0.5), "#8fbf5a"),
            ("oval", (0.56, 0.28, 0.78, 0.5), "#8fbf5a"),
            ("oval", (0.29, 0.34, 0.37, 0.42), "#111111"),
            ("oval", (0.63, 0.34, 0.71, 0.42), "#111111"),
        ),
    ),
}


def start(name: str, world: str = worlds.DEFAULT) -> Images:
    """Return the start of that name (1, C, H, W).

    Args:
        name: "blank", "sketch/meadow" (see `SKETCHES`), "seed/frog/7" (a draw, of a class where its world
            knows what that looks like), or a picture's id.
        world: In which world, a name of `core.worlds.names`.

    Raises:
        core.data.decode.PictureError: If there is none of that name.
        core.data.DataError: If it is a seed and the class Gaussians are not here.
    """
    kind, _, rest = name.partition("/")
    here = worlds.get(world)
    if name == "blank":
        return torch.ones(1, 3, here.side, here.side)
    if kind == "sketch" and rest in SKETCHES:
        return sketch(rest, here.side)
    if kind != "seed":
        return pictures.get(name).x
    of_class, _, seed = rest.partition("/")
    if of_class not in here.classes or not (seed.isascii() and seed.isdecimal() and len(seed) < 10):
        raise PictureError(f"A seed is named like seed/{here.classes[0]}/7.")
    draws = torch.Generator().manual_seed(int(seed))
    return seeds(here, [here.classes.index(of_class)], draws)


def sketch(name: str, side: int = pictures.SIZE) -> Images:
    """Draw one of `SKETCHES` as a child would (1, C, H, W)."""
    large = 8 * side  # drawn large and averaged, so that edges are soft
    paper = Image.new("RGB", (large, large), SKETCHES[name][0])
    pen = ImageDraw.Draw(paper)
    for shape, box, colour in SKETCHES[name][1]:
        place = [large * v for v in box]
        if shape == "oval":
            pen.ellipse(place, fill=colour)
        else:
            pen.polygon(place, fill=colour)
    return from_uint8(np.array(paper.resize((side, side), Image.Resampling.BOX))[None])
