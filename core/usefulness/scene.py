"""What the scatter of usefulness against robust usefulness is sent, on the page and without it."""

from typing import Any

import torch

from core import worlds
from core.files.playable import Scene
from core.models.titles import stamped, title, titles
from core.problems import InputError
from core.usefulness import Usefulness, choice
from core.usefulness.atlas import lookup, planted
from core.usefulness.choice import SIDES, Brush
from core.usefulness.recipe import UsefulnessRecipe

LOWEST = -2.0  # gamma at the lower edge; what is below is drawn at it
CLAIM = (
    "Each point is one number that a network computes of a picture. Drag ε: how many still help when an adversary may"
    " move the picture by so much?"
)


def called(recipe: UsefulnessRecipe) -> dict[str, str]:
    """Return the short title of each side's model."""
    return dict(zip(SIDES, titles(recipe.standard, recipe.robust), strict=True))


def payload(recipe: UsefulnessRecipe, have: choice.Have = None) -> dict[str, Any]:
    """Return what the browser needs to know, ready for JSON; gamma is null where it was not searched."""
    brush, classes = Brush.parse(recipe.brush), worlds.of(recipe).classes
    panels = []
    largest = 0.0
    for side in choice.sides(recipe):
        atlas = choice.atlas_of(recipe, side, have)
        found, labels = lookup(atlas, recipe.task, recipe.against)
        largest = max(largest, float(found.rho.max()))
        shown = choice.feature_of(recipe, side, have) if recipe.view == "features" else None
        on = choice.switched_on(recipe, side, have) if recipe.view == "head" else torch.ones_like(found.rho).bool()
        panels.append(
            {
                "title": called(recipe)[side],
                "subtitle": title(atlas.name),
                **_points(found),
                "label": [classes[k] for k in labels],
                "on": on.tolist(),
                "shown": shown,
            }
        )
    radii = choice.atlas_of(recipe, "standard", have).radii
    marks = _marks(recipe)
    largest = max([largest, *(marks["rho"] if marks else ())])
    edge = max(0.4, 0.1 * -(-largest // 0.1))
    held = None
    if brush is not None:
        members = choice.chosen(recipe, brush.side, have).nonzero()[:, 0].tolist()
        held = {"panel": SIDES.index(brush.side), "box": brush.box, "frame": brush.frame, "features": members}
    return {
        "panels": panels,
        "labels": ["0", *(f"{r:g}" for r in radii)],
        "x": [0, edge],
        "y": [LOWEST, edge],
        "frame": min(recipe.frame, len(radii)),
        "brush": held,
        **({"marks": marks} if marks else {}),
    }


def _marks(recipe: UsefulnessRecipe) -> dict[str, Any] | None:
    """Say where the planted features lie, and what each is called; None in a world in which nobody planted any."""
    atlas = planted(recipe.world)
    if atlas is None:
        return None
    classes = worlds.of(recipe).classes
    found, labels = lookup(atlas, recipe.task, recipe.against)
    kinds = [kind for kind in ("weave", "shape") for _ in classes]
    named = [f"the {kind} of “{of}”" for kind, of in zip(kinds, classes * 2, strict=True)]
    return {**_points(found), "label": [classes[k] for k in labels], "kind": kinds, "name": named}


def _points(found: Usefulness) -> dict[str, Any]:
    digits = 4
    gamma = torch.cat([found.rho[None], found.gamma])
    half = torch.cat([found.rho_half[None], found.gamma_half])
    searched = found.searched.tolist()

    def known(row: list[float]) -> list[float | None]:
        return [round(v, digits) if there else None for v, there in zip(row, searched, strict=True)]

    return {
        "rho": [round(v, digits) for v in found.rho.tolist()],
        "gamma": [known(row) for row in gamma.tolist()],
        "half": [known(row) for row in half.tolist()],
    }


def scene(recipe: UsefulnessRecipe, have: choice.Have = None) -> Scene:
    """Make a playable page of the scatter.

    Args:
        recipe: The view.
        have: Atlases that the caller has.

    Raises:
        core.problems.InputError: If the recipe's view has no scatter.
    """
    if recipe.view == "linear":
        raise InputError("this command plays the views features and head of a UsefulnessRecipe, not linear")
    data = payload(recipe, have)
    at = data["frame"]
    alt = " ".join(
        f"{panel['title']}: {sum(g > 0 for g in known)} of {len(known)} features are robustly"
        f" useful at epsilon {data['labels'][at]}."
        for panel in data["panels"]
        for known in [[g for g in panel["gamma"][at] if g is not None]]
    )
    models = stamped(recipe.standard, recipe.robust)
    return Scene("usefulness", {**data, "alone": True}, alt, "Usefulness", CLAIM, models)
