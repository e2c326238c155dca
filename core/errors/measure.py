"""The command: python -m core.errors measure [pictures] [toy] [leakage] [manifold] [learners].

Each part is written as soon as it is measured; trainings go on where they were stopped.
"""

import argparse
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core import compute, data, results
from core.attacks import pgd
from core.attacks.balls import L2
from core.attacks.objectives import untargeted
from core.commands import command
from core.data.sets import Pictures
from core.datasets import construct
from core.datasets.construct import ConstructRecipe
from core.datasets.experiments import Places
from core.errors import leakage, learners, manifold, toy, wrong
from core.errors.recipe import ErrorsRecipe
from core.files.atomic import replace_with
from core.models import Classifier, checkpoints
from core.models.ready import load, placed
from core.problems import InputError
from core.rates import Estimate, Rate
from core.train.evaluate import predict

log = logging.getLogger("core.errors")
RESULTS = results.FOLDER / "errors.json"
WEIGHTS = checkpoints.FOLDER.parent / "assets" / "errors" / "robust-linear.npz"
WORK = checkpoints.FOLDER.parent / "runs" / "errors"
STANDARD, ROBUST = "resnet9-standard", "resnet9-l2"
PROFILES = tuple(wrong.SCALES)
# Pictures of D_rand and D_det, planes, and pictures whose perturbation is projected, by profile.
SIZES = {"quick": (250, 2, 20), "cpu": (2000, 60, 300), "full": (50_000, 1000, 2000)}


def pictures(profile: str, training: Pictures, test: Pictures, work: Path, keep: Callable[[Any], None]) -> None:
    """Train the teacher and its students, one after the other, and keep what is measured after each."""
    scale = wrong.SCALES[profile]
    chosen = training.take(slice(scale.pictures))
    taught = wrong.teach(scale, chosen, test, work)
    wrongs = int((taught.labels != chosen.labels).sum())
    found: dict[str, Any] = {
        "teacher": {"recipe": asdict(scale.teacher), "train": taught.train.as_json(), "test": taught.test.as_json()},
        "errors": wrongs,
        "students": {},
    }
    for kind, seed in scale.runs:
        lessons = wrong.wrongly_labelled(chosen, taught.labels, kind, torch.Generator().manual_seed(seed))
        recipe = replace(scale.student, seed=100 + seed)
        note = work / f"{kind}-{seed}" / "found.json"
        if not note.is_file():
            replace_with(note, json.dumps(wrong.student(recipe, lessons, test, note.parent)).encode())
        measured = json.loads(note.read_text())
        found["students"][f"{kind}-{seed}"] = {"labels": kind, "recipe": asdict(recipe), **measured}
        log.info("%s, seed %d: %s", kind, seed, measured["clean"])
        keep(found)


def planes(profile: str) -> dict[str, Any]:
    """Play the toy with many seeds: original points that a student of moved points gets right."""
    n, found = SIZES[profile][1], {}
    for moved in ("adversarial", "random"):
        made = [toy.play(ErrorsRecipe(seed=seed, moved=moved)) for seed in range(n)]
        rates = [one.student_right.value for one in made]
        found[moved] = {
            **Estimate.of(rates).as_json(),
            "teacher": Rate(sum(one.teacher_right.hits for one in made), n * ErrorsRecipe.points).as_json(),
            "crossed": Rate(int(sum(one.crossed.sum() for one in made)), n * ErrorsRecipe.points).as_json(),
        }
        log.info("plane, %s: %s", moved, found[moved])
    return {"n": n, "points": ErrorsRecipe.points, "eps": ErrorsRecipe.eps, "seeds": [0, n - 1], **found}


def leaks(profile: str, training: Pictures, test: Pictures, work: Path, seed: int, weights: Path) -> dict[str, Any]:
    """Learn D_rand, D_det and the leakage-only control from robust linear features alone."""
    n = SIZES[profile][0]
    chosen = training.take(slice({"quick": 2000}.get(profile, len(training))))
    x, y, classes = chosen.x(), chosen.y(), len(chosen.classes)
    robust = leakage.fit_robust(x, y, classes, torch.Generator().manual_seed(seed))
    seen, right = test.x(), test.y()
    keep_weights(robust, weights)
    accuracy = Rate(int((robust.logits(seen).argmax(1) == right).sum()), len(right))
    found: dict[str, Any] = {
        "eps": leakage.EPS,
        "robust": {
            "n_train": len(y),
            "clean": accuracy.as_json(),
            "certified": leakage.certified(robust, seen, right).as_json(),
            "constant": leakage.constant(robust, seen).as_json(),
        },
        "sets": {"original": {"n_train": n, **leakage.leaked(robust, x[:n], y[:n], seen, right).as_json()}},
    }
    log.info("robust linear classifier: %s, certified %s", found["robust"]["clean"], found["robust"]["certified"])
    model = load(STANDARD)
    assert isinstance(model, Classifier)
    for kind in ("rand", "det", "leak"):
        source = "" if kind == "leak" else STANDARD
        recipe = ConstructRecipe(kind, source=source, n=n, seed=seed, steps=10, step_size=0.2, shard=250)
        path = work / f"{kind}-{n}.npz"
        made = (
            construct.read(path)
            if path.is_file()
            else construct.build(recipe, model if source else None, training, path)
        )
        assert made is not None
        rate = leakage.leaked(robust, made.pictures.x(), made.pictures.y(), seen, right)
        found["sets"][kind] = {
            "n_train": n,
            "success": float(made.success.mean()),
            "recipe": asdict(recipe),
            **rate.as_json(),
        }
        log.info("robust features of %s: %s", kind, rate)
    return {**found, "seed": seed, "weights": {STANDARD: checkpoints.stamp(STANDARD)}}


def keep_weights(robust: leakage.Robust, path: Path) -> None:
    """Write the ten weight pictures, which show no picture of the data set, for the page."""
    arrays = {name: getattr(robust, name).numpy() for name in ("weight", "bias", "mean")}
    replace_with(path, construct.files.pack({name: a.astype("float16") for name, a in arrays.items()}))


def dimples(profile: str, training: Pictures, test: Pictures, seed: int) -> dict[str, Any]:
    """Project both networks' perturbations, random ones and ways to other pictures on the data around each picture."""
    n = SIZES[profile][2]
    rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(seed))[:n].tolist()
    x, among = test.x(rows), training.x()
    around = manifold.local(x, among)
    log.info("neighbours of %d pictures", n)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    other = test.x(torch.randperm(len(test), generator=torch.Generator().manual_seed(seed + 1))[:n].tolist())
    deltas = {"random": noise, "other": other - x, **{name: _perturbed(name, x) - x for name in (STANDARD, ROBUST)}}
    found = {}
    for name, delta in deltas.items():
        shares = {str(d): Estimate.of(around.share(delta, d).tolist()).as_json() for d in manifold.DIRECTIONS}
        found[name] = shares
        log.info("%s: %s", name, {d: round(s["value"], 4) for d, s in shares.items()})
    return {
        "n": n,
        "seed": seed,
        "neighbours": manifold.NEIGHBOURS,
        "pixels": x[0].numel(),
        "attack": "L2 0.5, 20 steps",
        "directions": list(manifold.DIRECTIONS),
        "shares": found,
        "weights": {name: checkpoints.stamp(name) for name in (STANDARD, ROBUST)},
    }


def _perturbed(name: str, x: Tensor) -> Tensor:
    model, made = load(name), []
    for part in x.split(50):
        there = placed(part, model)
        goal = untargeted(model, predict(model, there).argmax(1))  # away from what the network itself says
        made.append(pgd(goal, there, L2(0.5), steps=20, step_size=0.0625).cpu())
        log.info("%s: %d perturbed", name, sum(map(len, made)))
    return torch.cat(made)


def _keeper(path: Path, part: str, profile: str) -> Callable[[Any], None]:
    def keep(found: Any) -> None:
        about = {"profile": profile, "date": results.today(), "torch": torch.__version__}
        results.update(path, {part: {**about, **found}}, "python -m core.errors measure")

    return keep


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parts = ("toy", "manifold", "leakage", "pictures", "learners")
    parser = argparse.ArgumentParser(
        prog="python -m core.errors", description="Wrong labels, leakage, dimples, learners without labels."
    )
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; none means all")
    parser.add_argument("--profile", choices=PROFILES, default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--work", type=Path, default=WORK, help="folder of sets and runs, to go on after a stop")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where the ten weight pictures go")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(parts):
        raise InputError(f"no part {', '.join(sorted(unknown))}; have {', '.join(parts)}")
    compute.setup_cpu()
    work = given.work / given.profile
    for part in given.parts or parts:
        keep = _keeper(given.out, part, given.profile)
        if part == "toy":
            keep(planes(given.profile))
            continue
        training, test = data.cifar10("train"), data.cifar10("test")
        if part == "pictures":
            pictures(given.profile, training, test, work, keep)
        elif part == "leakage":
            keep(leaks(given.profile, training, test, work, given.seed, given.weights))
        elif part == "learners":
            places = Places() if given.work == WORK else Places(work=given.work)
            learners.measure(given.profile, training, test, work / part, places, keep)
        else:
            keep(dimples(given.profile, training, test, given.seed))
