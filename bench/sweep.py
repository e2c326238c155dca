"""How long the Perturb page waits: first frame, and the whole sweep of both models (21 eps x 20 steps x 2).

python -m bench.sweep                 # medians over several pictures; computes as the page does, beside each other
"""

import argparse
import platform
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import torch

from core import compute, perturb
from core.data import pictures
from core.models import ready
from core.perturb.recipe import PerturbRecipe


def timed(
    pool: ThreadPoolExecutor, recipe: PerturbRecipe, picture: pictures.Picture, models: dict[str, torch.nn.Module]
) -> tuple[float, float]:
    """Return seconds until the clean frame and until the last frame of both models."""
    began = time.perf_counter()
    first = 0.0
    for part in range(len(perturb.parts(recipe))):
        work = [
            pool.submit(perturb.attack, recipe, name, picture=picture, model=model, part=part)
            for name, model in models.items()
        ]
        for job in work:
            job.result()
        first = first or time.perf_counter() - began
    return first, time.perf_counter() - began


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    pool = ThreadPoolExecutor(compute.setup_app())
    out = sys.stdout.write
    out(f"{platform.processor() or platform.machine()}, {compute.usable_cores()} cores, torch {torch.__version__}\n")
    picture, blank = pictures.get("photo/chelsea"), PerturbRecipe()
    models = {name: ready.load(name) for name in (blank.standard, blank.robust)}
    fast = compute.has_fast_bf16(compute.device())
    out(f"bfloat16 is {'' if fast else 'not '}fast here; medians of {given.repeats}, the two settings in turns\n")
    for norm in ("L2", "Linf"):
        now = PerturbRecipe(picture=picture.id, norm=norm)
        recipes = {"now": now, "before": replace(now, steps=20, schedule="constant", precision="fp32")}
        times: dict[str, list[tuple[float, float]]] = {setting: [] for setting in recipes}
        for turn in range(-1, given.repeats):  # the first warms up
            for setting, recipe in recipes.items():
                spent = timed(pool, recipe, picture, models)
                times[setting] += [spent] * (turn >= 0)
        whole = {}
        for setting, spent in times.items():
            first, whole[setting] = (statistics.median(column) for column in zip(*spent, strict=True))
            out(f"{norm:5} {setting:7} first frame {first:.3f} s, whole sweep {whole[setting]:.2f} s\n")
        out(f"{norm:5} now over before: {whole['now'] / whole['before']:.2f}\n")


if __name__ == "__main__":
    main()
