"""Run an experiment: build the sets, train the students, measure, write the results.

Everything resumes after a kill.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from core import compute, data, results, train
from core.attacks import balls
from core.data.sets import Pictures
from core.datasets.construct import Constructed
from core.datasets.experiments.lessons import Places, only, short, sources, taught, weights_of
from core.datasets.experiments.plans import PLANS, Student, plan
from core.datasets.experiments.scales import SCALES, Scale
from core.files.atomic import replace_with
from core.models import Classifier, checkpoints
from core.models.normalization import adaptive_batch_norm
from core.problems import InputError
from core.train import TrainRecipe, evaluate

log = logging.getLogger("core.datasets.experiments")
RESULTS = results.FOLDER
BALLS = (balls.L2(0.25), balls.L2(0.5))
RENEWED = 2000  # clean training pictures, without labels, for batch norm's statistics
MEASURED = ("clean", *(evaluate.ball_name(ball) for ball in BALLS))


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


def _student(
    student: Student, scale: Scale, profile: str, places: Places, training: Pictures, test: Pictures
) -> dict[str, Any]:
    test = only(test, student.classes)
    lessons, originals, made = taught(student, scale.inverted, places, training)
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


def _sign(student: Student, found: dict[str, Any], profile: str, places: Places) -> None:
    """Write what was measured into the header of the weights that are kept."""
    path = checkpoints.path_of(student.name, places.weights)
    if student.keep and profile != "quick" and path.is_file():
        about, rates = checkpoints.header(student.name, places.weights), {name: found[name] for name in MEASURED}
        if about.measured != rates:
            checkpoints.annotate(path, replace(about, measured=rates))


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
    whose labels it is not told: see `core.models.normalization.adaptive_batch_norm`.
    """
    here = compute.device()
    x, y = test.x().to(here), test.y().to(here)
    there = adaptive_batch_norm(model.to(here), training.x(range(min(RENEWED, len(training)))).to(here))
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
        "weights": weights_of(student.made),
        "subset": student.subset,
        "classes": student.classes,
    }
