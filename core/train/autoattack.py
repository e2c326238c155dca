"""AutoAttack, by its authors' own package: four attacks one after the other, without settings to choose.

    found = autoattack(model, x, y, L2(0.5))        # pip install pyautoattack

APGD on cross-entropy, APGD on the targeted DLR loss, targeted FAB, and Square, which uses no gradient (Croce and Hein
2020). RobustBench ranks by it. On a CPU it takes a minute or so for ten pictures of a robust model that stand.
"""

import importlib
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from core.attacks import balls
from core.attacks.balls import Ball
from core.models import evaluating
from core.problems import InputError
from core.rates import Rate
from core.train.evaluate import RobustAccuracy, model_warnings, predict
from core.types import Images, Labels

PACKAGE = "pyautoattack"
ATTACKS = ("apgd-ce", "apgd-t", "fab-t", "square")


class _Plain(torch.autograd.Function):
    """Hand gradients on in the ordinary memory layout, which the package takes for granted."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004 - how torch calls it
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:  # noqa: ARG004
        return grad.contiguous()


def autoattack(
    model: nn.Module,
    x: Images,
    y: Labels,
    ball: Ball,
    *,
    attacks: tuple[str, ...] = ATTACKS,
    seed: int = 0,
    batch_size: int = 100,
    on_batch: Callable[[int], bool | None] | None = None,
) -> RobustAccuracy:
    """Measure the fraction of images that AutoAttack's standard version does not break.

    Args:
        model: Maps images to logits.
        x: Images (N, C, H, W) in [0, 1].
        y: Labels (N,).
        ball: L2 or Linf, one eps for all.
        attacks: Which of the four; the standard version is all of them.
        seed: Of its draws; torch's global generator is put back after.
        batch_size: Images at a time.
        on_batch: Called with the number of images done; returning True stops and reports those.

    Raises:
        InputError: If the package is not installed, or the ball is another one.
    """
    if find_spec(PACKAGE) is None:
        raise InputError(f"AutoAttack is an optional extra: pip install {PACKAGE}")
    if not isinstance(ball, balls.L2 | balls.Linf) or isinstance(ball.eps, torch.Tensor):
        raise InputError("AutoAttack takes one L2 or Linf radius for all images")
    norm = "L2" if isinstance(ball, balls.L2) else "Linf"
    hits = right = done = 0
    largest = 0.0
    with evaluating(model), torch.random.fork_rng(devices=[x.device] if x.is_cuda else []), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own warnings are told here as ours
        classes = predict(model, x[:1]).shape[1]
        attack = _made(model, norm, float(ball.eps), seed, attacks, str(x.device), classes)
        for part, labels in zip(x.contiguous().split(batch_size), y.split(batch_size), strict=True):
            stands = predict(model, part).argmax(1) == labels
            right, rows = right + int(stands.sum()), stands.nonzero()[:, 0]
            if len(rows):
                x_adv = attack.run_standard_evaluation(part[rows], labels[rows], batch_size=batch_size)[0].to(x)
                largest = max(largest, float(ball.norm(x_adv - part[rows]).max()))
                stands[rows] = predict(model, x_adv).argmax(1) == labels[rows]
            hits, done = hits + int(stands.sum()), done + len(part)
            if on_batch is not None and on_batch(done):
                break
        reasons = model_warnings(model, x[:64])
    return RobustAccuracy(Rate(hits, done), Rate(right, done), largest, reasons)


def continued(
    known: Mapping[str, Any] | None,
    model: nn.Module,
    x: Images,
    y: Labels,
    ball: Ball,
    note: Callable[[dict[str, Any]], None],
    *,
    part: int = 50,
    attack: Callable[..., RobustAccuracy] = autoattack,
) -> Rate:
    """Measure in parts, from the first picture that is not measured yet: hours on a CPU, which may be interrupted.

    Args:
        known: What `note` was given last for the first pictures, by these weights, or None.
        model: Maps images to logits.
        x: Images (N, C, H, W) in [0, 1].
        y: Labels (N,).
        ball: L2 or Linf, one eps for all.
        note: Called after each part with the rate of all so far and the warnings, as they stand in a model's header.
        part: Images of a part.
        attack: `autoattack`, or one that is called alike.
    """
    rate = Rate.from_json(known) if known else Rate(0, 0)
    reasons = set(known.get("doubts", ()) if known else ())
    for first in range(rate.n, len(x), part):
        here = slice(first, first + part)
        found = attack(model, x[here], y[here], ball, seed=first, batch_size=part)
        reasons |= {*found.warnings}
        rate = Rate(rate.hits + found.rate.hits, rate.n + found.rate.n)
        note({**rate.as_json(), "doubts": sorted(reasons)})
    return rate


def _made(
    model: nn.Module, norm: str, eps: float, seed: int, attacks: tuple[str, ...], device: str, classes: int
) -> Any:
    if classes < 4:
        raise InputError(f"AutoAttack's targeted loss looks at four logits, and this model has {classes}; use PGD")
    module = importlib.import_module(PACKAGE)
    made = module.AutoAttack(
        lambda x: model(_Plain.apply(x)),
        norm=norm,
        eps=eps,
        seed=seed,
        version="custom",
        attacks=list(attacks),
        device=device,
    )
    made.verbose = False
    for part in (made.apgd_targeted, made.fab):  # the standard version: every other class, nine at most; one restart
        part.n_target_classes, part.n_restarts = min(9, classes - 1), 1
    made.apgd.n_restarts = 1
    return made
