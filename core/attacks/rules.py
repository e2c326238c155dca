"""How `core.attacks.descend` turns a gradient into a step: steepest, momentum, quasi-Newton.

A rule is a function (step, state) -> the update to subtract. `momentum` and `lbfgs` remember earlier steps: make a
fresh one for each run. No rule lets images of a batch influence each other.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.attacks.balls import Ball
from core.types import Images, PerExample


@dataclass(frozen=True)
class State:
    """What is known at a step: the iterate x (N, C, H, W), the objective there (N,) and its gradient."""

    x: Images
    values: PerExample
    grad: Images

    @property
    def vanished(self) -> Tensor:
        """Which gradients are exactly zero (N,): there the attack has nothing to follow."""
        return self.grad.flatten(1).abs().amax(1) == 0


Rule = Callable[[int, State], Images]
StepSize = float | Tensor | Sequence[float | Tensor]
SCHEDULES = ("cosine", "constant")


def step_lengths(schedule: str, steps: int) -> tuple[float, ...]:
    """Return the length of each step over eps: "cosine" falls from 1 to nearly 0, "constant" is 2.5 / steps.

    Long steps find the face of the ball, short ones the best place on it; `bench/strength.py` measures what that is
    worth. A single step is of length 1 either way.

    Raises:
        ValueError: If there is no such schedule.
    """
    match schedule:
        case "cosine":
            return tuple((1 + math.cos(math.pi * i / steps)) / 2 for i in range(steps))
        case "constant":
            return (min(1.0, 2.5 / max(1, steps)),) * steps
    raise ValueError(f"a schedule is one of {', '.join(SCHEDULES)}, got {schedule!r}")


def steepest(ball: Ball, step_size: StepSize) -> Rule:
    """Step along the ball's steepest direction: sign steps for Linf, g/|g| for L2.

    Args:
        ball: Decides what a step of length 1 is.
        step_size: Length of each step in the ball's norm (pixel units): a number, one per image (N,), or a sequence
            with one of these per step.
    """
    return lambda i, state: _length(step_size, i, state.grad) * ball.steepest(state.grad)


def momentum(ball: Ball, step_size: StepSize, beta: float = 0.9) -> Rule:
    """Heavy-ball descent on normalised gradients: v <- beta v + g/|g|, step along v.

    Args:
        ball: Decides what a step of length 1 is.
        step_size: As for `steepest`; the steps add up to 1 / (1 - beta) times that.
        beta: What is kept of the last velocity, in [0, 1).
    """
    velocity: Images | None = None

    def rule(i: int, state: State) -> Images:
        nonlocal velocity
        direction = ball.steepest(state.grad)
        velocity = direction if velocity is None else beta * velocity + direction
        return _length(step_size, i, state.grad) * velocity

    return rule


def lbfgs(radius: float, memory: int = 20) -> Rule:
    """Take quasi-Newton steps (L-BFGS, Nocedal 1980) on the square of an objective whose minimum is near 0.

    Made for distances |g(x) - z|: their square is smooth at the minimum, and its curvature, learnt from the last steps,
    does what no choice of step size can, since the features of one model answer to changes that those of another do
    not notice. In place of a line search each image has a trust radius that grows by half when its value fell and
    halves when it rose.

    Args:
        radius: First trust radius, L2 length in pixel units.
        memory: Steps from which the curvature is learnt.
    """
    moves: list[tuple[Images, Images, Tensor]] = []  # (s, y, 1 / s.y), the last being 0 where the pair is of no use
    last: State | None = None
    trust: Tensor | None = None

    def rule(_: int, state: State) -> Images:
        nonlocal last, trust
        value = _column(state.values, state.x)
        grad = value * state.grad  # of value^2 / 2
        if last is None or trust is None:
            trust = torch.full_like(value, radius)
        else:
            before = _column(last.values, state.x)
            s, y = state.x - last.x, grad - before * last.grad
            curvature = _dot(s, y)
            useful = curvature > 1e-10 * _dot(y, y)
            moves.append((s, y, torch.where(useful, 1 / curvature, 0.0)))
            del moves[:-memory]
            trust = torch.where(value < before, 1.5 * trust, 0.5 * trust).clamp(1e-3, 20)
        last = state
        step = _two_loops(grad, moves) if moves else trust * _unit(grad)
        step = torch.where(_dot(step, grad) > 0, step, trust * _unit(grad))  # never uphill
        length = _dot(step, step).sqrt()
        return torch.where(length > trust, step * (trust / length), step)

    return rule


def _two_loops(grad: Images, moves: list[tuple[Images, Images, Tensor]]) -> Images:
    """Apply the inverse Hessian that L-BFGS has learnt from (s, y, 1 / s.y) to the gradient."""
    q, alphas = grad, []
    for s, y, rho in reversed(moves):
        alphas.append(rho * _dot(s, q))
        q = q - alphas[-1] * y
    s, y, rho = moves[-1]
    q = torch.where(rho > 0, _dot(s, y) / _dot(y, y), 1.0) * q
    for (s, y, rho), alpha in zip(moves, reversed(alphas), strict=True):
        q = q + (alpha - rho * _dot(y, q)) * s
    return q


def _dot(a: Images, b: Images) -> Tensor:
    return _column((a * b).flatten(1).sum(1), a)


def _unit(v: Images) -> Images:
    return v / _dot(v, v).sqrt().clamp_min(1e-30)


def _column(values: Tensor, like: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (like.dim() - 1))


def _length(step_size: StepSize, i: int, like: Tensor) -> float | Tensor:
    if isinstance(step_size, int | float):
        return float(step_size)
    if isinstance(step_size, Tensor):
        if step_size.dim() and step_size.shape != like.shape[:1]:
            raise ValueError(f"step_size must be one per image ({len(like)},), got {tuple(step_size.shape)}")
        return _column(step_size.to(like), like)
    if i >= len(step_size):
        raise ValueError(f"step_size has {len(step_size)} entries, but there is a step {i + 1}")
    return _length(step_size[i], i, like)
