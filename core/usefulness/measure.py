"""The command that measures a model's atlas, a few pictures after the other.

`python -m core.usefulness measure [NAME ...]` writes assets/usefulness/NAME.npz and its JSON in half an hour; what a
killed run had finished is not done again.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core import compute, data, results
from core.attacks import pgd
from core.attacks.balls import L2
from core.commands import command, parsed, whole
from core.data.pictures import fingerprint
from core.files.arrays import load_arrays, save_arrays
from core.inversion.invert import representation
from core.models import Classifier, checkpoints
from core.models.ready import load as load_model
from core.types import Features, Images, Labels
from core.usefulness.atlas import ASSETS, SHIPPED, Atlas, save
from core.usefulness.definitions import Measured
from core.usefulness.search import Extremes, extremes

log = logging.getLogger(__name__)
WORK = checkpoints.FOLDER.parent / "runs" / "usefulness"
MODELS = ("resnet9-standard", "resnet9-l2")
RADII = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 1.0)
TRAINED = 10_000  # training pictures behind the normal equations
CHECKED = 30  # PGD steps of the harder attack that tells how far the walk came
BLOCK = 10  # pictures between two saves: one of each class


def spread(y: Labels, n: int, seed: int) -> list[int]:
    """Choose n rows at random, a class after the other, so that every prefix holds each class about equally often."""
    draws = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=draws)
    classes = int(y.max()) + 1
    of_class = [order[y[order] == c].tolist() for c in range(classes)]
    return [of_class[i % classes][i // classes] for i in range(n)]


def representations(model: Classifier, x: Images) -> Features:
    """Compute g of many pictures (N, D) in batches."""
    return torch.cat([representation(model, part) for part in x.split(250)])


def normal_equations(z: Features, y: Labels, classes: int = 10) -> tuple[Tensor, Tensor]:
    """Compute what every least-squares head on a subset of the features follows from; see `Atlas`."""
    a = torch.cat([z, torch.ones(len(z), 1)], 1).double()
    onehot = torch.nn.functional.one_hot(y, classes).double()
    return (a.T @ a / len(z)).float(), (a.T @ onehot / len(z)).float()


def closeness(model: Classifier, x: Images, found: Extremes, precision: str) -> dict[str, Any]:
    """Attack some features of some pictures much harder, and tell what part of that push the one walk reached."""
    d = found.f.shape[1]
    k = torch.arange(0, d, max(1, d // 16)).repeat(len(x))
    rows = torch.arange(len(x)).repeat_interleave(len(k) // len(x))

    def objective(images: Images) -> Tensor:
        with compute.autocast(images.device, precision):
            return model.features(images).gather(1, k[:, None])[:, 0].float()

    part = x[rows].contiguous(memory_format=torch.channels_last)
    reached = {}
    for e, eps in enumerate(found.radii):
        if eps not in (0.1, 0.25, 0.5):
            continue
        strong = pgd(objective, part, L2(eps), steps=CHECKED, step_size=2.5 * eps / CHECKED, best=True)
        with torch.no_grad():
            harder = found.f[rows, k] - objective(strong)
        reached[f"{eps:g}"] = float((found.f - found.low[e])[rows, k].sum() / harder.sum())
    return {"pictures": len(x), "features": len(k) // len(x), "steps": CHECKED, "push_reached": reached}


def measure(names_: tuple[str, ...], n: int, seed: int, precision: str, work: Path, folder: Path = ASSETS) -> None:
    """Measure models, a block of pictures after the other; what is done is kept and not done again.

    Args:
        names_: The models.
        n: Pictures around which extremes are searched.
        seed: Of their choice.
        precision: Of the gradients.
        work: Folder of the finished blocks.
        folder: Where the results go; they are written anew after each round of blocks.
    """
    test, train = data.cifar10("test"), data.cifar10("train")
    work.mkdir(parents=True, exist_ok=True)
    chosen = spread(test.y(), n, seed)
    y = test.y(chosen)
    models = {name: load_model(name) for name in names_}
    stamps = results.stamps_of(names_)
    everything: dict[str, tuple[Tensor, Tensor]] = {}
    for name, model in models.items():
        assert isinstance(model, Classifier)
        everything[name] = _everything(model, test, train, work / f"{name}-{stamps[name]}.npz")
        log.info("%s: features of %d and %d pictures", name, len(test), TRAINED)
    found: dict[str, list[Extremes]] = {name: [] for name in names_}
    for block in batches(n, BLOCK):
        for name, model in models.items():
            assert isinstance(model, Classifier)
            began = time.monotonic()
            x = test.x([chosen[i] for i in block])
            # What decides a block stands in its name: one of other weights or of another precision is not this one.
            named = f"{name}-{stamps[name]}-{precision}-{seed}-{block.start}-{len(block)}.npz"
            found[name].append(_block(model, x, work / named, precision))
            log.info("%s: %d of %d pictures, %.0f s", name, block.stop, n, time.monotonic() - began)
            if block.stop < 2 * BLOCK and block.stop < n:
                continue  # a class needs two pictures for an interval
            z, z_train = everything[name]
            joined = Extremes.join(found[name])
            deviation, centre = torch.std_mean(z, dim=0, correction=0)
            gram, cross = normal_equations((z_train - centre) / deviation, train.y(range(TRAINED)))
            about = {
                "model": name,
                results.STAMPS: {name: stamps[name]},
                "radii": list(RADII),
                "norm": "L2",
                "n": len(z),
                "n_pushed": len(joined.f),
                "seed": seed,
                "date": results.today(),
                "profile": "cpu",
                "n_train": TRAINED,
                "how": "rho over the whole test set; pushes by one walk of PGD through all radii, one step in each; "
                f"gradients and values in {precision}; torch {torch.__version__}",
            }
            if block.stop == n:
                about["check"] = closeness(model, x, found[name][-1], precision)
            measured = Measured.of(z, test.y(), joined, y[: block.stop])
            first = range(SHIPPED)
            shown = tuple(fingerprint(test.images[i]) for i in first)
            made = Atlas(name, measured, centre, deviation, z[:SHIPPED], test.y(first), shown, gram, cross, about)
            save(made, folder)


def _everything(model: Classifier, test: data.Pictures, train: data.Pictures, path: Path) -> tuple[Tensor, Tensor]:
    """Compute the features of all test pictures and of some training pictures, or read them where that is done."""
    if not path.is_file():
        z, z_train = representations(model, test.x()), representations(model, train.x(range(TRAINED)))
        save_arrays(path, {"test": z.numpy(), "train": z_train.numpy()})
    found = load_arrays(path)
    return torch.from_numpy(found["test"]), torch.from_numpy(found["train"])


def _block(model: Classifier, x: Images, path: Path, precision: str) -> Extremes:
    if path.is_file():
        known = load_arrays(path)
        return Extremes(RADII, *(torch.from_numpy(known[key]) for key in ("f", "low", "high")))
    found = extremes(model.features, x, L2, RADII, precision=precision)
    save_arrays(path, {"f": found.f.numpy(), "low": found.low.numpy(), "high": found.high.numpy()})
    return found


def batches(n: int, size: int) -> Iterator[range]:
    """Split n rows into ranges of at most that size."""
    return (range(first, min(first + size, n)) for first in range(0, n, size))


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.usefulness", description="Measure all features.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument(
        "--n", type=whole(20, 10_000), default=40, help="pictures around which the extremes are searched"
    )
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of finished blocks, to go on after a stop")
    given = parsed(parser, arguments)
    compute.setup_cpu()
    precision = given.precision
    if precision == "auto":
        precision = "bf16" if compute.has_fast_bf16(torch.device("cpu")) else "fp32"
    measure(tuple(given.models), given.n, given.seed, precision, given.work)
