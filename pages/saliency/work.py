"""The work of the Saliency page: maps in the pool, kept for everybody under what they depend on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from core.data.pictures import Picture
from core.saliency import rows, views
from core.saliency.classes import Contrast, contrast
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import Along, Explanation
from pages.ui import work
from pages.ui.store import Loaded, loaded
from pages.ui.work import Piece

T = TypeVar("T")
ATTACK_STEPS = SaliencyRecipe().attack.steps


def explanations(recipe: SaliencyRecipe, wanted: Sequence[tuple[str, Picture]]) -> Iterator[dict[str, Explanation]]:
    """Yield each model's map for each method and picture, in order as they come.

    Fewer where the person pressed Stop.
    """

    def piece(one: Loaded, method: str, picture: Picture) -> Piece[Explanation]:
        asked = replace(views.cache_key(recipe, method), picture=picture.id)

        def make(on_step: work.Step) -> Explanation:
            return views.explain(asked, one.name, method, picture=picture, model=one.model, on_step=on_step)

        return Piece(("saliency", asked, method, one.name, one.stamp), make, own=picture.private)

    models = [loaded(name) for name in rows.names_of(recipe)]
    lines = [[piece(one, method, picture) for one in models] for method, picture in wanted]
    everything = [piece for line in lines for piece in line]
    for k, line in enumerate(lines):
        outcomes = work.ask(everything[k * len(models) :], group=_group(recipe), text="Explaining…", until=line)
        here = zip(models, outcomes[: len(models)], strict=True)
        found = {one.name: got.value for one, got in here if got.value is not None}
        if len(found) < len({one.name for one in models}):
            work.say_stopped(
                f"Stopped after {k} of {len(lines)} rows of maps; what was computed is kept.", "Compute the rest"
            )
            return
        yield found


def alongs(recipe: SaliencyRecipe, picture: Picture) -> dict[str, Along]:
    """Return each model's gradients along the attack on it."""
    asked = replace(SaliencyRecipe(), picture=picture.id, norm=recipe.norm, at=recipe.at, world=recipe.world)

    def piece(one: Loaded) -> Piece[Along]:
        return Piece(
            ("saliency-along", asked, one.name, one.stamp),
            lambda on_step: views.along(asked, one.name, picture=picture, model=one.model, on_step=on_step),
            ATTACK_STEPS,
            picture.private,
        )

    return _all(recipe, piece, "Attacking…")


def contrasts(recipe: SaliencyRecipe, picture: Picture) -> dict[str, Contrast]:
    """Return each model's gradient from class to class."""
    kept = {name: getattr(recipe, name) for name in ("towards", "away", "seed", "world")}
    asked = replace(SaliencyRecipe(), picture=picture.id, **kept)

    def piece(one: Loaded) -> Piece[Contrast]:
        return Piece(
            ("saliency-contrast", asked, one.name, one.stamp),
            lambda _: contrast(asked, one.name, picture=picture, model=one.model),
            own=picture.private,
        )

    return _all(recipe, piece, "From class to class…")


def _all(recipe: SaliencyRecipe, piece: Callable[[Loaded], Piece[T]], text: str) -> dict[str, T]:
    """Return what there is of each model."""
    pieces = {name: piece(loaded(name)) for name in rows.names_of(recipe)}
    return dict(zip(pieces, work.wanted(list(pieces.values()), text=text, group=_group(recipe)), strict=True))


def _group(recipe: SaliencyRecipe) -> tuple[object, ...]:
    drawing = {name: getattr(SaliencyRecipe(), name) for name in ("frame", "channel", "scale", "absolute", "opacity")}
    return "saliency", replace(recipe, **drawing)
