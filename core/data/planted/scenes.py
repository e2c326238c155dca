"""Pictures of the world: what chance decides of each, and the picture that this makes.

    scenes = draw(PlantedWorld(), 1000, seed=0)
    x = render(world, scenes)                                  # float32 (N, 3, 32, 32) in [0, 1], on 8-bit levels
    x = render(world, replace(scenes, weave=other))            # the same pictures with the weave of another class

What chance decides is kept apart from how strong the features are, so that one feature can be taken out or exchanged
and all else, the noise included, stays as it was.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from core.data.sets import Pictures
from core.data.planted.world import GREY, PIXELS, SIDE, PlantedWorld, colours, masks, slopes, weaves
from core.types import Images, Labels

BLOCK = 500  # pictures that share a draw of noise


@dataclass(frozen=True)
class Scenes:
    """What is in N pictures.

    Args:
        y: True labels (N,).
        labels: Labels given to a trainer (N,): y, but for label noise.
        shape: Class of the shape (N,).
        weave: Class of the faint pattern (N,); K is none.
        pose: Index into the poses of `masks` (N,).
        colour: Index into `colours` (N,).
        background: Coefficients (N, 3, 3), channel and field, of variance 1.
        seed: Of the pixel noise.
    """

    y: Labels
    labels: Labels
    shape: Labels
    weave: Labels
    pose: Labels
    colour: Labels
    background: Tensor
    seed: int

    def __len__(self) -> int:
        return len(self.y)


def draw(world: PlantedWorld, n: int, seed: int) -> Scenes:
    """Draw what is in n pictures, all classes equally often."""
    draws = torch.Generator().manual_seed(seed)
    k = world.classes
    y = (torch.arange(n) % k)[torch.randperm(n, generator=draws)]
    noisy = torch.rand(n, generator=draws) < world.label_noise
    labels = torch.where(noisy, torch.randint(k, (n,), generator=draws), y)
    return Scenes(
        y=y,
        labels=labels,
        shape=_given(world.shape_given_label(), y, draws),
        weave=_given(world.weave_given_label(), y, draws),
        pose=torch.randint(masks(k).shape[1], (n,), generator=draws),
        colour=torch.randint(len(colours()), (n,), generator=draws),
        background=torch.randn(n, 3, 3, generator=draws),
        seed=seed,
    )


def disagreeing(scenes: Scenes, classes: int) -> Scenes:
    """Give each picture the weave of another class than its shape's, all others equally often; y stays the shape's."""
    draws = torch.Generator().manual_seed(scenes.seed + 1)
    other = (scenes.shape + torch.randint(1, classes, (len(scenes),), generator=draws)) % classes
    return replace(scenes, y=scenes.shape, labels=scenes.shape, weave=other)


def render(world: PlantedWorld, scenes: Scenes) -> Images:
    """Paint the pictures (N, 3, H, W): float32 in [0, 1], rounded to 8 bits as a file would be."""
    return torch.cat([_painted(world, scenes, first) for first in range(0, len(scenes), BLOCK)])


def pictures(world: PlantedWorld, scenes: Scenes) -> Pictures:
    """Return them as a data set, with the labels given to a trainer."""
    images = np.empty((len(scenes), SIDE, SIDE, 3), dtype=np.uint8)
    for first in range(0, len(scenes), BLOCK):
        levels = (_painted(world, scenes, first) * 255).byte()
        images[first : first + len(levels)] = levels.permute(0, 2, 3, 1).numpy()
    return Pictures(images, scenes.labels.numpy(), world.names, "planted world")


def _painted(world: PlantedWorld, scenes: Scenes, first: int) -> Images:
    rows = slice(first, first + BLOCK)
    n, k = len(scenes.y[rows]), world.classes
    draws = torch.Generator().manual_seed(scenes.seed * 1_000_003 + first // BLOCK)
    x = torch.randn(n, 3, PIXELS, generator=draws).mul_(world.noise).add_(GREY)
    x += world.background * scenes.background[rows] @ slopes()
    x += (
        world.visible
        * colours()[scenes.colour[rows]][:, :, None]
        * masks(k)[scenes.shape[rows], scenes.pose[rows]][:, None]
    )
    patterns = torch.cat([weaves(k, world.weave).flatten(2), torch.zeros(1, 3, PIXELS)])
    x += world.faint * patterns[scenes.weave[rows]]
    return (x.clamp_(0, 1) * 255).round_().div_(255).reshape(n, 3, SIDE, SIDE)


def _given(table: Tensor, y: Labels, draws: torch.Generator) -> Labels:
    return torch.multinomial(table[y], 1, generator=draws)[:, 0]
