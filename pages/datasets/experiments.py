"""The experiments of the paper that students tell of: their rows, and the paper's numbers beside them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.rates import Estimate

MEASURED = ("clean", "L2 0.25", "L2 0.5")
RENEWED = "clean renewed"
HEADS = {"clean": "Clean", "L2 0.25": "ℓ₂ 0.25", "L2 0.5": "ℓ₂ 0.5", RENEWED: "Clean, AdaBN"}


@dataclass(frozen=True)
class Line:
    """A row of a result: the student, what it saw, and the paper's numbers for it, in per cent, with their source."""

    student: str
    saw: str
    paper: tuple[float | None, ...] = (None, None, None)
    source: str = ""


@dataclass(frozen=True)
class Experiment:
    """An experiment: what to look for, and its rows."""

    title: str
    says: str
    lines: tuple[Line, ...]


EXPERIMENTS = {
    "table1": Experiment(
        "Learning from labels that look wrong (table 1)",
        "No student has ever seen a right label and its picture together, but for the tenth of D_rand that drew its own"
        " class.",
        (
            Line("student-rand", "D_rand", (63.3, None, None), "table 1"),
            Line("student-det", "D_det", (43.7, None, None), "table 1"),
        ),
    ),
    "figure2": Experiment(
        "Robust and non-robust features (figure 2)",
        "Both students were trained in the ordinary way. Only the pictures differ.",
        (
            Line("student-robust", "D_R", (85.40, 48.20, 21.85), "table 7, from images"),
            Line("student-nonrobust", "D_NR", (87.68, 0.82, 0.0), "table 7, from images"),
            Line("student-original", "as many ordinary pictures", (95.25, 4.49, 0.0), "table 7, all 50,000 pictures"),
        ),
    ),
    "cats-vs-dogs": Experiment(
        "Cats against dogs",
        "Two classes only. Every label is swapped; or the student has never seen a cat or a dog at all.",
        (
            Line(
                "student-cats-vs-dogs",
                "cats labelled dogs, dogs labelled cats",
                (78.0, None, None),
                "the authors' slides",
            ),
            Line("control-cats-vs-dogs-plain", "the same, without whitening"),
            Line("student-unseen", "neither cats nor dogs, perturbed toward them"),
        ),
    ),
    "controls": Experiment(
        "Controls",
        "What D_rand teaches without adversarial features, without its own class, when a robust model made it, and"
        " without whitening.",
        (
            Line(
                "control-leak",
                "own class untouched, else one fixed noise a class",
                (79.5, None, None),
                "not the paper: K. Jordan's ResNet-9",
            ),
            Line(
                "control-moved",
                "D_rand without the own class",
                (67.3, None, None),
                "not the paper: K. Jordan's ResNet-9",
            ),
            Line("control-robust-source", "D_rand made with a robust model", (25.2, None, None), "table 9"),
            Line("control-plain", "D_rand, without whitening"),
        ),
    ),
}


def chance(line: Line) -> float:
    """Return what guessing gives."""
    return 0.5 if line in EXPERIMENTS["cats-vs-dogs"].lines else 0.1


def at_chance(line: Line, rate: Mapping[str, Any]) -> bool:
    """Tell whether a rate cannot be told from guessing."""
    found = Estimate.from_json(rate)
    return found.low <= chance(line) <= found.high


def again(line: Line, students: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """List the same student of other seeds, which are numbered."""
    return [students[name] for name in sorted(students) if re.fullmatch(rf"{re.escape(line.student)}-\d+", name)]
