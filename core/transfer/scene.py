"""The transfer matrix as a page that plays by itself: all that was measured, goal by goal and radius by radius."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.files.playable import Scene
from core.problems import InputError
from core.transfer.names import in_sight, title
from core.transfer.outcome import Cell
from core.transfer.recipe import RADII, TransferRecipe
from core.transfer.results import AGAIN, Measured, Setting

CLAIM = (
    "Each row: adversarial examples made for one network. Each column: a network that never saw the attack. Move ε, and"
    " compare with noise of the same size."
)
COUNTED = {
    "both": "that source and target both get right without attack",
    "all": "drawn, right or not",
}
Cells = Mapping[tuple[str, str], Cell]


def scene(recipe: TransferRecipe) -> Scene:
    """Make a playable page of what was measured.

    Raises:
        core.problems.InputError: If the recipe is not of the measured matrix, or nothing was measured.
    """
    if recipe.view != "matrix" or recipe.numbers != "measured":
        raise InputError("this command plays the measured matrix of a TransferRecipe: view matrix, numbers measured")
    measured = Measured.read()
    if measured is None:
        raise InputError(f"nothing was measured yet; measure with: {AGAIN}")
    return played(recipe, measured)


def played(recipe: TransferRecipe, measured: Measured) -> Scene:
    """Make a playable page of all measured settings, opened at the recipe's."""
    settings = [
        (Setting(norm, eps, goal), measured.matrix(name))
        for goal in ("untargeted", "targeted")
        for norm, radii in RADII.items()
        for eps in radii
        if measured.complete(name := Setting(norm, eps, goal).name)
    ]
    about = measured.about
    known = f"n = {about['n']:,} drawn, {about['steps']} steps, seed {about['seed']}, {measured.circumstances}."
    return _scene(recipe, settings, measured, known)


def lived(recipe: TransferRecipe, cells: Cells) -> Scene:
    """Make a playable page of one matrix that was computed on the spot."""
    known = f"Computed on {recipe.n} pictures at most, {recipe.steps} steps, seed {recipe.seed}."
    return _scene(recipe, [(Setting(recipe.norm, recipe.radius[0], recipe.goal), cells)], None, known)


def _scene(
    recipe: TransferRecipe, settings: Sequence[tuple[Setting, Cells]], measured: Measured | None, known: str
) -> Scene:
    sources = in_sight({source for _, cells in settings for source, _ in cells}, measured)
    targets = in_sight({target for _, cells in settings for _, target in cells}, measured)
    titles = {name: title(name, measured) for name in (*sources, *targets)}
    first = {
        "norm": recipe.norm,
        "eps": recipe.radius[0],
        "goal": recipe.goal,
        "show": recipe.show,
        "source": recipe.source,
        "target": recipe.target,
    }
    data = {
        "settings": [
            {"norm": one.norm, "eps": one.eps, "goal": one.goal, "cells": _rates(cells, recipe.of, one.goal)}
            for one, cells in settings
        ],
        "sources": sources,
        "targets": targets,
        "titles": titles,
        "counted": COUNTED[recipe.of],
        "first": first,
    }
    models = {m.title: m.stamp for m in measured.models.values()} if measured is not None else {}
    return Scene("transfer", data, _alt(recipe, dict(settings), titles), "Transfer", CLAIM, models, known)


def _rates(cells: Cells, of: str, goal: str) -> dict[str, dict[str, list[Any]]]:
    """Return value, interval and n of each pair, for the attack and for noise of its size."""
    made: dict[str, dict[str, list[Any]]] = {}
    for (source, target), cell in cells.items():
        rates = {show: cell.rate(show, of, goal) for show in ("attack", "noise")}
        made[f"{source} > {target}"] = {
            show: [round(v, 4) for v in (rate.value, *rate.interval)] + [rate.n]
            for show, rate in rates.items()
            if rate.n
        }
    return made


def _alt(recipe: TransferRecipe, settings: Mapping[Setting, Cells], titles: Mapping[str, str]) -> str:
    """Say the numbers of the setting in sight."""
    cells: Any = next((c for s, c in settings.items() if (s.norm, s.eps, s.goal) == _key(recipe)), {})
    return " ".join(
        f"Made for {titles[source]}, shown to {titles[target]}: {cell.rate(recipe.show, recipe.of, recipe.goal)}."
        for (source, target), cell in cells.items()
    )


def _key(recipe: TransferRecipe) -> tuple[str, str, str]:
    return recipe.norm, recipe.radius[0], recipe.goal
