"""What a bug minimises."""

from collections.abc import Sequence

import torch
from torch import nn

from core.attacks.objectives import Objective, cross_entropy
from core.types import Images, Labels, PerExample


def bug(model: nn.Module, ensemble: Sequence[nn.Module], y: Labels, target: Labels) -> Objective:
    """Fool one network and nobody else: minimise L(f, x, target) + mean over the ensemble of L(f_i, x, y).

    L is the cross-entropy. With an empty ensemble the normalised steps are those of `core.attacks.objectives.targeted`.
    What only serves the first term is a bug of f; what the ensemble would see as well, as a feature would be, costs the
    second.

    Args:
        model: The network f to fool; maps images to logits (N, K).
        ensemble: Networks f_i with the same classes that shall stay right. They are asked one after the other: as one
            grouped convolution (`torch.func.vmap`) five of them took 1.6 to 2.6 times as long on a CPU.
        y: True classes (N,).
        target: Wanted classes (N,).

    Source: Nakkiran (2019), "Adversarial Examples are Just Bugs, Too", section "Construction".
    """

    def objective(x: Images) -> PerExample:
        value = cross_entropy(model(x), target)
        if not ensemble:
            return value
        return value + torch.stack([cross_entropy(member(x), y) for member in ensemble]).mean(0)

    return objective
