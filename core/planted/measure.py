"""The command that trains the pairs that ship and answers all questions of the Sandbox over several seeds.

    python -m core.planted train          # checkpoints/planted-*: two minutes
    python -m core.planted measure        # assets/results/planted.json: half an hour on one core

A part is a function of a seed to named numbers. Each is kept in runs/planted as soon as it is done, and not done again.
"""

import argparse
import json
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from core import compute
from core.commands import command
from core.data.planted.scenes import render
from core.models import Classifier, checkpoints
from core.planted import networks, probes, sets, superposition, usefulness
from core.planted.networks import FOLDER, SHIPPED, SIDES, fresh, pair, train
from core.planted.recipe import PlantedRecipe
from core.planted.results import AGAIN, PATH, aggregated, save
from core.problems import InputError
from core.rates import Rate
from core.results import stamps_of, today

log = logging.getLogger(__name__)
WORK = checkpoints.FOLDER.parent / "runs" / "planted"
TESTED, ATTACKED, PUSHED = 1000, 250, 40  # pictures: seen, attacked, pushed for gamma
EPS = (0.2, 0.5, 1.0)
QUICK = 1000  # for the parts that train many networks
AGREES = (0.25, 0.5, 0.75, 0.9, 1.0)
FAINT = (0.1, 0.2, 0.35, 0.6)
TAUGHT = 1500  # pictures of a constructed set
DET_AGREES = (0.25, 0.5, 0.75, 1.0)
MORE = (300, 1000, 3000, 8000)
SEEN = 8000  # pictures in all epochs together, however many different ones
TOY_NUMBER, TOY_DIMENSIONS = 20, (2, 5, 10, 15, 20)
Found = dict[str, float]


def _rates(prefix: str, rates: dict[str, Rate]) -> Found:
    return {f"{prefix}/{name}": rate.value for name, rate in rates.items()}


def questions(seed: int) -> Found:
    """Answer for a pair with the default settings.

    Which feature, what is written, how robust, how useful, who else is fooled.
    """
    recipe = replace(PlantedRecipe(), seed=seed)
    world, two = recipe.world, pair(recipe)
    drawn = fresh(recipe, TESTED)
    x = render(world, drawn)
    asked = probes.rules(world, two)
    found = _rates("clean", {name: probes.accuracy(rule, x, drawn.y) for name, rule in asked.items()})
    for feature, curves in probes.knockout(world, drawn, asked).items():
        for name, rates in curves.items():
            found |= {f"knockout/{feature}/{name}/{s:g}": r.value for s, r in zip(probes.STRENGTHS, rates, strict=True)}
    for name, followed in probes.follows(world, drawn, asked).items():
        found |= _rates(f"follows/{name}", followed)
    few = fresh(recipe, ATTACKED)
    for side in SIDES:
        for eps in (recipe.eps, 1.0):
            seen = probes.written(two[side], world, few, eps)
            found[f"written/{side}/{eps:g}/success"] = float(seen.success.float().mean())
            found |= {f"written/{side}/{eps:g}/{name}": float(c.mean()) for name, c in seen.cosine.items()}
        for eps in EPS:
            found[f"robust/{side}/{eps:g}"] = probes.robust_rate(two[side], x[:ATTACKED], drawn.y[:ATTACKED], eps).value
    return found | _useful(recipe) | _transfer(recipe, two)


def _useful(recipe: PlantedRecipe) -> Found:
    world, drawn = recipe.world, fresh(recipe, 4000)
    rho, gamma = usefulness.closed_form(world)
    found: Found = {}
    readers = {"weave": usefulness.weave_features, "shape": usefulness.shape_features}
    for name, reader in readers.items():
        tables = usefulness.measured(world, drawn, PUSHED, partial(reader, world))
        found[f"useful/{name}/rho"] = sum(float(t.rho[c]) for c, t in enumerate(tables)) / world.classes
        for e, eps in enumerate(usefulness.RADII):
            found[f"useful/{name}/gamma/{eps:g}"] = (
                sum(float(t.gamma[e, c]) for c, t in enumerate(tables)) / world.classes
            )
        if name == "weave":
            inside = [abs(float(t.rho[c]) - float(rho[c])) <= float(t.rho_half[c]) for c, t in enumerate(tables)]
            found["useful/weave/rho_inside"] = sum(inside) / len(inside)
            inside = [
                abs(float(t.gamma[e, c]) - float(gamma[e, c])) <= float(t.gamma_half[e, c])
                for c, t in enumerate(tables)
                for e in range(len(usefulness.RADII))
            ]
            found["useful/weave/gamma_inside"] = sum(inside) / len(inside)
    found["useful/planted/rho"] = float(rho.mean())
    found |= {f"useful/planted/gamma/{eps:g}": float(g.mean()) for eps, g in zip(usefulness.RADII, gamma, strict=True)}
    return found


def _transfer(recipe: PlantedRecipe, two: dict[str, Classifier]) -> Found:
    """Attack the standard network and show the result to another seed's, another weave's and the robust one."""
    others = {
        "itself": two["standard"],
        "seed": train(replace(recipe, seed=recipe.seed + 100), "standard"),
        "weave": train(replace(recipe, weave=recipe.weave + 1), "standard"),
        "robust": two["robust"],
    }
    drawn = fresh(recipe, ATTACKED)
    x, target = render(recipe.world, drawn), (drawn.y + 1) % recipe.classes
    rates = probes.transfer([two["standard"]], list(others.values()), x, target, recipe.eps)[0]
    unattacked = [probes.accuracy(rule, x, target) for rule in probes.rules(recipe.world, others).values()][:-1]
    found = {f"transfer/{name}": rate.value for name, rate in zip(others, rates, strict=True)}
    return found | {f"transfer/{name}/before": rate.value for name, rate in zip(others, unattacked, strict=True)}


def students(seed: int) -> Found:
    """Teach a student from each of the four data sets."""
    recipe = replace(PlantedRecipe(), seed=seed)
    two = pair(recipe)
    found: Found = {}
    for kind in sets.KINDS:
        began = time.monotonic()
        found |= {
            f"students/{kind}/{name}": _value(v) for name, v in sets.teach(recipe, kind, two, TAUGHT, TESTED).items()
        }
        log.info("seed %d: student of %s after %.0f s", seed, kind, time.monotonic() - began)
    return found


def _value(value: object) -> float:
    return value.value if isinstance(value, Rate) else float(str(value))


def next_label(seed: int) -> Found:
    """Teach a student from D_det, for weaves that agree with the label more and more often, and for none."""
    found: Found = {}
    for agrees in DET_AGREES:
        recipe = replace(PlantedRecipe(), seed=seed, faint_agrees=agrees, pictures=QUICK)
        two = {"standard": train(recipe, "standard")}
        taught = sets.teach(recipe, "det", two, recipe.pictures, TESTED)
        found |= {f"det/{agrees:g}/{name}": _value(value) for name, value in taught.items()}
    recipe = replace(PlantedRecipe(), seed=seed, faint=0.0, pictures=QUICK)
    taught = sets.teach(recipe, "det", {"standard": train(recipe, "standard")}, recipe.pictures, TESTED)
    return found | {f"det/none/{name}": _value(value) for name, value in taught.items()}


def preferred(seed: int) -> Found:
    """Train a standard network at each strength and agreement of the weave, the shape being right nine times in ten."""
    found: Found = {}
    for faint in FAINT:
        for agrees in AGREES:
            recipe = replace(
                PlantedRecipe(), seed=seed, faint=faint, faint_agrees=agrees, visible_agrees=0.9, pictures=QUICK
            )
            asked = probes.rules(recipe.world, {"standard": train(recipe, "standard")})
            for name, rates in probes.follows(recipe.world, fresh(recipe, ATTACKED), asked).items():
                found |= _rates(f"preferred/{faint:g}/{agrees:g}/{name}", rates)
    return found


def more_data(seed: int) -> Found:
    """Train on more and more pictures, with a faint feature and without.

    Do adversarial examples go away, do they transfer?
    """
    found: Found = {}
    for faint in (0.0, PlantedRecipe().faint):
        for n in MORE:
            recipe = replace(PlantedRecipe(), seed=seed, faint=faint, pictures=n, epochs=max(1, SEEN // n))
            one, other = (train(replace(recipe, seed=s), "standard") for s in (seed, seed + 100))
            drawn = fresh(recipe, ATTACKED)
            x, target = render(recipe.world, drawn), (drawn.y + 1) % recipe.classes
            own, others = probes.transfer([one], [one, other], x, target, recipe.eps)[0]
            where = f"data/{faint:g}/{n}"
            found[f"{where}/clean"] = probes.accuracy(probes.rules(recipe.world, {"one": one})["one"], x, drawn.y).value
            found[f"{where}/robust"] = probes.robust_rate(one, x, drawn.y, recipe.eps).value
            found[f"{where}/success"], found[f"{where}/transfer"] = own.value, others.value
    return found


def toys(seed: int) -> Found:
    """Train toys of superposition with less and less room for their features, sparse and dense."""
    found: Found = {}
    for sparsity in (0.0, 0.9):
        for m in TOY_DIMENSIONS:
            toy = superposition.train_toy(TOY_NUMBER, m, sparsity, seed)
            found[f"toys/{sparsity:g}/{m}/stored"] = float(toy.stored.sum())
            found[f"toys/{sparsity:g}/{m}/vulnerability"] = float(superposition.vulnerability(toy).mean())
    return found


PARTS: dict[str, Callable[[int], Found]] = {
    "questions": questions,
    "students": students,
    "more_data": more_data,
    "preferred": preferred,
    "next_label": next_label,
    "toys": toys,
}


def measure(names: list[str], seeds: int, work: Path = WORK, path: Path = PATH) -> None:
    """Compute what is missing, a part and a seed after the other, and write the results anew after each."""
    work.mkdir(parents=True, exist_ok=True)
    for name in names:
        for seed in range(seeds):
            kept = work / f"{name}-{seed}.json"
            if not kept.is_file():
                began = time.monotonic()
                kept.write_text(json.dumps(PARTS[name](seed)))
                log.info("%s, seed %d: %.0f s", name, seed, time.monotonic() - began)
            save(gathered(work), path)


def gathered(work: Path = WORK) -> dict[str, object]:
    """Put all finished parts together, each number with its interval over the seeds."""
    found: dict[str, object] = {}
    for name in PARTS:
        runs = [json.loads(path.read_text()) for path in sorted(work.glob(f"{name}-*.json"))]
        if len(runs) > 1:
            found |= {key: aggregated([run[key] for run in runs]) for key in runs[0]}
    about = {
        "date": today(),
        "profile": "cpu",
        "torch": torch.__version__,
        "tested": TESTED,
        "attacked": ATTACKED,
        "pushed": PUSHED,
        "command": AGAIN,
        "stamps": stamps_of(networks.named("features", side) for side in SIDES),
    }
    return {"about": about, "numbers": found}


def build(names: list[str]) -> None:
    """Train pairs that ship, those that are not there yet."""
    for name in names:
        recipe = PlantedRecipe(**SHIPPED[name])
        for side in SIDES:
            path = checkpoints.path_of(networks.named(name, side), FOLDER)
            if path.is_file():
                continue
            began = time.monotonic()
            model = train(recipe, side)
            drawn = fresh(recipe, TESTED)
            clean = probes.accuracy(
                probes.rules(recipe.world, {side: model})[side], render(recipe.world, drawn), drawn.y
            )
            about = replace(networks.header(recipe, side), measured={"clean": clean.as_json()})
            checkpoints.save(path, model.state_dict(), about)
            log.info("%s: %s, %.0f s", networks.named(name, side), clean, time.monotonic() - began)


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.planted", description="The planted world.")
    parser.add_argument("action", choices=["train", "measure"])
    parser.add_argument(
        "names", nargs="*", help=f"pairs ({', '.join(SHIPPED)}) or parts ({', '.join(PARTS)}); all by default"
    )
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args(arguments)
    known: list[str] = list(SHIPPED if given.action == "train" else PARTS)
    if unknown := [name for name in given.names if name not in known]:
        raise InputError(f"there is no {', '.join(unknown)} to {given.action}; have {', '.join(known)}")
    compute.setup_cpu()
    if given.action == "train":
        build(given.names or known)
    else:
        shipped = [networks.named("features", side) for side in SIDES]
        stamps = [checkpoints.stamp(name) for name in shipped if checkpoints.path_of(name).is_file()]
        measure(given.names or known, given.seeds, WORK / "-".join(stamps))
