"""What perturbations teach: D_det made of features and of bugs, and a student of each.

Source: Nakkiran (2019), table 2: labels t = y + 1; a student of bugs learns the next class from the pictures themselves
and nothing from their perturbations, so that on true test pictures it is right less often than by guessing.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from core.bugs import ensemble
from core.bugs.craft import SETTINGS, Setting, kept
from core.data.sets import Pictures
from core.files.render import to_uint8
from core.models import ready
from core.models.normalization import adaptive_batch_norm
from core.rates import Rate
from core.train import TrainRecipe, evaluate, fit

RENEWED = 2000  # clean training pictures, without labels, for batch norm's statistics
# Whitened pixels and no shifts, as the students of D_det elsewhere in this project; a small network.
TRAIN = TrainRecipe(
    arch="resnet9", args={"width": 8, "whiten": 3}, epochs=15, lr=0.1, ema=0.98, augment=False, seed=100
)


@dataclass(frozen=True)
class Lessons:
    """How both sets are made and learnt.

    Args:
        n: Pictures: the first n of the training set.
        victim: The network that both perturbations fool.
        members: The ensemble of the bugs.
        setting: Ball and step.
        train: How the students learn.
    """

    n: int
    victim: str = ensemble.VICTIM
    members: tuple[str, ...] = ensemble.MEMBERS
    setting: Setting = SETTINGS[0]
    train: TrainRecipe = TRAIN


def student(kind: str, lessons: Lessons, training: Pictures, test: Pictures, work: Path) -> dict[str, Any]:
    """Make one set, let a student learn from it, and ask it about clean test pictures.

    Args:
        kind: "feature" or "bug".
        lessons: How.
        training: The original pictures.
        test: The clean test pictures.
        work: Where the perturbed pictures are kept.
    """
    victim = ready.load(lessons.victim)
    here = next(victim.parameters()).device
    members = None if kind == "feature" else ensemble.load(lessons.members)
    rows = range(min(lessons.n, len(training)))
    x, y = training.x(rows), training.y(rows)
    target = (y + 1) % len(training.classes)
    folder = work / f"det-{kind}-{lessons.setting.name.replace('/', '_').replace(' ', '-')}"
    made = to_uint8(kept(folder, victim, members, x, y, target, lessons.setting))
    seen = torch.from_numpy(made).permute(0, 3, 1, 2).float() / 255
    said = evaluate.predict(victim, seen.to(here)).argmax(1).cpu()
    taught = Pictures(made, target.numpy(), training.classes, f"D_det of {kind}s")
    model = fit(lessons.train, taught, device=here)
    there = adaptive_batch_norm(model, training.x(range(min(RENEWED, len(training)))).to(here))
    x_test, y_test = test.x().to(here), test.y().to(here)
    after = (y_test + 1) % len(test.classes)
    return {
        "success": Rate(int((said == target).sum()), len(target)).as_json(),
        "clean": evaluate.clean_accuracy(model, x_test, y_test).as_json(),
        "next": evaluate.clean_accuracy(model, x_test, after).as_json(),
        "clean renewed": evaluate.clean_accuracy(there, x_test, y_test).as_json(),
        "next renewed": evaluate.clean_accuracy(there, x_test, after).as_json(),
    }


def about(lessons: Lessons) -> dict[str, Any]:
    """Say how, for the results file."""
    return asdict(lessons)
