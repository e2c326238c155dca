"""Is a perturbation on the data or off it? (Shamir, Melamed and BenShmuel 2021, "The dimpled manifold model").

Around each picture the data's directions are taken to be the principal axes of its nearest neighbours in the training
set. `share` says how much of a perturbation's squared length lies along the first d of them; a direction drawn at
random has d / D of it there. The dimpled manifold expects adversarial perturbations to have hardly more; useful
features ask for more.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.types import Images

NEIGHBOURS = 200
DIRECTIONS = (10, 20, 50, 100)


@dataclass(frozen=True)
class Local:
    """The data around some pictures.

    Args:
        axes: Orthonormal principal axes of each picture's neighbours, strongest first (N, A, D).
    """

    axes: Tensor

    def share(self, delta: Images, directions: int) -> Tensor:
        """Measure the part of each perturbation's squared length along the first axes (N,), in [0, 1].

        A perturbation of length 0 has no direction: NaN.
        """
        d = delta.flatten(1)
        along = torch.einsum("nad,nd->na", self.axes[:, :directions], d)
        return along.square().sum(1) / d.square().sum(1)


def nearest(x: Images, among: Tensor, k: int) -> Tensor:
    """Find the k pictures nearest to each x (N, k), in L2: indices into `among`."""
    d = among.flatten(1)
    lengths = d.square().sum(1)
    parts = x.flatten(1).split(100)
    return torch.cat([(lengths - 2 * part @ d.T).topk(k, largest=False).indices for part in parts])


def local(x: Images, among: Tensor, k: int = NEIGHBOURS, axes: int = max(DIRECTIONS)) -> Local:
    """Find the principal axes of the k nearest pictures of each x, centred on their mean.

    Args:
        x: Pictures (N, C, H, W).
        among: Pictures of the data, without x (M, C, H, W), M >= k.
        k: Neighbours.
        axes: Axes to keep, at most k - 1.
    """
    found = []
    for rows in nearest(x, among, k):
        near = among[rows].flatten(1)
        _, _, v = torch.linalg.svd(near - near.mean(0), full_matrices=False)
        found.append(v[:axes])
    return Local(torch.stack(found))
