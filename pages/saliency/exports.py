"""What leaves the Saliency page: sheets of maps, arrays, tables, and the film along an attack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from core.attacks.recording import step_columns
from core.files import arrays as exports
from core.files import render
from core.recipes import to_json
from core.saliency import maps, measures
from core.saliency.recipe import SaliencyRecipe
from core.saliency.rows import Row
from core.saliency.views import Along
from pages.saliency.cards import says
from pages.ui.exports import Download


@dataclass(frozen=True)
class Line:
    """A row of a view, and what each model says of its picture: logits (1, K)."""

    row: Row
    logits: Mapping[str, Tensor]


def files(recipe: SaliencyRecipe, lines: Sequence[Line]) -> list[Download]:
    """List the downloads of the views that show maps."""
    about = {"recipe": to_json(recipe), "Software": "Robust Frog"}

    def sheet() -> bytes:
        cells = []
        for line in lines:
            shown = [render.to_uint8(line.row.x), *(line.row.painted(recipe, name) for name in line.row.attributions)]
            cells += [render.upscaled(image[0], 6) for image in shown]
        columns = 1 + len(lines[0].row.attributions)
        titles = {
            "rows": ", ".join(line.row.title for line in lines),
            "columns": f"picture, {', '.join(lines[0].row.attributions)}",
        }
        return render.png(render.sheet(cells, columns, gap=8), about | titles)

    def arrays() -> bytes:
        found = {f"{i:02d}_{name}": a for i, line in enumerate(lines) for name, a in line.row.attributions.items()}
        xs = {f"{i:02d}_x": line.row.x for i, line in enumerate(lines)}
        return exports.npz({**xs, **found, "rows": np.array([line.row.title for line in lines])}, to_json(recipe))

    def numbers() -> str:
        cells = [(line, name, a) for line in lines for name, a in line.row.attributions.items()]
        sizes = [maps.magnitude(a) for _, _, a in cells]
        return exports.table(
            {
                "row": [line.row.title for line, _, _ in cells],
                "model": [name for _, name, _ in cells],
                "prediction": [says(line.logits[name]) for line, name, _ in cells],
                "strength": [float(maps.strength(a, recipe.channel)) for _, _, a in cells],
                "edge_correlation": [
                    float(measures.edge_correlation(s, line.row.x))
                    for (line, _, _), s in zip(cells, sizes, strict=True)
                ],
                "coherence": [float(measures.coherence(maps.reduced(a))) for _, _, a in cells],
                "sparsity": [float(measures.gini(s)) for s in sizes],
            }
        )

    return [
        Download("Sheet", "saliency.png", "image/png", sheet, "A row a line: the picture, then each model's map"),
        Download("Arrays, npz", "saliency.npz", "application/octet-stream", arrays, "float32, every map, unscaled"),
        Download("Numbers, CSV", "saliency.csv", "text/csv", numbers, "Of the maps in sight"),
        Download("Recipe, JSON", "recipe.json", "application/json", lambda: to_json(recipe)),
    ]


def films(recipe: SaliencyRecipe, found: Mapping[str, Along], painted: Mapping[str, np.ndarray]) -> list[Download]:
    """List the downloads of the gradient along an attack."""
    about = {"recipe": to_json(recipe), "Software": "Robust Frog"}

    def film(kind: str) -> bytes:
        strips = zip(*painted.values(), strict=True)
        frames = [render.upscaled(render.sheet(list(strip), len(painted)), 6) for strip in strips]
        return render.animation(np.stack(frames), kind, 150, about)

    def arrays() -> bytes:
        tensors = {f"{name}_gradients": a.gradients for name, a in found.items()}
        tensors |= {f"{name}_x_adv": a.trajectory.x_adv for name, a in found.items()}
        return exports.npz({"x": next(iter(found.values())).trajectory.x, **tensors}, to_json(recipe))

    def curve() -> str:
        columns: dict[str, Sequence[object]] = {**step_columns(found)}
        for name, a in found.items():
            columns[f"{name}_norm"] = a.trajectory.norm.tolist()
            columns[f"{name}_gradient_norm"] = a.gradients.flatten(1).norm(dim=1).tolist()
            columns[f"{name}_p_true"] = a.trajectory.probabilities[:, a.trajectory.y].tolist()
        return exports.table(columns)

    return [
        Download("Film, APNG", "gradients.png", "image/apng", lambda: film("apng"), "Lossless"),
        Download("Film, WebP", "gradients.webp", "image/webp", lambda: film("webp"), "Lossless"),
        Download("Arrays, npz", "gradients.npz", "application/octet-stream", arrays, "float32, every step"),
        Download("Curve, CSV", "gradients.csv", "text/csv", curve),
        Download("Recipe, JSON", "recipe.json", "application/json", lambda: to_json(recipe)),
    ]
