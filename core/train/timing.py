"""How long a step of a training takes on this machine, and what the machine is."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from core import compute
from core.data.sets import Pictures
from core.train.loop import fit
from core.train.recipes import TrainRecipe
from core.train.report import Progress

TIMED, WARM, TURNS = 8, 3, 3  # steps of a turn, of which the first do not count, and turns


def step_seconds(recipes: Sequence[TrainRecipe], pictures: Pictures, turns: int = TURNS) -> list[float]:
    """Time a step of each recipe on the device that trains, in turns: the median of each, in seconds."""
    seconds: list[list[float]] = [[] for _ in recipes]
    for _ in range(turns):
        for one, found in zip(recipes, seconds, strict=True):
            found += timed(one, pictures)
    return [statistics.median(found) for found in seconds]


def timed(one: TrainRecipe, pictures: Pictures) -> list[float]:
    """Take some steps of a training, and return the seconds of each but the first, which warm up."""
    stamps: list[float] = []

    def watch(_: Progress) -> bool:
        stamps.append(time.perf_counter())
        return len(stamps) > TIMED

    few = pictures.take(slice((TIMED + 2) * one.batch_size))
    fit(replace(one, epochs=1), few, device=compute.device(), on_progress=watch)
    return [after - before for before, after in pairwise(stamps[WARM - 1 :])]
