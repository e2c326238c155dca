"""The work of the Transfer page: a live matrix, source by source. Complete rows are kept for everybody."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st
from torch import nn

from core.attacks import OnStep
from core.attacks.rules import State
from core.data import pictures
from core.data.sets import CIFAR10_CLASSES
from core.models import checkpoints
from core.transfer import views
from core.transfer.matrix import Ensemble, in_order
from core.transfer.outcome import Transfer
from core.transfer.recipe import RADII, TransferRecipe
from core.transfer.views import JOIN
from pages.ui import jobs
from pages.ui.store import model, results

Key = tuple[object, ...]


def ready(name: str) -> nn.Module:
    """Return a model as `core.transfer.views.load` does, of the store; call it on the page's own thread."""
    if JOIN in name:
        return Ensemble([ready(member) for member in name.split(JOIN)])
    return in_order(model(name), checkpoints.header(name).classes, CIFAR10_CLASSES)


def key_of(recipe: TransferRecipe, *more: object) -> Key:
    """Return what a computation depends on besides its models."""
    return ("transfer", *(getattr(recipe, name) for name in views.ESSENTIAL), pictures.available()[0], *more)


def matrix(recipe: TransferRecipe, show: Callable[[list[Transfer]], None]) -> list[Transfer]:
    """Return the rows of the live matrix, computing what is missing; fewer if it was stopped.

    Args:
        recipe: What to do.
        show: Puts the rows so far on the page.
    """
    models, sources = views.models_of(recipe), views.sources_of(recipe)
    keys = {source: key_of(recipe, models, source) for source in sources}
    store = results()

    def so_far() -> list[Transfer]:
        return [row for key in keys.values() if (row := store.get(key)) is not None]

    missing = [source for source in sources if store.get(keys[source]) is None]
    whole = key_of(recipe, models, sources)
    if not missing:
        return so_far()
    if st.session_state.get("transfer-stopped") == whole:
        done = len(sources) - len(missing)
        _say_stopped(f"Stopped: {done} of {len(sources)} sources are complete, and kept.")
        return so_far()
    loaded = {name: ready(name) for name in (*models, *missing)}

    shown = 0

    def glance() -> None:
        nonlocal shown
        rows = so_far()
        if len(rows) != shown:
            shown = len(rows)
            show(rows)

    def job(source: str) -> Callable[[OnStep], None]:
        def run(on_step: OnStep) -> None:
            row = views.row(recipe, source, loaded=loaded, on_step=on_step)
            if row is not None:
                store.put(keys[source], row.verdicts())

        return run

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop", key="stop", on_click=_stop, args=(whole,), width="content", help="Keeps complete rows.")
        jobs.run(
            [job(source) for source in missing],
            views.steps_of(recipe),
            text=f"Attacking {len(missing)} sources, {recipe.n} pictures each…",
            show=glance,
        )
    st.rerun()  # without the bar and its Stop
    return so_far()


def curve(recipe: TransferRecipe) -> dict[str, Transfer]:
    """Return the live curve of the recipe's pair by radius, computing what is missing; fewer radii if it was stopped."""
    pair = tuple(dict.fromkeys((recipe.source, recipe.target)))
    at = {label: replace(recipe, eps=label) for label in RADII[recipe.norm]}
    keys = {label: key_of(one, pair, recipe.source) for label, one in at.items()}
    store = results()
    found = {label: row for label, key in keys.items() if (row := store.get(key)) is not None}
    missing = [label for label in keys if label not in found]
    whole = tuple(keys.values())
    if not missing:
        return found
    if st.session_state.get("transfer-stopped") == whole:
        _say_stopped(f"Stopped: {len(found)} of {len(keys)} radii are complete, and kept.")
        return found
    loaded, steps = {name: ready(name) for name in pair}, views.steps_of(recipe)

    def run(on_step: OnStep) -> None:
        for k, label in enumerate(missing):

            def watch(i: int, state: State, first: int = k * steps) -> bool:
                return bool(on_step(first + i, state))

            row = views.row(at[label], recipe.source, targets=pair, loaded=loaded, on_step=watch)
            if row is None:
                return
            store.put(keys[label], row.verdicts())

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop", key="stop", on_click=_stop, args=(whole,), width="content", help="Keeps complete radii.")
        jobs.run([run], steps * len(missing), text=f"Attacking at {len(missing)} radii, {recipe.n} pictures each…")
    st.rerun()
    return found


def examples(recipe: TransferRecipe) -> views.Examples:
    """Return the pictures of the recipe's cell, made when they are asked for."""
    return results().of(
        key_of(recipe, "examples", recipe.source, recipe.target),
        lambda: views.examples(recipe, loaded={name: ready(name) for name in (recipe.source, recipe.target)}),
    )


def _say_stopped(text: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="transfer-stopped-line"):
        st.caption(text, width="content")
        st.button("Compute the rest", key="go-on", on_click=_go_on, width="content")


def _stop(key: Key) -> None:
    st.session_state["transfer-stopped"] = key


def _go_on() -> None:
    st.session_state.pop("transfer-stopped", None)
