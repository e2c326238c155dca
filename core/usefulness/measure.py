"""The command that measures a model's atlas, a few pictures after the other.

`python -m core.usefulness measure [NAME ...] [--world WORLD]` writes assets/usefulness/NAME.npz and its JSON, for
ResNet-9 in half an hour; what a killed run had finished is not done again. In the planted world what was planted is
measured, too.
"""

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core import compute, data, results, worlds
from core.attacks import pgd
from core.attacks.balls import L2
from core.commands import command, parsed, whole
from core.data import labelled, own
from core.data.pictures import fingerprint
from core.data.planted import drawn
from core.data.planted.features import both
from core.files.arrays import load_arrays, save_arrays
from core.models import Classifier, checkpoints
from core.models.pair import opening
from core.models.ready import load as load_model
from core.problems import InputError
from core.types import Features, Images, Labels
from core.usefulness.atlas import ASSETS, SHIPPED, Atlas, save
from core.usefulness.definitions import Measured
from core.usefulness.search import ROWS, Extremes, extremes

log = logging.getLogger(__name__)
WORK = checkpoints.FOLDER.parent / "runs" / "usefulness"
MODELS = ("resnet9-standard", "resnet9-l2")
RADII = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 1.0)  # at 32 pixels; in larger pictures larger
TRAINED = 10_000  # training pictures behind the normal equations
CHECKED_AT = (0.1, 0.25, 0.5)
CHECKED = 30  # PGD steps of the harder attack that tells how far the walk came
Reader = Callable[[Images], Features]  # what is measured: a network's representation, or what we planted ourselves


def spread(y: Labels, n: int, seed: int) -> list[int]:
    """Choose n rows at random, a class after the other, so that every prefix holds each class about equally often.

    A class that has no more pictures is passed over; of fewer than n all are chosen.
    """
    draws = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(y), generator=draws)
    classes = int(y.max()) + 1
    of_class = [order[y[order] == c].tolist() for c in range(classes)]
    return [i for each in zip_longest(*of_class) for i in each if i is not None][:n]


def some(y: Labels, n: int, seed: int, world: str) -> list[int]:
    """Choose at most n rows: the first; of somebody's own pictures, which lie class by class, some of each class."""
    return spread(y, n, seed) if world in own.declared() else list(range(min(n, len(y))))


def representations(features: Reader, x: Images, at_once: int = 250, *, here: torch.device | str = "cpu") -> Features:
    """Compute features of many pictures (N, D) in batches; they come back to the CPU from the device that reads."""
    with torch.no_grad():
        return torch.cat([features(part.to(here)).cpu() for part in x.split(at_once)])


def readers(names_: Sequence[str], world: str) -> dict[str, tuple[Reader, torch.device]]:
    """Return what is measured, by name, and the device on which it takes pictures.

    These are the networks, and in the planted world what was planted, which is read on the CPU.

    Raises:
        core.problems.InputError: If a network lives in another world.
    """
    found: dict[str, tuple[Reader, torch.device]] = {}
    for name in names_:
        if name == drawn.NAME == world:
            found[name] = partial(both, drawn.WORLD), torch.device("cpu")
            continue
        if (lives := checkpoints.header(name).world) != world:
            raise InputError(f"{name} is a network of the world {lives}, and this measures in {world}")
        model = load_model(name)
        assert isinstance(model, Classifier)
        found[name] = model.features, next(model.parameters()).device
    return found


def normal_equations(z: Features, y: Labels, classes: int = 10) -> tuple[Tensor, Tensor]:
    """Compute what every least-squares head on a subset of the features follows from; see `Atlas`."""
    a = torch.cat([z, torch.ones(len(z), 1)], 1).double()
    onehot = torch.nn.functional.one_hot(y, classes).double()
    return (a.T @ a / len(z)).float(), (a.T @ onehot / len(z)).float()


def closeness(features: Reader, x: Images, found: Extremes, precision: str) -> dict[str, Any]:
    """Attack some features of some pictures much harder, and tell what part of that push the one walk reached.

    Args:
        features: Maps images to features (N, D).
        x: The pictures (N, C, H, W), on the device of the features.
        found: What the walk found around them.
        precision: Of gradients and values.
    """
    d = found.f.shape[1]
    k = torch.arange(0, d, max(1, d // 16)).repeat(len(x))
    rows = torch.arange(len(x)).repeat_interleave(len(k) // len(x))
    column = k[:, None].to(x.device)

    def objective(images: Images) -> Tensor:
        with compute.autocast(images.device, precision):
            return features(images).gather(1, column)[:, 0].float()

    part = x[rows].contiguous(memory_format=torch.channels_last)
    reached = {}
    for e, (eps, at) in enumerate(zip(found.radii, RADII, strict=True)):
        if at not in CHECKED_AT:
            continue
        strong = pgd(objective, part, L2(eps), steps=CHECKED, step_size=2.5 * eps / CHECKED, best=True)
        with torch.no_grad():
            harder = found.f[rows, k] - objective(strong).cpu()
        reached[f"{eps:g}"] = float((found.f - found.low[e])[rows, k].sum() / harder.sum())
    return {"pictures": len(x), "features": len(k) // len(x), "steps": CHECKED, "push_reached": reached}


def measure(
    names_: Sequence[str],
    n: int,
    seed: int,
    precision: str,
    work: Path,
    folder: Path = ASSETS,
    world: str = worlds.DEFAULT,
) -> None:
    """Measure models, a block of pictures after the other; what is done is kept and not done again.

    Args:
        names_: The models.
        n: Pictures around which extremes are searched; at most as many as the world has.
        seed: Of their choice.
        precision: Of the gradients.
        work: Folder of the finished blocks.
        folder: Where the results go; they are written anew after each round of blocks.
        world: Whose pictures, and in which the models live.

    Raises:
        core.problems.InputError: If a model lives elsewhere, or a class has fewer than two test pictures.
        core.data.DataError: If the pictures are not here.
    """
    asked = readers(names_, world)
    test, train = labelled.load(world, "test"), labelled.load(world, "train")
    work.mkdir(parents=True, exist_ok=True)
    chosen = spread(test.y(), n, seed)
    n, y, classes = len(chosen), test.y(chosen), len(test.classes)
    radii = tuple(worlds.get(world).scale * eps for eps in RADII)
    stamps = results.stamps_of(name for name in names_ if name != drawn.NAME)
    trained, first = some(train.y(), TRAINED, seed, world), some(test.y(), SHIPPED, seed, world)
    at_once, rows = worlds.get(world).batch(250), worlds.get(world).batch(ROWS)
    everything: dict[str, tuple[Tensor, Tensor]] = {}
    for name, (features, here) in asked.items():
        kept = work / f"{name}-{stamps.get(name, world)}-{seed}.npz"
        everything[name] = _everything(features, here, test, train, trained, kept, at_once)
        log.info("%s: features of %d and %d pictures", name, len(test), len(trained))
    found: dict[str, list[Extremes]] = {name: [] for name in names_}
    for block in batches(n, classes):  # one of each class
        for name, (features, here) in asked.items():
            began = time.monotonic()
            x = test.x([chosen[i] for i in block]).to(here)
            # What decides a block stands in its name: one of other weights or of another precision is not this one.
            named = f"{name}-{stamps.get(name, world)}-{precision}-{seed}-{block.start}-{len(block)}.npz"
            found[name].append(_block(features, x, work / named, precision, radii, rows))
            log.info("%s: %d of %d pictures, %.0f s", name, block.stop, n, time.monotonic() - began)
            if block.stop < 2 * classes and block.stop < n:
                continue  # a class needs two pictures for an interval
            z, z_train = everything[name]
            joined = Extremes.join(found[name])
            deviation, centre = torch.std_mean(z, dim=0, correction=0)
            deviation = deviation.clamp_min(1e-12)  # a feature may be dead
            gram, cross = normal_equations((z_train - centre) / deviation, train.y(trained), classes)
            about = {
                "model": name,
                results.STAMPS: {one: stamp for one, stamp in stamps.items() if one == name},
                "radii": list(radii),
                "norm": "L2",
                "n": len(z),
                "n_pushed": len(joined.f),
                "seed": seed,
                "date": results.today(),
                "profile": "cpu",
                "n_train": len(trained),
                "how": "rho over the whole test set; pushes by one walk of PGD through all radii, one step in each; "
                f"gradients and values in {precision}; torch {torch.__version__}",
                **({} if world == worlds.DEFAULT else {"world": world}),
            }
            if block.stop == n:
                about["check"] = closeness(features, x, found[name][-1], precision)
            measured = Measured.of(z, test.y(), joined, y[: block.stop], classes)
            shown = tuple(fingerprint(test.images[i]) for i in first)
            made = Atlas(name, measured, centre, deviation, z[first], test.y(first), shown, gram, cross, about)
            save(made, folder)


def _everything(
    features: Reader,
    here: torch.device,
    test: data.Pictures,
    train: data.Pictures,
    trained: list[int],
    path: Path,
    at_once: int,
) -> tuple[Tensor, Tensor]:
    """Compute the features of all test pictures and of some training pictures, or read them where that is done."""
    if not path.is_file():
        z, z_train = (representations(features, x, at_once, here=here) for x in (test.x(), train.x(trained)))
        save_arrays(path, {"test": z.numpy(), "train": z_train.numpy()})
    found = load_arrays(path)
    return torch.from_numpy(found["test"]), torch.from_numpy(found["train"])


def _block(features: Reader, x: Images, path: Path, precision: str, radii: tuple[float, ...], rows: int) -> Extremes:
    if path.is_file():
        known = load_arrays(path)
        return Extremes(radii, *(torch.from_numpy(known[key]) for key in ("f", "low", "high")))
    found = extremes(features, x, L2, radii, rows=rows, precision=precision)
    save_arrays(path, {"f": found.f.numpy(), "low": found.low.numpy(), "high": found.high.numpy()})
    return found


def opening_of(world: str) -> tuple[str, ...]:
    """Return what is measured of a world unless one says otherwise: its pair, and what was planted.

    Raises:
        core.problems.InputError: If nothing can be measured there.
    """
    here, pair = worlds.get(world), opening(worlds.get(world))
    if not labelled.has(world):
        raise InputError(f"{here.title} has no pictures whose classes are known, and usefulness is about these")
    if not pair.standard:
        raise InputError(here.how)
    planted = [drawn.NAME] if world == drawn.NAME else []
    return (*filter(None, dict.fromkeys([pair.standard, pair.robust])), *planted)


def batches(n: int, size: int) -> Iterator[range]:
    """Split n rows into ranges of at most that size."""
    return (range(first, min(first + size, n)) for first in range(0, n, size))


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.usefulness", description="Measure all features.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("models", nargs="*", help="by default the pair with which the world opens")
    parser.add_argument("--world", choices=worlds.known(), help="by default that of the first model")
    parser.add_argument(
        "--n", type=whole(20, 10_000), default=40, help="pictures around which the extremes are searched"
    )
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of finished blocks, to go on after a stop")
    given = parsed(parser, arguments)
    world = given.world or (_world_of(given.models[0]) if given.models else worlds.DEFAULT)
    compute.setup_cpu()
    precision = given.precision
    if precision == "auto":
        precision = "bf16" if compute.has_fast_bf16(compute.device()) else "fp32"
    measure(given.models or opening_of(world), given.n, given.seed, precision, given.work, world=world)


def _world_of(name: str) -> str:
    return drawn.NAME if name == drawn.NAME else checkpoints.header(name).world
