"""Run an experiment: build the sets, train the students, measure, write the results.

Everything resumes after a kill.
"""

import json
import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core import compute, data, results, train
from core.attacks import balls
from core.data.sets import Pictures
from core.datasets import construct
from core.datasets.construct import Constructed, ConstructRecipe
from core.datasets.experiments.plans import PLANS, SCALES, Scale, Student, plan
from core.files.atomic import replace_with
from core.models import Classifier, checkpoints
from core.models.normalization import renewed
from core.problems import InputError
from core.train import TrainRecipe, evaluate

log = logging.getLogger("core.datasets.experiments")
RESULTS = results.FOLDER
BALLS = (balls.L2(0.25), balls.L2(0.5))
RENEWED = 2000  # clean training pictures, without labels, for batch norm's statistics
MEASURED = ("clean", *(evaluate.ball_name(ball) for ball in BALLS))


@dataclass(frozen=True)
class Places:
    """Where things are kept: `work` holds sets and runs, `weights` the students to keep, `results` the JSON files."""

    work: Path = checkpoints.FOLDER.parent / "runs"
    weights: Path = checkpoints.FOLDER
    results: Path = RESULTS


def run(
    experiment: str,
    profile: str,
    places: Places,
    *,
    names: Sequence[str] = (),
    originals: tuple[Pictures, Pictures] | None = None,
) -> Path:
    """Run an experiment and return the results file; students that are measured already are not trained again.

    Args:
        experiment: A key of `core.datasets.experiments.plans.PLANS`.
        profile: "quick", "cpu" or "full".
        places: Where to keep things.
        names: These students alone; none means all of the experiment.
        originals: Training and test set, by default CIFAR-10.

    Raises:
        ValueError: If there is no such experiment, profile or student.
        core.data.DataError: If CIFAR-10 is missing.
    """
    students, scale = plan(experiment, profile), SCALES[profile]
    if unknown := set(names) - {student.name for student in students}:
        have = ", ".join(student.name for student in students)
        raise InputError(f"{experiment} has no student {', '.join(sorted(unknown))}; it has {have}")
    training, test = originals or (data.cifar10("train"), data.cifar10("test"))
    path = places.results / f"{experiment}.json"
    about = {"experiment": experiment, "profile": profile, "scale": asdict(scale)}
    for student in students:
        if names and student.name not in names:
            continue
        identity = _identity(student, scale)
        found = _known(places.results).get(student.name, {})
        if found.get("identity") != identity:
            log.info("%s: %s", student.name, student.title)
            found = {"identity": identity, **_student(student, scale, profile, places, training, test)}
        here = _known(places.results, experiment)
        if here.get(student.name) != found:
            content = {**about, "students": {**here, student.name: found}}
            results.write(path, content)
        _sign(student, found, profile, places)
    return path


def _known(results: Path, *names: str) -> dict[str, Any]:
    """Read the students that are measured, of these experiments or of all.

    One that two of them have is trained once.
    """
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


def without(pictures: Pictures, classes: tuple[str, ...]) -> Pictures:
    """Leave the pictures of some classes out; labels stay as they are."""
    return pictures.take(~np.isin(pictures.labels, [pictures.classes.index(name) for name in classes]))


def unseen(made: Pictures, source_labels: np.ndarray, classes: tuple[str, ...]) -> Pictures:
    """Keep the pictures that are labelled as some classes and show none of them, with labels counted anew."""
    shown = np.isin(source_labels, [made.classes.index(name) for name in classes])
    return only(made.take(~shown), classes)


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
    test = only(test, student.classes)
    lessons, originals, made = _taught(student, scale, places, training)
    folder = places.work / "students" / f"{student.name}-{profile}-{short(_lessons(student, scale))}"
    model, curve = _trained(student.train, lessons, test, folder)
    if student.keep and profile != "quick":
        about = checkpoints.Header(
            student.train.arch,
            student.train.args,
            title=f"Student of {student.title}",
            classes=lessons.classes,
            recipe={
                **student.train.as_json(),
                "profile": profile,
                "set": asdict(student.made) if student.made else None,
            },
        )
        checkpoints.save(checkpoints.path_of(student.name, places.weights), model.state_dict(), about)
        model = checkpoints.load(student.name, folder=places.weights)  # what is measured is what is kept
    found = measure(model, originals, test, scale)
    if student.made is not None and student.made.kind == "det":
        x, y = test.x().to(compute.device()), test.y().to(compute.device())
        found["label + 1"] = evaluate.clean_accuracy(model, x, (y + 1) % len(test.classes)).as_json()
    return {
        "title": student.title,
        "n_train": len(lessons),
        "seed": student.train.seed,
        "recipe": student.train.as_json(),
        "set": _about(made),
        "curve": curve,
        "date": results.today(),
        "torch": torch.__version__,
        results.STAMPS: results.stamps_of(sources(student)),
        **found,
    }


def sources(student: Student) -> tuple[str, ...]:
    """Name the network that made a student's set; none where no network took part."""
    return (student.made.source,) if student.made is not None and student.made.source else ()


def _taught(
    student: Student, scale: Scale, places: Places, training: Pictures
) -> tuple[Pictures, Pictures, Constructed | None]:
    """Return what a student learns from, original pictures of that kind, and the constructed set."""
    if student.subset == "unseen":
        made = _set(replace(student, classes=()), places, training)
        assert made is not None
        return unseen(made.pictures, made.source_labels, student.classes), without(training, student.classes), made
    originals = only(training, student.classes)
    made = _set(student, places, originals)
    if made is None:
        return originals.take(slice(scale.inverted)), originals, None
    if student.subset == "moved":
        return made.pictures.take(made.pictures.labels != made.source_labels), originals, made
    return made.pictures, originals, made


def _sign(student: Student, found: dict[str, Any], profile: str, places: Places) -> None:
    """Write what was measured into the header of the weights that are kept."""
    path = checkpoints.path_of(student.name, places.weights)
    if student.keep and profile != "quick" and path.is_file():
        about, rates = checkpoints.header(student.name, places.weights), {name: found[name] for name in MEASURED}
        if about.measured != rates:
            checkpoints.annotate(path, replace(about, measured=rates))


def _set(student: Student, places: Places, training: Pictures) -> Constructed | None:
    return None if student.made is None else constructed(student.made, places, training, student.classes)


def constructed(
    recipe: ConstructRecipe, places: Places, training: Pictures, classes: tuple[str, ...] = ()
) -> Constructed:
    """Return a set from the folder `sets` of these places, where it is built unless it is there; a build goes on.

    Args:
        recipe: What to construct; of the pictures that there are, if it asks for more.
        places: Where to keep it.
        training: The originals.
        classes: The source model is asked about these classes alone, which are those of `training`; empty is all.
    """
    recipe = replace(recipe, n=min(recipe.n, len(training)))
    of = "-".join((recipe.kind, *classes))
    path = places.work / "sets" / f"{of}-{short({**asdict(recipe), 'weights': _weights(recipe)})}.npz"
    if path.is_file():
        return construct.read(path)
    here = compute.device()
    model = checkpoints.load(recipe.source) if recipe.source else None
    if model is not None and classes:
        names = checkpoints.header(recipe.source).classes
        model = asked_about(model, [names.index(name) for name in training.classes])
    if model is not None:
        compute.for_inference(model, here)

    def report(done: int, total: int) -> bool:
        log.info("%s: shard %d of %d", path.stem, done, total)
        return False

    made = construct.build(recipe, model, training, path, on_shard=report)
    assert made is not None
    return made


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
        replace_with(note, json.dumps(curve))

    model = train.fit(recipe, lessons, run=folder, device=here, on_progress=train.reporter(60.0), on_epoch=watch)
    return model, curve


def measure(model: Classifier, training: Pictures, test: Pictures, scale: Scale) -> dict[str, Any]:
    """Measure clean accuracy on the whole test set and robust accuracy on the first pictures of it.

    "clean renewed" is the clean accuracy once batch norm has the statistics of the first original training pictures,
    whose labels it is not told: see `core.models.normalization.renewed`.
    """
    here = compute.device()
    x, y = test.x().to(here), test.y().to(here)
    there = renewed(model.to(here), training.x(range(min(RENEWED, len(training)))).to(here))
    ready = compute.for_inference(model, here)
    found = {
        "clean": evaluate.clean_accuracy(ready, x, y).as_json(),
        "clean renewed": evaluate.clean_accuracy(there, x, y).as_json(),
    }
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


def _identity(student: Student, scale: Scale) -> str:
    how = {"tested": (scale.tested, scale.steps), "renewed": RENEWED}
    return short({**_lessons(student, scale), **how})


def _lessons(student: Student, scale: Scale) -> dict[str, Any]:
    """Say what decides the weights of a student."""
    return {
        "train": student.train.as_json(),
        "made": asdict(student.made) if student.made else scale.inverted,
        "weights": _weights(student.made),
        "subset": student.subset,
        "classes": student.classes,
    }


def _weights(made: ConstructRecipe | None) -> str:
    """Tell the source's weights apart: what they made is made anew once they are others."""
    return checkpoints.stamp(made.source) if made is not None and made.source else ""


def short(content: object) -> str:
    """Return ten digits that tell settings apart, for names of files and folders."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]
