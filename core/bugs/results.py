"""What was measured of bugs: the file, and the numbers of the discussion beside ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import results
from core.bugs import ensemble
from core.rates import Rate

RESULTS = results.FOLDER / "bugs.json"
AGAIN = "python -m core.bugs measure"
SOURCE = "Nakkiran (2019), Distill"


@dataclass(frozen=True)
class Theirs:
    """Nakkiran's numbers for one kind of perturbation, in per cent, of ResNet-18s and ten of them as the ensemble."""

    success: float
    transfer: float
    student: float
    student_next: float


THEIRS: dict[str, dict[str, Theirs]] = {
    "L2 2.5": {"feature": Theirs(99.9, 82.5, 33.2, 27.3), "bug": Theirs(99.3, 1.7, 2.8, 70.8)},
    "Linf 8/255": {"feature": Theirs(99.6, 52.1, 23.7, 40.4), "bug": Theirs(98.6, 0.8, 2.5, 75.9)},
}


def read(path: Path | None = None) -> dict[str, Any]:
    """Read the file; empty where nothing was measured.

    Raises:
        core.data.DataError: If it is damaged.
    """
    return results.read(path if path is not None else RESULTS, AGAIN, _check) or {}


def _check(found: dict[str, Any]) -> None:
    for setting in found.get("attacks", {}).values():
        for kind in setting.values():
            Rate.from_json(kind["success"])


def pooled(judges: Mapping[str, Any], what: str) -> Rate:
    """Add the judges' counts up: the rate of a judge drawn at random.

    The judges share pictures, so its n is not of pictures.
    """
    rates = [Rate.from_json(judge[what]) for judge in judges.values()]
    return Rate(sum(one.hits for one in rates), sum(one.n for one in rates))


def spared(found: Mapping[str, Any]) -> tuple[str, ...]:
    """List the members of the ensemble that were measured."""
    return tuple(name for name in found.get("stamps", {}) if name in ensemble.MEMBERS)


def lines(found: Mapping[str, Any]) -> list[str]:
    """Write what was measured, a line each."""
    written = []
    for setting, kinds in found.get("attacks", {}).items():
        for kind, one in kinds.items():
            written.append(
                f"{setting}, {kind}: success {Rate.from_json(one['success'])}, ensemble right"
                f" {Rate.from_json(one['ensemble'])}"
            )
            written += [
                f"  {name}: says the target {Rate.from_json(judge['hit'])}" for name, judge in one["judges"].items()
            ]
    for kind, student in found.get("students", {}).get("kinds", {}).items():
        written.append(
            f"student of {kind}s: on y {Rate.from_json(student['clean'])}, on y + 1 {Rate.from_json(student['next'])}"
        )
    return written
