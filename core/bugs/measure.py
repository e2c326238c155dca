"""Measure bugs on many pictures; the command behind assets/results/bugs.json.

    python -m core.bugs measure                       everything, of 1,000 test pictures
    python -m core.bugs measure attacks               success and transfer alone
    python -m core.bugs measure members wide          fewer members, and a victim that is wider than they are
    python -m core.bugs measure students              who learns what from either kind

Perturbed pictures are kept under runs/, so that what was interrupted goes on. Each part is written when it is there.
"""

import argparse
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core import compute, data
from core.bugs import ensemble, results
from core.bugs.craft import SETTINGS, STEPS, Setting, kept
from core.bugs.students import Lessons, about, student
from core.commands import command, whole
from core.models import checkpoints, ready
from core.problems import InputError
from core.rates import Rate
from core.results import read, signed, stamps_of, today, update
from core.results import write as core_write
from core.transfer.matrix import other_classes, predictions
from core.types import Images, Labels

log = logging.getLogger(__name__)
WORK = checkpoints.FOLDER.parent / "runs" / "bugs"
PARTS = ("attacks", "members", "students", "wide")
KINDS = ("feature", "bug")
COUNTS = (1, 2, 3, 5, 7)  # sizes of the ensemble on the curve


@dataclass(frozen=True)
class Case:
    """The pictures of a measurement and who takes part in it.

    Args:
        x: Clean pictures (N, C, H, W).
        y: Their classes (N,).
        target: The wanted classes (N,).
        victim: Name of the network that is fooled.
        work: Where perturbed pictures are kept.
    """

    x: Images
    y: Labels
    target: Labels
    victim: str
    work: Path

    def first(self, n: int) -> "Case":
        """Keep the first n pictures."""
        return replace(self, x=self.x[:n], y=self.y[:n], target=self.target[:n])

    def measured(self, setting: Setting, members: int | None) -> dict[str, Any]:
        """Perturb the pictures, as features or with that many members as bugs, and count who says what of them.

        "hit" counts who says the target, of all pictures, as Nakkiran does; "fooled" who is wrong, of the pictures that
        the judge gets right without attack; "ensemble" how often a member, drawn at random, still says y.
        """
        victim, everyone = ready.load(self.victim), ensemble.load(ensemble.MEMBERS)
        others = None if members is None else everyone[:members]
        folder = self.work / f"{self.victim}-{setting.name}-{members or 0}".replace("/", "_").replace(" ", "-")
        x_adv = kept(folder, victim, others, self.x, self.y, self.target, setting)
        right = sum(int((predictions(member, x_adv) == self.y).sum()) for member in everyone[:members])
        found: dict[str, Any] = {
            "success": self._predicted(victim, x_adv),
            "ensemble": Rate(right, len(self.y) * len(everyone[:members])).as_json(),
            "norm": float(setting.ball.norm(x_adv - self.x).mean()),
            "judges": {name: self._judged(name, x_adv) for name in ensemble.judges(self.victim)},
        }
        log.info("%s, %s: success %s", folder.name, len(self.y), Rate.from_json(found["success"]))
        return found

    def _predicted(self, model: nn.Module, x_adv: Images) -> dict[str, Any]:
        return Rate(int((predictions(model, x_adv) == self.target).sum()), len(self.y)).as_json()

    def _judged(self, name: str, x_adv: Images) -> dict[str, Any]:
        model = ready.load(name)
        right = predictions(model, self.x) == self.y
        wrong = right & (predictions(model, x_adv) != self.y)
        return {"hit": self._predicted(model, x_adv), "fooled": Rate(int(wrong.sum()), int(right.sum())).as_json()}


def write(path: Path, **parts: Any) -> None:
    """Put parts into the results file, atomically; what else is there stays."""
    update(path, parts, results.AGAIN, indent=1, sort_keys=False)


def sign(path: Path, part: str) -> None:
    """Note that a part is wholly measured, and on which weights."""
    found = signed(read(path, results.AGAIN) or {}, part, stamps_of(ensemble.everyone()), PARTS)
    core_write(path, found, indent=1, sort_keys=False)


def _about(n: int, seed: int, threads: int) -> dict[str, Any]:
    return {
        "n": n,
        "seed": seed,
        "date": today(),
        "profile": "cpu",
        "how": (
            f"CIFAR-10 test pictures drawn by the seed, a wrong class drawn for each; {STEPS} normalised steps from the"
            f" picture, float32; {compute.device().type}, {threads} thread(s); torch {torch.__version__}"
        ),
    }


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.bugs", description="Bugs, measured.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--n", type=whole(1), default=1000, help="test pictures")
    parser.add_argument("--few", type=whole(1), default=1000, help="of these, for the curve over members")
    parser.add_argument("--wide", type=whole(1), default=250, help="of these, for the victim that is wider")
    parser.add_argument("--lessons", type=whole(1), default=20_000, help="training pictures of the students")
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--out", type=Path, default=results.RESULTS)
    parser.add_argument("--work", type=Path, default=WORK)
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - {*PARTS}:
        raise InputError(f"no part {', '.join(sorted(unknown))}; have {', '.join(PARTS)}")
    threads = compute.setup_cpu()
    parts, work = given.parts or PARTS, given.work / ensemble.mark()
    test = data.cifar10("test")
    rows = torch.randperm(len(test), generator=torch.Generator().manual_seed(given.seed))[: given.n].tolist()
    x, y = test.x(rows), test.y(rows)
    target = other_classes(y, len(test.classes), given.seed)
    write(given.out, about=_about(given.n, given.seed, threads))
    here = compute.device()
    case = Case(x.to(here), y.to(here), target.to(here), ensemble.VICTIM, work)
    spared = len(ensemble.MEMBERS)
    if "attacks" in parts:
        found: dict[str, Any] = {}
        for setting in SETTINGS:
            found[setting.name] = {
                kind: case.measured(setting, n) for kind, n in zip(KINDS, (None, spared), strict=True)
            }
            write(given.out, attacks=found)
        sign(given.out, "attacks")
    if "members" in parts:
        few = case.first(given.few)
        counts = {str(n): few.measured(SETTINGS[0], n) for n in COUNTS}
        write(given.out, members={"setting": SETTINGS[0].name, "n": len(few.y), "counts": counts})
        sign(given.out, "members")
    if "wide" in parts:
        few = replace(case.first(given.wide), victim=ensemble.WIDE)
        kinds = {kind: few.measured(SETTINGS[0], n) for kind, n in zip(KINDS, (None, spared), strict=True)}
        write(given.out, wide={"setting": SETTINGS[0].name, "n": len(few.y), "kinds": kinds})
        sign(given.out, "wide")
    if "students" in parts:
        lessons, training = Lessons(given.lessons), data.cifar10("train")
        learnt: dict[str, Any] = {}
        for kind in KINDS:
            learnt[kind] = student(kind, lessons, training, test, work)
            log.info("student of %ss: on y %s", kind, Rate.from_json(learnt[kind]["clean"]))
            write(given.out, students={"how": about(lessons), "kinds": learnt})
        sign(given.out, "students")
