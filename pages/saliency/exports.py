"""What leaves the Saliency page: sheets of maps, arrays, tables, and the film along an attack."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from core.attacks.recording import step_columns
from core.data.pictures import Picture
from core.files import render
from core.files.playable import Scene
from core.models.titles import titles
from core.saliency import maps, measures
from core.saliency.recipe import SaliencyRecipe
from core.saliency.rows import Row
from core.saliency.views import Along, Explanation
from pages.saliency.cards import predicted
from pages.ui.exports import Bundle, Download


@dataclass(frozen=True)
class Line:
    """A row of a view, and what each model says of its picture: logits (1, K)."""

    row: Row
    logits: Mapping[str, Tensor]

    @staticmethod
    def of(recipe: SaliencyRecipe, title: str, picture: Picture, found: Mapping[str, Explanation]) -> "Line":
        """Put each model's map of one picture into a row of that title."""
        row = Row.of(recipe, title, picture.x, {name: made.attribution for name, made in found.items()})
        return Line(row, {name: made.logits for name, made in found.items()})


def files(recipe: SaliencyRecipe, lines: Sequence[Line]) -> list[Download]:
    """List the downloads of the views that show maps."""
    out = Bundle(recipe)
    names = list(lines[0].row.attributions)
    out.slide(
        "Sheet",
        "saliency.png",
        lambda: [
            [image[0] for image in (render.to_uint8(at.row.x), *(at.row.painted(recipe, name) for name in names))]
            for at in lines
        ],
        heads=("picture", *titles(*names)),
        sides=[at.row.title for at in lines],
        caption="Orange pixels speak for the class, purple ones against it; each map on its own scale."
        if recipe.scale == "relative" and recipe.channel != "colour"
        else "The same colour is the same value in a row.",
    )

    def arrays() -> dict[str, Tensor | np.ndarray]:
        found = {f"{i:02d}_{name}": a for i, line in enumerate(lines) for name, a in line.row.attributions.items()}
        xs = {f"{i:02d}_x": line.row.x for i, line in enumerate(lines)}
        return {**xs, **found, "rows": np.array([line.row.title for line in lines])}

    out.arrays("saliency.npz", arrays, "float32, every map, unscaled")
    out.table("Numbers", "saliency.csv", lambda: _numbers(recipe, lines), "Of the maps in sight")
    return out.files


def _numbers(recipe: SaliencyRecipe, lines: Sequence[Line]) -> dict[str, Sequence[object]]:
    cells = [(line, name, a) for line in lines for name, a in line.row.attributions.items()]
    sizes = [(maps.magnitude(a), line.row.x) for line, _, a in cells]
    return {
        "row": [line.row.title for line, _, _ in cells],
        "model": [name for _, name, _ in cells],
        "prediction": [predicted(line.logits[name]) for line, name, _ in cells],
        "strength": [float(maps.strength(a, recipe.channel)) for _, _, a in cells],
        "edge_correlation": [float(measures.edge_correlation(s, x)) for s, x in sizes],
        "coherence": [float(measures.coherence(maps.reduced(a))) for _, _, a in cells],
        "sparsity": [float(measures.gini(s)) for s, _ in sizes],
    }


def films(
    recipe: SaliencyRecipe, found: Mapping[str, Along], painted: Mapping[str, np.ndarray], played: Callable[[], Scene]
) -> list[Download]:
    """List the downloads of the gradient along an attack."""
    out = Bundle(recipe)
    out.slide(
        "Sheet",
        "gradients-sheet.png",
        lambda: [[frames[min(recipe.frame, len(frames) - 1)] for frames in painted.values()]],
        heads=titles(*painted),
        caption=f"The gradient towards the picture's class at step {recipe.frame} of an attack.",
    )
    out.playable("gradients", played)
    out.film("gradients", lambda: list(painted.values()), ms=150)

    def arrays() -> dict[str, Tensor]:
        tensors = {f"{name}_gradients": a.gradients for name, a in found.items()}
        tensors |= {f"{name}_x_adv": a.trajectory.x_adv for name, a in found.items()}
        return {"x": next(iter(found.values())).trajectory.x, **tensors}

    def curve() -> dict[str, Sequence[object]]:
        columns: dict[str, Sequence[object]] = {**step_columns(found)}
        for name, a in found.items():
            columns[f"{name}_norm"] = a.trajectory.norm.tolist()
            columns[f"{name}_gradient_norm"] = a.gradients.flatten(1).norm(dim=1).tolist()
            columns[f"{name}_p_true"] = a.trajectory.probabilities[:, a.trajectory.y].tolist()
        return columns

    out.arrays("gradients.npz", arrays, "float32, every step")
    out.table("Curve", "gradients.csv", curve)
    return out.files
