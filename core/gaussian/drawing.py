"""The plane of the Gaussian page as a picture for a slide or a handout.

Both models side by side, as the browser draws them.
"""

import math

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from core.files.slides import font
from core.gaussian import theory, views
from core.gaussian.recipe import GaussianRecipe
from core.gaussian.views import Side, percent

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
    panels = [_panel(recipe, name, side) for name, side in views.sides(recipe).items()]
    gap = Image.new("RGB", (2 * UNIT * FINER, panels[0].height), "white")
    return np.asarray(_beside([panels[0], gap, panels[1]]).reduce(FINER))


class _Plane:
    """A canvas with the coordinates of the plane."""

    def __init__(self) -> None:
        self.scale = UNIT * FINER
        self.picture = Image.new("RGB", (2 * HALF_WIDTH * self.scale, 2 * HALF_HEIGHT * self.scale), "white")
        self._draw = ImageDraw.Draw(self.picture)

    def _at(self, points: Tensor) -> list[tuple[float, float]]:
        return [((x + HALF_WIDTH) * self.scale, (HALF_HEIGHT - y) * self.scale) for x, y in points.double().tolist()]

    def fill(self, corners: Tensor, colour: str) -> None:
        self._draw.polygon(self._at(corners), fill=colour)

    def line(self, points: Tensor, colour: str, width: int) -> None:
        self._draw.line(self._at(points), fill=colour, width=width * FINER, joint="curve")

    def dots(self, points: Tensor, colour: str) -> None:
        r = 2.5 * FINER
        for x, y in self._at(points):
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def arrow(self, to: Tensor, colour: str) -> None:
        unit = to / to.norm()
        across = torch.stack([-unit[1], unit[0]])
        self.line(torch.stack([torch.zeros_like(to), to - 0.5 * unit]), colour, 3)
        self.fill(torch.stack([to, to - 0.9 * unit + 0.4 * across, to - 0.9 * unit - 0.4 * across]), colour)


def _panel(recipe: GaussianRecipe, name: str, side: Side) -> Image.Image:
    mu = torch.tensor([recipe.mu1, recipe.mu2], dtype=torch.float64)
    w = theory.turn((views.mu_of(recipe) / side.variances)[None], recipe.angle)[0]
    w = w / w.norm()
    along = torch.stack([-w[1], w[0]])
    plane = _Plane()
    for sign, tint in TINTS.items():
        plane.fill(60 * torch.stack([along, along + sign * w, sign * w - along, -along]), tint)
    plane.line(torch.tensor([[-HALF_WIDTH, 0], [HALF_WIDTH, 0]]), PALE, 1)
    plane.line(torch.tensor([[0, -HALF_HEIGHT], [0, HALF_HEIGHT]]), PALE, 1)
    x, y = views.points(recipe)
    turns = torch.linspace(0, 2 * math.pi, 181, dtype=torch.float64)
    circle = BALL * torch.stack([turns.cos(), turns.sin()], 1)
    ball = theory.turn(circle * side.variances.sqrt(), recipe.angle)
    as_large = circle * side.variances.prod() ** 0.25
    for sign, colour in ((1, PLUS), (-1, MINUS)):
        plane.dots(x[y == sign], colour)
        plane.line(sign * mu + ball, colour, 2)
        for dash in range(0, 180, 4):
            plane.line(sign * mu + as_large[dash : dash + 3], colour, 1)
    plane.line(torch.stack([-60 * along, 60 * along]), INK, 3)
    plane.arrow(6 * mu / mu.norm(), INK)
    plane.arrow(6 * w, GRADIENT)
    return _titled(
        plane,
        TITLES[name],
        f"ε = {recipe.eps:g}: gradient {side.angle:.1f}° from the classes' direction, accuracy "
        f"{percent(side.clean)}, attacked {percent(side.attacked)}",
    )


def _titled(plane: _Plane, title: str, line: str) -> Image.Image:
    k = plane.scale
    picture = Image.new("RGB", (plane.picture.width, plane.picture.height + 3 * k), "white")
    picture.paste(plane.picture, (0, 3 * k))
    text = ImageDraw.Draw(picture)
    text.text((0.3 * k, 0.2 * k), title, fill=INK, font=font(round(1.1 * k), bold=True))
    text.text((0.3 * k, 1.7 * k), line, fill=INK, font=font(round(0.7 * k)))
    return picture


def _beside(pictures: list[Image.Image]) -> Image.Image:
    whole = Image.new("RGB", (sum(p.width for p in pictures), pictures[0].height), "white")
    left = 0
    for picture in pictures:
        whole.paste(picture, (left, 0))
        left += picture.width
    return whole
