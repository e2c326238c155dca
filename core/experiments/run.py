"""Run an experiment: build the sets, train the students, measure, write the results. Everything resumes after a kill."""

import json
import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core import balls, checkpoints, compute, construct, data, evaluate, train
from core.construct import Constructed, ConstructRecipe
from core.data import Pictures
from core.experiments.plans import PLANS, SCALES, Scale, Student, plan
from core.models import Classifier
from core.train import TrainRecipe

log = logging.getLogger("core.experiments")
RESULTS = checkpoints.FOLDER.parent / "assets" / "results"
BALLS = (balls.L2(0.25), balls.L2(0.5))
MEASURED = ("clean", *(evaluate.ball_name(ball) for ball in BALLS))


@dataclass(frozen=True)
class Places:
    """Where things are kept: `work` holds sets and runs, `weights` the students to keep, `results` the JSON files."""

    work: Path = checkpoints.FOLDER.parent / "runs"
    weights: Path = checkpoints.FOLDER
    results: Path = RESULTS


def run(experiment: str, profile: str, places: Places, *, originals: tuple[Pictures, Pictures] | None = None) -> Path:
    """Run an experiment and return the results file; students that are measured already are not trained again.

    Args:
        experiment: A key of `core.experiments.plans.PLANS`.
        profile: "quick", "cpu" or "full".
        places: Where to keep things.
        originals: Training and test set, by default CIFAR-10.

    Raises:
        ValueError: If there is no such experiment or profile.
        core.data.DataError: If CIFAR-10 is missing.
    """
    students, scale = plan(experiment, profile), SCALES[profile]
    training, test = originals or (data.cifar10("train"), data.cifar10("test"))
    path = places.results / f"{experiment}.json"
    known = _known(places.results)
    measured: dict[str, Any] = {}
    for student in students:
        identity = _identity(student, scale)
        if known.get(student.name, {}).get("identity") == identity:
            measured[student.name] = known[student.name]
            _sign(student, measured[student.name], profile, places)
            continue
        log.info("%s: %s", student.name, student.title)
        seen = only(training, student.classes), only(test, student.classes)
        measured[student.name] = {"identity": identity, **_student(student, scale, profile, places, *seen)}
        about = {"experiment": experiment, "profile": profile, "scale": asdict(scale)}
        content = {**about, "students": {**_known(places.results, experiment), **measured}}
        construct.files.replace_with(path, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())
        _sign(student, measured[student.name], profile, places)
    return path


def _known(results: Path, *names: str) -> dict[str, Any]:
    """Read the students that are measured, of these experiments or of all: one that two of them have is trained once."""
    files = [results / f"{name}.json" for name in names or PLANS]
    return {
        key: student
        for file in files
        if file.is_file()
        for key, student in json.loads(file.read_text())["students"].items()
    }


def only(pictures: Pictures, classes: tuple[str, ...]) -> Pictures:
    """Keep the pictures of some classes, with labels counted anew; no classes keeps all."""
    if not classes:
        return pictures
    old = [pictures.classes.index(name) for name in classes]
    rows = np.isin(pictures.labels, old)
    labels = np.searchsorted(np.array(sorted(old)), pictures.labels[rows])
    names = tuple(pictures.classes[i] for i in sorted(old))
    return Pictures(pictures.images[rows], labels.astype(np.int64), names, f"{pictures.source}, {' and '.join(names)}")


def asked_about(model: Classifier, rows: Sequence[int]) -> Classifier:
    """Make a copy of a model that has the logits of these classes alone, in this order."""
    copied = deepcopy(model)
    head = nn.Linear(model.head.in_features, len(rows)).to(model.head.weight)
    with torch.no_grad():
        head.weight.copy_(model.head.weight[list(rows)])
        head.bias.copy_(model.head.bias[list(rows)])
    copied.head = head
    return copied.eval().requires_grad_(False)


def _student(
    student: Student, scale: Scale, profile: str, places: Places, training: Pictures, test: Pictures
) -> dict[str, Any]:
    made = _set(student, places, training)
    lessons = made.pictures if made is not None else _first(training, scale.inverted)
    if student.subset == "moved" and made is not None:
        lessons = _rows(lessons, made.pictures.labels != made.source_labels)
    folder = places.work / "students" / f"{student.name}-{profile}"
    model, curve = _trained(student.train, lessons, test, folder)
    if student.keep and profile != "quick":
        about = checkpoints.Header(
            student.train.arch,
            student.train.args,
            title=f"Student of {student.title}",
            classes=training.classes,
            recipe={**asdict(student.train), "profile": profile, "set": asdict(student.made) if student.made else None},
        )
        checkpoints.save(checkpoints.path_of(student.name, places.weights), model.state_dict(), about)
        model = checkpoints.load(student.name, folder=places.weights)  # what is measured is what is kept
    found = measure(model, test, scale)
    if student.made is not None and student.made.kind == "det":
        x, y = test.x(), test.y()
        found["label + 1"] = evaluate.clean_accuracy(model, x, (y + 1) % len(test.classes)).as_json()
    return {
        "title": student.title,
        "n_train": len(lessons),
        "seed": student.train.seed,
        "recipe": asdict(student.train),
        "set": _about(made),
        "curve": curve,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "torch": torch.__version__,
        **found,
    }


def _sign(student: Student, found: dict[str, Any], profile: str, places: Places) -> None:
    """Write what was measured into the header of the weights that are kept."""
    path = checkpoints.path_of(student.name, places.weights)
    if student.keep and profile != "quick" and path.is_file():
        about, rates = checkpoints.header(student.name, places.weights), {name: found[name] for name in MEASURED}
        if about.measured != rates:
            checkpoints.annotate(path, replace(about, measured=rates))


def _set(student: Student, places: Places, training: Pictures) -> Constructed | None:
    recipe = student.made
    if recipe is None:
        return None
    recipe = replace(recipe, n=min(recipe.n, len(training)))
    of = "-".join((recipe.kind, *student.classes))
    path = places.work / "sets" / f"{of}-{_short(asdict(recipe))}.npz"
    if path.is_file():
        return construct.read(path)
    here = compute.device()
    model = checkpoints.load(recipe.source) if recipe.source else None
    if model is not None and student.classes:
        names = checkpoints.header(recipe.source).classes
        model = asked_about(model, [names.index(name) for name in training.classes])
    if model is not None:
        compute.for_inference(model, here)

    def report(done: int, total: int) -> bool:
        log.info("%s: shard %d of %d", path.stem, done, total)
        return False

    return construct.build(recipe, model, training, path, on_shard=report)


def _trained(
    recipe: TrainRecipe, lessons: Pictures, test: Pictures, folder: Path
) -> tuple[Classifier, list[list[float]]]:
    """Train, and keep the learning curve beside the run's state: [epochs done, clean test accuracy]."""
    note = folder / "curve.json"
    curve: list[list[float]] = json.loads(note.read_text()) if note.is_file() else []
    x, y = test.x(range(min(2000, len(test)))), test.y(range(min(2000, len(test))))
    here = compute.device()

    def watch(epoch: int, model: Classifier) -> None:
        rate = evaluate.clean_accuracy(model, x.to(here), y.to(here))
        log.info("%s: epoch %d, clean %s", folder.name, epoch, rate)
        curve[:] = [*(point for point in curve if point[0] < epoch), [float(epoch), rate.value]]
        construct.files.replace_with(note, json.dumps(curve).encode())

    model = train.fit(recipe, lessons, run=folder, device=here, on_progress=train.reporter(60.0), on_epoch=watch)
    return model, curve


def measure(model: Classifier, test: Pictures, scale: Scale) -> dict[str, Any]:
    """Measure clean accuracy on the whole test set and robust accuracy on the first pictures of it."""
    here = compute.device()
    ready = compute.for_inference(model, here)
    x, y = test.x().to(here), test.y().to(here)
    found = {"clean": evaluate.clean_accuracy(ready, x, y).as_json()}
    n = min(scale.tested, len(test))
    for ball in BALLS:
        robust = evaluate.robust_accuracy(ready, x[:n], y[:n], ball, steps=scale.steps, precision="auto")
        found[evaluate.ball_name(ball)] = robust.rate.as_json()
    return found


def _about(made: Constructed | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {
        "recipe": asdict(made.recipe),
        "mean_delta_L2": float(made.delta.mean()),
        "success": float(made.success.mean()),
        "mean_distance": float(made.distance.mean()),
        "own_label": float((made.pictures.labels == made.source_labels).mean()),
    }


def _first(pictures: Pictures, n: int) -> Pictures:
    return _rows(pictures, np.arange(len(pictures)) < n)


def _rows(pictures: Pictures, rows: np.ndarray) -> Pictures:
    return Pictures(pictures.images[rows], pictures.labels[rows], pictures.classes, pictures.source)


def _identity(student: Student, scale: Scale) -> str:
    made: ConstructRecipe | None = student.made
    return _short(
        {
            "train": asdict(student.train),
            "made": asdict(made) if made else scale.inverted,
            "subset": student.subset,
            "classes": student.classes,
            "tested": (scale.tested, scale.steps),
        }
    )


def _short(content: object) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]
