"""Clean and robust accuracy, each with its n and interval, and warnings where the attack is not to be trusted.

    python -m core.train.evaluate resnet9-l2 --n 2000 --steps 50 --ball L2:0.25 --ball L2:0.5
    python -m core.train.evaluate resnet9-l2 --n 100 --ball L2:0.5 --autoattack --write

An attack only ever gives an upper bound of the truth; `model_warnings` and the warnings say when even that is too kind.
"""

import argparse
import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from core import compute
from core.attacks import OnStep, balls, pgd
from core.attacks.balls import Ball
from core.attacks.objectives import autocast, untargeted, untargeted_margin
from core.attacks.rules import State
from core.commands import command, whole
from core.models import evaluating, in_batches
from core.problems import InputError
from core.rates import Rate
from core.types import Images, Labels, Logits

log = logging.getLogger(__name__)
CHECKED = 200  # pictures that are attacked with twice the steps, to see whether the accuracy still falls


class SuspiciousAttack(UserWarning):
    """A robust accuracy that should not be believed, and why."""


@dataclass(frozen=True)
class RobustAccuracy:
    """What is left of the accuracy inside a ball.

    Args:
        rate: Pictures that stay right under attack, of all pictures; an upper bound of the truth, as for any attack.
        clean: Pictures that are right without attack, of the same pictures.
        largest: Largest measured perturbation in the ball's norm, pixel units.
        warnings: Reasons not to believe the figure; empty where there are none.
    """

    rate: Rate
    clean: Rate
    largest: float
    warnings: tuple[str, ...]

    @property
    def of_correct(self) -> Rate:
        """The same, of the pictures that the model gets right to begin with."""
        return Rate(self.rate.hits, self.clean.hits)


def predict(model: nn.Module, x: Images, batch_size: int = 500) -> Logits:
    """Compute logits (N, K) in eval mode, without gradients, in batches."""
    with evaluating(model):
        return in_batches(model, x, batch_size)


def clean_accuracy(model: nn.Module, x: Images, y: Labels) -> Rate:
    """Measure the fraction of images (N, C, H, W) classified as y (N,)."""
    return Rate(int((predict(model, x).argmax(1) == y).sum()), len(y))


def robust_accuracy(
    model: nn.Module,
    x: Images,
    y: Labels,
    ball: Ball,
    *,
    steps: int = 50,
    restarts: int = 0,
    generator: torch.Generator | None = None,
    batch_size: int = 128,
    precision: str = "fp32",
    on_batch: Callable[[int], bool | None] | None = None,
    on_step: OnStep | None = None,
) -> RobustAccuracy:
    """Measure the fraction of images that no attack in the ball breaks.

    Each image that is right meets ten quick steps of PGD on the log-odds (the direction of cross-entropy) from the
    image itself, then, while it stands, all steps of it, then PGD on the margin, then `restarts` random starts of both.
    It counts as broken as soon as one end point or best iterate is misclassified: rounds only ever add to what was
    broken.

    Args:
        model: Maps images to logits.
        x: Images (N, C, H, W) in [0, 1].
        y: Labels (N,).
        ball: With one eps for all.
        steps: PGD steps of length 2.5 eps / steps.
        restarts: Further rounds from uniform draws.
        generator: Source of the draws.
        batch_size: Images at a time; the result depends on it only by the draws of restarts.
        precision: Of the attack's gradients, see `core.compute.autocast`; verdicts are always in the model's own.
        on_batch: Called with the number of images done; returning True stops and reports those.
        on_step: Called at each step of each batch, counted through; returning True stops at once and reports the images
            of the batches that are complete.

    Warns:
        SuspiciousAttack: If there is a reason to doubt the figure.
    """
    if isinstance(ball.eps, torch.Tensor):
        raise InputError("robust accuracy is at one eps for all images")
    eps = float(ball.eps)
    both = (untargeted, untargeted_margin)
    rounds = [(untargeted, min(10, steps), False), *((goal, steps, False) for goal in both)]
    rounds += [(goal, steps, True) for goal in both] * restarts
    reasons = set(model_warnings(model, x[: min(len(x), 64)]))
    hits = right = done = vanished = taken = 0
    largest, stopped = 0.0, False

    def watch(_: int, state: State) -> bool:
        nonlocal vanished, taken, stopped
        vanished += int(state.vanished.sum())
        stopped, taken = on_step is not None and bool(on_step(taken, state)), taken + 1
        return stopped

    with evaluating(model):
        for part_x, part_y in zip(x.split(batch_size), y.split(batch_size), strict=True):
            standing = predict(model, part_x).argmax(1) == part_y
            right_here = int(standing.sum())
            for goal, n_steps, random_start in rounds:
                rows = standing.nonzero()[:, 0]
                if not len(rows) or stopped:
                    break
                x_adv = pgd(
                    autocast(goal(model, part_y[rows]), precision),
                    part_x[rows],
                    ball,
                    steps=n_steps,
                    step_size=2.5 * eps / n_steps,
                    random_start=random_start,
                    generator=generator,
                    best=goal is untargeted_margin,
                    on_step=watch,
                )
                largest = max(largest, float(ball.norm(x_adv - part_x[rows]).max()))
                standing[rows] = predict(model, x_adv).argmax(1) == part_y[rows]
            if stopped:
                break
            hits, right = hits + int(standing.sum()), right + right_here
            done += len(part_x)
            if on_batch is not None and on_batch(done):
                break
    if vanished and eps > 0:
        reasons.add(f"the gradient was exactly zero {vanished} times: the attack had nothing to follow")
    if largest > eps * (1 + 1e-4) + 1e-6:
        reasons.add(f"a perturbation of {largest:.4g} left the ball of {eps:.4g}")
    for reason in sorted(reasons):
        warnings.warn(SuspiciousAttack(reason), stacklevel=2)
    return RobustAccuracy(Rate(hits, done), Rate(right, done), largest, tuple(sorted(reasons)))


def model_warnings(model: nn.Module, x: Images) -> tuple[str, ...]:
    """List reasons why attacks on this model mislead: random outputs, or probabilities instead of logits.

    Source: the checks of AutoAttack (Croce & Hein 2020), in our words.
    """
    first, second = predict(model, x), predict(model, x)
    found = []
    if not torch.equal(first, second):
        found.append("two runs on the same pictures disagree: the model is random, and one gradient says little")
    if bool((first >= 0).all()) and torch.allclose(first.sum(1), torch.ones_like(first[:, 0]), atol=1e-4):
        found.append("the outputs are probabilities, not logits: the loss saturates and its gradient dies")
    return tuple(found)


def parse_ball(text: str) -> Ball:
    """Read "L2:0.5" or "Linf:8/255".

    Raises:
        ValueError: If it is neither.
    """
    norm, _, size = text.partition(":")
    number, _, divisor = size.partition("/")
    try:
        return balls.make(norm, float(number) / float(divisor or 1))
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(f"a ball is written L2:0.5 or Linf:8/255, got {text!r}") from error


def ball_name(ball: Ball) -> str:
    """Write a ball as people do: "L2 0.5", "Linf 8/255"."""
    eps = float(ball.eps)
    return f"L2 {eps:g}" if isinstance(ball, balls.L2) else f"Linf {eps * 255:g}/255"


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    from core.data import labelled
    from core.models import checkpoints
    from core.train import zoo
    from core.train.autoattack import continued
    from core.train.robustness import by_steps

    parser = argparse.ArgumentParser(
        prog="python -m core.train.evaluate", description="Measure a model on the test set."
    )
    parser.add_argument("model", help="a checkpoint of this project")
    parser.add_argument("--ball", action="append", metavar="NORM:EPS", help="L2:0.5 or Linf:8/255; may be repeated")
    parser.add_argument("--n", type=whole(1, 10_000), default=2000, help="pictures, the first N of the test set")
    parser.add_argument("--steps", type=whole(1), default=50)
    parser.add_argument("--restarts", type=whole(0), default=0)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="fp32")
    parser.add_argument("--autoattack", action="store_true", help="also run AutoAttack (pip install pyautoattack)")
    parser.add_argument(
        "--write", action="store_true", help="keep what AutoAttack leaves in the model's header, and go on from there"
    )
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    here = compute.device()
    model = compute.for_inference(checkpoints.load(given.model), here)
    about = checkpoints.header(given.model)
    known, test = about.classes, labelled.load(about.world, "test")
    if known != test.classes:
        raise InputError(
            f"{given.model} knows other classes ({', '.join(known)}) than the test set ({', '.join(test.classes)})"
        )
    n = min(given.n, len(test))
    x, y = test.x(range(n)).to(here), test.y(range(n)).to(here)
    sys.stdout.write(f"clean        {clean_accuracy(model, x, y)}\n")
    for text in given.ball or ["L2:0.25", "L2:0.5"]:
        ball = parse_ball(text)
        found = robust_accuracy(
            model,
            x,
            y,
            ball,
            steps=given.steps,
            restarts=given.restarts,
            precision=given.precision,
            generator=torch.Generator(here).manual_seed(0),
        )
        sys.stdout.write(f"{ball_name(ball):12} {found.rate}; of those right without attack {found.of_correct}\n")
        checked = by_steps(model, x[:CHECKED], y[:CHECKED], ball, counts=(given.steps, 2 * given.steps))
        if checked.falls:
            warnings.warn(SuspiciousAttack(checked.says), stacklevel=2)
        if given.autoattack:
            called = f"AutoAttack {ball_name(ball)}"

            def note(entry: dict[str, Any], called: str = called) -> None:
                if given.write:
                    path, about = checkpoints.path_of(given.model), checkpoints.header(given.model)
                    checkpoints.annotate(path, replace(about, measured={**about.measured, called: entry}))
                    if given.model in zoo.declared():
                        zoo.record(given.model, zoo.entry_of(given.model))

            before = about.measured.get(called) if given.write else None
            sys.stdout.write(f"{'AutoAttack':12} {continued(before, model, x, y, ball, note)}\n")


if __name__ == "__main__":
    main()
