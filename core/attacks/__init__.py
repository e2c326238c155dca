"""The one loop, and the attacks that are calls of it.

An adversarial example, a robustified picture, a synthesised frog and the inner step of adversarial training are
one computation: walk down an objective over the images without leaving a ball around x.

    x_adv = pgd(untargeted(model, y), x, Linf(8 / 255), steps=20, step_size=2 / 255)
    x_adv = pgd(targeted(model, t), x, L2(0.5), steps=100, step_size=0.1)      # section 3.2 of the paper

Steps are normalised in the ball's own norm, values are summed over the batch, and gradients are taken by
`torch.autograd.grad`: images do not influence each other and nothing is left behind on the model.
"""

from core.attacks.balls import L2, Ball, Linf
from core.attacks.descent import OnStep, Stop, check_gradients, check_pixels, descend, pgd
from core.attacks.nearest import minimum_norm
from core.attacks.objectives import targeted, untargeted
from core.attacks.radii import SWEEP_ROWS, Sweep, sweep

__all__ = [
    "L2",
    "SWEEP_ROWS",
    "Ball",
    "Linf",
    "OnStep",
    "Stop",
    "Sweep",
    "check_gradients",
    "check_pixels",
    "descend",
    "minimum_norm",
    "pgd",
    "sweep",
    "targeted",
    "untargeted",
]
