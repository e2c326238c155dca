"""The loop, and projected gradient descent as a call of it."""

from collections.abc import Callable

import torch

from core.attacks.balls import Ball
from core.attacks.objectives import Objective
from core.attacks.rules import Rule, State, StepSize, steepest
from core.problems import InputError
from core.types import Images


class Stop(Exception):  # noqa: N818 - a request, not an error
    """Raised by an `on_step` to end a loop; the loop returns what it has."""


OnStep = Callable[[int, State], bool | None]


def descend(
    objective: Objective,
    x: Images,
    ball: Ball,
    *,
    steps: int,
    rule: Rule,
    start: Images | None = None,
    best: bool = False,
    on_step: OnStep | None = None,
) -> Images:
    """Minimise the objective over images in [0, 1] within the ball around x. The only loop of this package.

    Args:
        objective: Images (N, C, H, W) to one value per image (N,).
        x: Centre of the ball (N, C, H, W), in [0, 1]. Not modified.
        ball: Allowed perturbations; its eps may differ per image.
        steps: Number of gradient steps, >= 0.
        rule: Turns what is known at step i into the update, see `core.attacks.rules`.
        start: First iterate, by default x; it is projected into the ball.
        best: Return each image's iterate of lowest objective instead of the last one (one more evaluation).
        on_step: Called as `on_step(i, state)` with iterate i before step i + 1. Returning True or raising `Stop`
            ends the loop at once and keeps what was reached; any other exception goes through.

    Returns:
        Images (N, C, H, W) in [0, 1] inside the ball.

    Raises:
        ValueError: If x is not a float batch in [0, 1], steps < 0, or a gradient is not finite.
    """
    check_pixels(x)
    check_gradients()
    if steps < 0:
        raise ValueError(f"steps must be >= 0, got {steps}")
    x = x.detach()
    iterate = _inside(x if start is None else start.detach(), x, ball)
    kept, kept_values = iterate, None
    for i in range(steps + best):
        iterate = iterate.detach().requires_grad_()
        with torch.enable_grad():
            values = objective(iterate)
            (grad,) = torch.autograd.grad(values.sum(), iterate)
        if not bool(grad.isfinite().all()):
            # sign(NaN) = 0 would stand still in silence and look like robustness.
            raise InputError(f"the gradient at step {i} is not a number; the model or the objective overflows")
        iterate, values = iterate.detach(), values.detach()
        if best:
            better = values < kept_values if kept_values is not None else torch.ones_like(values).bool()
            kept = torch.where(better.reshape(-1, 1, 1, 1), iterate, kept)
            kept_values = values if kept_values is None else torch.where(better, values, kept_values)
        if i == steps:  # the extra evaluation that judges the last iterate
            break
        state = State(iterate, values, grad)
        try:
            if on_step is not None and on_step(i, state):
                break
        except Stop:
            break
        iterate = _inside(iterate - rule(i, state), x, ball)
    return kept if best else iterate


def pgd(
    objective: Objective,
    x: Images,
    ball: Ball,
    *,
    steps: int,
    step_size: StepSize,
    random_start: bool = False,
    generator: torch.Generator | None = None,
    best: bool = False,
    on_step: OnStep | None = None,
) -> Images:
    """Projected gradient descent (Madry et al. 2018): `descend` with normalised steps.

    Args:
        objective: What to minimise, e.g. `untargeted(model, y)`.
        x: Clean images (N, C, H, W) in [0, 1]. Not modified.
        ball: Allowed perturbations around x.
        steps: Number of steps; 1 with step_size eps is FGSM (Linf) or FGM (L2).
        step_size: Length of each step in the ball's norm, pixel units; a number, (N,), or one per step.
        random_start: Start at a uniform draw from the ball; otherwise, as in the paper (appendix C.3), at x.
        generator: Source of the draw; without it torch's global one is used.
        best: Return the best iterate per image instead of the last.
        on_step: See `descend`.

    Returns:
        x_adv (N, C, H, W) in [0, 1]; for eps 0 exactly x.

    Source: Ilyas et al. (2019), appendix C.3 (7 steps of eps/5) and C.5 (100 steps of 0.1).
    """
    return descend(
        objective,
        x,
        ball,
        steps=steps,
        rule=steepest(ball, step_size),
        start=x + ball.sample(x, generator) if random_start else None,
        best=best,
        on_step=on_step,
    )


def check_pixels(x: Images) -> None:
    """Refuse anything but a float batch of images in [0, 1]; one rounding error outside is forgiven.

    Raises:
        ValueError: With what was expected and what came.
    """
    if x.dim() != 4 or not x.is_floating_point():
        raise ValueError(f"expected float images (N, C, H, W), got {x.dtype} {tuple(x.shape)}")
    if x.numel() == 0:
        return
    low, high = (float(v) for v in x.detach().aminmax())
    if not (low >= -1e-5 and high <= 1 + 1e-5):  # false for NaN too
        raise ValueError(
            f"expected pixels in [0, 1], got [{low:.3g}, {high:.3g}]; normalisation belongs inside the model"
        )


def check_gradients() -> None:
    """Refuse to work where torch cannot differentiate; `no_grad` is no obstacle, it can be lifted.

    Raises:
        ValueError: Under `torch.inference_mode`.
    """
    if torch.is_inference_mode_enabled():
        raise InputError(
            "gradients are needed here, and torch.inference_mode rules them out; use torch.no_grad instead"
        )


def _inside(candidate: Images, x: Images, ball: Ball) -> Images:
    # Clamping after projecting cannot leave the ball: x is in the box, so it only moves pixels toward x.
    return (x + ball.project(candidate - x)).clamp(0, 1)
