"""The one loop, and the attacks that are calls of it.

An adversarial example, a robustified picture, a synthesised frog and the inner step of adversarial training are
one computation: walk down an objective over the images without leaving a ball around x.

    x_adv = pgd(untargeted(model, y), x, Linf(8 / 255), steps=20, step_size=2 / 255)
    x_adv = pgd(targeted(model, t), x, L2(0.5), steps=100, step_size=0.1)      # section 3.2 of the paper

Steps are normalised in the ball's own norm, values are summed over the batch, and gradients are taken by
`torch.autograd.grad`: images do not influence each other and nothing is left behind on the model.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.balls import Ball, Eps, Linf
from core.objectives import Objective, margin, targeted, targeted_margin, untargeted, untargeted_margin
from core.rules import Rule, State, StepSize, steepest
from core.types import Images, Labels, PerExample


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
        rule: Turns what is known at step i into the update, see `core.rules`.
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
            raise ValueError(f"the gradient at step {i} is not a number; the model or the objective overflows")
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


@dataclass(frozen=True)
class Sweep:
    """One picture at many radii: everything that was found, per eps (E) and image (N).

    Args:
        eps: The radii (E).
        x_adv: Adversarial images (E, N, C, H, W).
        logits: What the attacked model says of them (E, N, K).
        norm: Measured length of the perturbation in the ball's norm (E, N), pixel units.
        success: Whether the model is wrong, or says the target (E, N).
    """

    eps: tuple[float, ...]
    x_adv: Tensor
    logits: Tensor
    norm: Tensor
    success: Tensor

    @property
    def smallest_eps(self) -> Tensor:
        """The smallest radius that fools, per image (N,); inf where none does."""
        eps = torch.tensor(self.eps, device=self.success.device)[:, None].expand_as(self.success)
        return torch.where(self.success, eps, torch.full_like(eps, math.inf)).amin(0)

    @staticmethod
    def join(parts: "Sequence[Sweep]") -> "Sweep":
        """Put sweeps over consecutive radii of the same images together."""
        return Sweep(
            eps=tuple(eps for part in parts for eps in part.eps),
            x_adv=torch.cat([part.x_adv for part in parts]),
            logits=torch.cat([part.logits for part in parts]),
            norm=torch.cat([part.norm for part in parts]),
            success=torch.cat([part.success for part in parts]),
        )


SWEEP_ROWS = 7  # radii per batch: the first frames come soon, and page and script round alike


def sweep(
    model: nn.Module,
    x: Images,
    y: Labels,
    make_ball: Callable[[Eps], Ball],
    eps_values: Sequence[float],
    *,
    steps: int,
    relative_step: float | None = None,
    target: Labels | None = None,
    random_start: bool = False,
    generator: torch.Generator | None = None,
    on_step: OnStep | None = None,
) -> Sweep:
    """Attack the same images at many radii, each row of the batch with its own eps.

    Args:
        model: Maps images to logits; should be in eval mode.
        x: Clean images (N, C, H, W) in [0, 1].
        y: True labels (N,).
        make_ball: `Linf` or `L2`.
        eps_values: Radii in pixel units.
        steps: PGD steps.
        relative_step: Step length over eps; default 2.5 / steps, and 1 for a single step.
        target: Wanted classes (N,); None attacks untargeted.
        random_start: Start at uniform draws from the balls.
        generator: Source of the draws.
        on_step: See `descend`; sees one batch of at most `SWEEP_ROWS` radii at a time. Stopping keeps what the current
            batch reached and computes no further ones.

    Returns:
        What was found at each radius.
    """
    ratio = relative_step if relative_step is not None else min(1.0, 2.5 / max(1, steps))
    parts: list[Sweep] = []
    stopped = False

    def watched(i: int, state: State) -> bool:
        nonlocal stopped
        try:
            stopped = bool(on_step is not None and on_step(i, state))
        except Stop:
            stopped = True
        return stopped

    for first in range(0, len(eps_values), SWEEP_ROWS):
        radii = tuple(eps_values[first : first + SWEEP_ROWS])
        rows = torch.tensor(radii, dtype=x.dtype, device=x.device).repeat_interleave(len(x))
        clean, labels = x.repeat(len(radii), 1, 1, 1), y.repeat(len(radii))
        wanted = None if target is None else target.repeat(len(radii))
        ball = make_ball(rows)
        objective = untargeted(model, labels) if wanted is None else targeted(model, wanted)
        x_adv = pgd(
            objective, clean, ball,
            steps=steps if max(radii) > 0 else 0,  # a ball of radius 0 holds only x
            step_size=rows * ratio, random_start=random_start, generator=generator, on_step=watched,
        )  # fmt: skip
        with torch.no_grad():
            logits = model(x_adv)
        fooled = logits.argmax(1) != labels if wanted is None else logits.argmax(1) == wanted
        per_eps = (len(radii), len(x))
        parts.append(
            Sweep(
                radii,
                x_adv.reshape(*per_eps, *x.shape[1:]),
                logits.reshape(*per_eps, -1),
                ball.norm(x_adv - clean).reshape(per_eps),
                fooled.reshape(per_eps),
            )
        )
        if stopped:
            break
    return Sweep.join(parts)


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


def _inside(candidate: Images, x: Images, ball: Ball) -> Images:
    # Clamping after projecting cannot leave the ball: x is in the box, so it only moves pixels toward x.
    return (x + ball.project(candidate - x)).clamp(0, 1)
