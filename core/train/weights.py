"""What training does to a network for the length of a forward pass: batch norm held still, weights perturbed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def in_eval(model: nn.Module, *, wanted: bool = True) -> Iterator[None]:
    """Let batch norm use its running statistics, and leave them as they are; without `wanted`, change nothing.

    Inside the attack of adversarial training: what the adversary is shown then does not depend on the rest of the
    batch, and half-made perturbations do not enter the statistics.
    """
    norms = [one for one in model.modules() if isinstance(one, _BatchNorm) and one.training] if wanted else []
    for one in norms:
        one.eval()
    try:
        yield
    finally:
        for one in norms:
            one.train()


@contextmanager
def unmoved(model: nn.Module) -> Iterator[None]:
    """Let batch norm use the batch's statistics, as in training, and leave the running ones as they are."""
    norms = [one for one in model.modules() if isinstance(one, _BatchNorm) and one.track_running_stats]
    for one in norms:
        one.track_running_stats = False
    try:
        yield
    finally:
        for one in norms:
            one.track_running_stats = True


@contextmanager
def adversarial_weights(model: nn.Module, gamma: float, loss: Callable[[], Tensor]) -> Iterator[None]:
    """Perturb the weights so that the loss grows, by `gamma` of each layer's own norm; put them back at the end.

    Adversarial weight perturbation (AWP): a gradient that is taken inside makes the loss small in a whole neighbourhood
    of the weights. Its landscape is flatter, and less of the robustness is lost between training and test pictures.
    With gamma 0 nothing is done.

    Args:
        model: Its matrices and kernels are moved, biases and norms are not.
        gamma: Length of each layer's move over the Frobenius norm of the layer.
        loss: Computes the loss to climb, with gradients.

    Source: Wu, Xia & Wang (2020), Adversarial Weight Perturbation Helps Robust Generalization (arXiv 2004.05884),
    eq. (8)-(10), with one step.
    """
    if gamma == 0:
        yield
        return
    weights = [one for one in model.parameters() if one.dim() > 1]
    with unmoved(model):
        slopes = torch.autograd.grad(loss(), weights)
    kept = [one.detach().clone() for one in weights]
    with torch.no_grad():
        for one, slope in zip(weights, slopes, strict=True):
            one.add_(slope * (gamma * one.norm() / slope.norm().clamp_min(1e-12)))
    try:
        yield
    finally:
        with torch.no_grad():
            for one, before in zip(weights, kept, strict=True):
                one.copy_(before)
