"""Painting with a classifier: walk along its gradient toward a class, from a blurred seed, a drawing, or any picture.

    seeds = gaussians()[FROG].sample(16, generator)                    # the class on average, and how it varies
    frogs = synthesise(targeted(model, y), seeds, L2(6.0), steps=60, step_size=0.25)

Moving along the gradient adds the features that the model uses. A robust model uses features that people see, so it
paints; a standard model writes what looks like noise. Every task here is an objective, a start and a ball for the one
loop, `core.attacks.descend`.

Source: Santurkar et al. (2019), arXiv 1906.09453.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks import OnStep, descend
from core.attacks.balls import L2, Ball
from core.attacks.objectives import Objective, targeted
from core.attacks.rules import momentum
from core.models import Classifier
from core.problems import InputError
from core.types import Images, Labels, PerExample


def synthesise(
    objective: Objective,
    x0: Images,
    ball: Ball,
    *,
    steps: int,
    step_size: float,
    beta: float = 0.7,
    on_step: OnStep | None = None,
) -> Images:
    """Walk down the objective in normalised steps with momentum that shorten to zero as a cosine.

    Args:
        objective: What to minimise, e.g. `targeted(model, y)`.
        x0: Start images (N, C, H, W) in [0, 1], and the centre of the ball. Not modified.
        ball: How far they may travel.
        steps: Gradient steps.
        step_size: Length of the first step in the ball's norm, pixel units.
        beta: Momentum, see `core.attacks.rules.momentum`.
        on_step: See `core.attacks.descend`.
    """
    decay = [step_size * (1 + math.cos(math.pi * i / max(1, steps))) / 2 for i in range(steps)]
    return descend(objective, x0, ball, steps=steps, rule=momentum(ball, decay, beta), on_step=on_step)


def paint(
    model: nn.Module, seeds: Images, y: Labels, *, eps: float = 4.0, steps: int = 40, step_size: float = 0.2
) -> Images:
    """Move seeds (N, C, H, W) toward their classes y (N,) within an L2 ball: class-conditional generation.

    The arguments are those of `synthesise`; eps in pixel units.
    """
    return synthesise(targeted(model, y), seeds, L2(eps), steps=steps, step_size=step_size)


def mixture(model: nn.Module, first: Labels, second: Labels, share: float) -> Objective:
    """Make objective: the cross-entropy to a label that is `share` of the first class and the rest of the second.

    Args:
        model: Maps images to logits (N, K).
        first: Classes (N,).
        second: Classes (N,).
        share: In [0, 1].
    """
    if not 0 <= share <= 1:
        raise InputError(f"share must be in [0, 1], got {share}")

    def objective(x: Images) -> PerExample:
        logits = model(x)
        one = F.cross_entropy(logits, first, reduction="none")
        other = F.cross_entropy(logits, second, reduction="none")
        return share * one + (1 - share) * other

    return objective


def excite(model: Classifier, feature: Labels) -> Objective:
    """Make objective: minus one coordinate of g(x) for each image, their indices (N,)."""
    return lambda x: -model.features(x).gather(1, feature[:, None])[:, 0]


def masked(objective: Objective, x: Images, mask: Tensor) -> Objective:
    """Let an objective see changes of x only where the mask is 1: outside, the gradient is zero and nothing moves.

    Args:
        objective: Any objective.
        x: The images that stay outside the mask (N, C, H, W).
        mask: (N or 1, 1, H, W), 1 where painting is allowed.
    """
    inside = mask > 0
    return lambda painted: objective(torch.where(inside, painted, x))


def keep_coarse(objective: Objective, coarse: Tensor, weight: float) -> Objective:
    """Add weight |A x - coarse|_2^2 to an objective, A averaging blocks of pixels down to the size of `coarse`.

    Super-resolution: the picture that is painted should still look like the coarse one from afar.

    Args:
        objective: Any objective.
        coarse: Small images (N, C, h, w) with h, w dividing those of the images.
        weight: Of the squared distance, which is summed over the coarse pixels.
    """
    size = (coarse.shape[2], coarse.shape[3])

    def both(x: Images) -> PerExample:
        gap = F.adaptive_avg_pool2d(x, size) - coarse
        return objective(x) + weight * (gap**2).flatten(1).sum(1)

    return both


REGIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    # h and w run from 0 to 1 over the picture.
    "all": lambda h, w: (h >= 0) & (w >= 0),
    "centre": lambda h, w: (h - 0.5).abs().maximum((w - 0.5).abs()) < 0.25,
    "upper half": lambda h, w: (h < 0.5) & (w >= 0),
    "lower half": lambda h, w: (h > 0.5) & (w >= 0),
    "left half": lambda h, w: (h >= 0) & (w < 0.5),
    "right half": lambda h, w: (h >= 0) & (w > 0.5),
}


def region(name: str, size: int = 32) -> Tensor:
    """Return the mask of that name (1, 1, size, size): 1 where painting is allowed.

    Raises:
        ValueError: If there is no such region.
    """
    if name not in REGIONS:
        raise InputError(f"region must be one of {', '.join(REGIONS)}, got {name!r}")
    at = (torch.arange(size) + 0.5) / size
    return REGIONS[name](at[:, None], at[None, :]).float()[None, None]
