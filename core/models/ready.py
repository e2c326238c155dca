"""A checkpoint as pages and measurements use it, and pictures where that model is."""

import torch
from torch import nn

from core import compute
from core.models import Classifier, checkpoints
from core.types import Images


def load(name: str) -> Classifier:
    """Load a checkpoint as the pages use it: on the chosen device, frozen, batch norms folded."""
    return compute.for_inference(checkpoints.load(name), compute.device())


def placed(x: Images, model: nn.Module) -> Images:
    """Return images (N, C, H, W) on the model's device, in the memory layout in which its convolutions are fast."""
    return x.to(next(model.parameters()).device).contiguous(memory_format=torch.channels_last)
