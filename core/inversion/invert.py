"""What does a model keep of a picture? Move another picture until its representation is that of the first.

    z = model.features(x)                                    # the frog
    frog = invert(model, z, x0)                # from a truck, or from noise

Through a robust model the frog appears; through a standard model the start picture stays and only its invisible part
changes. The same computation, run over a training set, builds the paper's D_R and D_NR.

Source: Ilyas et al. (2019), section 3.1 and appendix C.4; Engstrom et al. (2019), arXiv 1906.00945.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from core.attacks import OnStep, descend
from core.attacks.balls import L2
from core.attacks.objectives import Objective
from core.attacks.rules import Rule, lbfgs, momentum, steepest
from core.models import Classifier
from core.types import Images, PerExample

UNLIMITED = L2(math.inf)


@dataclass(frozen=True)
class Setting:
    """How to invert: how many steps, and a maker of the rule (which may remember steps, so each run has its own)."""

    steps: int
    make_rule: Callable[[], Rule]


# Appendix C.4 for CIFAR-10, and what reaches less in a tenth of its steps (assets/results/inversion.json).
PAPER = Setting(1000, lambda: steepest(UNLIMITED, 0.1))
FAST = Setting(100, lambda: lbfgs(1.0))
# Steps with momentum that shorten to zero as a cosine: they leave more of the distance, and less contrast in the
# picture.
SMOOTH = Setting(100, lambda: momentum(UNLIMITED, [0.2 * (1 + math.cos(math.pi * i / 100)) for i in range(100)], 0.7))
SETTINGS = {"fast": FAST, "smooth": SMOOTH, "paper": PAPER}


def invert(
    model: Classifier,
    z: Tensor,
    x0: Images,
    *,
    setting: Setting = FAST,
    block: str | None = None,
    on_step: OnStep | None = None,
) -> Images:
    """Find images whose representation is z, starting at x0; no ball, only the box [0, 1].

    Args:
        model: The classifier whose representation is inverted.
        z: Wanted representations, the output of the block (N, ...); by default g(x) (N, D).
        x0: Start images (N, C, H, W) in [0, 1].
        setting: `PAPER`, `FAST`, `SMOOTH`, or your own.
        block: A name of `model.blocks`; None is the penultimate representation.
        on_step: See `core.attacks.descend`; its values are the relative distances |g(x) - z| / |z|.

    Returns:
        The iterate of smallest distance for each image (N, C, H, W).

    Raises:
        ValueError: If z does not fit the block's output, or x0 is not in [0, 1].
    """
    return descend(
        relative_distance(model, z, block),
        x0,
        UNLIMITED,
        steps=setting.steps,
        rule=setting.make_rule(),
        best=True,
        on_step=on_step,
    )


def relative_distance(model: Classifier, z: Tensor, block: str | None = None) -> Objective:
    """Make the objective |g(x) - z|_2 / |z|_2, one value per image.

    The paper minimises the distance itself (eq. 6); with normalised steps the direction is the same, and the quotient
    can be compared between models. Use `core.attacks.objectives.match_features` for the paper's own.
    """
    wanted = z.flatten(1)
    length = torch.linalg.vector_norm(wanted, dim=1).clamp_min(1e-12)

    def objective(x: Images) -> PerExample:
        g = model.features(x) if block is None else model.activations(x, block)
        if g.shape != z.shape:
            raise ValueError(f"z must have the shape {tuple(g.shape)} of the representation, got {tuple(z.shape)}")
        return torch.linalg.vector_norm(g.flatten(1) - wanted, dim=1) / length

    return objective


def representation(model: Classifier, x: Images, block: str | None = None) -> Tensor:
    """Compute the representation that `invert` matches, without gradients."""
    with torch.no_grad():
        return model.features(x) if block is None else model.activations(x, block)


def noise_start(shape: torch.Size | tuple[int, ...], generator: torch.Generator) -> Images:
    """Draw start images of that shape (N, C, H, W): grey with Gaussian noise of deviation 0.05, clipped to [0, 1].

    Source: 0.5 + N(0, 1) / 20, the authors' inversion notebooks (robust_representations).
    """
    return (0.5 + 0.05 * torch.randn(shape, generator=generator, device=generator.device)).clamp(0, 1)


def maximise_feature(
    model: Classifier,
    feature: Tensor,
    x0: Images,
    *,
    steps: int,
    step_size: float,
    on_step: OnStep | None = None,
) -> Images:
    """Make images that excite one coordinate of g each, starting at x0.

    Args:
        model: The classifier.
        feature: Index of the coordinate for each image (N,).
        x0: Start images (N, C, H, W) in [0, 1].
        steps: Gradient steps.
        step_size: L2 length of a step in pixel units, decaying to zero as a cosine; momentum 0.9.
        on_step: See `core.attacks.descend`; its values are minus the activations.
    """
    decay = [step_size * (1 + math.cos(math.pi * i / steps)) / 2 for i in range(steps)]
    return descend(
        lambda x: -model.features(x).gather(1, feature[:, None])[:, 0],
        x0,
        UNLIMITED,
        steps=steps,
        rule=momentum(UNLIMITED, decay),
        best=True,
        on_step=on_step,
    )


def interpolate(z_from: Tensor, z_to: Tensor, points: int) -> Tensor:
    """Return representations on the line between two (D,), ends included: (points, D)."""
    t = torch.linspace(0, 1, points, device=z_from.device)[:, None]
    return (1 - t) * z_from.flatten() + t * z_to.flatten()
