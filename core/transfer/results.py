"""What was measured of transfer: the settings, and the file that holds the numbers.

For example:

    found = Measured.read()
    found.cells["L2 0.5 untargeted"]["resnet9-standard", "vgg-standard"].fooled
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import results
from core.attacks import balls
from core.attacks.balls import Ball
from core.files.atomic import replace_with
from core.rates import Estimate, Rate
from core.transfer.outcome import Cell
from core.transfer.recipe import RADII, TransferRecipe

RESULTS = results.FOLDER / "transfer.json"
AGAIN = "python -m core.transfer measure"
FIGURE3 = results.FOLDER / "figure3.json"


@dataclass(frozen=True)
class Setting:
    """One measured matrix.

    Args:
        norm: "L2" or "Linf".
        eps: A key of `RADII[norm]`.
        goal: "untargeted" or "targeted".
        part: Which fraction of the pictures is used; the further radii of the curves make do with a quarter.
    """

    norm: str
    eps: str
    goal: str = "untargeted"
    part: float = 1.0

    @property
    def name(self) -> str:
        """How the file calls it: "L2 0.5 untargeted"."""
        return f"{self.norm} {self.eps} {self.goal}"

    @property
    def ball(self) -> Ball:
        """The ball of that norm and radius."""
        return balls.make(self.norm, RADII[self.norm][self.eps])


_MAIN = (("L2", "0.5"), ("L2", "1"), ("Linf", "8/255"))
SETTINGS = (
    *(Setting(norm, eps, goal) for goal in ("untargeted", "targeted") for norm, eps in _MAIN),
    *(Setting(norm, eps, part=0.25) for norm, radii in RADII.items() for eps in radii if (norm, eps) not in _MAIN),
)


def setting_of(recipe: TransferRecipe) -> str:
    """Return the name of the setting that a recipe asks for."""
    return Setting(recipe.norm, recipe.radius[0], recipe.goal).name


@dataclass(frozen=True)
class Model:
    """A network that took part: its title, a fingerprint of its weights, and clean accuracy on the same pictures."""

    title: str
    stamp: str
    clean: Rate


@dataclass(frozen=True)
class Measured:
    """All that was measured.

    Args:
        about: n, seed, steps, date, and how; under "others" the cells that were measured on another day or otherwise.
        models: The networks by name.
        cells: Setting -> (source, target) -> rates.
        similarity: (a, b) -> linear CKA of their representations.
    """

    about: dict[str, Any] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    cells: dict[str, dict[tuple[str, str], Cell]] = field(default_factory=dict)
    similarity: dict[tuple[str, str], Estimate] = field(default_factory=dict)

    @staticmethod
    def read(path: Path = RESULTS) -> "Measured | None":
        """Read the file; None where there is none.

        Raises:
            ValueError: If it is damaged.
        """
        if not path.is_file():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return Measured(
                about=found["about"],
                models={
                    name: Model(m["title"], m["stamp"], Rate.from_json(m["clean"]))
                    for name, m in found["models"].items()
                },
                cells={
                    name: {pair(key): Cell.of_json(cell) for key, cell in cells.items()}
                    for name, cells in found["cells"].items()
                },
                similarity={pair(key): Estimate.from_json(one) for key, one in found["similarity"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise results.damaged(path, error, AGAIN) from error

    def write(self, path: Path = RESULTS) -> None:
        """Write the file, atomically, a line a cell."""
        sections: dict[str, Any] = {
            "about": self.about,
            "models": {
                name: {"title": m.title, "stamp": m.stamp, "clean": m.clean.as_json(digits=4)}
                for name, m in sorted(self.models.items())
            },
            "cells": {
                name: {" > ".join(pair): cell.as_json(digits=4) for pair, cell in sorted(cells.items())}
                for name, cells in self.cells.items()
            },
            "similarity": {" > ".join(pair): one.as_json(digits=4) for pair, one in sorted(self.similarity.items())},
        }
        replace_with(path, _lines(sections, 3) + "\n")

    @property
    def circumstances(self) -> str:
        """When and how it was measured; and how many cells were measured at another time or otherwise."""
        others = [
            f"of these {sum(map(len, one['cells'].values()))} cells {one['date']}; {one['how']}"
            for one in self.about.get("others", ())
        ]
        return "; ".join([f"{self.about['date']}; {self.about['how']}", *others])

    def complete(self, name: str) -> tuple[str, ...]:
        """List networks of a setting among which every pair is there; while a measurement runs, others are left out."""
        cells = self.cells.get(name, {})
        kept = [model for model in self.models if (model, model) in cells]

        def missing(a: str) -> int:
            return sum(((a, b) not in cells) + ((b, a) not in cells) for b in kept)

        while kept and max(missing(a) for a in kept) > 0:
            kept.remove(max(reversed(kept), key=missing))
        return tuple(kept)

    def matrix(self, name: str) -> dict[tuple[str, str], Cell]:
        """Return the cells among the complete networks of a setting."""
        kept = self.complete(name)
        return {(a, b): self.cells[name][a, b] for a in kept for b in kept}


@dataclass(frozen=True)
class Point:
    """One architecture of figure 3.

    Accuracy of a student of D_det, and how often ResNet's examples fool a standard one.
    """

    name: str
    accuracy: float
    transfer: float
    accuracy_rate: Rate | None = None
    transfer_rate: Rate | None = None


# Ilyas et al. (2019), figure 3: points read from the vector graphic.
PAPER = (
    Point("VGG-16", 0.2794, 0.6567),
    Point("Inception-v3", 0.3939, 0.8275),
    Point("ResNet-18", 0.4084, 0.9212),
    Point("DenseNet", 0.4170, 0.9272),
    Point("ResNet-50", 0.4470, 0.987),
)
PAPER_LINE = ((0.270, 0.630), (0.454, 0.992))  # the dashed line of the figure
# The authors' reply to Nakkiran in the Distill discussion draws his set into the figure: what transfers to nobody
# teaches nothing. Read from their picture, so about (0, 0).
REPLY = Point("Nakkiran's bugs", 0.0, 0.0)


# Figure 3 of our own: which setting of the matrix, whose examples, and to whom they are shown. The source's own
# architecture is a network of another seed; the student of that architecture is the one of table 1.
OURS, SOURCE = "L2 0.5 untargeted", "resnet9-standard"
TARGETS = {
    "student-det": "resnet9-standard-2",
    **{f"figure3-{arch}": f"{arch}-standard" for arch in ("vgg", "densenet", "mobilenet", "convmixer")},
}


def figure3(path: Path | None = None, measured: Measured | None = None) -> tuple[dict[str, Any], tuple[Point, ...]]:
    """Put our points of figure 3 together: students of `core.datasets.experiments run figure3`, and transfer rates.

    Args:
        path: The experiment's results, by default `FIGURE3`.
        measured: The transfer rates, by default what is in the results file.

    Returns:
        How the students were made, and a point for every architecture that has both numbers; without the file, nothing.

    Raises:
        ValueError: If a file is damaged.
    """
    path = path if path is not None else FIGURE3
    measured = measured if measured is not None else Measured.read(RESULTS)
    if not path.is_file() or measured is None:
        return {}, ()
    try:
        students = json.loads(path.read_text(encoding="utf-8"))["students"]
        how, points = {}, []
        for name, student in sorted(students.items()):
            target = TARGETS[name]
            cell = measured.cells.get(OURS, {}).get((SOURCE, target))
            if cell is None:
                continue
            accuracy, transfer = Rate.from_json(student["clean"]), cell.fooled
            title = measured.models[target].title.partition(",")[0]
            points.append(Point(title, accuracy.value, transfer.value, accuracy, transfer))
            how = {"pictures": student["n_train"], "epochs": student["recipe"]["epochs"], "date": student["date"]}
            how[results.STAMPS] = student.get(results.STAMPS, {})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise results.damaged(path, error) from error
    return how, tuple(points)


def pair(key: str) -> tuple[str, str]:
    """Read the name that a cell has in the file, "source > target"."""
    source, target = key.split(" > ")
    return source, target


def _lines(value: Any, depth: int, indent: int = 0) -> str:
    """Write JSON with a line for each entry down to that depth, and what is deeper on one line."""
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value)
    pad = " " * (indent + 1)
    entries = ",\n".join(f"{pad}{json.dumps(key)}: {_lines(v, depth - 1, indent + 1)}" for key, v in value.items())
    return f"{{\n{entries}\n{' ' * indent}}}"
