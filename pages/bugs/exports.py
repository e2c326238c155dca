"""What leaves the view of two perturbations."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from core.bugs.recipe import BugsRecipe
from core.bugs.views import KINDS
from core.files import render
from core.files.playable import Scene
from core.files.render import RGB
from core.perturb import Trajectory
from pages.ui.exports import Bundle, Download
from pages.ui.world import current

GAIN = 3.0  # of the changes on the slide


def files(
    recipe: BugsRecipe,
    found: dict[str, Trajectory],
    said: dict[str, dict[str, Tensor]],
    at: int,
    played: Callable[[], Scene],
) -> list[Download]:
    """List the downloads of the frame in sight."""
    out = Bundle(replace(recipe, frame=at))

    def picture(kind: str) -> RGB:
        return render.to_uint8(found[kind].x_adv[at : at + 1])[0]

    def rows() -> list[list[RGB]]:
        clean = render.to_uint8(found["bug"].x)[0]
        deltas = {kind: found[kind].x_adv[at : at + 1] - found[kind].x for kind in KINDS}
        return [[clean, render.to_uint8(render.amplified(deltas[kind], GAIN))[0], picture(kind)] for kind in KINDS]

    def tensors() -> dict[str, Tensor]:
        made = {f"{kind}_{what}": getattr(found[kind], what) for kind in KINDS for what in ("x_adv", "logits", "norm")}
        return {"x": found["bug"].x, "eps": torch.tensor(recipe.eps_values), **made}

    def verdicts() -> dict[str, list[object]]:
        columns: dict[str, list[object]] = {"eps": list(recipe.eps_values)}
        for kind in KINDS:
            columns[f"{kind}_norm"] = found[kind].norm.tolist()
            for name, logits in {recipe.victim: found[kind].logits, **said[kind]}.items():
                columns[f"{kind}_{name}"] = [current().classes[k] for k in logits.argmax(1).tolist()]
        return columns

    heads = ("clean", f"change, ×{GAIN:g}", f"ε = {recipe.eps_labels[at]}")
    caption = (
        f"The same picture perturbed twice within ε = {recipe.eps_labels[at]} ({recipe.norm}), so that one network is"
        " fooled."
    )
    out.slide("Slide", "bugs.png", rows, heads=heads, sides=("feature", "bug"), caption=caption)
    for kind in KINDS:
        out.pixels(f"Picture, {kind}", f"{kind}-{at}.png", partial(picture, kind))
    out.playable("bugs", played)
    out.film("bugs", lambda: [render.to_uint8(found[kind].x_adv) for kind in KINDS], ms=200)
    out.arrays("bugs.npz", tensors, "float32, every ε")
    out.table("Verdicts", "verdicts.csv", verdicts, "What every network says at every ε")
    return out.files
