"""What painting begins with where there is no picture: in each world something of no class, or of one on average.

CIFAR-10 has the Gaussian of each class; the planted world draws pictures without shape and without weave; of any other
world nothing is known, and noise as smooth as a background serves, which needs no statistics.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F

from core import worlds
from core.data.planted import drawn, scenes
from core.synthesis.gaussians import gaussians
from core.types import Images
from core.worlds import World

EMPTY = replace(drawn.WORLD, visible=0.0, faint=0.0)
COARSE, SPREAD = 4, 0.15  # of the smooth noise: values a side, and their standard deviation around mid-grey


def seeds(world: World, y: Sequence[int], draws: torch.Generator) -> Images:
    """Draw a start for each of the wanted classes (N, C, H, W).

    Raises:
        core.data.DataError: If the class Gaussians of the first world are not here.
    """
    if world == worlds.get():
        return torch.cat([gaussians()[k].sample(1, draws) for k in y])
    if world.name == drawn.NAME:
        number = int(torch.randint(2**20, (), generator=draws))
        return scenes.render(EMPTY, scenes.draw(EMPTY, len(y), number))
    noise = 0.5 + SPREAD * torch.randn(len(y), 3, COARSE, COARSE, generator=draws)
    return F.interpolate(noise, size=world.side, mode="bicubic", align_corners=False).clamp(0, 1)


def seeds_of(world: World, k: int, n: int, draws: torch.Generator) -> Images:
    """Draw n starts for one class (N, C, H, W): those of `seeds`, but for the order in which sums are rounded.

    Mixtures have always had their second class drawn at once; a link to one makes the same picture to the last bit.
    """
    return gaussians()[k].sample(n, draws) if world == worlds.get() else seeds(world, [k] * n, draws)


def described(world: World) -> str:
    """Say what they are, in a few words."""
    if world == worlds.get():
        return "draws from the classes' Gaussians"
    return "pictures in which nothing was planted" if world.name == drawn.NAME else "smooth noise"
