"""A checkpoint as pages and measurements use it, and pictures where that model is."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from core import compute
from core.models import Classifier, checkpoints
from core.types import Images, Logits


def load(name: str) -> Classifier:
    """Load a checkpoint as the pages use it: on the chosen device, frozen, batch norms folded.

    Raises:
        core.models.checkpoints.CheckpointError: If it is not there, is damaged, or knows other classes than its world.
    """
    about = checkpoints.header(name)
    checkpoints.of_its_world(about if about.title else replace(about, title=name))
    return compute.for_inference(checkpoints.load(name), compute.device())


def placed(x: Images, model: nn.Module) -> Images:
    """Return images (N, C, H, W) on the model's device, in the memory layout in which its convolutions are fast."""
    return x.to(next(model.parameters()).device).contiguous(memory_format=torch.channels_last)


def beside(values: Tensor, model: nn.Module) -> Tensor:
    """Return values on the model's device, otherwise as they are: labels, or images that keep their memory layout.

    The layout decides in which order sums are rounded: numbers that were measured with one come out the same with it.
    """
    return values.to(next(model.parameters()).device)


def asked(model: nn.Module, x: Images) -> Logits:
    """Return what a model says of images (N, C, H, W), wherever the two are: logits (N, K) on the CPU."""
    with torch.no_grad():
        return model(placed(x, model)).cpu()
