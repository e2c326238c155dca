"""The command that measures what students learn in the lesson on wrong labels, several trainings of each set.

python -m core.datasets.measure          # assets/results/lessons.json: ten minutes on one core
"""

import argparse
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from core import compute, results
from core.commands import command, output, parsed, whole
from core.datasets.lesson import Lesson
from core.datasets.wrong import SETS, TESTED, TRAINING, learn
from core.models import ready
from core.rates import Estimate

log = logging.getLogger(__name__)
PATH = results.FOLDER / "lessons.json"
AGAIN = "python -m core.datasets.measure"
PAPERS = "det at 0.5"  # D_det as it is held, but with perturbations of the paper's size
MEASURED = {**SETS, PAPERS: replace(SETS["det"], eps=0.5, step_size=0.15)}
WHAT = ("clean", "next", "renewed", "seconds")


def numbers(made: Lesson, seconds: float) -> dict[str, float]:
    """Return what is kept of a training, with the seconds of a core that it took."""
    last = made.moments[-1]
    assert made.renewed is not None
    return {
        "clean": last.clean.value,
        "next": last.next.value,
        "renewed": made.renewed.value,
        "seconds": round(seconds, 1),
    }


def read(path: Path = PATH) -> dict[str, Any]:
    """Return what was measured; empty where nothing was.

    Raises:
        core.data.sets.DataError: If the file is damaged.
    """
    return results.read(path, AGAIN) or {}


def estimates(found: Mapping[str, Any], name: str) -> dict[str, Estimate]:
    """Return the means over the trainings on one set, by what was measured; empty where it was not."""
    trainings = found.get("sets", {}).get(name, [])
    return {what: Estimate.of(each[what] for each in trainings) for what in WHAT} if trainings else {}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog=AGAIN, description="Measure what the lesson on wrong labels teaches.")
    parser.add_argument("--trainings", type=whole(1, 20), default=3, help="of each set, with seeds 0, 1, ...")
    parser.add_argument("--tested", type=whole(1, 10_000), default=TESTED, help="clean test pictures")
    parser.add_argument("--out", type=output, default=str(PATH))
    given = parsed(parser, arguments)
    compute.setup_cpu()
    sets: dict[str, list[dict[str, float]]] = {}
    for name, recipe in MEASURED.items():
        source = ready.load(recipe.source)
        for seed in range(given.trainings):
            began = time.process_time()  # whatever else the machine does
            made = learn(recipe, source, training=replace(TRAINING, seed=seed), tested=given.tested)
            sets.setdefault(name, []).append(numbers(made, time.process_time() - began))
            log.info("%s, seed %d: %s", name, seed, sets[name][-1])
    how = f"{SETS['rand'].n} pictures a set, {TRAINING.epochs} passes, cpu, torch {torch.__version__}"
    said = results.about([recipe.source for recipe in SETS.values()], n=given.tested, seed=0, how=how, sets=sets)
    results.write(Path(given.out), said)


if __name__ == "__main__":
    main()
