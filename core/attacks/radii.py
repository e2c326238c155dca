"""The same pictures at many radii."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks.balls import Ball, Eps
from core.attacks.descent import OnStep, Stop, pgd
from core.attacks.objectives import autocast, targeted, untargeted
from core.attacks.rules import State, step_lengths
from core.types import Images, Labels


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
    schedule: str = "constant",
    precision: str = "fp32",
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
        relative_step: Length of every step over eps; by default what the schedule says.
        schedule: Of the step lengths, see `core.attacks.rules.step_lengths`.
        precision: Of the gradients, see `core.compute.autocast`; what is returned is in the model's own.
        target: Wanted classes (N,); None attacks untargeted.
        random_start: Start at uniform draws from the balls.
        generator: Source of the draws.
        on_step: See `descend`; sees one batch of at most `SWEEP_ROWS` radii at a time. Stopping keeps what the current
            batch reached and computes no further ones.

    Returns:
        What was found at each radius.
    """
    lengths = step_lengths(schedule, steps) if relative_step is None else (relative_step,) * steps
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
            autocast(objective, precision),
            clean,
            ball,
            steps=steps if max(radii) > 0 else 0,  # a ball of radius 0 holds only x
            step_size=[rows * length for length in lengths],
            random_start=random_start,
            generator=generator,
            on_step=watched,
        )
        with torch.no_grad():
            logits = model(x_adv)
        fooled = logits.argmax(1) != labels if wanted is None else logits.argmax(1) == wanted
        per_eps = (len(radii), len(x))
        parts.append(
            Sweep(
                radii,
                x_adv.reshape(*per_eps, *x.shape[1:]),
                logits.reshape(*per_eps, logits.shape[1]),
                ball.norm(x_adv - clean).reshape(per_eps),
                fooled.reshape(per_eps),
            )
        )
        if stopped:
            break
    return Sweep.join(parts)
