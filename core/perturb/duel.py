"""A picture that moves, attacked without end: each frame's attack goes on from where the last one's ended.

    chase = Chase(model)
    for x in frames:                                        # (1, C, H, W), a few a second
        seen = chase.follow(x, norm="L2", eps=0.5, target=None)
        seen.x_adv, seen.clean, seen.attacked

What fools a network at one frame fools it at the next, for the picture has hardly moved: so three steps a frame do what
an attack from nothing needs ten for.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks import balls, descend
from core.attacks.objectives import autocast, targeted, untargeted
from core.attacks.rules import steepest
from core.models.ready import placed
from core.types import Images

STEPS = 3  # of the attack, a frame
STEP = 0.3  # length of a step over eps: from nothing to the face of the ball in two frames


@dataclass(frozen=True)
class Seen:
    """One frame as one model sees it.

    Args:
        x: The frame (1, C, H, W).
        x_adv: The frame with the perturbation (1, C, H, W), in [0, 1] and in the ball around x.
        clean: Logits of the frame (K).
        attacked: Logits of x_adv (K).
        norm: Measured length of x_adv - x, pixel units.
        target: The class that was aimed at, or None for any but the model's own answer to the clean frame.
    """

    x: Images
    x_adv: Images
    clean: Tensor
    attacked: Tensor
    norm: float
    target: int | None

    @property
    def fooled(self) -> bool:
        """Whether the perturbation has changed the answer: to the target, where there is one."""
        before, after = int(self.clean.argmax()), int(self.attacked.argmax())
        return after != before and (self.target is None or after == self.target)

    @property
    def counts(self) -> bool:
        """Whether there was anything to change: a model that says the target by itself cannot be fooled into it."""
        return int(self.clean.argmax()) != self.target


class Chase:
    """An attack on one model that follows a picture from frame to frame.

    Args:
        model: Maps images to logits; prepared by `core.models.ready`.
        precision: Of the gradients, see `core.compute.autocast`; what the model says is always float32.
    """

    def __init__(self, model: nn.Module, precision: str = "auto") -> None:
        self.model, self.precision = model, precision
        self.delta: Images | None = None  # of the last frame

    def follow(self, x: Images, *, norm: str, eps: float, target: int | None, steps: int = STEPS) -> Seen:
        """Attack one frame, a few steps on from the perturbation of the frame before.

        Args:
            x: The frame (1, C, H, W) in [0, 1].
            norm: "L2" or "Linf".
            eps: Radius, pixel units; 0 is no attack, and forgets the perturbation.
            target: The class to aim at; None is any other than what the model says of the clean frame: nobody has said
                what the camera sees.
            steps: Of the attack.

        Raises:
            ValueError: If the frame is not one, or eps is negative.
        """
        x, ball = placed(x, self.model), balls.make(norm, eps)
        with torch.no_grad():
            clean = self.model(x)
        x_adv, attacked = x, clean
        if eps > 0:
            y = clean.argmax(1) if target is None else torch.tensor([target], device=x.device)
            aim = untargeted(self.model, y) if target is None else targeted(self.model, y)
            start = x if self.delta is None or self.delta.shape != x.shape else x + self.delta
            rule = steepest(ball, STEP * eps)
            x_adv = descend(autocast(aim, self.precision), x, ball, steps=steps, rule=rule, start=start)
            with torch.no_grad():
                attacked = self.model(x_adv)
        self.delta = x_adv - x if eps > 0 else None
        return Seen(x.cpu(), x_adv.cpu(), clean[0].cpu(), attacked[0].cpu(), float(ball.norm(x_adv - x)), target)
