"""The work of the Saliency page: maps in the pool, kept for everybody under what they depend on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.attacks import OnStep
from core.data.pictures import Picture
from core.saliency import rows, views
from core.saliency.classes import Contrast, contrast
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import Along, Explanation
from pages.ui import jobs
from pages.ui.store import model, results

ATTACK_STEPS = SaliencyRecipe().attack.steps


@dataclass(frozen=True)
class Piece:
    """One map to compute: where it is kept, how long it takes, and how it is made."""

    key: tuple[Any, ...]
    steps: int
    make: Callable[[OnStep], Any]


def explanations(recipe: SaliencyRecipe, method: str, picture: Picture) -> dict[str, Explanation]:
    """Return each model's map by one method, computing what is missing side by side."""

    def piece(name: str) -> Piece:
        asked = replace(views.essential(recipe, method), picture=picture.id)
        ready = model(name)  # loaded here: Streamlit's cache wants the script's own thread

        def make(on_step: OnStep) -> Explanation:
            return views.explain(asked, name, method, picture=picture, model=ready, on_step=lambda i: on_step(i, None))

        return Piece(("saliency", asked, name), 1, make)

    return _found(recipe, piece, "Explaining…")


def alongs(recipe: SaliencyRecipe, picture: Picture) -> dict[str, Along]:
    """Return each model's gradients along the attack on it."""

    def piece(name: str) -> Piece:
        asked = replace(SaliencyRecipe(), picture=picture.id, norm=recipe.norm, at=recipe.at)
        ready = model(name)
        return Piece(
            ("saliency-along", asked, name),
            ATTACK_STEPS,
            lambda on_step: views.along(asked, name, picture=picture, model=ready, on_step=on_step),
        )

    return _found(recipe, piece, "Attacking…")


def contrasts(recipe: SaliencyRecipe, picture: Picture) -> dict[str, Contrast]:
    """Return each model's gradient from class to class."""

    def piece(name: str) -> Piece:
        asked = replace(
            SaliencyRecipe(), picture=picture.id, towards=recipe.towards, away=recipe.away, seed=recipe.seed
        )
        ready = model(name)
        return Piece(
            ("saliency-contrast", asked, name),
            1,
            lambda _: contrast(asked, name, picture=picture, model=ready),
        )

    return _found(recipe, piece, "From class to class…")


def _found(recipe: SaliencyRecipe, piece: Callable[[str], Piece], text: str) -> dict[str, Any]:
    pieces = {name: piece(name) for name in rows.names_of(recipe)}
    missing = [p for p in pieces.values() if results().get(p.key) is None]
    if missing:
        made: Sequence[Any] = jobs.run([p.make for p in missing], missing[0].steps, text=text)
        for p, result in zip(missing, made, strict=True):
            results().put(p.key, result)
    return {name: results().get(p.key) for name, p in pieces.items()}
