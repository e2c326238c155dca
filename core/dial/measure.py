"""The command behind assets/results/dial.json: trends along the dial, with intervals.

    python -m core.dial measure                        whatever is missing or stale, part by part and network by network
    python -m core.dial measure accuracy --n 2000      one part, on more pictures

Each part is measured as its own topic measures it; the file is written after each network, so that a measurement that
was stopped goes on where it was.
"""

import argparse
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core import compute, data
from core.attacks.balls import L2
from core.commands import command, output, parsed, whole
from core.data.sets import Pictures
from core.dial import results
from core.dial.networks import build, here, judges
from core.dial.views import SETTING
from core.files import render
from core.frequency import heat
from core.frequency.corruptions import CORRUPTIONS, corrupt
from core.frequency.measure import drawn, right
from core.frequency.waves import frequencies
from core.inversion.measure import measure as inverted
from core.models import checkpoints
from core.models.ready import beside, load, placed
from core.models.titles import title
from core.problems import InputError
from core.rates import Estimate, Rate
from core.results import refuse_smaller, stamps_of, today
from core.saliency.attribution import attribute
from core.saliency.classes import means_of
from core.saliency.maps import magnitude, reduced
from core.saliency.measure import summary
from core.saliency.measures import class_alignment, coherence, edge_correlation
from core.synthesis.measure import LIMITS, painted, recognised, seeds
from core.train.batches import mix
from core.train.evaluate import clean_accuracy, robust_accuracy
from core.transfer.matrix import Attack, craft, other_classes, predictions
from core.types import Images, Labels
from core.usefulness.definitions import Measured
from core.usefulness.measure import representations, spread
from core.usefulness.search import extremes

log = logging.getLogger(__name__)
N = 500
SEED = 0
EPS = (0.25, 0.5, 1.0)  # at which accuracy is measured under attack, L2
TARGETS = ("vgg-standard", "densenet-standard", "mobilenet-standard", "convmixer-standard", "resnet9-standard")
SOURCED = {"untargeted, ε 0.5": (0.5, False), "untargeted, ε 1": (1.0, False), "targeted, ε 1": (1.0, True)}
SOURCE_STEPS = 10
PUSHED = (0.1, 0.25, 0.5)  # radii at which features are pushed, L2
WEATHER = ("fog", "contrast", "gaussian_noise")
SEVERITY = 5
PAINTED = 6.0  # L2 radius of a painting, a key of core.synthesis.measure.LIMITS
Values = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Part:
    """What is measured of each network.

    Args:
        measure: A network's name, test pictures and how many of them, to the numbers by label.
        share: Of the command's n that it takes.
        how: In a few words.
        others: Networks that take part.
    """

    measure: Callable[[str, Pictures, int], Values]
    share: float
    how: str
    others: Callable[[], tuple[str, ...]] = tuple


def accuracy(name: str, test: Pictures, n: int) -> Values:
    """Measure clean accuracy, and what an attack leaves of it."""
    model = load(name)
    x, y = _on(model, *drawn(test, n, SEED))
    found = {"clean": clean_accuracy(model, x, y).as_json(4)}
    for eps in EPS:
        found[f"attacked, ε {eps:g}"] = robust_accuracy(model, x, y, L2(eps), steps=20, precision="auto").rate.as_json(
            4
        )
        log.info("%s, L2 %g: %s", name, eps, found[f"attacked, ε {eps:g}"]["value"])
    return found


def gradients(name: str, test: Pictures, n: int) -> Values:
    """Measure the loss gradient as the Saliency topic does."""
    model = load(name)
    x, y = _on(model, *drawn(test, n, SEED))
    means = means_of("train", data.cifar10_root()).x.to(x)
    made = attribute(model, x, y, "gradient")
    return {
        "alignment with class means": _mean(class_alignment(model, x, y, means)),
        "correlation with edges": _mean(edge_correlation(magnitude(made), x)),
        "correlation of neighbours": _mean(coherence(reduced(made))),
    }


def pictures(name: str, test: Pictures, n: int) -> Values:
    """Let the judges say what they see in inversions out of noise, and in paintings."""
    model = load(name)
    seen = inverted(name, judges(), n, SEED, SETTING, start="noise")["sees_wanted"]
    found = {f"inverted, {title(judge)}": _rate(seen[judge]) for judge in judges()}
    x, y = seeds(max(1, n // len(test.classes)), SEED)
    made = painted(model, x, y, PAINTED, LIMITS[PAINTED])
    made = render.from_uint8(render.to_uint8(made))  # judged as they would be saved
    said = recognised({judge: load(judge) for judge in judges()}, made, y)
    return {**found, **{f"painted, {title(judge)}": _rate(said[judge]) for judge in judges()}}


def transfer(name: str, test: Pictures, n: int) -> Values:
    """Count how often examples that were made for it fool networks that took no part and are right without."""
    model = load(name)
    x, y = drawn(test, n, SEED)
    x, y = beside(x, model), beside(y, model)
    targets = {target: load(target) for target in targets_here()}
    if not targets:
        raise InputError(f"none of the networks that transfer is measured on is here: {', '.join(TARGETS)}")
    right_all = torch.stack([predictions(other, x) == y for other in targets.values()]).all(0)
    x, y = x[right_all].contiguous(memory_format=torch.channels_last), y[right_all]
    wanted = other_classes(y, len(test.classes), SEED)
    found: Values = {}
    for label, (eps, is_targeted) in SOURCED.items():
        made = craft(model, x, y, L2(eps), Attack(SOURCE_STEPS, wanted if is_targeted else None, "auto"))
        assert made is not None
        said = torch.stack([predictions(other, made) for other in targets.values()])
        hit = said == wanted if is_targeted else said != y
        found[label] = _mean(hit.float().mean(0))
    return found


def features(name: str, test: Pictures, n: int) -> Values:
    """Count features that are useful for their best class, and those that still are after a push: as shares of all."""
    model = load(name)
    chosen = spread(test.y(), n, SEED)
    around = beside(test.x(chosen), model)
    z = representations(model.features, test.x(), here=around.device)
    precision = "bf16" if compute.has_fast_bf16(around.device) else "fp32"
    pushes = extremes(model.features, around, L2, PUSHED, precision=precision)
    found, _ = Measured.of(z, test.y(), pushes, test.y(chosen), len(test.classes)).at_best()
    values = {"useful": _count(found.rho, found.rho_half)}
    for eps, gamma, half in zip(PUSHED, found.gamma, found.gamma_half, strict=True):
        values[f"robustly useful, ε {eps:g}"] = _count(gamma, half)
    return values


def weather(name: str, test: Pictures, n: int) -> Values:
    """Measure accuracy in fog, at low contrast and among noise."""
    model = load(name)
    x, y = drawn(test, n, SEED)
    draws = {kind: torch.Generator().manual_seed(mix(SEED, *map(ord, kind), SEVERITY)) for kind in WEATHER}
    return {
        CORRUPTIONS[kind].title.lower(): right(model, corrupt(x, kind, SEVERITY, draws[kind]), y).as_json(4)
        for kind in WEATHER
    }


def waves(name: str, test: Pictures, n: int) -> Values:
    """Measure accuracy under one added wave, over all coarse and over all fine frequencies."""
    model = load(name)
    x, y = _on(model, *drawn(test, n, SEED))
    side = test.images.shape[1]
    chosen, found = frequencies(side), {}
    for label, region in (("coarse waves", "low"), ("fine waves", "high")):
        rows = heat.rows_of(region, side)
        if not rows:
            continue
        wrong = heat.errors(model, x, y, [chosen[row] for row in rows], seed=SEED)
        found[label] = heat.mean((~wrong).float().mean(0).tolist()).as_json(4)
    return found


def targets_here() -> tuple[str, ...]:
    """List the networks that transfer is measured on whose weights are here."""
    return tuple(name for name in TARGETS if checkpoints.path_of(name).is_file())


MEASURES = {
    "accuracy": Part(
        accuracy,
        1.0,
        "Right answers; attacked by PGD-10, PGD-20 and PGD-20 on the margin for what stands, no random start.",
    ),
    "gradients": Part(gradients, 1.0, "Loss gradients at test pictures; means over pictures, bootstrap intervals."),
    "pictures": Part(
        pictures,
        0.2,
        f"Inversions out of noise (100 steps with momentum) and paintings over draws of each class (L2 {PAINTED:g},"
        f" {LIMITS[PAINTED]} steps): how often each judge sees the wanted class.",
        judges,
    ),
    "transfer": Part(
        transfer,
        1.0,
        f"PGD-{SOURCE_STEPS} on the network alone; pictures that all {len(TARGETS)} targets ({', '.join(TARGETS)}) get"
        " right; the mean over targets.",
        targets_here,
    ),
    "features": Part(
        features,
        0.04,
        "Shares of the features of the penultimate layer, each for its best class; the interval counts those that"
        " surely and those that possibly are; usefulness on all test pictures, pushes around n of them.",
    ),
    "weather": Part(weather, 2.0, f"CIFAR-10-C's formulas, severity {SEVERITY}."),
    "waves": Part(
        waves,
        0.1,
        f"One wave of norm {heat.NORM:g} in each channel: all frequencies below 4 cycles per picture, and all from"
        " 11 on.",
    ),
}


def measure(parts: tuple[str, ...], test: Pictures, n: int, *, anew: bool = False, out: Path | None = None) -> None:
    """Measure what is missing, a part after the other; the file is written after each network.

    Args:
        parts: Of `core.dial.results.PARTS`.
        test: Labelled pictures.
        n: Pictures; each part takes its share.
        anew: Replace what was measured on more pictures.
        out: The file.

    Raises:
        core.problems.InputError: If no network of the dial is here, or a part was measured on more pictures.
    """
    networks = here()
    if not networks:
        raise InputError(f"no network of the dial is here; make them with: {build()}")
    for key in parts:
        part = MEASURES[key]
        how = (
            f"{part.how} {test.source}; float32, gradients of attacks in bfloat16 where that is fast;"
            f" {compute.device().type}, torch {torch.__version__}."
        )
        many = min(len(test), max(20, round(part.share * n)))
        about = {"n": many, "seed": SEED, "date": today(), "how": how}
        known = results.read(out).get("parts", {}).get(key, {}).get("about", {}).get("n")
        refuse_smaller(out or results.RESULTS, known, many, anew=anew)
        for name in networks.values():
            stamps = stamps_of((name, *part.others()))
            if results.has(results.read(out), key, name, about, stamps):
                continue
            values = part.measure(name, test, many)
            results.keep(key, name, values, about, stamps, out)
            log.info("%s, %s: %s", key, name, {label: one["value"] for label, one in values.items()})


def _on(model: nn.Module, x: Images, y: Labels) -> tuple[Images, Labels]:
    return placed(x, model), beside(y, model)


def _rate(value: Mapping[str, Any]) -> dict[str, Any]:
    return Rate.from_json(value).as_json(4)


def _mean(values: torch.Tensor) -> dict[str, Any]:
    return Estimate.from_json(summary(values.cpu())).as_json()


def _count(value: torch.Tensor, half: torch.Tensor) -> dict[str, Any]:
    """Return the share of features above 0, between those that surely are and those that possibly are."""
    low, at, high = (float((bound > 0).float().mean()) for bound in (value - half, value, value + half))
    return Estimate(at, (low, high), len(value)).as_json()


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.dial", description="Measure trends along the dial.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(results.PARTS)}; all by default")
    parser.add_argument(
        "--n", type=whole(20, 10_000), default=N, help="test pictures, of which each part takes its share"
    )
    parser.add_argument("--out", type=output, help="the results file")
    parser.add_argument("--anew", action="store_true", help="replace what was measured on more pictures")
    given = parsed(parser, arguments)
    if unknown := [part for part in given.parts if part not in results.PARTS]:
        raise InputError(f"there is no part {', '.join(unknown)}; these are: {', '.join(results.PARTS)}")
    compute.setup_cpu()
    measure(tuple(given.parts) or results.PARTS, data.cifar10("test"), given.n, anew=given.anew, out=given.out)
