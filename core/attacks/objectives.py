"""What an attack minimises: functions from images (N, C, H, W) to one number per image (N,).

An objective closes over its model and its labels and is *always minimised*; there is no `targeted` flag and no
sign to get wrong. The same loop then makes an adversarial example, a robustified picture or a synthesised frog:

    pgd(untargeted(model, y), x, Linf(8 / 255), ...)        # be wrong
    pgd(targeted(model, t), x, L2(0.5), ...)                # be taken for t
    descend(match_features(model, z), x0, L2(inf), ...)     # have the representation z
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import compute
from core.models import Classifier
from core.problems import InputError
from core.types import Features, Images, Labels, Logits, PerExample

Objective = Callable[[Images], PerExample]


def untargeted(model: nn.Module, y: Labels) -> Objective:
    """Make the true class unlikely: minimise its log-odds log p_y / (1 - p_y).

    The log-odds are a monotone function of the cross-entropy (CE = softplus(-log-odds)), so every normalised step
    is the very step of cross-entropy PGD; but where CE saturates and its float32 gradient dies, theirs does not.

    Args:
        model: Maps images to logits (N, K), K >= 2.
        y: True labels (N,).
    """
    return lambda x: log_odds(model(x), y)


def targeted(model: nn.Module, t: Labels) -> Objective:
    """Make class t likely: minimise minus its log-odds (the same direction as minimising CE toward t).

    Args:
        model: Maps images to logits (N, K), K >= 2.
        t: Wanted classes (N,).

    Source: Ilyas et al. (2019), section 3.2, eq. (5).
    """
    return lambda x: -log_odds(model(x), t)


def untargeted_margin(model: nn.Module, y: Labels) -> Objective:
    """Minimise z_y - max_{j != y} z_j: negative exactly where the model is wrong (Carlini & Wagner 2017, f_6)."""
    return lambda x: margin(model(x), y)


def diverging(model: nn.Module, said: Logits) -> Objective:
    """Have a prediction unlike one that was made: minimise -KL(p || f(x)), p = softmax(said); no label takes part.

    Args:
        model: Maps images to logits (N, K).
        said: Logits from which to move away (N, K).

    Source: Zhang et al. (2019), TRADES (arXiv 1901.08573), the inner maximum of eq. (5).
    """
    p = said.detach().log_softmax(1)
    return lambda x: -(p.exp() * (p - model(x).log_softmax(1))).sum(1)


def match_features(model: Classifier, z: Features) -> Objective:
    """Have the representation z: minimise |g(x) - z|_2, g the penultimate layer.

    Args:
        model: A `core.models.Classifier`.
        z: Wanted representations (N, D).

    Source: Ilyas et al. (2019), section 3.1 and appendix C.4, eq. (6).
    """

    def objective(x: Images) -> PerExample:
        g = model.features(x)
        if g.shape != z.shape:
            raise ValueError(f"z must have the shape of g(x) {tuple(g.shape)}, got {tuple(z.shape)}")
        return torch.linalg.vector_norm((g - z).flatten(1), dim=1)

    return objective


def autocast(objective: Objective, precision: str = "auto") -> Objective:
    """Evaluate an objective, and with it its gradient, in the precision of `core.compute.autocast`.

    Values are float32.
    """

    def run(x: Images) -> PerExample:
        with compute.autocast(x.device, precision):
            return objective(x).float()

    return run


def log_odds(logits: Logits, y: Labels) -> PerExample:
    """Compute log p_y / (1 - p_y) = z_y - logsumexp of the other logits."""
    return _own(logits, y) - _others(logits, y).logsumexp(1)


def margin(logits: Logits, y: Labels) -> PerExample:
    """Compute z_y - max of the other logits: > 0 exactly where y is the prediction."""
    return _own(logits, y) - _others(logits, y).amax(1)


def cross_entropy(logits: Logits, y: Labels) -> PerExample:
    """Compute -log p_y in nats, one per image."""
    return F.cross_entropy(logits, y.long(), reduction="none")


def _own(logits: Tensor, y: Tensor) -> Tensor:
    if logits.dim() != 2 or logits.shape[1] < 2:
        raise InputError(f"an attack needs logits (N, K) with K >= 2 classes, got {tuple(logits.shape)}")
    classes = logits.shape[1]
    if len(y) and not 0 <= int(y.min()) <= int(y.max()) < classes:
        raise InputError(f"labels must be 0 to {classes - 1}, got {int(y.min())} to {int(y.max())}")
    return logits.gather(1, y.long()[:, None])[:, 0]


def _others(logits: Tensor, y: Tensor) -> Tensor:
    return logits.masked_fill(F.one_hot(y.long(), logits.shape[1]).bool(), -math.inf)
