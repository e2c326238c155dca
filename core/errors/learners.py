"""Do non-robust features serve another kind of learner? Li et al. (2023), "Adversarial Examples Are Not Real Features".

A network learns from D_R, from D_NR and from as many original pictures: once from labels, once without them
(`core.errors.contrastive`). Its weights are frozen, and a linear probe is trained on its representation and judged on
clean test pictures. Two probes ask two questions. "own" learns from the set that the network learnt from, with that
set's labels: what are the set's features worth to this kind of learner? (Li et al. ask so, and train the probe with
augmentation, here without.) "fresh" learns from original pictures that no network has seen: does the network see what
matters in ordinary pictures? An untrained network of the same architecture is the control.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from core import compute, train
from core.data.sets import Pictures
from core.datasets.construct import ConstructRecipe
from core.datasets.experiments import SCALES as EXPERIMENTS
from core.datasets.experiments import Places
from core.datasets.experiments.lessons import constructed, short
from core.errors.contrastive import COLLAPSED, Contrastive, beginning, represented, spread
from core.errors.leakage import fit_linear
from core.errors.learnt import LEARNERS, PROBES, SETS
from core.files.atomic import replace_with
from core.models import Classifier, checkpoints
from core.rates import Rate
from core.train import TrainRecipe
from core.train.evaluate import clean_accuracy, predict

log = logging.getLogger("core.errors")
# What makes D_R and D_NR: two networks that differ in nothing but the radius of their adversary, 0 and 0.5.
PAIR = {"robust": "dial/l2-0.5", "nonrobust": "dial/l2-0"}
LOSS_FN = Contrastive()


@dataclass(frozen=True)
class Scale:
    """What a profile can afford.

    Args:
        pictures: Of each set, and of the original pictures that teach the probe "fresh".
        supervised: How a network is trained with labels; its seed is a run's own.
        contrastive: The same without.
        seeds: Networks of each kind and set.
    """

    pictures: int
    supervised: TrainRecipe
    contrastive: TrainRecipe
    seeds: int = 1


def _scale(pictures: int, arch: str, width: int, epochs: tuple[int, int], seeds: int, batch_size: int = 128) -> Scale:
    labels = TrainRecipe(arch, {"width": width}, epochs[0], batch_size, lr=0.1, ema=0.99)
    return Scale(pictures, labels, replace(labels, epochs=epochs[1], lr=0.2, weight_decay=1e-4, augment=False), seeds)


SCALES = {
    "quick": _scale(64, "resnet9", 4, (1, 1), seeds=1, batch_size=32),
    "cpu": _scale(3000, "resnet9", 8, (25, 40), seeds=1),
    "full": _scale(25_000, "resnet18", 64, (60, 500), seeds=3, batch_size=512),
}


def measure(
    profile: str, training: Pictures, test: Pictures, work: Path, places: Places, keep: Callable[[Any], None]
) -> None:
    """Train every learner on every set, and keep what is measured after each; what is done is read from `work`.

    Args:
        profile: A key of `SCALES`.
        training: Original pictures, twice as many as a set has.
        test: Pictures on which the probes are judged.
        work: Folder of the runs.
        places: Where constructed sets are kept.
        keep: Takes what is measured so far.
    """
    scale = SCALES[profile]
    n = scale.pictures
    fresh = training.take(slice(n, 2 * n))
    found: dict[str, Any] = {
        "pictures": n,
        "supervised": scale.supervised.as_json(),
        "contrastive": {**scale.contrastive.as_json(), "lesson": asdict(LOSS_FN)},
        "weights": {name: checkpoints.stamp(name) for name in PAIR.values()},
        "sets": {},
        "runs": {},
    }
    for seed in range(scale.seeds):
        for kind in SETS:
            lessons, about = _set(profile, kind, training, places)
            found["sets"][kind] = about
            for learner in LEARNERS:
                name = f"{learner}-{kind}-{seed}"
                found["runs"][name] = run(scale, learner, seed, lessons, fresh, test, work / name)
                log.info("%s: %s", name, {probe: found["runs"][name][probe]["value"] for probe in PROBES})
                keep(found)


def _set(profile: str, kind: str, training: Pictures, places: Places) -> tuple[Pictures, dict[str, Any]]:
    n = SCALES[profile].pictures
    if kind not in PAIR:
        return training.take(slice(n)), {"n_train": n}
    recipe = ConstructRecipe(kind, source=PAIR[kind], n=n, **EXPERIMENTS[profile].inversion)  # type: ignore[arg-type]
    made = constructed(recipe, places, training)
    distances = {"mean_distance": float(made.distance.mean()), "success": float(made.success.mean())}
    return made.pictures, {"n_train": n, "recipe": asdict(made.recipe), **distances}


def run(
    scale: Scale, learner: str, seed: int, lessons: Pictures, fresh: Pictures, test: Pictures, work: Path
) -> dict[str, Any]:
    """Train one network and probe it, unless that was done with the same settings.

    Args:
        scale: How.
        learner: A key of `LEARNERS`.
        seed: Of its weights and draws.
        lessons: What it learns from, and what teaches its probe "own".
        fresh: What teaches its probe "fresh".
        test: Where both are judged.
        work: Folder of the run, which goes on where it was; the settings are in its name.

    Returns:
        A rate for each of `PROBES`; of a supervised network "clean", with its own head; of a contrastive one the
        "spread" of the points that it makes of test pictures, and whether it has "collapsed".
    """
    recipe = replace(scale.contrastive if learner == "contrastive" else scale.supervised, seed=100 + seed)
    about = [recipe.as_json(), repr(LOSS_FN), lessons.fingerprint, fresh.fingerprint, test.fingerprint]
    folder = work.with_name(f"{work.name}-{short(about)}")
    note = folder / "found.json"
    if not note.is_file():
        model = _taught(recipe, learner, lessons, folder)
        found = {**probed(model, {"own": lessons, "fresh": fresh}, test), "learner": learner, "seed": recipe.seed}
        if learner == "supervised":
            here = next(model.parameters()).device
            found["clean"] = clean_accuracy(model, test.x().to(here), test.y().to(here)).as_json()
        if learner == "contrastive":
            found["spread"] = spread(predict(model, test.x().to(next(model.parameters()).device)))
            found["collapsed"] = not found["spread"] >= COLLAPSED  # also where it is no number
            if found["collapsed"]:
                log.warning("%s: collapsed, spread %.3f", work.name, found["spread"])
        replace_with(note, json.dumps(found).encode())
    known: dict[str, Any] = json.loads(note.read_text())
    return known


def _taught(recipe: TrainRecipe, learner: str, lessons: Pictures, folder: Path) -> Classifier:
    """Train a network, or finish a run that was interrupted."""
    if learner == "untrained":
        return beginning(recipe, LOSS_FN).eval()
    report, here = train.reporter(60.0), compute.device()
    if learner == "supervised":
        return train.fit(recipe, lessons, run=folder, device=here, on_progress=report)
    start = beginning(recipe, LOSS_FN)
    return train.fit(recipe, lessons, run=folder, device=here, on_progress=report, start=start, loss_fn=LOSS_FN)


def probed(model: Classifier, teachers: Mapping[str, Pictures], test: Pictures) -> dict[str, Any]:
    """Train a linear probe of frozen features on each of these sets, and judge it on test pictures: a rate for each."""
    here = next(model.parameters()).device

    def features(pictures: Pictures) -> Tensor:
        return represented(model, pictures.x().to(here)).cpu()

    seen, right = features(test), test.y()
    found: dict[str, Any] = {}
    for name, pictures in teachers.items():
        probe = fit_linear(features(pictures), pictures.y(), len(test.classes))
        found[name] = Rate(int((probe.predict(seen) == right).sum()), len(right)).as_json()
    return found
