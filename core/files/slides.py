"""Pictures for slides: as large as the last row needs, every pixel a square, captions in a font that has them.

For example:

    slide([[clean, delta, result]], heads=("clean", "perturbation", "both"), caption="frog → truck, ε = 0.5")
"""

import functools
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.files.render import RGB, upscaled

WIDE = 768  # px that the pictures of a slide are wide together, at least
MARGIN, GAP = 24, 12
INK, MUTED, PAPER = "#1c262d", "#4a5860", "white"


@functools.cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font with dashes, Greek and indices: the one that ships with matplotlib, which captum needs anyway.

    Pillow's own has none of these and draws boxes in their place.
    """
    found = find_spec("matplotlib")
    folders = [Path(p) / "mpl-data" / "fonts" / "ttf" for p in found.submodule_search_locations or ()] if found else []
    for file in (folder / f"DejaVuSans{'-Bold' if bold else ''}.ttf" for folder in folders):
        if file.is_file():
            return ImageFont.truetype(str(file), size)
    return ImageFont.load_default(size)


def factor(width: int, wide: int = WIDE) -> int:
    """Return by how much to repeat the pixels of something so many pixels wide, so that it becomes wide enough."""
    return max(1, -(-wide // width))


def slide(
    rows: Sequence[Sequence[RGB]],
    *,
    heads: Sequence[str] = (),
    sides: Sequence[str] = (),
    caption: str = "",
    wide: int = WIDE,
) -> RGB:
    """Lay equally large pictures out on a white page.

    Args:
        rows: Pictures, row by row; rows may differ in length.
        heads: A title above each column.
        sides: A title above each row.
        caption: Sentences below.
        wide: Width of all columns together at least, px.
    """
    height, width = rows[0][0].shape[:2]
    columns = max(map(len, rows))
    times = factor(columns * width, wide)
    tall, broad = height * times, width * times
    whole = columns * broad + (columns - 1) * GAP
    size = max(15, whole // 44)
    above = [_wrapped(head, broad, size, bold=True) for head in heads]
    titles = [_wrapped(side, whole, size, bold=True) for side in sides] or [[] for _ in rows]
    below = _wrapped(caption, whole, size)
    line = round(1.35 * size)
    top = MARGIN + max(map(len, above), default=0) * line
    page_height = top + sum(len(title) * line + tall + GAP for title in titles) + len(below) * line + MARGIN
    page = Image.new("RGB", (whole + 2 * MARGIN, page_height), PAPER)
    draw = ImageDraw.Draw(page)
    for column, lines in enumerate(above):
        _write(draw, MARGIN + column * (broad + GAP), MARGIN, lines, size, INK, bold=True)
    for row, lines in zip(rows, titles, strict=True):
        top = _write(draw, MARGIN, top, lines, size, INK, bold=True)
        for column, cell in enumerate(row):
            page.paste(Image.fromarray(upscaled(cell, times)), (MARGIN + column * (broad + GAP), top))
        top += tall + GAP
    _write(draw, MARGIN, top, below, size, MUTED)
    return np.asarray(page)


def _wrapped(text: str, width: int, size: int, *, bold: bool = False) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font(size, bold=bold).getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _write(
    draw: ImageDraw.ImageDraw, left: int, top: int, lines: Sequence[str], size: int, ink: str, *, bold: bool = False
) -> int:
    """Write lines below one another; return where the next one would stand."""
    step = round(1.35 * size)
    for i, line in enumerate(lines):
        draw.text((left, top + i * step), line, fill=ink, font=font(size, bold=bold))
    return top + len(lines) * step
