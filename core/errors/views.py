"""What the Errors page shows besides the plane, and what it lets out."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core import results as results_file
from core.errors.measure import RESULTS, WEIGHTS
from core.errors.recipe import ErrorsRecipe
from core.files import arrays, render
from core.recipes.python import to_python

PARTS = {
    "plane": "toy",
    "pictures": "pictures",
    "leakage": "leakage",
    "manifold": "manifold",
    "learners": "learners",
}  # view: part of the file


def results(view: str, path: Path | None = None) -> dict[str, Any] | None:
    """Read what was measured for a view; None where it was not.

    Raises:
        core.data.DataError: If the file is damaged.
    """
    found = results_file.read(path if path is not None else RESULTS, "python -m core.errors measure") or {}
    part: dict[str, Any] | None = found.get(PARTS[view])
    return part


def again(view: str) -> str:
    """Say what measures a view anew."""
    return f"python -m core.errors measure {PARTS[view]}"


def weight_pictures(path: Path | None = None) -> Tensor | None:
    """Return the ten weight pictures of the robust linear classifier around grey (K, C, H, W), or None if not here."""
    path = path if path is not None else WEIGHTS
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as file:
        weight = torch.from_numpy(file["weight"].astype(np.float32))
    return render.amplified(weight, 0.5 / float(weight.abs().max()))


def table(view: str) -> str:
    """Write what was measured for a view as CSV: a row for each number."""
    rows: list[tuple[str, object]] = []

    def walk(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            rows.append((prefix, value))

    walk("", results(view) or {})
    return arrays.table({"name": [row[0] for row in rows], "value": [row[1] for row in rows]})


def script(recipe: ErrorsRecipe) -> str:
    """Write the Python program of a view: the plane played anew, or what was measured."""
    if recipe.view == "plane":
        return to_python(
            recipe,
            ["from core.errors.toy import play"],
            """
            made = play(recipe)
            print(f"the first network gets {made.teacher_right} of its points right")
            print(f"the student, which never saw one of them: {made.student_right}")
            """,
        )
    return to_python(
        recipe,
        ["from core.errors.views import table"],
        """
        # To measure anew (needs CIFAR-10; it resumes): python -m core.errors measure
        print(table(recipe.view))
        """,
    )
