"""The work of the Transfer page: a live matrix, source by source. Complete rows are kept for everybody."""

from collections.abc import Callable
from dataclasses import replace

from torch import nn

from core.data import pictures
from core.models import checkpoints
from core.transfer import views
from core.transfer.matrix import Ensemble, in_order
from core.transfer.outcome import Transfer
from core.transfer.recipe import RADII, TransferRecipe
from core.transfer.views import JOIN
from pages.ui import work
from pages.ui.store import model, stamp
from pages.ui.world import current

Key = tuple[object, ...]


def ready(name: str) -> nn.Module:
    """Return a model as `core.transfer.views.load` does, of the store; call it on the page's own thread."""
    if JOIN in name:
        return Ensemble([ready(member) for member in name.split(JOIN)])
    return in_order(model(name), checkpoints.header(name).classes, current().classes)


def key_of(recipe: TransferRecipe, *more: object) -> Key:
    """Return what a computation depends on besides its models."""
    return (
        "transfer",
        *(getattr(recipe, name) for name in views.ESSENTIAL),
        pictures.available(current().sources)[0],
        *more,
    )


def matrix(recipe: TransferRecipe, show: Callable[[list[Transfer]], None]) -> list[Transfer]:
    """Return the rows of the live matrix, computing what is missing; fewer if it was stopped.

    Args:
        recipe: What to do.
        show: Puts the rows so far on the page.
    """
    models, sources = views.models_of(recipe), views.sources_of(recipe)
    at = key_of(recipe, _stamps(models))
    pieces = [_piece(recipe, source, models, (*at, source)) for source in sources]
    while (missing := [piece for piece in pieces if work.known(piece) is None]) and not work.is_stopped(at):
        work.ask(
            pieces,
            group=at,
            text=f"Attacking {len(sources)} sources, {recipe.n} pictures each…",
            until=missing[:1],
        )
        show([row for piece in pieces if (row := work.known(piece)) is not None])
    found = [row for piece in pieces if (row := work.known(piece)) is not None]
    if len(found) < len(pieces):
        work.say_stopped(f"Stopped: {len(found)} of {len(sources)} sources are complete, and kept.", "Compute the rest")
    return found


def curve(recipe: TransferRecipe) -> dict[str, Transfer]:
    """Return the live curve of the recipe's pair by radius, computing what is missing.

    Fewer radii if it was stopped.
    """
    pair = tuple(dict.fromkeys((recipe.source, recipe.target)))
    at = {label: replace(recipe, eps=label) for label in RADII[recipe.norm]}
    pieces = [_piece(one, recipe.source, pair, (*key_of(one, _stamps(pair)), recipe.source)) for one in at.values()]
    outcomes = work.ask(
        pieces,
        group=tuple(piece.key for piece in pieces),
        text=f"Attacking at {len(pieces)} radii, {recipe.n} pictures each…",
    )
    found = {label: one.value for label, one in zip(at, outcomes, strict=True) if one.value is not None}
    if len(found) < len(at):
        work.say_stopped(f"Stopped: {len(found)} of {len(at)} radii are complete, and kept.", "Compute the rest")
    return found


def _piece(recipe: TransferRecipe, source: str, targets: tuple[str, ...], key: Key) -> work.Piece[Transfer | None]:
    loaded = {name: ready(name) for name in (*targets, source)}

    def make(on_step: work.Step) -> Transfer | None:
        row = views.row(recipe, source, targets=targets, loaded=loaded, on_step=on_step)
        return None if row is None else row.verdicts()

    return work.Piece(key, make, views.steps_of(recipe))


def _stamps(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, stamp(name)) for name in names)


def examples(recipe: TransferRecipe) -> views.Examples:
    """Return the pictures of the recipe's cell, made when they are asked for."""
    pair = (recipe.source, recipe.target)
    members = tuple(name for one in pair for name in one.split(JOIN))
    return work.kept(
        (*key_of(recipe, "examples", _stamps(members)), *pair),
        lambda: views.examples(recipe, loaded={name: ready(name) for name in pair}),
    )
