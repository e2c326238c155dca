"""The commands behind the Synthesis page: the class Gaussians that ship, what was measured, and the contact sheet.

    python -m core.synthesis.measure gaussians      writes assets/synthesis/class-gaussians.safetensors (needs CIFAR-10)
    python -m core.synthesis.measure measure        writes assets/results/synthesis.json (needs the models)
    python -m core.synthesis.measure sheet          writes assets/screenshots/synthesis-sheet.png (needs the models)

A number of recognised pictures says little by itself: networks that were trained alike share the features that only
they see. So every network that is here looks at every picture, and at the starts, and the limits include small ones.
"""

import argparse
import logging
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from core import compute, data, results, worlds
from core.attacks.balls import L2
from core.attacks.objectives import targeted
from core.commands import command, output, whole
from core.files import render
from core.files.atomic import replace_with
from core.models import checkpoints
from core.models.ready import beside, load, placed
from core.rates import Estimate, Rate
from core.synthesis.gaussians import FILE, fit_gaussians, gaussians, save_gaussians
from core.synthesis.morph import opened, start
from core.synthesis.paint import synthesise
from core.synthesis.recipe import SynthesisRecipe
from core.types import Images, Labels

log = logging.getLogger(__name__)
ASSETS = checkpoints.FOLDER.parent / "assets"
RESULTS = results.FOLDER / "synthesis.json"
AGAIN = "python -m core.synthesis.measure measure"
SHEET = ASSETS / "screenshots" / "synthesis-sheet.png"
SOURCES = ("resnet9-standard", "resnet9-l2")
LIMITS = {6.0: 40, 1.0: 20}  # L2 radius -> steps: the page's own, and one at which a person hardly sees a change
BATCH = 50
# The drawings of the contact sheet, and what is held.
DRAWN = (
    *(("meadow", name) for name in ("horse", "deer", "dog")),
    *(("sea", name) for name in ("ship", "airplane")),
    *(("face", name) for name in ("cat", "dog")),
    *(("pond", name) for name in ("frog", "bird", "automobile")),
)


def seeds(per_class: int, seed: int) -> tuple[Images, Labels]:
    """Draw that many starts of each class from its Gaussian (N, C, H, W), and their classes (N,)."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.cat([gaussian.sample(per_class, draws) for gaussian in gaussians()])
    return x, torch.arange(len(gaussians())).repeat_interleave(per_class)


def painted(model: nn.Module, x: Images, y: Labels, eps: float, steps: int) -> Images:
    """Paint starts as the studio does: steps that shorten from 2.5 eps / steps, with momentum.

    Starts (N, C, H, W) and classes (N,) come from the CPU, and what is painted goes back there.
    """
    made = []
    for first in range(0, len(x), BATCH):
        part = placed(x[first : first + BATCH], model)
        objective = targeted(model, beside(y[first : first + BATCH], model))
        made.append(synthesise(objective, part, L2(eps), steps=steps, step_size=2.5 * eps / steps).cpu())
        log.info("%d of %d", first + len(part), len(x))
    return torch.cat(made)


def recognised(viewers: Mapping[str, nn.Module], x: Images, y: Labels) -> dict[str, Any]:
    """Count, for each network, how often it sees the intended class: in all, and class by class."""
    found: dict[str, Any] = {}
    for name, viewer in viewers.items():
        with torch.no_grad():
            right = torch.cat([viewer(beside(part, viewer)).argmax(1).cpu() for part in x.split(BATCH)]) == y
        by_class = {
            worlds.get().classes[k]: Rate(int(right[y == k].sum()), int((y == k).sum())).as_json()
            for k in y.unique().tolist()
        }
        found[name] = {**Rate(int(right.sum()), len(y)).as_json(), "by_class": by_class}
    return found


def measure(
    sources: Sequence[str], viewers: Sequence[str], per_class: int, seed: int, limits: Mapping[float, int] = LIMITS
) -> Iterator[dict[str, Any]]:
    """Paint the same starts with each source at each limit, and let every network say what it sees.

    Args:
        sources: Models that paint.
        viewers: Models that look; they may include the sources.
        per_class: Starts of each class.
        seed: Of the starts.
        limits: L2 radii in pixel units, with the number of steps to take.

    Yields:
        What is known so far, again after each source and limit: rates with Wilson intervals, for the starts and for
        what was painted; distances.
    """
    models = {name: load(name) for name in dict.fromkeys((*sources, *viewers))}
    looking = {name: models[name] for name in viewers}
    x, y = seeds(per_class, seed)
    report: dict[str, Any] = {"starts": {"recognised": recognised(looking, x, y)}, "painted": {}}
    for eps, steps in limits.items():
        for name in sources:
            log.info("%s, eps %g", name, eps)
            made = painted(models[name], x, y, eps, steps)
            made = render.from_uint8(render.to_uint8(made))  # judged as they would be saved
            moved = Estimate.of((made - x).flatten(1).norm(dim=1).tolist())
            report["painted"].setdefault(name, {})[f"{eps:g}"] = {
                "steps": steps,
                "recognised": recognised(looking, made, y),
                "moved_mean": moved.value,
                "moved_interval": list(moved.interval),
            }
            yield report


def cpu_seconds(name: str, eps: float = 6.0) -> float:
    """Measure what a batch of 16 costs, in seconds of one core: the median of three, whatever else the machine does.

    It is painted on the CPU, also where there is another device.
    """
    model, times = load(name).cpu(), []
    x, y = (t[:16] for t in seeds(2, 0))
    for _ in range(3):
        began = time.process_time()
        painted(model, x, y, eps, LIMITS[eps])
        times.append(time.process_time() - began)
    return statistics.median(times)


def sheet(models: Sequence[str], seed: int) -> np.ndarray:
    """Lay out drawings, held toward a class, and below them a start of each class; and what each model makes of them.

    Which drawing goes with which class is chosen; how they come out, and the starts, are not.

    Returns:
        Two blocks of a row of starts and a row for each model, 8-bit (H, W, 3).
    """
    ready = [load(name) for name in models]
    drawn = [SynthesisRecipe(start=f"sketch/{name}", holds=(f"{target}:40",)) for name, target in DRAWN]
    boards = [opened(recipe, ready) for recipe in drawn]
    by_hand = [torch.cat([start(recipe.start) for recipe in drawn])]
    by_hand += [torch.stack([board.pictures[k] for board in boards]) for k in range(len(models))]
    x, y = seeds(1, seed)
    blocks = [by_hand, [x, *(painted(model, x, y, 6.0, LIMITS[6.0]) for model in ready)]]
    parts = []
    for rows in blocks:
        cells = [render.upscaled(cell, 4) for row in rows for cell in render.to_uint8(row)]
        parts.append(render.sheet(cells, len(x), gap=6))
    between = np.full((28, parts[0].shape[1], 3), 255, np.uint8)
    return np.concatenate([parts[0], between, parts[1]])


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.synthesis.measure", description="Synthesis, measured.")
    parser.add_argument("action", choices=["gaussians", "measure", "sheet"])
    parser.add_argument("--sources", nargs="+", default=list(SOURCES))
    parser.add_argument("--per-class", type=whole(1), default=100)
    parser.add_argument("--rank", type=whole(1, 3072), default=96)
    parser.add_argument("--seed", type=whole(0, 2**31 - 1), default=0)
    parser.add_argument("--out", type=output)
    parser.add_argument("--anew", action="store_true", help="replace results that were measured on more pictures")
    given = parser.parse_args(arguments)
    threads = compute.setup_cpu()
    if given.action == "gaussians":
        train = data.cifar10("train")
        text = f"mean and covariance of each class of CIFAR-10's training set, in one basis of {given.rank} directions"
        save_gaussians(fit_gaussians(train, given.rank), train.classes, text, given.out or FILE)
    elif given.action == "sheet":
        replace_with(given.out or SHEET, render.png(sheet(given.sources, given.seed)))
    else:
        out = given.out or output(str(RESULTS))
        known = results.read(out, AGAIN) or {}
        results.refuse_smaller(out, known.get("per_class"), given.per_class, anew=given.anew)
        about = results.about(
            dict.fromkeys((*given.sources, *checkpoints.names())),
            n=given.per_class * len(worlds.get().classes),
            seed=given.seed,
            per_class=given.per_class,
            how=f"8-bit pictures; batches of {BATCH}; {compute.at_work(threads)}; torch {torch.__version__}",
        )
        seconds = {name: cpu_seconds(name) for name in given.sources}
        for found in measure(given.sources, checkpoints.names(), given.per_class, given.seed):
            results.write(out, {**about, **found, "cpu_seconds_per_batch_of_16": seconds})


if __name__ == "__main__":
    main()
