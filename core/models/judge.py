"""The independent judge: a network that took no part in what is shown, and what it sees in it."""

import torch
from torch import Tensor

from core.models import checkpoints
from core.models.ready import load
from core.types import Images

JUDGE = "vgg-standard"


def knows(name: str, classes: tuple[str, ...]) -> bool:
    """Tell whether a model is here and has logits of exactly these classes."""
    try:
        return checkpoints.path_of(name).is_file() and checkpoints.header(name).classes == classes
    except checkpoints.CheckpointError:
        return False


def logits_of(name: str, x: Images) -> Tensor:
    """Return what a model says of images (N, C, H, W): logits (N, K)."""
    with torch.no_grad():
        return load(name)(x)
