"""The feature atlas: rho and gamma of every coordinate of a model's representation, for every task, as measured.

    python -m core.usefulness_atlas measure [NAME ...]      writes assets/usefulness-NAME.npz and its JSON (half an hour)

    atlas = load("resnet9-l2")
    atlas.measured.on(against_rest(6)).gamma[atlas.radii.index(0.25)]

The file holds means over pictures, features of a thousand test pictures and the normal equations of the head: numbers,
no pictures. The page and the script that it offers for copying read the same file.
"""

import argparse
import json
import logging
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core import checkpoints, compute, data
from core.attacks import pgd
from core.balls import L2
from core.inversion import representation
from core.models import Classifier
from core.perturb import load as load_model
from core.pictures import fingerprint
from core.types import Features, Images, Labels
from core.usefulness import Extremes, Measured, Task, Usefulness, against_rest, batches, extremes

log = logging.getLogger(__name__)
ASSETS = checkpoints.FOLDER.parent / "assets"
WORK = checkpoints.FOLDER.parent / "runs" / "usefulness"
MODELS = ("resnet9-standard", "resnet9-l2")
RADII = (0.05, 0.1, 0.15, 0.25, 0.35, 0.5, 1.0)
SHIPPED = 1000  # test pictures whose features are in the file
TRAINED = 10_000  # training pictures behind the normal equations
CHECKED = 30  # PGD steps of the harder attack that tells how far the walk came
BLOCK = 10  # pictures between two saves: one of each class


@dataclass(frozen=True)
class Atlas:
    """What is known of one model's features.

    Args:
        name: The checkpoint.
        measured: Behind every rho and gamma.
        centre: Mean of each feature over the test set (D).
        deviation: Its standard deviation (D).
        z: Features of the first test pictures (S, D).
        y: Their classes (S,).
        pictures: Their fingerprints (S), by which `core.pictures` knows them in whatever order the set is.
        gram: Mean of [z, 1] [z, 1]^T over training pictures (D + 1, D + 1), z standardised by centre and deviation.
        cross: Mean of [z, 1] onehot(y)^T over them (D + 1, K).
        about: How it was measured.
    """

    name: str
    measured: Measured
    centre: Tensor
    deviation: Tensor
    z: Features
    y: Labels
    pictures: tuple[str, ...]
    gram: Tensor
    cross: Tensor
    about: dict[str, Any]

    @property
    def radii(self) -> tuple[float, ...]:
        """The measured radii, pixel units, L2."""
        return self.measured.radii


def path_of(name: str, folder: Path = ASSETS) -> Path:
    """Return where the measured arrays of that model are, or would be."""
    return folder / f"usefulness-{name}.npz"


def names(folder: Path = ASSETS) -> tuple[str, ...]:
    """List the models that have been measured and whose weights are here."""
    return tuple(name for name in checkpoints.names() if path_of(name, folder).is_file())


def load(name: str, folder: Path = ASSETS) -> Atlas:
    """Read what was measured of a model.

    Raises:
        core.data.DataError: If it has not been measured, or the file is damaged.
    """
    path = path_of(name, folder)
    if not path.is_file():
        have = ", ".join(names(folder)) or "none"
        raise data.DataError(
            f"the features of {name!r} have not been measured; have: {have}."
            f" Measure them with: python -m core.usefulness_atlas measure {name}"
        )
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _load(path: Path, stamp: int) -> Atlas:  # noqa: ARG001 - a new measurement is read anew
    try:
        with np.load(path, allow_pickle=False) as file:
            a = {
                key: torch.from_numpy(file[key].astype(np.float32)) for key in file if key not in ("about", "pictures")
            }
            about = json.loads(str(file["about"]))
            fingerprints = tuple(row.tobytes().hex() for row in file["pictures"])
        measured = Measured(
            tuple(about["radii"]), a["mean"], a["mean_error"] ** 2, a["push"], a["push_error"] ** 2,
            about["n"], about["n_pushed"],
        )  # fmt: skip
        return Atlas(
            about["model"], measured, a["centre"], a["deviation"], a["z"], a["y"].long(), fingerprints,
            a["gram"], a["cross"], about,
        )  # fmt: skip
    except (KeyError, ValueError, OSError) as error:
        raise data.DataError(f"{path.name} is damaged ({error}); measure it again") from error


def save(atlas: Atlas, folder: Path = ASSETS) -> None:
    """Write the arrays, half precision where that is plenty, and the summary as JSON."""
    m = atlas.measured
    half = {
        "mean": m.mean, "mean_error": m.mean_var.sqrt(), "push": m.push, "push_error": m.push_var.sqrt(), "z": atlas.z,
    }  # fmt: skip
    full = {"centre": atlas.centre, "deviation": atlas.deviation, "gram": atlas.gram, "cross": atlas.cross}
    arrays: dict[str, Any] = {key: value.half().numpy() for key, value in half.items()}
    arrays |= {key: value.float().numpy() for key, value in full.items()}
    arrays |= {"y": atlas.y.to(torch.uint8).numpy(), "about": np.array(json.dumps(atlas.about))}
    arrays["pictures"] = np.array([list(bytes.fromhex(name)) for name in atlas.pictures], dtype=np.uint8)
    path = path_of(atlas.name, folder)
    part = path.with_name(path.stem + ".part.npz")
    np.savez_compressed(part, **arrays)
    part.replace(path)
    results = folder / "results" / f"usefulness-{atlas.name}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({**atlas.about, "summary": summary(atlas)}, indent=2, sort_keys=True) + "\n")


def summary(atlas: Atlas) -> dict[str, Any]:
    """Count, at each radius, the features that are still robustly useful for the class they are most useful for."""
    found, _ = atlas.measured.at_best()
    return {
        "features": len(found.rho),
        "rho_mean": float(found.rho.mean()),
        "rho_largest": float(found.rho.max()),
        "by_radius": {
            f"{eps:g}": {
                "gamma_above_0": int((gamma > 0).sum()),
                "gamma_surely_above_0": int((gamma - half > 0).sum()),
                "gamma_mean": float(gamma.mean()),
                "gamma_largest": float(gamma.max()),
            }
            for eps, gamma, half in zip(found.radii, found.gamma, found.gamma_half, strict=True)
        },
    }


def lookup(atlas: Atlas, task: str, against: str = "rest") -> tuple[Usefulness, tuple[int, ...]]:
    """Read the usefulness for a task by its names in a recipe, and the class that each feature is judged by.

    Args:
        atlas: Of a model.
        task: "best" (each feature's own best class against the rest), or the name of a class.
        against: "rest", or the name of another class.

    Raises:
        ValueError: If it is none of these, or both are the same class.
    """
    classes = data.CIFAR10_CLASSES
    if task == "best":
        found, best = atlas.measured.at_best()
        return found, tuple(best.tolist())
    for name, other in ((task, "best"), (against, "rest")):
        if name != other and name not in classes:
            raise ValueError(f"the task must be {other} or one of {', '.join(classes)}, got {name!r}")
    if task == against:
        raise ValueError(f"{task} against {task} is no task; choose two different classes")
    label = classes.index(task)
    question = against_rest(label) if against == "rest" else Task((label,), (classes.index(against),))
    return atlas.measured.on(question), (label,) * len(atlas.centre)


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
    everything: dict[str, tuple[Tensor, Tensor]] = {}
    for name, model in models.items():
        assert isinstance(model, Classifier)
        everything[name] = _everything(model, test, train, work / f"{name}.npz")
        log.info("%s: features of %d and %d pictures", name, len(test), TRAINED)
    found: dict[str, list[Extremes]] = {name: [] for name in names_}
    for block in batches(n, BLOCK):
        for name, model in models.items():
            assert isinstance(model, Classifier)
            began = time.monotonic()
            x = test.x([chosen[i] for i in block])
            found[name].append(
                _block(model, name, x, work / f"{name}-{seed}-{block.start}-{len(block)}.npz", precision)
            )
            log.info("%s: %d of %d pictures, %.0f s", name, block.stop, n, time.monotonic() - began)
            if block.stop < 2 * BLOCK and block.stop < n:
                continue  # a class needs two pictures for an interval
            z, z_train = everything[name]
            joined = Extremes.join(found[name])
            deviation, centre = torch.std_mean(z, dim=0, correction=0)
            gram, cross = normal_equations((z_train - centre) / deviation, train.y(range(TRAINED)))
            about = {
                "model": name, "radii": list(RADII), "norm": "L2", "n": len(z), "n_pushed": len(joined.f), "seed": seed,
                "date": f"{datetime.now(UTC):%Y-%m-%d}", "profile": "cpu", "n_train": TRAINED,
                "how": "rho over the whole test set; pushes by one walk of PGD through all radii, one step in each; "
                f"gradients and values in {precision}; torch {torch.__version__}",
            }  # fmt: skip
            if block.stop == n:
                about["check"] = closeness(model, x, found[name][-1], precision)
            measured = Measured.of(z, test.y(), joined, y[: block.stop])
            first = range(SHIPPED)
            shown = tuple(fingerprint(test.images[i]) for i in first)
            made = Atlas(
                name, measured, centre, deviation, z[:SHIPPED], test.y(first), shown, gram, cross, about
            )  # fmt: skip
            save(made, folder)


def _everything(model: Classifier, test: data.Pictures, train: data.Pictures, path: Path) -> tuple[Tensor, Tensor]:
    """Compute the features of all test pictures and of some training pictures, or read them where that is done."""
    if not path.is_file():
        np.savez(
            path,
            test=representations(model, test.x()).numpy(),
            train=representations(model, train.x(range(TRAINED))).numpy(),
        )
    with np.load(path) as file:
        return torch.from_numpy(file["test"]), torch.from_numpy(file["train"])


def _block(model: Classifier, name: str, x: Images, path: Path, precision: str) -> Extremes:
    if path.is_file():
        with np.load(path) as file:
            return Extremes(RADII, *(torch.from_numpy(file[key]) for key in ("f", "low", "high")))
    found = extremes(model.features, x, L2, RADII, precision=precision)
    part = path.with_name(f"{name}.part.npz")
    np.savez(part, f=found.f.numpy(), low=found.low.numpy(), high=found.high.numpy())
    part.replace(path)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.usefulness_atlas", description="Measure all features.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("models", nargs="*", default=list(MODELS))
    parser.add_argument("--n", type=int, default=40, help="pictures around which the extremes are searched")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--precision", choices=["auto", "bf16", "fp32"], default="auto")
    parser.add_argument("--work", type=Path, default=WORK, help="folder of finished blocks, to go on after a stop")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    compute.setup_cpu()
    precision = given.precision
    if precision == "auto":
        precision = "bf16" if compute.has_fast_bf16(torch.device("cpu")) else "fp32"
    try:
        measure(tuple(given.models), given.n, given.seed, precision, given.work)
    except (checkpoints.CheckpointError, data.DataError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
