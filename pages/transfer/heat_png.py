"""The heat map as a PNG that leaves the app."""

import numpy as np
from PIL import Image, ImageDraw
from plotly.colors import sample_colorscale

from core.files.render import RGB
from core.files.slides import font
from core.rates import Rate
from pages.transfer.heat import Grid

CELL, GAP, FONT = 96, 4, 26


def heat_picture(grid: Grid) -> RGB:
    """Draw the heat map with its numbers and their intervals."""
    names = [grid.titles[s] for s in grid.sources]
    heads = [grid.titles[t] for t in grid.targets]
    left = round(max(font(FONT).getlength(name) for name in names)) + 30
    top = round(max(font(FONT).getlength(name) for name in heads)) + 90
    width = max(left + len(heads) * (CELL + GAP) + 20, 900)
    page = Image.new("RGB", (width, top + len(names) * (CELL + GAP) + 60), "white")
    draw = ImageDraw.Draw(page)
    draw.text((14, 12), f"Per cent of pictures: {grid.says}", fill="#1c262d", font=font(FONT))
    draw.text((14, 46), "rows: made for · columns: shown to · small: 95 % interval", fill="#5a6870", font=font(20))
    for j, head in enumerate(heads):
        strip = Image.new("RGB", (top - 90, 34), "white")
        ImageDraw.Draw(strip).text((0, 0), head, fill="#1c262d", font=font(FONT))
        page.paste(strip.rotate(90, expand=True), (left + j * (CELL + GAP) + CELL // 2 - 17, 80))
    for i, (source, name) in enumerate(zip(grid.sources, names, strict=True)):
        y = top + i * (CELL + GAP)
        draw.text((left - 14, y + CELL // 2), name, fill="#1c262d", font=font(FONT), anchor="rm")
        for j, target in enumerate(grid.targets):
            rate = grid.rates.get((source, target))
            if rate is not None:
                _cell(draw, left + j * (CELL + GAP), y, rate)
    return np.asarray(page)


def _cell(draw: ImageDraw.ImageDraw, x: int, y: int, rate: Rate) -> None:
    value = min(1.0, max(0.0, rate.value if rate.n else 0.0))
    (colour,) = sample_colorscale("Cividis", [value])
    ink = "#111111" if value > 0.55 else "#ffffff"
    low, high = rate.interval
    draw.rectangle((x, y, x + CELL, y + CELL), fill=colour)
    draw.text((x + CELL // 2, y + CELL // 2 - 10), f"{100 * value:.0f}", fill=ink, font=font(34), anchor="mm")
    draw.text((x + CELL // 2, y + CELL - 20), f"{100 * low:.0f}–{100 * high:.0f}", fill=ink, font=font(18), anchor="mm")
