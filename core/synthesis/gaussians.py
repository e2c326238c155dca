"""What a class looks like on average, and how it varies: the seeds that synthesis paints over.

Source: Santurkar et al. (2019), arXiv 1906.09453, who fit a Gaussian to each class.
"""

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.data.sets import DataError, Pictures
from core.files.atomic import replacing
from core.types import Images

FILE = Path(__file__).parents[2] / "assets" / "synthesis" / "class-gaussians.safetensors"


@dataclass(frozen=True)
class ClassGaussian:
    """A Gaussian over pictures, as mean and principal directions.

    Args:
        mean: (C, H, W).
        directions: (R, C, H, W), each scaled by its standard deviation.
    """

    mean: Tensor
    directions: Tensor

    @staticmethod
    def of(x: Images, rank: int) -> "ClassGaussian":
        """Fit to images (N, C, H, W), keeping the strongest directions.

        All are computed: `pca_lowrank` draws from torch's global generator, so that no seed would decide what is
        sampled.
        """
        mean = x.mean(0)
        _, deviations, directions = torch.linalg.svd((x - mean).flatten(1), full_matrices=False)
        scaled = directions[:rank] * (deviations[:rank] / math.sqrt(len(x)))[:, None]
        return ClassGaussian(mean, scaled.reshape(rank, *x.shape[1:]))

    def sample(self, n: int, generator: torch.Generator) -> Images:
        """Draw n images, clipped to [0, 1]."""
        weights = torch.randn(n, len(self.directions), generator=generator)
        return (self.mean + torch.einsum("nr,rchw->nchw", weights, self.directions)).clamp(0, 1)


def fit_gaussians(train: Pictures, rank: int) -> dict[str, Tensor]:
    """Compute mean and covariance of each class, all covariances in one basis of low rank.

    The basis holds the strongest directions of the covariance within classes. With one basis for all, ten classes of
    rank 96 take a megabyte where ten bases would take six.

    Args:
        train: Labelled pictures.
        rank: Directions of the basis.

    Returns:
        `mean` (K, C, H, W), `basis` (R, C, H, W) orthonormal, and `root` (K, R, R), whose rows times the basis are the
        scaled directions of each class; float16, for a file.
    """
    rows = [np.flatnonzero(train.labels == label).tolist() for label in range(len(train.classes))]
    means = torch.stack([train.x(of_class).mean(0) for of_class in rows])
    shape, size = means.shape[1:], means[0].numel()
    within = torch.zeros(size, size)
    for mean, of_class in zip(means, rows, strict=True):
        centred = (train.x(of_class) - mean).flatten(1)
        within += centred.T @ centred
    _, vectors = torch.linalg.eigh(within)  # ascending
    basis = vectors[:, -rank:].flip(1).T.contiguous()
    roots = []
    for mean, of_class in zip(means, rows, strict=True):
        coordinates = (train.x(of_class) - mean).flatten(1) @ basis.T
        values, own = torch.linalg.eigh(coordinates.T @ coordinates / len(of_class))
        roots.append(own.T * values.clamp_min(0).sqrt()[:, None])
    half = {"mean": means, "basis": basis.reshape(rank, *shape), "root": torch.stack(roots)}
    return {name: tensor.half().contiguous() for name, tensor in half.items()}


def save_gaussians(tensors: dict[str, Tensor], classes: tuple[str, ...], about: str, path: Path = FILE) -> None:
    """Write what `fit_gaussians` made."""
    with replacing(path) as part:
        save_file(tensors, part, {"classes": ",".join(classes), "about": about})


@functools.lru_cache(maxsize=2)
def gaussians(path: Path = FILE) -> tuple[ClassGaussian, ...]:
    """Load the Gaussian of each class of CIFAR-10: means and covariances, no pictures.

    Raises:
        core.data.DataError: If the file is not there, or is damaged.
    """
    again = "make it with: python -m core.synthesis.measure gaussians"
    if not path.is_file():
        raise DataError(f"{path.name} is not here; {again}")
    try:
        stored = {name: tensor.float() for name, tensor in load_file(path).items()}
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path.name} is damaged ({error}); {again}") from error
    basis, rank = stored["basis"].flatten(1), len(stored["basis"])
    shape = (rank, *stored["basis"].shape[1:])
    return tuple(
        ClassGaussian(mean, (root @ basis).reshape(shape))
        for mean, root in zip(stored["mean"], stored["root"], strict=True)
    )
