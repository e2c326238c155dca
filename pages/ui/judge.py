"""The independent judge: a network that took no part in what a page made, and what it sees in it."""

import torch
from torch import Tensor

from core.models import checkpoints
from core.models.judge import JUDGE
from core.types import Images
from pages.ui.store import model

__all__ = ["JUDGE", "judged", "seen_by"]


def seen_by(name: str, x: Images) -> Tensor:
    """Return what that model says of images (N, C, H, W): logits (N, K)."""
    with torch.no_grad():
        return model(name)(x)


def judged(x: Images) -> Tensor | None:
    """Return the judge's logits (N, K), or None where it is not there."""
    return seen_by(JUDGE, x) if JUDGE in checkpoints.names() else None
