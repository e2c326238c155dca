"""The command `python -m core.frequency`, behind assets/results/frequency.json.

    python -m core.frequency train                     the networks of this topic that are missing
    python -m core.frequency measure heat --n 1000     heat maps; goes on where the last one stopped
    python -m core.frequency measure weather --n 10000 corruptions
    python -m core.frequency measure students          accuracy of each student on pictures filtered like its own
    python -m core.frequency measure trades            the robustness beside it: clean, attacked, filtered

Heat maps keep what they counted in runs/frequency/, a block of pictures at a time, and write the results after each.
"""

import argparse
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from core import compute, data, worlds
from core.attacks import balls
from core.commands import command
from core.data.sets import Pictures
from core.files.atomic import replacing
from core.frequency import heat, results
from core.frequency.corruptions import CORRUPTIONS, SEVERITIES, corrupt
from core.frequency.filters import as_picture
from core.frequency.networks import CUTS, NETWORKS, NOISE, PROFILES, train
from core.frequency.waves import frequencies
from core.models import checkpoints, ready
from core.rates import Rate
from core.results import today
from core.train.batches import mix
from core.train.evaluate import ball_name, robust_accuracy
from core.types import Images, Labels

log = logging.getLogger(__name__)
KEPT = results.RESULTS.parents[2] / "runs" / "frequency"
MAPPED = ("resnet9-standard", "resnet9-l2", NOISE)
BLOCK = 10
SEED = 0
N = {"heat": 1000, "weather": 10_000, "students": 10_000, "trades": 1000}
TRADED = (balls.L2(0.25), balls.L2(0.5))


def everyone() -> tuple[str, ...]:
    """Name the networks that stand in the weather: those that the page shows, and every other one of the same world."""
    return tuple(dict.fromkeys((*MAPPED, *checkpoints.knowing(worlds.get().classes, students=False))))


def drawn(pictures: Pictures, n: int, seed: int = SEED) -> tuple[Images, Labels]:
    """Return the first n of the test pictures in a drawn order."""
    rows = torch.randperm(len(pictures), generator=torch.Generator().manual_seed(seed))[:n].tolist()
    return pictures.x(rows), pictures.y(rows)


def how(pictures: Pictures, n: int) -> dict[str, Any]:
    """Say how something was measured."""
    return {
        "n": n,
        "seed": SEED,
        "date": today(),
        "how": f"{pictures.source}, float32, {compute.device().type}, torch {torch.__version__}",
    }


def measure_heat(names: Sequence[str], pictures: Pictures, n: int, kept: Path = KEPT, out: Path | None = None) -> None:
    """Count errors at every frequency, block after block, the networks in turn."""
    models = {name: ready.load(name) for name in names}
    stamps = {name: checkpoints.stamp(name) for name in names}
    side = pictures.images.shape[1]
    chosen = frequencies(side)
    x, y = drawn(pictures, n)
    for first in range(0, n, BLOCK):
        part = slice(first, min(n, first + BLOCK))
        for name, model in models.items():
            path = kept / f"heat-{name.replace('/', '-')}-{stamps[name]}-{SEED}" / f"{part.start}-{part.stop}.npy"
            if not path.is_file():
                seen, label = ready.placed(x[part], model), ready.beside(y[part], model)
                wrong = heat.errors(model, seen, label, chosen, seed=mix(SEED, first))
                _keep(path, wrong.cpu().numpy())
        _write_heat(models, x[: part.stop], y[: part.stop], stamps, kept, pictures, out, whole=part.stop == n)
        log.info("heat: %d of %d pictures, %d frequencies, %s", part.stop, n, len(chosen), ", ".join(names))


def _write_heat(
    models: Mapping[str, nn.Module],
    x: Images,
    y: Labels,
    stamps: dict[str, str],
    kept: Path,
    pictures: Pictures,
    out: Path | None,
    *,
    whole: bool,
) -> None:
    n, side = len(y), x.shape[-1]
    about = {**how(pictures, n), "norm": heat.NORM}
    maps = {}
    for name, model in models.items():
        folder = kept / f"heat-{name.replace('/', '-')}-{stamps[name]}-{SEED}"
        blocks = [
            np.load(folder / f"{first}-{min(n, first + BLOCK)}.npy", allow_pickle=False) for first in range(0, n, BLOCK)
        ]
        wrong = np.concatenate(blocks, axis=1)
        regions = {}
        for region in heat.REGIONS:
            rows = heat.rows_of(region, side)
            if not rows:  # pictures too small for it
                continue
            regions[region] = heat.mean(wrong[rows].mean(0)).as_json(4)
        clean = right(model, x, y).as_json(digits=4)
        maps[name] = {**about, "clean": clean, "regions": regions, "wrong": wrong.sum(1).tolist()}
    found = results.read(out)
    found["frequencies"] = [list(at) for at in frequencies(side)]
    found["regions"] = {name: [low, high if high < 1e9 else None] for name, (low, high) in heat.REGIONS.items()}
    results.write(found, out)
    results.merged("heat", maps, stamps if whole else {}, out)


def measure_weather(names: Sequence[str], pictures: Pictures, n: int, out: Path | None = None) -> None:
    """Count right answers under every corruption and severity; all networks see the same pictures."""
    models = {name: ready.load(name) for name in names}
    stamps = {name: checkpoints.stamp(name) for name in names}
    x, y = drawn(pictures, n)
    about = how(pictures, n)
    clean = {name: right(model, x, y).as_json(digits=4) for name, model in models.items()}
    known = results.read(out).get("weather", {})
    for kind in CORRUPTIONS:
        found: dict[str, Any] = {}
        for severity in (0, *SEVERITIES):
            draws = torch.Generator().manual_seed(mix(SEED, *map(ord, kind), severity))
            seen = corrupt(x, kind, severity, draws)
            before = known.get(kind, {}).get(str(severity), {})
            found[str(severity)] = {
                **before,
                **{
                    name: {**(clean[name] if severity == 0 else right(model, seen, y).as_json(digits=4))}
                    for name, model in models.items()
                },
            }
        results.merged("weather", {kind: found}, stamps if kind == list(CORRUPTIONS)[-1] else {}, out)
        results.merged("weather_about", about, {}, out)
        log.info("weather: %s, severity 5: %s", kind, {k: v["value"] for k, v in found["5"].items()})


def measure_students(pictures: Pictures, n: int, out: Path | None = None) -> None:
    """Count right answers on filtered pictures: of each student on its own filter, and of the others on the same."""
    x, y = drawn(pictures, n)
    others = {name: ready.load(name) for name in MAPPED if checkpoints.path_of(name).is_file()}
    asked: list[str] = [*others]
    for kind, cuts in CUTS.items():
        for cut in cuts:
            name = next(k for k, network in NETWORKS.items() if network.kind == kind and network.cut == cut)
            if not checkpoints.path_of(name).is_file():
                log.info("students: %s is not trained", name)
                continue
            seen = as_picture(x, kind, cut)
            models = {name: ready.load(name), **others}
            found = {who: right(model, seen, y).as_json(digits=4) for who, model in models.items()}
            results.merged("students", {f"{kind}-{cut:g}": found}, {}, out)
            results.merged("students_about", how(pictures, n), {}, out)
            asked.append(name)
            log.info("students: %s %s", name, {k: v["value"] for k, v in found.items()})
    results.merged("students", {}, {who: checkpoints.stamp(who) for who in asked}, out)


def measure_trades(names: Sequence[str], pictures: Pictures, n: int, out: Path | None = None) -> None:
    """Measure what an adversary leaves, beside what weather and waves leave."""
    x, y = drawn(pictures, n)
    for name in names:
        model = ready.load(name)
        found: dict[str, Any] = {"clean": right(model, x, y).as_json(digits=4)}
        seen, label = ready.placed(x, model), ready.beside(y, model)
        for ball in TRADED:
            attacked = robust_accuracy(model, seen, label, ball, steps=20)
            found[ball_name(ball)] = attacked.rate.as_json(digits=4)
        about = {
            **how(pictures, n),
            "attack": "PGD-10, PGD-20 and PGD-20 on the margin for what stands; no random start",
        }
        results.merged("trades", {name: {**found, "about": about}}, {name: checkpoints.stamp(name)}, out)
        log.info("trades: %s %s", name, found)


def right(model: nn.Module, x: Images, y: Labels) -> Rate:
    """Count right answers."""
    with torch.no_grad():
        said = torch.cat([model(ready.placed(part, model)).argmax(1).cpu() for part in x.split(250)])
    return Rate(int((said == y).sum()), len(y))


def _keep(path: Path, wrong: np.ndarray) -> None:
    with replacing(path) as part, part.open("wb") as file:
        np.save(file, wrong)


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.frequency", description="Train and measure beyond the ball.")
    actions = parser.add_subparsers(dest="action", required=True)
    making = actions.add_parser("train", help="the networks of this topic that are missing")
    making.add_argument("names", nargs="*", metavar="NAME", help="by default all of them")
    making.add_argument("--profile", choices=PROFILES, default="cpu")
    measuring = actions.add_parser("measure", help="what the page shows")
    measuring.add_argument("part", choices=results.SECTIONS)
    measuring.add_argument(
        "names", nargs="*", metavar="NAME", help=f"networks; by default {', '.join(MAPPED)}, in the weather all"
    )
    measuring.add_argument("--n", type=int, help="test pictures")
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    if given.action == "train":
        for name in given.names or NETWORKS:
            train(NETWORKS[name], data.cifar10("train"), given.profile)
        return
    test, n = data.cifar10("test"), given.n or N[given.part]
    names = given.names or (everyone() if given.part == "weather" else MAPPED)
    match given.part:
        case "heat":
            measure_heat(names, test, n)
        case "weather":
            measure_weather(names, test, n)
        case "students":
            measure_students(test, n)
        case _:
            measure_trades(names, test, n)
