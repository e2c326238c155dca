"""Standard and adversarial training in one loop: the inner attack is an argument.

    python -m core.train --arch resnet9 --epochs 12 --out model.safetensors
    python -m core.train --arch resnet9 --epochs 20 --norm L2 --eps 0.5 --inner-steps 1 --out robust.safetensors
    torchrun --nproc-per-node 2 -m core.train ...

Madry et al. (2018): minimise E[max over the ball of the loss]; the maximum is found by the same loop that makes
adversarial examples. A run keeps its state in a folder after every epoch; every draw comes from (seed, epoch), so a run
that was killed goes on to the same weights as one that was not (bit for bit on one device with the same threads).
"""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from core import balls, compute
from core.attacks import descend
from core.commands import command
from core.data import Pictures
from core.models import Classifier, build
from core.normalization import Whiten
from core.objectives import autocast, untargeted
from core.rules import steepest
from core.types import Images, Labels

log = logging.getLogger(__name__)
WHITENED = 2000  # pictures from which a whitening network learns how pixels go together


@dataclass(frozen=True)
class InnerAttack:
    """The adversary inside adversarial training.

    Args:
        norm: "L2" or "Linf".
        eps: Radius in pixel units of [0, 1].
        steps: Gradient steps; 1 is fast adversarial training (Wong et al. 2020), 7 the paper's (appendix C.3).
        step_size: Length of a step, pixel units.
    """

    norm: str
    eps: float
    steps: int
    step_size: float


@dataclass(frozen=True)
class TrainRecipe:
    """All that decides the weights, besides the pictures.

    Args:
        arch: Key of `core.models.ARCHITECTURES`.
        args: The builder's arguments.
        epochs: Passes over the pictures.
        batch_size: Pictures per step, over all processes together.
        lr: Peak of the one-cycle learning rate.
        warmup: Fraction of all steps in which the rate climbs; then it falls linearly to zero.
        weight_decay: On weights of convolutions and linear layers only.
        label_smoothing: Of the cross-entropy.
        augment: Random 4-pixel shift (reflected border) and horizontal flip.
        ema: Decay per step of the averaged weights that the run returns; 0 returns the last weights.
        inner: The adversary, or None for standard training.
        precision: "auto" (bfloat16 where the device is fast at it), "bf16" or "fp32".
        seed: Decides initialisation, order, augmentation and the adversary's starts.
    """

    arch: str = "resnet9"
    args: dict[str, int] = field(default_factory=dict)
    epochs: int = 12
    batch_size: int = 128
    lr: float = 0.2
    warmup: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    augment: bool = True
    ema: float = 0.998
    inner: InnerAttack | None = None
    precision: str = "auto"
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a run stands: mean loss and accuracy (on the pictures trained on) of this epoch, and the time to the end."""

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float
    rate: float
    eta_s: float


OnProgress = Callable[[Progress], bool | None]
OnEpoch = Callable[[int, Classifier], None]


def fit(
    recipe: TrainRecipe,
    pictures: Pictures,
    *,
    run: Path | None = None,
    device: torch.device | str = "cpu",
    on_progress: OnProgress | None = None,
    on_epoch: OnEpoch | None = None,
) -> Classifier:
    """Train a classifier, or finish a run that was interrupted.

    Args:
        recipe: What to train and how.
        pictures: The training set.
        run: Folder for the state after each epoch; a run found there goes on. None keeps nothing.
        device: Where to train; under `torchrun` each process has its own.
        on_progress: Called every step; returning True stops after this epoch's last saved state.
        on_epoch: Called as `on_epoch(epochs_done, averaged_model)` after each epoch.

    Returns:
        The averaged model in eval mode.

    Raises:
        ValueError: If the folder holds a run of another recipe, or there are fewer pictures than a batch.
        FloatingPointError: If the loss is not finite; the last good epoch is still in the folder.
    """
    here = torch.device(device)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    if len(pictures) < recipe.batch_size or recipe.batch_size % world:
        raise ValueError(
            f"need at least one full batch, and a batch that {world} processes can share:"
            f" {len(pictures)} pictures, batch_size {recipe.batch_size}"
        )
    if here.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    model = build(recipe.arch, **recipe.args)
    initialise(model, torch.Generator().manual_seed(recipe.seed))
    if isinstance(model.normalize, Whiten):
        model.normalize.fit(pictures.x(range(min(WHITENED, len(pictures)))))
    model = model.to(here, memory_format=torch.channels_last)  # type: ignore[call-overload]
    averaged = deepcopy(model).eval().requires_grad_(False)
    optimizer = torch.optim.SGD(
        _decayed(model, recipe.weight_decay), lr=recipe.lr, momentum=recipe.momentum, nesterov=True
    )
    state = RunState(run, recipe, len(pictures))
    done = state.restore(model, averaged, optimizer, here)
    # Buffers are not broadcast: each process keeps the batch statistics of its own pictures, the first one's are saved.
    trained: nn.Module = DistributedDataParallel(model, broadcast_buffers=False) if world > 1 else model
    images = _padded(pictures, here)
    labels = pictures.y().to(here)
    per_epoch = len(pictures) // recipe.batch_size
    began, at_start = time.monotonic(), done * per_epoch
    for epoch in range(done, recipe.epochs):
        model.train()
        seen, loss_sum, right = 0, 0.0, 0.0
        for step, (x, y, draws) in enumerate(_batches(recipe, images, labels, epoch, rank, world)):
            now = epoch * per_epoch + step
            rate = learning_rate(recipe, now / (recipe.epochs * per_epoch))
            for group in optimizer.param_groups:
                group["lr"] = rate
            if recipe.inner is not None:
                x = _worst(recipe, model, x, y, draws)
            with compute.autocast(here, recipe.precision):
                logits = trained(x).float()
            loss = F.cross_entropy(logits, y, label_smoothing=recipe.label_smoothing)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            _average(averaged, model, recipe.ema, now)
            seen += len(y)
            loss_sum += float(loss.detach()) * len(y)
            right += float((logits.argmax(1) == y).sum())
            if not loss_sum < float("inf"):
                raise FloatingPointError(
                    f"the loss is {loss_sum} at epoch {epoch}, step {step}; lower lr ({recipe.lr})"
                )
            if on_progress is not None:
                spent = time.monotonic() - began
                left = recipe.epochs * per_epoch - now - 1
                eta = spent / (now + 1 - at_start) * left
                if on_progress(Progress(epoch, step, per_epoch, loss_sum / seen, right / seen, rate, eta)):
                    return averaged
        if rank == 0:
            state.save(model, averaged, optimizer, epoch + 1)
        if on_epoch is not None and rank == 0:
            on_epoch(epoch + 1, averaged)
    return averaged


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


def _worst(recipe: TrainRecipe, model: nn.Module, x: Images, y: Labels, draws: torch.Generator) -> Images:
    """Run the inner attack from a random direction at a random radius; batch norm stays in training mode."""
    inner = recipe.inner
    assert inner is not None
    ball = balls.make(inner.norm, inner.eps)
    objective = autocast(untargeted(model, y), recipe.precision)
    # A start uniform in the ball would lie on its surface (dimension 3072), where one step of eps is mostly projected away.
    radius = torch.rand(len(x), 1, 1, 1, generator=draws).to(x.device)
    start = x + radius * ball.sample(torch.empty(x.shape), draws).to(x.device)
    return descend(objective, x, ball, steps=inner.steps, rule=steepest(ball, inner.step_size), start=start)


def _decayed(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    weights = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    return [
        {"params": weights, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def _average(averaged: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    weight = 1 - min(decay, (1 + step) / (10 + step))  # a short memory while the weights still run
    with torch.no_grad():
        for mean, new in zip(averaged.state_dict().values(), model.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(new, weight)
            else:
                mean.copy_(new)


SHIFT = 4  # pixels of random translation


def _padded(pictures: Pictures, device: torch.device) -> Tensor:
    """Pad the borders by reflection: uint8 (N, H + 8, W + 8, 3)."""
    images = torch.from_numpy(pictures.images).permute(0, 3, 1, 2)
    chunks = [F.pad(part.float(), [SHIFT] * 4, mode="reflect").byte() for part in images.split(1000)]
    return torch.cat(chunks).permute(0, 2, 3, 1).contiguous().to(device)


def _batches(
    recipe: TrainRecipe, padded: Tensor, labels: Tensor, epoch: int, rank: int, world: int
) -> Iterator[tuple[Images, Labels, torch.Generator]]:
    """Yield this process's share of each batch, shifted and flipped, and the generator of its adversary."""
    order_draws = torch.Generator().manual_seed(_mix(recipe.seed, epoch, 0))
    order = torch.randperm(len(labels), generator=order_draws)
    draws = torch.Generator().manual_seed(_mix(recipe.seed, epoch, 1 + rank))
    for first in range(0, len(labels) - recipe.batch_size + 1, recipe.batch_size):
        rows = order[first + rank : first + recipe.batch_size : world].to(padded.device)
        yield crop(padded, rows, draws, augment=recipe.augment), labels[rows], draws


def crop(padded: Tensor, rows: Tensor, draws: torch.Generator, *, augment: bool) -> Images:
    """Cut (N, 3, H, W) float images out of the padded ones: shifted and flipped at random, or from the middle.

    Args:
        padded: uint8 (M, H + 2 SHIFT, W + 2 SHIFT, 3).
        rows: Which pictures (N,).
        draws: Source of shifts and flips.
        augment: False cuts the original picture.
    """
    n, size = len(rows), padded.shape[1] - 2 * SHIFT
    span = torch.arange(size)
    if augment:
        down, right = torch.randint(0, 2 * SHIFT + 1, (2, n, 1), generator=draws)
        flip = torch.rand(n, 1, generator=draws) < 0.5
        columns = torch.where(flip, span.flip(0), span) + right
    else:
        down, columns = torch.full((n, 1), SHIFT), (span + SHIFT).expand(n, -1)
    lines = (span + down).to(padded.device)
    columns = columns.to(padded.device)
    cut = padded[rows[:, None, None], lines[:, :, None], columns[:, None, :]]  # (N, H, W, 3)
    return cut.permute(0, 3, 1, 2).float() / 255  # channels_last in memory


def _mix(*numbers: int) -> int:
    """Combine seed, epoch and rank into one seed without collisions between neighbours."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 1) % (2**63 - 1)
    return mixed


class RunState:
    """The folder of a run: `state.pt` after each epoch, replaced atomically.

    Args:
        folder: Where; None keeps nothing.
        recipe: A run of another recipe is refused, since going on would be neither the one nor the other.
        n: Number of training pictures, refused likewise.
    """

    def __init__(self, folder: Path | None, recipe: TrainRecipe, n: int) -> None:
        self.path = folder / "state.pt" if folder else None
        self.identity = json.dumps({"recipe": asdict(recipe), "n": n}, sort_keys=True)

    def restore(
        self, model: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
    ) -> int:
        """Load the state into its three places and return the number of epochs done (0 for a fresh run)."""
        if self.path is None or not self.path.is_file():
            return 0
        state = torch.load(self.path, map_location=device, weights_only=True)
        if state["identity"] != self.identity:
            raise ValueError(f"{self.path.parent} holds a run of another recipe; delete it or choose another folder")
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["epochs"])

    def save(self, model: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer, epochs: int) -> None:
        """Write everything needed to go on."""
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_suffix(".part")
        torch.save(
            {
                "identity": self.identity,
                "epochs": epochs,
                "model": model.state_dict(),
                "averaged": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
            },
            part,
        )
        part.replace(self.path)


def reporter(every_s: float = 15.0) -> OnProgress:
    """Make an `on_progress` that logs a line now and then: epoch, loss, accuracy, rate, time left."""
    last = 0.0

    def report(p: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= every_s or p.step == p.steps - 1:
            last = time.monotonic()
            log.info(
                "epoch %d step %d/%d  loss %.3f  accuracy %.1f %%  lr %.4f  %d min left",
                p.epoch + 1, p.step + 1, p.steps, p.loss, 100 * p.accuracy, p.rate, round(p.eta_s / 60),
            )  # fmt: skip

    return report


def join_processes() -> tuple[torch.device, int]:
    """Join the other processes of a `torchrun`, if there are any; return this one's device and rank."""
    here = compute.device()
    if "RANK" not in os.environ:
        return here, 0
    dist.init_process_group("nccl" if here.type == "cuda" else "gloo")
    if here.type == "cuda":
        here = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(here)
    return here, dist.get_rank()


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    import argparse

    from core import checkpoints, data

    parser = argparse.ArgumentParser(prog="python -m core.train", description="Train a classifier.")
    parser.add_argument("--out", type=Path, required=True, help="the .safetensors to write")
    parser.add_argument("--data", type=Path, help="an .npz to train on instead of CIFAR-10")
    parser.add_argument("--limit", type=int, help="train on the first LIMIT pictures")
    parser.add_argument("--run", type=Path, help="folder of the run's state (default: beside OUT)")
    parser.add_argument("--arch", default="resnet9")
    parser.add_argument("--width", type=int)
    parser.add_argument("--epochs", type=int, default=TrainRecipe.epochs)
    parser.add_argument("--batch-size", type=int, default=TrainRecipe.batch_size)
    parser.add_argument("--lr", type=float, default=TrainRecipe.lr)
    parser.add_argument("--no-augment", action="store_true")
    parser.add_argument("--norm", choices=sorted(balls.NORMS), help="train adversarially in this norm")
    parser.add_argument("--eps", type=float, default=0.5)
    parser.add_argument("--inner-steps", type=int, default=7)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    inner = None
    if given.norm:
        step = given.eps if given.inner_steps == 1 else given.eps / 5
        inner = InnerAttack(given.norm, given.eps, given.inner_steps, step)
    recipe = TrainRecipe(
        arch=given.arch,
        args={} if given.width is None else {"width": given.width},
        epochs=given.epochs,
        batch_size=given.batch_size,
        lr=given.lr,
        augment=not given.no_augment,
        inner=inner,
        precision=given.precision,
        seed=given.seed,
    )
    compute.setup_cpu()
    here, rank = join_processes()
    pictures = data.from_npz(given.data) if given.data else data.cifar10("train")
    if given.limit:
        pictures = Pictures(
            pictures.images[: given.limit], pictures.labels[: given.limit], pictures.classes, pictures.source
        )
    if len(pictures.classes) != len(data.CIFAR10_CLASSES):
        recipe = replace(recipe, args={**recipe.args, "classes": len(pictures.classes)})
    run = given.run or given.out.with_suffix(".run")
    model = fit(recipe, pictures, run=run, device=here, on_progress=reporter() if rank == 0 else None)
    if rank == 0:
        about = checkpoints.Header(recipe.arch, recipe.args, recipe=asdict(recipe), classes=pictures.classes)
        checkpoints.save(given.out, model.state_dict(), about)
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main()
