"""The plane of the Gaussian page as a picture for a slide or a handout: both models side by side, as the browser draws them."""

import math

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from core import gaussian, gaussian_views
from core.gaussian_views import Side
from core.recipes import GaussianRecipe

HALF_WIDTH, HALF_HEIGHT = 20, 10
BALL = 1.5  # Mahalanobis radius of the balls, as in figure 4
UNIT = 20  # px of the finished picture for each unit of the plane
FINER = 3  # drawn this much larger, then shrunk: smooth lines
PLUS, MINUS, INK, GRADIENT, PALE = "#582e8c", "#b75c07", "#1c262d", "#0b6e80", "#d5dee2"
TINTS = {1: "#f2eef6", -1: "#fbf3ec"}
TITLES = {"standard": "Maximum likelihood", "robust": "Robust"}


def drawing(recipe: GaussianRecipe) -> np.ndarray:
    """Draw points, unit balls, decision line, and gradient beside the direction between the classes.

    Returns:
        uint8 (H, W, 3).

    Raises:
        ValueError: If both classes have the same mean.
    """
    panels = [_panel(recipe, name, side) for name, side in gaussian_views.sides(recipe).items()]
    gap = Image.new("RGB", (2 * UNIT * FINER, panels[0].height), "white")
    return np.asarray(_beside([panels[0], gap, panels[1]]).reduce(FINER))


def _panel(recipe: GaussianRecipe, name: str, side: Side) -> Image.Image:
    k, head = UNIT * FINER, 3 * UNIT * FINER
    picture = Image.new("RGB", (2 * HALF_WIDTH * k, 2 * HALF_HEIGHT * k + head), "white")
    plane = Image.new("RGB", (2 * HALF_WIDTH * k, 2 * HALF_HEIGHT * k), "white")
    draw = ImageDraw.Draw(plane)

    def at(points: Tensor) -> list[tuple[float, float]]:
        return [((x + HALF_WIDTH) * k, (HALF_HEIGHT - y) * k) for x, y in points.tolist()]

    def line(points: Tensor, colour: str, width: float) -> None:
        draw.line(at(points), fill=colour, width=round(width * FINER), joint="curve")

    def arrow(to: Tensor, colour: str) -> None:
        unit = to / to.norm()
        across = torch.stack([-unit[1], unit[0]])
        line(torch.stack([torch.zeros_like(to), to - 0.5 * unit]), colour, 3)
        draw.polygon(at(torch.stack([to, to - 0.9 * unit + 0.4 * across, to - 0.9 * unit - 0.4 * across])), fill=colour)

    mu = torch.tensor([recipe.mu1, recipe.mu2], dtype=torch.float64)
    w = gaussian.turn((gaussian_views.mu_of(recipe) / side.variances)[None], recipe.angle)[0]
    w = w / w.norm()
    along = torch.stack([-w[1], w[0]])
    for sign, tint in TINTS.items():
        far = 60.0
        draw.polygon(at(far * torch.stack([along, along + sign * w, sign * w - along, -along])), fill=tint)
    for a, b in (((-HALF_WIDTH, 0), (HALF_WIDTH, 0)), ((0, -HALF_HEIGHT), (0, HALF_HEIGHT))):
        line(torch.tensor([a, b], dtype=torch.float64), PALE, 1)
    x, y = gaussian_views.points(recipe)
    for (left, top), label in zip(at(x), y.tolist(), strict=True):
        r = 2.5 * FINER
        draw.ellipse((left - r, top - r, left + r, top + r), fill=PLUS if label > 0 else MINUS)
    turns = torch.linspace(0, 2 * math.pi, 181, dtype=torch.float64)
    circle = torch.stack([turns.cos(), turns.sin()], 1)
    ball = gaussian.turn(BALL * circle * side.variances.sqrt(), recipe.angle)
    round_ball = BALL * circle * side.variances.prod() ** 0.25
    for sign, colour in ((1, PLUS), (-1, MINUS)):
        line(sign * mu + ball, colour, 2)
        for dash in range(0, 180, 4):
            line(sign * mu + round_ball[dash : dash + 3], colour, 1.5)
    line(torch.stack([-60 * along, 60 * along]), INK, 3)
    arrow(6 * mu / mu.norm(), INK)
    arrow(6 * w, GRADIENT)
    picture.paste(plane, (0, head))
    text = ImageDraw.Draw(picture)
    text.text((0, 0), TITLES[name], fill=INK, font=ImageFont.load_default(1.1 * k))
    text.text(
        (0, 1.6 * k),
        f"ε = {recipe.eps:g}: gradient {side.angle:.1f}° from the classes' direction, accuracy {100 * side.clean:.1f} %, "
        f"attacked {100 * side.attacked:.1f} %",
        fill=INK, font=ImageFont.load_default(0.8 * k),
    )  # fmt: skip
    return picture


def _beside(pictures: list[Image.Image]) -> Image.Image:
    whole = Image.new("RGB", (sum(p.width for p in pictures), pictures[0].height), "white")
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, 0))
        left += picture.width
    return whole
