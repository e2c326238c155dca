"""What the results files say of each claim: a few numbers in [0, 1] with n and interval, beside those of the source.

measured("wallace")          # [Number(…, label="student of another's errors", theirs=0.497), …]; empty: not measured
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import learnt
from core.models import checkpoints
from core.models.judge import JUDGE, ROBUST_JUDGE
from core.rates import Estimate, Z

RESULTS = checkpoints.FOLDER.parent / "assets" / "results"
STANDARD, ROBUST = "resnet9-standard", "resnet9-l2"
STRONG, WEAK = 0, 2844  # the directions that the Usefulness page mixes first


@dataclass(frozen=True)
class Number(Estimate):
    """A measured number in [0, 1], beside that of the source.

    Args:
        label: What it is.
        counted: What n counts.
        theirs: The same in the source, or None where it has none.
    """

    label: str
    counted: str = "test pictures"
    theirs: float | None = None

    @staticmethod
    def labelled(label: str, ours: Estimate, theirs: float | None = None, counted: str = "test pictures") -> "Number":
        """Say what a number of ours is, and what the source has."""
        return Number(ours.value, ours.interval, ours.n, label, counted, theirs)

    def __str__(self) -> str:
        return f"{self.per_cent()}, n = {self.n:,} {self.counted}"


def measured(claim: str, folder: Path | None = None) -> list[Number]:
    """Read what was measured of a claim; empty where its results are not there yet, or are not what they should be."""
    try:
        return READERS[claim](folder if folder is not None else RESULTS)
    except (OSError, KeyError, TypeError, ValueError, IndexError):
        return []


def _read(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _rate(label: str, rate: Mapping[str, Any], theirs: float | None = None, counted: str = "test pictures") -> Number:
    return Number.labelled(label, Estimate.from_json(rate), theirs, counted)


def _ilyas(folder: Path) -> list[Number]:
    students = _read(folder, "table1")["students"]
    return [
        _rate("learnt from D_rand, tested on clean pictures", students["student-rand"]["clean"], 0.633),
        _rate("learnt from D_det, tested on clean pictures", students["student-det"]["clean"], 0.437),
    ]


def _goh_leakage(folder: Path) -> list[Number]:
    sets = _read(folder, "errors")["leakage"]["sets"]
    found = [
        _rate("ten robust features alone, taught by D_rand", sets["rand"], 0.235),
        _rate("the same, taught by D_det", sets["det"], 0.0681),
        _rate("the same, taught by a set that leaks by construction", sets["leak"]),
    ]
    try:
        leak = _read(folder, "controls")["students"]["control-leak"]["clean"]
    except (OSError, KeyError):
        return found
    return [*found, _rate("a network, D_rand without any adversarial feature", leak)]


def _goh_features(_: Path) -> list[Number]:
    from core.usefulness.linear import known

    here = known.load()
    half = Z / here.n_test**0.5

    def number(title: str, f: known.Linear) -> Number:
        gone, rho = max(0.0, f.rho_test * f.deviation_test), f.rho_test
        ours = Estimate(rho, (rho - half, rho + half), here.n_test).within(0.0, 1.0)
        return Number.labelled(f"{title}, gone at ε = {gone:.2g}", ours)

    return [
        number("the mixture", here.containment(STRONG, WEAK, 0.002)),
        number("its robust part alone", here.single(STRONG)),
        number("its brittle part alone", here.single(WEAK)),
    ]


def _nakkiran(folder: Path) -> list[Number]:
    found = _read(folder, "bugs")
    attacks = found["attacks"]["L2 2.5"]
    numbers = []
    for kind, title, theirs in (("feature", "ordinary perturbations", 0.825), ("bug", "bugs", 0.017)):
        judges = list(attacks[kind]["judges"].values())
        best = max(judges, key=lambda judge: judge["hit"]["value"])
        numbers.append(_rate(f"{title}: the fresh network most often hit", best["hit"], theirs))
    kinds = found.get("students", {}).get("kinds", {})
    for kind, title, theirs in (("feature", "student of ordinary ones", 0.332), ("bug", "student of bugs", 0.028)):
        if kind in kinds:
            numbers.append(_rate(f"{title}, on true labels", kinds[kind]["clean"], theirs))
    return numbers


def _gilmer(folder: Path) -> list[Number]:
    weather = _read(folder, "frequency")["weather"]["fog"]
    return [
        _rate("standard network, clean", weather["0"][STANDARD]),
        _rate("standard network in the thickest fog (severity not named by the source)", weather["5"][STANDARD], 0.857),
        _rate("robust network, clean", weather["0"][ROBUST]),
        _rate("robust network in the thickest fog (the same)", weather["5"][ROBUST], 0.553),
    ]


def _wallace(folder: Path) -> list[Number]:
    students = _read(folder, "errors")["pictures"]["students"]
    titles = {
        "errors": ("student of another network's errors alone", 0.497),
        "random": ("the same pictures, a wrong class at random", None),
        "shuffled": ("the same errors, dealt out anew in each class", None),
    }
    return [
        _rate(title, students[f"{kind}-0"]["clean"], theirs)
        for kind, (title, theirs) in titles.items()
        if f"{kind}-0" in students
    ]


def _nakano(folder: Path) -> list[Number]:
    found = _read(folder, "style")["pairs"]["judges"]
    return [
        _rate(
            f"painted by the {title} network: distance to the style left, says the {which} judge",
            seen["style"][name],
            counted="pairs of pictures",
        )
        for which, seen in (("standard", found[JUDGE]), ("robust", found[ROBUST_JUDGE]))
        for title, name in (("standard", STANDARD), ("robust", ROBUST))
    ]


def _shamir(folder: Path) -> list[Number]:
    found = _read(folder, "errors")["manifold"]
    titles = {
        STANDARD: "perturbations of the standard network",
        ROBUST: "of the robust network",
        "other": "ways to another picture",
        "random": "random directions",
    }
    return [_rate(title, found["shares"][name]["50"], counted="pictures") for name, title in titles.items()]


def _li(folder: Path) -> list[Number]:
    found = _read(folder, "errors")["learners"]
    asked = [(learner, kind) for kind in learnt.SETS for learner in ("supervised", "contrastive")]
    numbers = []
    for learner, kind in (*asked, ("untrained", "nonrobust")):
        title = f"{learnt.SETS[kind]}, {learnt.LEARNERS[learner]}"
        numbers.append(Number.labelled(title, learnt.span(found, learner, kind, "own")))
    return numbers


def sources(claim: str, folder: Path | None = None) -> list[tuple[Mapping[str, Any], str]]:
    """Return what the numbers of a claim were read from, each part with the command that measures it anew."""
    found = []
    for file, path, command in PLACES[claim]:
        try:
            part: Any = _read(folder if folder is not None else RESULTS, file)
            for key in path:
                part = part[key]
        except (OSError, KeyError, TypeError, ValueError):
            continue
        found.append((part, f"python -m {command}"))
    return found


# Where in which files the numbers of each claim stand, and what measures them anew.
PLACES: dict[str, tuple[tuple[str, tuple[str, ...], str], ...]] = {
    "nakkiran": (("bugs", (), "core.bugs measure"),),
    "shamir": (("errors", ("manifold",), "core.errors measure manifold"),),
    "li": (("errors", ("learners",), "core.errors measure learners"),),
    "wallace": (("errors", ("pictures",), "core.errors measure pictures"),),
    "gilmer": (("frequency", (), "core.frequency measure weather"),),
    "goh-leakage": (
        ("errors", ("leakage",), "core.errors measure leakage"),
        ("controls", ("students", "control-leak"), "core.datasets.experiments run controls"),
    ),
    "goh-features": (),  # of pixels: no network took part
    "nakano": (("style", ("pairs",), "core.style measure pairs"),),
    "ilyas": (("table1", ("students",), "core.datasets.experiments run table1"),),
}
READERS: dict[str, Callable[[Path], list[Number]]] = {
    "nakkiran": _nakkiran,
    "shamir": _shamir,
    "li": _li,
    "wallace": _wallace,
    "gilmer": _gilmer,
    "goh-leakage": _goh_leakage,
    "goh-features": _goh_features,
    "nakano": _nakano,
    "ilyas": _ilyas,
}
