"""A world of somebody's own: four shapes, 64 pixels, grey, as folders of PNGs beside a `world.toml`.

Drawn, not stored.
"""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

CLASSES = ("cross", "disc", "ring", "square")
SIDE = 64
TOML = 'title = "Shapes"\nclasses = ["ring", "disc", "square", "cross"]\nside = 64\n'


def drawn(kind: str, draws: np.random.Generator) -> UInt8[np.ndarray, "h w"]:
    """Draw one shape, bright on dark, somewhere near the middle, under noise: uint8 (64, 64)."""
    top, left, radius = *draws.uniform(26, 38, 2), draws.uniform(12, 20)
    down, right = np.mgrid[:SIDE, :SIDE] - np.array([top, left])[:, None, None]
    far, near = np.hypot(down, right), np.minimum(abs(down), abs(right))
    widest = np.maximum(abs(down), abs(right))
    inside = {
        "cross": (near < radius / 3) & (widest < radius),
        "disc": far < radius,
        "ring": (far < radius) & (far > 0.6 * radius),
        "square": widest < 0.9 * radius,
    }[kind]
    grey = 60 + 120 * inside + draws.normal(0, 12, inside.shape)
    return np.clip(grey, 0, 255).astype(np.uint8)


def as_folders(root: Path, each: int = 40, toml: str = TOML) -> Path:
    """Write the world below `root` as folders of grey PNGs, and return its folder."""
    folder, draws = root / "shapes", np.random.default_rng(0)
    for kind in CLASSES:
        (folder / kind).mkdir(parents=True)
        for i in range(each):
            Image.fromarray(drawn(kind, draws)).save(folder / kind / f"{i:03d}.png")
    (folder / "world.toml").write_text(toml, encoding="utf-8")
    return folder
