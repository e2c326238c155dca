"""The feature atlas: rho and gamma of every coordinate of a model's representation, for every task, as measured.

    atlas = load("resnet9-l2")
    atlas.measured.on(against_rest(6)).gamma[atlas.radii.index(0.25)]

The file holds means over pictures, features of a thousand test pictures and the normal equations of the head: numbers,
no pictures. The page and the script that it offers for copying read the same file.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core import data, results, worlds
from core.data.planted import drawn
from core.files.arrays import UNREADABLE, load_arrays, save_arrays
from core.files.once import once_a_state
from core.models import checkpoints
from core.problems import InputError
from core.types import Features, Labels
from core.usefulness.definitions import Measured, Task, Usefulness, against_rest

ASSETS = checkpoints.FOLDER.parent / "assets"
SHIPPED = 1000  # test pictures whose features are in the file


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
        pictures: Their fingerprints (S), by which `core.data.pictures` knows them in whatever order the set is.
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
    def world(self) -> str:
        """The world whose pictures it was measured on, a name of `core.worlds`."""
        return str(self.about.get("world", worlds.DEFAULT))

    @property
    def source(self) -> str:
        """The kind of `core.data.pictures` that these pictures are."""
        return worlds.get(self.world).sources[0]

    @property
    def radii(self) -> tuple[float, ...]:
        """The measured radii, pixel units, L2."""
        return self.measured.radii


def path_of(name: str, folder: Path = ASSETS) -> Path:
    """Return where the measured arrays of that model are, or would be."""
    return folder / "usefulness" / f"{name}.npz"


def results_of(name: str, folder: Path = ASSETS) -> Path:
    """Return where the summary of that model's atlas is: how it was measured, and on which weights."""
    return folder / "results" / f"usefulness-{name}.json"


def names(folder: Path = ASSETS, *, world: str = worlds.DEFAULT) -> tuple[str, ...]:
    """List a world's models that have been measured and whose weights are here."""
    return tuple(name for name in checkpoints.names(world=world) if path_of(name, folder).is_file())


def planted(world: str, folder: Path = ASSETS) -> Atlas | None:
    """Read what was measured of the features that were planted in a world; None where none were, or nothing was."""
    return load(drawn.NAME, folder) if world == drawn.NAME and path_of(drawn.NAME, folder).is_file() else None


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
            f" Measure them with: python -m core.usefulness measure {name}"
        )
    return _load(path)


@once_a_state(8)
def _load(path: Path) -> Atlas:
    try:
        file = load_arrays(path)
        a = {key: torch.from_numpy(file[key].astype(np.float32)) for key in file if key not in ("about", "pictures")}
        about = json.loads(str(file["about"]))
        fingerprints = tuple(row.tobytes().hex() for row in file["pictures"])
        measured = Measured(
            tuple(about["radii"]),
            a["mean"],
            a["mean_error"] ** 2,
            a["push"],
            a["push_error"] ** 2,
            about["n"],
            about["n_pushed"],
        )
        return Atlas(
            about["model"],
            measured,
            a["centre"],
            a["deviation"],
            a["z"],
            a["y"].long(),
            fingerprints,
            a["gram"],
            a["cross"],
            about,
        )
    except UNREADABLE as error:
        raise results.damaged(path, error, "python -m core.usefulness measure") from error


def save(atlas: Atlas, folder: Path = ASSETS) -> None:
    """Write the arrays, half precision where that is plenty, and the summary as JSON."""
    m = atlas.measured
    half = {
        "mean": m.mean,
        "mean_error": m.mean_var.sqrt(),
        "push": m.worst_case_shift,
        "push_error": m.shift_var.sqrt(),
        "z": atlas.z,
    }
    full = {"centre": atlas.centre, "deviation": atlas.deviation, "gram": atlas.gram, "cross": atlas.cross}
    arrays: dict[str, Any] = {key: value.half().numpy() for key, value in half.items()}
    arrays |= {key: value.float().numpy() for key, value in full.items()}
    arrays |= {"y": atlas.y.to(torch.int16).numpy(), "about": np.array(json.dumps(atlas.about))}
    arrays["pictures"] = np.array([list(bytes.fromhex(name)) for name in atlas.pictures], dtype=np.uint8)
    path = path_of(atlas.name, folder)
    save_arrays(path, arrays, compressed=True)
    results.write(results_of(atlas.name, folder), {**atlas.about, "summary": summary(atlas)})


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
    classes = worlds.get(atlas.world).classes
    if task == "best":
        found, best = atlas.measured.at_best()
        return found, tuple(best.tolist())
    for name, other in ((task, "best"), (against, "rest")):
        if name != other and name not in classes:
            raise InputError(f"the task must be {other} or one of {', '.join(classes)}, got {name!r}")
    if task == against:
        raise InputError(f"{task} against {task} is no task; choose two different classes")
    label = classes.index(task)
    question = against_rest(label, len(classes)) if against == "rest" else Task((label,), (classes.index(against),))
    return atlas.measured.on(question), (label,) * len(atlas.centre)
