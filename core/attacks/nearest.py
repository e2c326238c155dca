"""The smallest perturbation that fools."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.attacks.balls import Ball, Eps, Linf
from core.attacks.descent import OnStep, descend
from core.attacks.objectives import margin, targeted_margin, untargeted_margin
from core.attacks.rules import State
from core.types import Images, Labels, PerExample


def minimum_norm(
    model: nn.Module,
    x: Images,
    y: Labels,
    make_ball: Callable[[Eps], Ball],
    *,
    steps: int,
    target: Labels | None = None,
    gamma: float = 0.05,
    on_step: OnStep | None = None,
) -> tuple[Images, PerExample]:
    """Find the smallest perturbation that fools: the fast minimum-norm attack (Pintor et al. 2021).

    The loop is `descend` on the margin; after each step the radius of every image shrinks below the best perturbation
    if the image is adversarial, and else grows to where a linear model would be.

    Args:
        model: Maps images to logits; should be in eval mode.
        x: Clean images (N, C, H, W) in [0, 1].
        y: True labels (N,).
        make_ball: `Linf` or `L2`: the norm to be small in.
        steps: Gradient steps; 50 to 100 come close, more comes closer.
        target: Wanted classes (N,); None attacks untargeted.
        gamma: How much the radius changes at first; decays to zero as a cosine.
        on_step: See `descend`.

    Returns:
        The closest adversarial images found (N, C, H, W) and their distance (N,) in pixel units; where none was found,
        the clean image and inf. Images that fool from the start come back at distance 0.
    """
    eps = torch.full((len(x),), math.inf, dtype=x.dtype, device=x.device)
    ball = make_ball(eps)
    dual = (lambda g: g.abs().flatten(1).sum(1)) if isinstance(ball, Linf) else ball.norm
    nearest, distance = x.detach().clone(), torch.full_like(eps, math.inf)

    def decay(i: int) -> float:
        return (1 + math.cos(math.pi * i / max(1, steps))) / 2

    def keep(images: Images, values: PerExample) -> Tensor:
        """Remember the adversarial images that are nearer than any before; return which images are adversarial."""
        norm = ball.norm(images - x)
        adversarial = values < 0
        nearer = adversarial & (norm < distance)
        nearest[nearer], distance[nearer] = images[nearer], norm[nearer]
        return adversarial

    def adapt(i: int, state: State) -> bool | None:
        adversarial = keep(state.x, state.values)
        norm, change = ball.norm(state.x - x), gamma * decay(i)
        linear = norm + 1.02 * state.values.abs() / dual(state.grad).clamp_min(1e-12)
        found = distance < math.inf
        shrunk = torch.minimum(eps, distance * (1 - change))
        grown = torch.where(found, torch.minimum(eps * (1 + change), distance), linear)
        eps.copy_(torch.where(adversarial, shrunk, grown))
        return on_step(i, state) if on_step is not None else None

    objective = untargeted_margin(model, y) if target is None else targeted_margin(model, target)

    def rule(i: int, state: State) -> Images:
        # Steps in proportion to the radius: a fixed length would be too long for a standard model or too short for a
        # robust one.
        length = eps * max(0.02, decay(i))
        return length.reshape(-1, 1, 1, 1) * ball.steepest(state.grad)

    last = descend(objective, x, ball, steps=steps, rule=rule, on_step=adapt)
    with torch.no_grad():
        logits = model(last)
        keep(last, margin(logits, y) if target is None else -margin(logits, target))
    return nearest, distance
