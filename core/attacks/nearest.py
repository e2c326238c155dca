"""The smallest perturbation that fools."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from core.attacks.balls import Ball, Eps, Linf
from core.attacks.descent import OnStep, descend
from core.attacks.objectives import log_odds, margin
from core.attacks.rules import State
from core.types import Images, Labels, PerExample

# Both are parts of the clean margin, so that the scale of a model's logits does not matter.
TEMPERATURE = 0.2  # of the log-odds that are followed early on: how far behind other classes still have a part
OVER = 1e-5  # how far beyond the boundary a picture fools: nearer, rounding in another order might undo it


def minimum_norm(
    model: nn.Module,
    x: Images,
    y: Labels,
    make_ball: Callable[[Eps], Ball],
    *,
    steps: int,
    target: Labels | None = None,
    gamma: float = 0.3,
    on_step: OnStep | None = None,
) -> tuple[Images, PerExample]:
    """Find the smallest perturbation that fools: a fast minimum-norm attack (Pintor et al. 2021) with three changes.

    As there, `descend` turns the perturbation toward the gradient, less and less, on a sphere whose radius changes with
    every step. Here that radius is where the margin, taken as linear around the iterate, crosses zero (as in DeepFool,
    Moosavi-Dezfooli et al. 2016), not a fixed part more or less. For the first half the gradient is that of the
    log-odds, in which all classes have a part: the margin's follows the class that happens to be next and is soon
    caught there. And the best perturbation is shortened in the end, if it still fools then.

    Args:
        model: Maps images to logits; should be in eval mode.
        x: Clean images (N, C, H, W) in [0, 1].
        y: True labels (N,).
        make_ball: `Linf` or `L2`: the norm to be small in.
        steps: Gradient steps; 20 come close, more comes closer. Two forward passes follow them.
        target: Wanted classes (N,); None attacks untargeted.
        gamma: By how much of itself the radius may shrink in one step.
        on_step: See `descend`.

    Returns:
        The closest adversarial images found (N, C, H, W) and their distance (N,) in pixel units; where none was found,
        the clean image and inf. Images that fool from the start come back at distance 0.
    """
    x = x.detach()
    eps = torch.full((len(x),), math.inf, dtype=x.dtype, device=x.device)
    ball = make_ball(eps)
    dual = (lambda g: g.abs().flatten(1).sum(1)) if isinstance(ball, Linf) else ball.norm
    goal, found = _Goal(model, y, target), _Nearest(x, ball)

    def adapt(i: int, state: State) -> bool | None:
        found.keep(state.x, state.values, state.grad, goal.over)
        goal.broad = 2 * (i + 1) < steps
        return on_step(i, state) if on_step is not None else None

    def rule(i: int, state: State) -> Images:
        """Set the radius, and step to the sphere or beyond it: what is left to do is to project."""
        decay, delta, grad = (1 + math.cos(math.pi * i / steps)) / 2, state.x - x, state.grad
        now, known = ball.norm(delta), found.distance < math.inf
        stuck = ((state.x <= 0) & (grad > 0)) | ((state.x >= 1) & (grad < 0))  # black or white, and wanted beyond
        free = grad.masked_fill(stuck, 0.0)
        # Until something fools, the radius grows to where a linear model would be, and more the longer that takes.
        outward = now + (1.02 + 0.1 * i) * state.values.abs() / dual(free).clamp_min(1e-12)
        toward = delta - _column(torch.where(known, now, outward) * max(0.02, decay)) * ball.steepest(free)
        length = ball.norm(toward).clamp_min(1e-30)

        def stretched(radius: PerExample) -> Images:
            return _column((radius / length).clamp_min(1)) * toward

        def linear(radius: PerExample) -> PerExample:
            image = (x + make_ball(radius).project(stretched(radius))).clamp(0, 1)
            return state.values + _dot(grad, image - state.x)

        high = torch.where(known, found.distance, now)
        crossing = _crossing(linear, (1 - gamma) * now, high.maximum((1 - gamma) * now))
        inward = (crossing * (1 + 0.002 + 0.018 * decay)).minimum(found.distance)
        eps.copy_(torch.where(known, inward, outward))
        return delta - torch.where(_column(known), stretched(inward), toward)

    last = descend(goal, x, ball, steps=steps, rule=rule, on_step=adapt)
    with torch.no_grad():
        found.keep(last, goal(last), None, goal.over)
        short = found.shortened()
        found.keep(short, goal(short), None, goal.over)
    return found.images, found.distance


class _Goal:
    """The margin as an objective; while `broad`, with the gradient of the log-odds, in which all classes have a part.

    Args:
        model: Maps images to logits.
        y: True labels (N,).
        target: Wanted classes (N,), or None.
    """

    def __init__(self, model: nn.Module, y: Labels, target: Labels | None) -> None:
        self.model, self.labels, self.sign = model, y if target is None else target, 1 if target is None else -1
        self.broad = True
        self.clean: PerExample | None = None

    def __call__(self, images: Images) -> PerExample:
        logits = self.model(images)
        values = self.sign * margin(logits, self.labels)
        if self.clean is None:  # the first call is for x
            self.clean = values.detach().abs()
        if not self.broad:
            return values
        warmth = (TEMPERATURE * self.clean).clamp_min(1e-6)
        odds = self.sign * warmth * log_odds(logits / warmth[:, None], self.labels)
        return values.detach() + (odds - odds.detach())

    @property
    def over(self) -> PerExample:
        """How negative values must be."""
        assert self.clean is not None
        return OVER * self.clean


class _Nearest:
    """The nearest adversarial images so far (N, C, H, W) and their distance to x (N,): at first x, and inf."""

    def __init__(self, x: Images, ball: Ball) -> None:
        self.x, self.ball, self.images = x, ball, x.clone()
        self.distance = torch.full_like(x.flatten(1).sum(1), math.inf)
        self.share = torch.ones_like(self.distance)  # of the perturbation that the linear margin says is needed
        self.grad = torch.zeros_like(x)

    def keep(self, images: Images, values: PerExample, grad: Images | None, over: PerExample) -> None:
        """Remember images that are nearer and whose margin is below -over; without a gradient, the last one will do."""
        self.grad, delta = self.grad if grad is None else grad, images - self.x
        norm = self.ball.norm(delta)
        nearer = (values < -over) & (norm < self.distance)
        self.images[nearer], self.distance[nearer] = images[nearer], norm[nearer]
        needed = 1 - 0.9 * values / _dot(self.grad, delta).clamp_max(-1e-30)
        self.share[nearer] = needed.clamp(0.5, 1)[nearer]

    def shortened(self) -> Images:
        """Return the images with as much of the perturbation as is probably enough."""
        return self.x + _column(self.share) * (self.images - self.x)


def _crossing(value: Callable[[PerExample], PerExample], low: PerExample, high: PerExample) -> PerExample:
    """Find where a falling function is 0, by false position; where it is nowhere, the end that is nearer to it."""
    at_low, at_high, here = value(low), value(high), low
    for _ in range(3):
        share = (at_low / (at_low - at_high)).nan_to_num(1.0).clamp(0, 1)
        here = low + share * (high - low)
        at = value(here)
        low, at_low = torch.where(at > 0, here, low), torch.where(at > 0, at, at_low)
        high, at_high = torch.where(at > 0, high, here), torch.where(at > 0, at_high, at)
    return here


def _dot(a: Images, b: Images) -> PerExample:
    return (a * b).flatten(1).sum(1)


def _column(values: Tensor) -> Tensor:
    return values.reshape(-1, 1, 1, 1)
