"""`fit`, the loop itself, and what a step of it consists of."""

import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from core.attacks import balls, descend
from core.attacks.rules import steepest
from core.data.sets import Pictures
from core.models import Classifier, build
from core.models.normalization import Whiten
from core.problems import InputError, UserError
from core.train.batches import batches, padded
from core.train.losses import LossFn, adversary, minimised
from core.train.recipes import TrainRecipe
from core.train.report import OnProgress, Progress
from core.train.state import RunState
from core.train.weights import adversarial_weights, in_eval
from core.types import Images, Labels

OnEpoch = Callable[[int, Classifier], None]


class Diverged(UserError, FloatingPointError):  # noqa: N818 - what happened to a run
    """A loss that is no number any more."""


WHITENED = 2000  # pictures from which a whitening network learns how pixels go together


def fit(
    recipe: TrainRecipe,
    pictures: Pictures,
    *,
    run: Path | None = None,
    device: torch.device | str = "cpu",
    on_progress: OnProgress | None = None,
    on_epoch: OnEpoch | None = None,
    start: Classifier | None = None,
    loss_fn: LossFn | None = None,
) -> Classifier:
    """Train a classifier, or finish a run that was interrupted.

    Args:
        recipe: What to train and how.
        pictures: The training set.
        run: Folder for the state after each epoch; a run found there goes on. None keeps nothing.
        device: Where to train; under `torchrun` each process has its own.
        on_progress: Called every step; returning True stops after this epoch's last saved state.
        on_epoch: Called as `on_epoch(epochs_done, averaged_model)` after each epoch.
        start: What a fresh run begins with, a copy of it; None builds the recipe's model and draws its weights.
        loss_fn: What a step minimises that asks for no labels; None is cross-entropy or TRADES, as the recipe says.

    Returns:
        The averaged model in eval mode.

    Raises:
        ValueError: If the folder holds a run of another recipe, or there are fewer pictures than a batch.
        Diverged: If the loss is not finite; the last good epoch is still in the folder.
    """
    here = torch.device(device)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    if len(pictures) < recipe.batch_size or recipe.batch_size % world:
        raise InputError(
            f"need at least one full batch, and a batch that {world} processes can share:"
            f" {len(pictures)} pictures, batch_size {recipe.batch_size}"
        )
    if recipe.trades and recipe.inner is None:
        raise InputError("TRADES compares a picture with what an adversary made of it: give the recipe an inner attack")
    if loss_fn is not None and (recipe.inner is not None or recipe.awp):
        raise InputError("an adversary attacks the labels, and this loss has none: give the recipe no inner attack")
    if here.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    model = beginning(recipe, pictures, start).to(here, memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.SGD(
        decayed(model, recipe.weight_decay), lr=recipe.lr, momentum=recipe.momentum, nesterov=True
    )
    state = RunState(run, recipe, pictures, loss_fn)
    done = state.restore(model, averaged, optimizer, here)
    # Buffers are not broadcast: each process keeps the batch statistics of its own pictures, the first one's are saved.
    trained: nn.Module = DistributedDataParallel(model, broadcast_buffers=False) if world > 1 else model
    images = padded(pictures, here)
    labels = pictures.y().to(here)
    per_epoch = len(pictures) // recipe.batch_size
    began, at_start = time.monotonic(), done * per_epoch
    for epoch in range(done, recipe.epochs):
        model.train()
        seen, loss_sum, right = 0, 0.0, 0.0
        for step, (x, y, draws) in enumerate(batches(recipe, images, labels, epoch, rank, world)):
            now = epoch * per_epoch + step
            rate = learning_rate(recipe, now / (recipe.epochs * per_epoch))
            for group in optimizer.param_groups:
                group["lr"] = rate
            x_adv = x if recipe.inner is None else worst(recipe, model, x, y, draws)
            optimizer.zero_grad(set_to_none=True)
            climbed = partial(minimised, recipe, loss_fn, model, x, x_adv, y, draws)
            with adversarial_weights(model, recipe.awp, lambda: climbed()[0]):  # noqa: B023 - called here
                loss, hits = minimised(recipe, loss_fn, trained, x, x_adv, y, draws)
                loss.backward()
            optimizer.step()
            average(averaged, model, recipe.ema, now)
            seen += len(y)
            loss_sum += float(loss.detach()) * len(y)
            right += float(hits.sum()) * len(y) / len(hits)
            if not loss_sum < float("inf"):
                raise Diverged(f"the loss is {loss_sum} at epoch {epoch}, step {step}; lower lr ({recipe.lr})")
            if on_progress is not None:
                spent = time.monotonic() - began
                left = recipe.epochs * per_epoch - now - 1
                eta = spent / (now + 1 - at_start) * left
                if on_progress(Progress(epoch, step, per_epoch, loss_sum / seen, right / seen, rate, eta)):
                    return averaged
        if on_epoch is not None and rank == 0:
            on_epoch(
                epoch + 1, averaged
            )  # first: what it writes is written again if the run is killed before the state
        if rank == 0:
            state.save(model, averaged, optimizer, epoch + 1)
    return averaged


def beginning(recipe: TrainRecipe, pictures: Pictures, start: Classifier | None) -> Classifier:
    """Make the model that a run starts with: the recipe's with weights drawn from the seed, or a copy of another."""
    if start is not None:
        return deepcopy(start).requires_grad_(True)
    model = build(recipe.arch, **recipe.args)
    initialise(model, torch.Generator().manual_seed(recipe.seed))
    if isinstance(model.normalize, Whiten):
        model.normalize.fit(pictures.x(range(min(WHITENED, len(pictures)))))
    return model


def learning_rate(recipe: TrainRecipe, t: float) -> float:
    """Compute the one-cycle rate at t in [0, 1): linear from 0 to the peak at `warmup`, then linear to 0."""
    up = t / recipe.warmup if recipe.warmup else 1.0
    down = (1 - t) / (1 - recipe.warmup) if recipe.warmup < 1 else 1.0
    return recipe.lr * min(up, down, 1.0)


def initialise(model: nn.Module, generator: torch.Generator) -> None:
    """Draw all weights anew (uniform with variance 1/(3 fan_in), torch's own default) from that generator."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=5**0.5, generator=generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def worst(recipe: TrainRecipe, model: nn.Module, x: Images, y: Labels, draws: torch.Generator) -> Images:
    """Run the inner attack from a random direction at a random radius; batch norm is in the mode the recipe says."""
    inner = recipe.inner
    assert inner is not None
    ball = balls.make(inner.norm, inner.eps)
    # A start uniform in the ball would lie on its surface (dimension 3072), where one step of eps is mostly projected
    # away.
    radius = torch.rand(len(x), 1, 1, 1, generator=draws).to(x.device)
    start = x + radius * ball.sample(torch.empty(x.shape), draws).to(x.device)
    with in_eval(model, wanted=inner.eval_mode):
        objective = adversary(recipe, model, x, y)
        return descend(objective, x, ball, steps=inner.steps, rule=steepest(ball, inner.step_size), start=start)


def decayed(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Group the parameters for the optimizer.

    Weights of convolutions and linear layers decay, biases and norms do not.
    """
    weights = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    return [
        {"params": weights, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def average(averaged: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights and statistics toward the model's."""
    weight = 1 - min(decay, (1 + step) / (10 + step))  # a short memory while the weights still run
    with torch.no_grad():
        for mean, new in zip(averaged.state_dict().values(), model.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(new, weight)
            else:
                mean.copy_(new)
