"""The independent judge: a network that took no part in what is shown, and what it sees in it."""

import torch
from torch import Tensor

from core.models.ready import load
from core.types import Images

JUDGE = "vgg-standard"


def logits_of(name: str, x: Images) -> Tensor:
    """Return what a model says of images (N, C, H, W): logits (N, K)."""
    with torch.no_grad():
        return load(name)(x)
