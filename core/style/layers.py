"""How easily a layer is moved: R(f) of the authors' reply to Nakano (2019).

R(f) = E max |f(x') - f(x)| / E |f(x1) - f(x2)|, x' in the ball around x, x1 and x2 two pictures: how far the worst
perturbation of a picture takes a layer's output, in units of the way to another picture. An attack only ever finds a
lower bound.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from core.attacks import pgd
from core.attacks.balls import Ball
from core.models import Classifier
from core.models.ready import placed
from core.style.gram import walk
from core.types import Images, PerExample

BATCH = 50


@dataclass(frozen=True)
class Moved:
    """What was measured of one layer.

    Args:
        pushed: |f(x') - f(x)| of each picture (N,).
        apart: |f(x1) - f(x2)| of each picture and the next (N,).
    """

    pushed: Tensor
    apart: Tensor

    @property
    def ratio(self) -> float:
        """R(f)."""
        return float(self.pushed.mean() / self.apart.mean())

    def interval(self, generator: torch.Generator, draws: int = 1000) -> tuple[float, float]:
        """Bootstrap a 95 % interval of the ratio, drawing pictures with replacement."""
        rows = torch.randint(len(self.pushed), (draws, len(self.pushed)), generator=generator)
        ratios = self.pushed[rows].mean(1) / self.apart[rows].mean(1)
        low, high = ratios.quantile(torch.tensor([0.025, 0.975])).tolist()
        return low, high


def moved(model: Classifier, block: str, x: Images, ball: Ball, *, steps: int, generator: torch.Generator) -> Moved:
    """Push one block's output as far as it goes, and compare with the way to the next picture.

    Args:
        model: Whose block.
        block: A name of `Classifier.blocks`.
        x: Pictures (N, C, H, W), N >= 2.
        ball: Allowed perturbations, with one eps for all.
        steps: PGD steps of length 2.5 eps / steps, from a random start: at x itself the distance has no gradient.
        generator: Source of the starts, on the model's device.
    """
    pushed, outputs = [], []
    for part in x.split(BATCH):
        there = placed(part, model)
        with torch.no_grad():
            here = walk(model, there, (block,))[block].flatten(1)

        def closeness(images: Images, here: Tensor = here) -> PerExample:
            return -(walk(model, images, (block,))[block].flatten(1) - here).norm(dim=1)

        size = 2.5 * float(ball.eps) / steps
        x_adv = pgd(
            closeness, there, ball, steps=steps, step_size=size, random_start=True, generator=generator, best=True
        )
        with torch.no_grad():
            pushed.append(-closeness(x_adv))
        outputs.append(here)
    f = torch.cat(outputs)
    return Moved(torch.cat(pushed).cpu(), (f - f.roll(1, 0)).norm(dim=1).cpu())
