"""Which way of adversarial training gives most robust accuracy per minute? Small runs of equal cost, side by side.

    python -m core.train.speedrun --minutes 4 --width 16                     every recipe that is not in the table yet
    python -m core.train.speedrun --minutes 30 --recipe awp trades --autoattack 500

Each recipe of `core.train.variations` gets as many steps as fit into the minutes: before the first run, the seconds of
a step are timed in turns with the baseline's, so that what else the machine does falls on all alike. The last 5,000
training pictures are held out and judge; the test set is not asked, since the winner is then trained for real and
measured on it. A run that was killed goes on; one that is finished is a row of assets/results/speedrun.json and is not
run again.
"""

import argparse
import json
import logging
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from core import compute, data, results
from core.attacks.balls import L2
from core.commands import command, number, output, whole
from core.data.sets import Pictures
from core.files.atomic import replace_with
from core.models import Classifier, checkpoints
from core.rates import Rate
from core.train import fit, reporter
from core.train.autoattack import autoattack
from core.train.evaluate import ball_name, clean_accuracy, robust_accuracy
from core.train.state import spent
from core.train.timing import step_seconds
from core.train.variations import EPS, VARIATIONS, recipe

log = logging.getLogger(__name__)
RESULTS = results.FOLDER / "speedrun.json"
AGAIN = "python -m core.train.speedrun"
RUNS = checkpoints.FOLDER.parent / "runs" / "speedrun"
HELD = 5000  # of the training pictures
STEPS = 20
BASELINE = "baseline"
PLAN = "plan.json"  # in the folder of a run


@dataclass(frozen=True)
class Budget:
    """What a run may spend.

    Args:
        minutes: On this machine.
        step_s: Seconds of one of its steps.
        epochs: So many passes...
        pictures: ...over so many of the training pictures fill the minutes.
    """

    minutes: float
    step_s: float
    epochs: int
    pictures: int


def budget(minutes: float, step_s: float, available: int, batch_size: int) -> Budget:
    """Divide the steps that fit into some minutes into passes over nearly all pictures, equally long ones."""
    steps = max(1, math.floor(60 * minutes / step_s))
    epochs = math.ceil(steps * batch_size / available)
    return Budget(minutes, step_s, epochs, max(1, steps // epochs) * batch_size)


def held_out(pictures: Pictures, n: int) -> tuple[Pictures, Pictures]:
    """Split the last n pictures off: those to train on, and those that judge."""
    rest = replace(pictures.take(slice(-n, None)), source=f"last {n:,} of {pictures.source}")
    return pictures.take(slice(-n)), rest


def plan(folders: Mapping[str, Path], minutes: float, width: int, seed: int, training: Pictures) -> None:
    """Time a step of some recipes and the baseline's in turns, and write what each may spend to its folder.

    A recipe that has its plan keeps it: a run that goes on must not plan otherwise.

    Args:
        folders: That of each run, by the name of its variation.
        minutes: Of training, for each.
        width: Of the ResNet-9.
        seed: Of all draws.
        training: What they may learn from.
    """
    new = [name for name, folder in folders.items() if not (folder / PLAN).is_file()]
    if not new:
        return
    recipes = {name: recipe(name, width=width, seed=seed) for name in (BASELINE, *new)}
    seconds = dict(zip(recipes, step_seconds(tuple(recipes.values()), training), strict=True))
    for name in new:
        may = budget(minutes, seconds[name], len(training), recipes[name].batch_size)
        known = {"step_s": seconds[name], "baseline_s": seconds[BASELINE]}
        replace_with(folders[name] / PLAN, json.dumps(known | {"epochs": may.epochs, "pictures": may.pictures}))


def run(
    name: str,
    minutes: float,
    width: int,
    seed: int,
    training: Pictures,
    judges: Pictures,
    n: int,
    few: int,
    folder: Path,
) -> dict[str, Any]:
    """Train one recipe within its minutes and measure it; return its row.

    Args:
        name: Of the variation.
        minutes: Of training.
        width: Of the ResNet-9.
        seed: Of all draws.
        training: What it may learn from.
        judges: Pictures that it is measured on, clean on all of them.
        n: So many of these are attacked by PGD.
        few: So many by AutoAttack; 0 leaves it out.
        folder: Where its plan is, and its state is kept, to go on after a stop.
    """
    plan_ = json.loads((folder / PLAN).read_text("utf-8"))
    wanted = replace(recipe(name, width=width, seed=seed), epochs=plan_["epochs"])
    log.info(
        "%s: %d epochs of %d pictures, %.0f ms a step", name, wanted.epochs, plan_["pictures"], 1e3 * plan_["step_s"]
    )
    model = fit(
        wanted, training.take(slice(plan_["pictures"])), run=folder, device=compute.device(), on_progress=reporter(60.0)
    )
    return {
        "recipe": name,
        "title": VARIATIONS[name].title,
        "source": VARIATIONS[name].source,
        "fields": wanted.as_json(),
        "minutes": minutes,
        "wall_minutes": spent(folder).get("minutes"),
        "pictures": plan_["pictures"],
        "step_ms": round(1e3 * plan_["step_s"], 1),
        "times_baseline": round(plan_["step_s"] / plan_["baseline_s"], 3),
        "machine": compute.machine(),
        "date": results.today(),
        "torch": torch.__version__,
        **measured(model, judges, n, few),
    }


def measured(model: Classifier, judges: Pictures, n: int, few: int) -> dict[str, Any]:
    """Measure a network: clean on all pictures, under PGD on the first n, under AutoAttack on the first few."""
    here = compute.device()
    ready = compute.for_inference(model, here)
    x, y = judges.x().to(here), judges.y().to(here)
    ball = L2(EPS)
    attacked = robust_accuracy(ready, x[:n], y[:n], ball, steps=STEPS, precision="auto")
    found: dict[str, Any] = {"clean": clean_accuracy(ready, x, y).as_json(), ball_name(ball): attacked.rate.as_json()}
    if few:
        found[f"AutoAttack {ball_name(ball)}"] = autoattack(ready, x[:few], y[:few], ball).rate.as_json()
    return found


def key_of(name: str, minutes: float, width: int, seed: int) -> str:
    """Name a row, and the folder of its run."""
    return f"{name}-w{width}-{minutes:g}min-seed{seed}"


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Write the rows as text, the most robust first."""
    lines = [f"{'recipe':12} {'minutes':>7} {'width':>5} {'epochs':>6} {'cost':>5}  clean / PGD at L2 {EPS:g}"]
    for one in sorted(rows.values(), key=lambda row: -row[f"L2 {EPS:g}"]["value"]):
        rates = " / ".join(str(Rate.from_json(one[what])) for what in ("clean", f"L2 {EPS:g}"))
        fields = one["fields"]
        lines.append(
            f"{one['recipe']:12} {one['minutes']:7g} {fields['args']['width']:5} {fields['epochs']:6}"
            f" {one['times_baseline']:5.2f}  {rates}"
        )
    return "\n".join(lines) + "\n"


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.train.speedrun", description="Recipes at equal cost.")
    parser.add_argument("--minutes", type=number(0, above=True), required=True, help="of training, for each recipe")
    parser.add_argument("--recipe", nargs="+", choices=list(VARIATIONS), default=list(VARIATIONS), metavar="RECIPE")
    parser.add_argument("--width", type=whole(4, 256), default=32)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--n", type=whole(1, HELD), default=2000, help="held-out pictures that PGD attacks")
    parser.add_argument(
        "--autoattack", type=whole(1, HELD), default=0, metavar="N", help="of these, by AutoAttack, too"
    )
    parser.add_argument("--out", type=output, default=str(RESULTS))
    parser.add_argument("--runs", type=Path, default=RUNS, help="where runs are kept, to go on after a stop")
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    training, judges = held_out(data.cifar10("train"), HELD)
    keys = {name: key_of(name, given.minutes, given.width, given.seed) for name in given.recipe}
    known = (results.read(given.out, AGAIN) or {}).get("runs", {})
    for key in known.keys() & set(keys.values()):
        log.info("%s: in the table already", key)
    folders = {name: given.runs / key for name, key in keys.items() if key not in known}
    plan(folders, given.minutes, given.width, given.seed, training)
    for name, folder in folders.items():
        row = run(name, given.minutes, given.width, given.seed, training, judges, given.n, given.autoattack, folder)
        key = keys[name]
        about = {
            "how": f"{judges.source}: clean on all; PGD-10 and PGD-{STEPS} on log-odds, then on the margin, on the"
            " first n; trained on the others",
            "date": results.today(),
        }
        known = (results.read(given.out, AGAIN) or {}).get("runs", {})
        results.update(given.out, {**about, "runs": {**known, key: row}}, AGAIN)
        log.info("%s: clean %s, PGD %s", key, row["clean"]["value"], row[f"L2 {EPS:g}"]["value"])
    sys.stdout.write(table((results.read(given.out, AGAIN) or {}).get("runs", {})))


if __name__ == "__main__":
    main()
