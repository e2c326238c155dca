"""What a step sees: this process's share of the pictures, shifted and flipped.

All of it drawn from (seed, epoch, rank).
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data.sets import Pictures
from core.train.recipes import TrainRecipe
from core.types import Images, Labels

SHIFT = 4  # pixels of random translation


def padded(pictures: Pictures, device: torch.device) -> Tensor:
    """Pad the borders by reflection: uint8 (N, H + 8, W + 8, 3)."""
    images = torch.from_numpy(pictures.images).permute(0, 3, 1, 2)
    chunks = [F.pad(part.float(), [SHIFT] * 4, mode="reflect").byte() for part in images.split(1000)]
    return torch.cat(chunks).permute(0, 2, 3, 1).contiguous().to(device)


def batches(
    recipe: TrainRecipe, padded: Tensor, labels: Tensor, epoch: int, rank: int, world: int
) -> Iterator[tuple[Images, Labels, torch.Generator]]:
    """Yield this process's share of each batch, shifted and flipped, and the generator of its adversary."""
    order_draws = torch.Generator().manual_seed(mix(recipe.seed, epoch, 0))
    order = torch.randperm(len(labels), generator=order_draws)
    draws = torch.Generator().manual_seed(mix(recipe.seed, epoch, 1 + rank))
    for first in range(0, len(labels) - recipe.batch_size + 1, recipe.batch_size):
        rows = order[first + rank : first + recipe.batch_size : world].to(padded.device)
        yield crop(padded, rows, draws, augment=recipe.augment), labels[rows], draws


def crop(padded: Tensor, rows: Tensor, draws: torch.Generator, *, augment: bool) -> Images:
    """Cut (N, 3, H, W) float images out of the padded ones: shifted and flipped at random, or from the middle.

    Args:
        padded: uint8 (M, H + 2 SHIFT, W + 2 SHIFT, 3).
        rows: Which pictures (N,).
        draws: Source of shifts and flips.
        augment: False cuts the original picture.
    """
    n, size = len(rows), padded.shape[1] - 2 * SHIFT
    span = torch.arange(size)
    if augment:
        down, right = torch.randint(0, 2 * SHIFT + 1, (2, n, 1), generator=draws)
        flip = torch.rand(n, 1, generator=draws) < 0.5
        columns = torch.where(flip, span.flip(0), span) + right
    else:
        down, columns = torch.full((n, 1), SHIFT), (span + SHIFT).expand(n, -1)
    lines = (span + down).to(padded.device)
    columns = columns.to(padded.device)
    cut = padded[rows[:, None, None], lines[:, :, None], columns[:, None, :]]  # (N, H, W, 3)
    return cut.permute(0, 3, 1, 2).float() / 255  # channels_last in memory


def mix(*numbers: int) -> int:
    """Combine seed, epoch and rank into one seed without collisions between neighbours."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 1) % (2**63 - 1)
    return mixed
