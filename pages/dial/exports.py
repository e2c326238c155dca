"""What leaves the page Dial."""

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from core.data.pictures import Picture
from core.dial import scene
from core.dial.recipe import DialRecipe
from core.dial.views import Position
from core.files import render
from core.files.render import RGB
from core.models.titles import titles
from core.words import verdicts
from pages.ui.exports import Bundle, Download
from pages.ui.scrubber import Axis, Row
from pages.ui.world import current


def files(
    recipe: DialRecipe, made: list[Position], picture: Picture, seen: Mapping[str, Tensor], rows: list[Row], axis: Axis
) -> list[Download]:
    """List the downloads of a view of one picture."""
    out = Bundle(recipe)
    at = made[min(recipe.frame, len(made) - 1)]
    what = {"inversion": "Inverted", "gradient": "Explained", "paint": f"Painted toward {recipe.target}"}[recipe.view]

    def sheet() -> list[list[RGB]]:
        return [
            [render.to_uint8(t)[0] for t in (at.x if recipe.view != "paint" else at.x0, *(one.made for one in made))]
        ]

    def arrays() -> dict[str, Tensor | np.ndarray]:
        return {
            "x": at.x,
            "x0": scene.joined(made, "x0"),
            "made": scene.joined(made, "made"),
            "logits": scene.joined(made, "logits"),
            "eps": np.array([one.eps for one in made]),
        }

    def table() -> dict[str, Sequence[object]]:
        own = verdicts(scene.joined(made, "logits"), current().classes)
        columns: dict[str, Sequence[object]] = {"trained_at_eps": [one.eps for one in made], "network_says": own}
        columns[scene.VALUES[recipe.view].replace(" ", "_")] = [one.value for one in made]
        return columns | {f"{name}_sees": verdicts(of, current().classes) for name, of in seen.items()}

    judges = ", ".join(titles(*seen)) if seen else ""
    out.slide(
        "All of the dial",
        "dial.png",
        sheet,
        heads=("picture" if recipe.view != "paint" else "start", *(f"ε = {one.eps:g}" for one in made)),
        caption=(
            f"{what} by five networks that differ only in the ε of the adversary in their training: {picture.caption}."
        ),
        note=f"On one page{f'; judges: {judges}' if judges else ''}",
    )
    out.slide(
        "Picture in sight",
        f"dial-{at.eps:g}.png",
        lambda: [[render.to_uint8(at.made)[0]]],
        caption=f"{what} by a network trained at ε = {at.eps:g} (L2): {picture.caption}.",
    )
    out.playable("dial", lambda: scene.played(recipe, rows, axis, made))
    out.film("dial", lambda: [render.to_uint8(scene.joined(made, "made"))], ms=700)
    out.arrays("dial.npz", arrays)
    out.table("Numbers", "dial.csv", table)
    return out.files
