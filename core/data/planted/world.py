"""What the world is: its classes, the two features planted in it, and the templates that they are made of.

A picture is grey, plus a smooth background, plus a *visible* feature (the shape of a class, anywhere, in any colour and
one of three sizes), plus a *faint* one (a fixed weave of period 4 that belongs to a class), plus pixel noise. Both
features have a strength, the L2 length that they add to the picture, and agree with the label as often as one asks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from core.recipes import option

SIDE = 32
PIXELS = SIDE * SIDE
SHAPES = ("disc", "cross", "bar", "triangle", "ring", "square", "moon", "arrow", "diamond", "star")
RADII = (6.0, 7.5, 9.0)  # of a shape, pixels
OFFSETS = (-3, 0, 3)  # of its centre, pixels, in both directions
# Red, green, blue, their sums, and white: a shape is lighter than the background, and its colour says nothing of its
# class.
COLOURS = tuple((r, g, b) for r in (0.0, 1.0) for g in (0.0, 1.0) for b in (0.0, 1.0) if r + g + b)
GREY = 0.4  # of the background, on average
TILE = 4  # period of the weave, pixels


@dataclass(frozen=True)
class PlantedWorld:
    """All that decides how pictures and labels come about.

    Args:
        classes: Number of classes K.
        visible: L2 length of the shape, pixel units.
        faint: L2 length of the weave, pixel units.
        visible_agrees: Probability that the shape is the label's; else it is of another class, all equally likely. 1 /
            K says nothing about the label.
        faint_agrees: The same of the weave.
        conflict: Whether a weave that does not agree is another class's (True) or missing (False).
        label_noise: Fraction of labels drawn anew among all classes, in training pictures.
        noise: Standard deviation of the pixel noise.
        background: Standard deviation of each of the nine coefficients of the background, L2 length in pixel units.
        weave: Seed of the faint patterns; another one is another world with the same shapes.
    """

    classes: int = option(4, low=2, high=10)
    visible: float = option(6.0, low=0.0, high=8.0)
    faint: float = option(0.35, low=0.0, high=2.0)
    visible_agrees: float = option(1.0, low=0.0, high=1.0)
    faint_agrees: float = option(1.0, low=0.0, high=1.0)
    conflict: bool = option(True)
    label_noise: float = option(0.0, low=0.0, high=0.9)
    noise: float = option(0.05, low=0.02, high=0.15)
    background: float = option(2.0, low=0.0, high=3.0)
    weave: int = option(0, low=0, high=99)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes, those of their shapes."""
        return SHAPES[: self.classes]

    def shape_given_label(self) -> Tensor:
        """Compute p(shape | label) (K, K)."""
        return _agreement(self.classes, self.visible_agrees)

    def weave_given_label(self) -> Tensor:
        """Compute p(weave | label) (K, K + 1); the last column is "no weave"."""
        table = torch.zeros(self.classes, self.classes + 1)
        if self.conflict:
            table[:, :-1] = _agreement(self.classes, self.faint_agrees)
        else:
            table[:, :-1].fill_diagonal_(self.faint_agrees)
            table[:, -1] = 1 - self.faint_agrees
        return table


def _agreement(classes: int, agrees: float) -> Tensor:
    table = torch.full((classes, classes), (1 - agrees) / (classes - 1))
    return table.fill_diagonal_(agrees)


@cache
def masks(classes: int) -> Tensor:
    """Draw every shape at every pose: (K, poses, H W), each of L2 length 1, edges smoothed over a pixel."""
    at = torch.arange(SIDE) - (SIDE - 1) / 2
    rows = []
    for name in SHAPES[:classes]:
        poses = [
            (_inside(name, (at[:, None] - dy) / radius, (at[None, :] - dx) / radius) * radius + 0.5).clamp(0, 1)
            for radius in RADII
            for dy in OFFSETS
            for dx in OFFSETS
        ]
        rows.append(torch.stack(poses).flatten(1))
    found = torch.stack(rows)
    return found / found.norm(dim=2, keepdim=True)


def _inside(name: str, y: Tensor, x: Tensor) -> Tensor:
    """Return about how deep points lie inside a shape of radius 1, in radii; negative outside."""
    y, x = torch.broadcast_tensors(y, x)
    ax, ay, r = x.abs(), y.abs(), (x.square() + y.square()).sqrt()
    depth: dict[str, Callable[[], Tensor]] = {
        "disc": lambda: 0.95 - r,
        "square": lambda: 0.8 - torch.maximum(ax, ay),
        "triangle": lambda: torch.minimum(0.75 - y, 0.5 * (y + 0.95) - 0.87 * ax),
        "cross": lambda: 0.3 - torch.maximum(torch.minimum(ax, ay), torch.maximum(ax, ay) - 0.65),
        "ring": lambda: 0.22 - (r - 0.75).abs(),
        "diamond": lambda: 0.71 * (1.0 - ax - ay),
        "bar": lambda: torch.minimum(0.28 - ay, 1.0 - ax),
        "arrow": lambda: torch.maximum(
            torch.minimum(0.1 - y, 0.71 * (y + 0.95 - ax)),
            torch.minimum(0.25 - ax, torch.minimum(y + 0.2, 0.9 - y)),
        ),
        "moon": lambda: torch.minimum(0.95 - r, ((x - 0.45).square() + (y + 0.1).square()).sqrt() - 0.75),
        "star": lambda: 0.62 + 0.33 * torch.cos(5 * torch.atan2(x, -y)) - r,
    }
    return depth[name]()


@cache
def colours() -> Tensor:
    """Return the colours of shapes (7, 3), unit vectors."""
    found = torch.tensor(COLOURS)
    return found / found.norm(dim=1, keepdim=True)


@cache
def weaves(classes: int, seed: int) -> Tensor:
    """Draw the faint pattern of each class.

    (K, 3, H, W), orthonormal, of the highest frequencies that pixels can carry.

    Each is a random mixture of the seven waves of period 4 that alternate from one pixel to the next in at least one
    direction, in three channels; nothing smooth overlaps with them.
    """
    tile = torch.arange(TILE)
    waves = []
    for v, u, phase in ((0, 2, 0), (2, 0, 0), (2, 2, 0), (1, 2, 0), (1, 2, 1), (2, 1, 0), (2, 1, 1)):
        wave = torch.cos(2 * torch.pi / TILE * (v * tile[:, None] + u * tile[None, :]) - phase * torch.pi / 2)
        waves.append(wave / wave.norm())
    basis = torch.stack(waves).flatten(1)  # (7, 16), orthonormal
    draws = torch.Generator().manual_seed(1000 + seed)
    mixed = torch.linalg.qr(torch.randn(len(basis) * 3, classes, generator=draws))[0].T
    tiles = (mixed.reshape(classes, 3, -1) @ basis).reshape(classes, 3, TILE, TILE)
    times = SIDE // TILE
    return tiles.repeat(1, 1, times, times) / times


@cache
def slopes() -> Tensor:
    """Return the three smooth fields of which a channel's background is made.

    Level and two slopes, (3, H W), orthonormal.
    """
    at = (torch.arange(SIDE) - (SIDE - 1) / 2) / SIDE
    fields = torch.stack([torch.ones(SIDE, SIDE), at[:, None].expand(SIDE, SIDE), at[None, :].expand(SIDE, SIDE)])
    flat = fields.flatten(1)
    return flat / flat.norm(dim=1, keepdim=True)
