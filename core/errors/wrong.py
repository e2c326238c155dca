"""Learning from wrong labels alone (Wallace 2019): a network's errors, and nothing else, teach another network.

A teacher of two epochs labels its own training pictures. Only those that it gets wrong are kept, under the wrong label,
and a fresh student learns from them the ordinary way. No picture is perturbed and no label is right, and yet the
student does better than chance on the test set: an error looks, to the network that makes it, like the class that it
names.

Two controls have the same pictures, none of them rightly labelled either. "random" draws one of the wrong classes; a
student can learn from it what a picture is *not*, and no more. "shuffled" keeps how often each class is taken for each
other, but deals those labels out anew among the pictures of a class, so that the label no longer depends on the
picture.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core import compute, train
from core.data.sets import Pictures
from core.datasets.construct.files import pack
from core.files.atomic import replace_with
from core.models import Classifier, checkpoints
from core.models.ready import beside
from core.rates import Rate
from core.train import TrainRecipe
from core.train.evaluate import clean_accuracy, predict

log = logging.getLogger("core.errors")
WATCHED = 2000  # test pictures behind each point of a learning curve
LABELS = {
    "errors": "the teacher's errors",
    "random": "a wrong class at random",
    "shuffled": "the teacher's errors, dealt out anew within each class",
}


@dataclass(frozen=True)
class Scale:
    """What a profile can afford.

    Args:
        pictures: Training pictures that the teacher learns from and labels.
        teacher: How it is trained; two epochs, as in the response.
        student: How a student is trained; its seed is a run's own.
        runs: Labels (a key of `LABELS`) and seed of each student, in the order in which they are trained.
    """

    pictures: int
    teacher: TrainRecipe
    student: TrainRecipe
    runs: tuple[tuple[str, int], ...]


def _scale(pictures: int, arch: str, args: dict[str, int], epochs: int, seeds: int, batch_size: int = 128) -> Scale:
    teacher = TrainRecipe(arch=arch, args=args, epochs=2, batch_size=batch_size, ema=0.99)
    student = TrainRecipe(arch=arch, args=args, epochs=epochs, batch_size=batch_size, lr=0.1, ema=0.99)
    controls = (("random", 0), ("shuffled", 0))
    runs = (("errors", 0), *controls, *(("errors", seed) for seed in range(1, seeds)))
    return Scale(pictures, teacher, student, runs)


SCALES = {
    "quick": _scale(512, "resnet9", {"width": 4}, epochs=1, seeds=1, batch_size=32),
    "cpu": _scale(50_000, "resnet9", {"width": 12}, epochs=6, seeds=3),
    "full": _scale(50_000, "resnet18", {"width": 64}, epochs=50, seeds=5),
}


@dataclass(frozen=True)
class Taught:
    """What a teacher makes of its training pictures.

    Args:
        labels: The class that it gives each (N,).
        train: Its accuracy on them.
        test: Its accuracy on the test set.
    """

    labels: np.ndarray
    train: Rate
    test: Rate


def wrongly_labelled(pictures: Pictures, given: np.ndarray, kind: str, generator: torch.Generator) -> Pictures:
    """Keep the pictures that are given another class than their own, under a label that is wrong too.

    Args:
        pictures: The originals, with their true labels.
        given: The class that a teacher gives each (N,).
        kind: Which label they get, a key of `LABELS`.
        generator: Source of the draws of the two controls.

    Raises:
        ValueError: If there is no such kind.
    """
    if kind not in LABELS:
        raise ValueError(f"no labels {kind!r}; have {', '.join(LABELS)}")
    rows = np.flatnonzero(given != pictures.labels)
    true, wrong = pictures.labels[rows], given[rows].astype(np.int64)
    if kind == "random":
        others = len(pictures.classes) - 1
        wrong = (true + 1 + torch.randint(others, (len(rows),), generator=generator).numpy()) % (others + 1)
    elif kind == "shuffled":
        wrong = _dealt_anew(true, wrong, generator)
    return Pictures(pictures.images[rows], wrong, pictures.classes, f"{pictures.source}, {LABELS[kind]}")


def _dealt_anew(true: np.ndarray, wrong: np.ndarray, generator: torch.Generator) -> np.ndarray:
    """Permute the wrong labels among the pictures of each true class."""
    dealt = wrong.copy()
    for label in np.unique(true):
        rows = np.flatnonzero(true == label)
        dealt[rows] = wrong[rows[torch.randperm(len(rows), generator=generator).numpy()]]
    return dealt


def teach(scale: Scale, training: Pictures, test: Pictures, work: Path) -> Taught:
    """Train the teacher and let it label its own training pictures; what is done is read from `work`."""
    path = work / "teacher.npz"
    if not path.is_file():
        report, here = train.reporter(60.0), compute.device()
        model = train.fit(scale.teacher, training, run=work / "teacher", device=here, on_progress=report)
        rate = clean_accuracy(model, beside(test.x(), model), beside(test.y(), model))
        labels = np.concatenate([_said(model, training, part) for part in _parts(len(training))])
        checkpoints.save(work / "teacher.safetensors", model.state_dict(), _header(scale.teacher, training))
        replace_with(path, pack({"labels": labels, "hits": np.array(rate.hits), "n": np.array(rate.n)}))
    with np.load(path) as file:
        labels, hits, n = file["labels"], int(file["hits"]), int(file["n"])
    return Taught(labels, Rate(int((labels == training.labels).sum()), len(labels)), Rate(hits, n))


def _header(recipe: TrainRecipe, pictures: Pictures) -> checkpoints.Header:
    return checkpoints.Header(recipe.arch, recipe.args, classes=pictures.classes, recipe=asdict(recipe))


def _parts(n: int, size: int = 2000) -> list[range]:
    return [range(first, min(first + size, n)) for first in range(0, n, size)]


def _said(model: Classifier, pictures: Pictures, rows: range) -> np.ndarray:
    return predict(model, beside(pictures.x(rows), model)).argmax(1).cpu().numpy().astype(np.uint8)


def student(
    recipe: TrainRecipe,
    lessons: Pictures,
    test: Pictures,
    work: Path,
    *,
    on_epoch: Callable[[int, Rate], None] | None = None,
) -> dict[str, Any]:
    """Train a student of wrongly labelled pictures and measure it on rightly labelled ones.

    Args:
        recipe: How it is trained.
        lessons: What it learns from.
        test: Rightly labelled pictures of the same classes.
        work: Folder of the run, which goes on where it was.
        on_epoch: Called with the epochs done and the accuracy on the first test pictures.

    Returns:
        "clean" on the whole test set, "agrees" with the labels it was taught, the learning "curve"
        [epochs done, accuracy on the first test pictures], ready for a results file.
    """
    note = work / "curve.json"
    curve: list[list[float]] = json.loads(note.read_text()) if note.is_file() else []
    x, y = test.x(range(min(WATCHED, len(test)))), test.y(range(min(WATCHED, len(test))))

    def watch(epoch: int, model: Classifier) -> None:
        rate = clean_accuracy(model, beside(x, model), beside(y, model))
        curve[:] = [*(point for point in curve if point[0] < epoch), [float(epoch), rate.value]]
        replace_with(note, json.dumps(curve).encode())
        log.info("%s: epoch %d, clean %s", work.name, epoch, rate)
        if on_epoch is not None:
            on_epoch(epoch, rate)

    report, here = train.reporter(60.0), compute.device()
    model = train.fit(recipe, lessons, run=work, device=here, on_progress=report, on_epoch=watch)
    checkpoints.save(work / "student.safetensors", model.state_dict(), _header(recipe, lessons))
    said = np.concatenate([_said(model, lessons, part) for part in _parts(len(lessons))])
    return {
        "clean": clean_accuracy(model, beside(test.x(), model), beside(test.y(), model)).as_json(),
        "agrees": Rate(int((said == lessons.labels).sum()), len(lessons)).as_json(),
        "curve": curve,
        "n_train": len(lessons),
    }
