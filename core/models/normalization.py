"""What stands between the pixels and a network: its first, fixed, linear map, saved with the weights.

`Normalize` shifts and scales each channel, as everybody does. `Whiten` also takes out of each pixel what its neighbours
say. `adaptive_batch_norm` is about the normalisation further up: batch norm's statistics, of other pictures.
"""

from collections.abc import Sequence
from copy import deepcopy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.types import Images

# CIFAR-10 training set, per channel and pixel. They are saved with the weights: normalisation belongs to a model.
MEAN = (0.4914, 0.4822, 0.4465)
STD = (0.2470, 0.2435, 0.2616)


class Normalize(nn.Module):
    """(x - mean) / std per channel, with the constants stored among the weights."""

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).reshape(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).reshape(1, -1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.std


class Whiten(Normalize):
    """Normalised pixels times the inverse square root of the covariance of patches (ZCA), of which the centre is kept.

    A patch of a photograph varies 10^5 times more along its smoothest direction than along its finest. A perturbation
    of L2 0.5 is fine, so to a network that starts from nothing it is drowned; after this map it is not (measured: the
    control "control-plain" of `core.datasets.experiments`). cifar10-airbench begins with a whitening layer too, for
    speed.

    Args:
        size: Side of the patch, odd.
        floor: Added to the variances, which are in units of a channel's own.
    """

    weight: Tensor

    def __init__(self, size: int = 3, floor: float = 1e-3) -> None:
        super().__init__()
        self.floor = floor
        weight = torch.zeros(3, 3, size, size)
        weight[range(3), range(3), size // 2, size // 2] = 1  # until `fit`, nothing but the normalisation
        self.register_buffer("weight", weight)

    @torch.no_grad()
    def fit(self, x: Images) -> None:
        """Learn the map from pictures (N, 3, H, W)."""
        size = self.weight.shape[-1]
        patches = F.unfold(super().forward(x), size).transpose(1, 2).reshape(-1, 3 * size**2)
        variances, directions = torch.linalg.eigh(torch.cov(patches.double().T))
        whole = directions @ torch.diag((variances + self.floor).rsqrt()) @ directions.T
        centres = torch.arange(3) * size**2 + size**2 // 2
        self.weight.copy_(whole[centres].reshape(3, 3, size, size))

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # small differences of large numbers
            return F.conv2d(super().forward(x.float()), self.weight, padding="same")


@torch.no_grad()
def adaptive_batch_norm(model: nn.Module, x: Images, batch_size: int = 250) -> nn.Module:
    """Copy a model and give its batch norms the mean and variance of these pictures (N, 3, H, W), without labels.

    A network that learnt from perturbed pictures normalises clean ones by statistics that are not theirs. All batches
    count the same, so let N be a multiple of their size. Nothing else changes; a model without batch norm is only
    copied.

    Source: Li et al. (2016), Revisiting Batch Normalization For Practical Domain Adaptation (AdaBN).
    """
    copied = deepcopy(model).eval()
    norms = [module for module in copied.modules() if isinstance(module, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
        norm.train()
    for part in x.split(batch_size):
        copied(part)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    return copied.eval()
