"""The main view of the Robust frog page: one picture's representation, inverted, iterate by iterate."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from core.attacks.recording import side_by_side, step_columns
from core.attacks.rules import State
from core.attacks.steps import step_axis
from core.data.pictures import Picture
from core.files import render
from core.files.playable import Scene
from core.files.render import RGB
from core.inversion import emergence, scene, starts, views
from core.inversion.emergence import Emergence
from core.inversion.recipe import InvertRecipe
from core.inversion.views import cache_key
from core.models import checkpoints
from core.models.titles import titles
from core.words import verdicts
from pages.ui import work
from pages.ui.dial import under_the_dial
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.rows import row
from pages.ui.scrubber import Row, scrubbed
from pages.ui.world import current, pair


def show(recipe: InvertRecipe, picture: Picture) -> None:
    """Show the view; the frame in sight goes into the address."""
    steps = starts.setting_of(recipe).steps
    slot = st.container()
    names = list(dict.fromkeys((recipe.standard, recipe.robust)))
    with slot:
        live = st.empty()
        left, right = work.both(
            recipe,
            lambda name, ready, on_step: emergence.emerge(recipe, name, picture=picture, model=ready, on_step=on_step),
            steps=steps,
            show=lambda states: _so_far(live, states, names),
            key=cache_key(recipe),
            own=picture.private,
        )
        live.empty()
    said(recipe, picture)
    caveats(recipe, left, right, picture)
    left, right = side_by_side(left, right)
    rows = rows_of(recipe, left, right, picture)
    axis = step_axis(left, right)
    frame = scrubbed(rows, axis, "frog-scrubber", recipe.frame, own=picture.private)
    shown = replace(recipe, frame=min(frame, len(left.steps) - 1))
    downloads(
        files(shown, left, right, picture, lambda: scene.played(shown, rows, axis)),
        key="frog",
        script=views.script(shown),
    )
    under_the_dial("frog-dial", picture, start=recipe.start)


def said(recipe: InvertRecipe, picture: Picture) -> None:
    """Say what is done: from where, and toward what."""
    start = starts.start_of(replace(recipe, picture=picture.id))[1]
    st.caption(
        f"Start: {start}. Each model moves the start until it represents it as it represents the wanted picture;"
        f" nothing else about the result is asked for.{lacking()}{thinned(recipe)}"
    )


def thinned(recipe: InvertRecipe) -> str:
    """Say how many steps the film keeps, where pictures are too large for the usual number."""
    kept = current().frames(emergence.FRAMES)
    steps = starts.setting_of(recipe).steps
    return f" The film keeps {kept} of the {steps} steps." if kept < emergence.FRAMES else ""


def lacking() -> str:
    """Say that one column is missing, and how to get it."""
    return "" if pair().robust else f" {current().robust_how}"


def caveats(recipe: InvertRecipe, left: Emergence, right: Emergence, picture: Picture) -> None:
    """Say where a model takes the wanted picture itself for something else: then its inversion is of that."""
    if picture.label is None:
        return
    for name, made in dict(zip((recipe.standard, recipe.robust), (left, right), strict=True)).items():
        if int(made.clean_logits.argmax()) != picture.label:
            st.warning(
                f"{checkpoints.header(name).title} takes the wanted picture itself for something else"
                f" ({verdicts(made.clean_logits, current().classes)[0]}), so expect its inversion to look like that"
                " to it.",
                icon=":material/info:",
            )


def rows_of(recipe: InvertRecipe, left: Emergence, right: Emergence, picture: Picture) -> list[Row]:
    """Build both columns of the scrubber, each with what the networks see in it that were not inverted."""
    made = {recipe.standard: (left, recipe.robust), recipe.robust: (right, recipe.standard)}
    shown = [row(name, one, picture.label, other) for name, (one, other) in made.items()]
    return [*shown, scene.wanted(picture.x, picture.caption)]


def files(
    recipe: InvertRecipe, left: Emergence, right: Emergence, picture: Picture, played: Callable[[], Scene]
) -> list[Download]:
    """List the downloads for the frame in sight."""
    made = {recipe.standard: left, recipe.robust: right}
    called = dict(zip(made, titles(*made), strict=True))
    out = Bundle(recipe)

    def shown(e: Emergence) -> list[list[RGB]]:
        frame = min(recipe.frame, len(e.frames) - 1)
        return [[render.to_uint8(e.frames[frame : frame + 1])[0]]]

    def predicted(e: Emergence) -> str:
        frame = min(recipe.frame, len(e.frames) - 1)
        return verdicts(e.logits[frame : frame + 1], current().classes)[0]

    for name, e in made.items():
        out.slide(
            f"Picture, {called[name]}",
            f"{name}-inverted.png",
            partial(shown, e),
            caption=f"Inverted through {called[name]}, which predicts {predicted(e)}. Wanted: {picture.caption}.",
        )
    out.slide(
        "Sheet",
        "inversion.png",
        lambda: [[render.to_uint8(t)[0] for t in (e.x0, e.frames[-1:], e.x)] for e in made.values()],
        heads=("start", "inversion", "wanted"),
        sides=[f"{called[n]}: {predicted(e)}" for n, e in made.items()],
        caption=(
            f"The start is moved until the model represents it as it represents the wanted picture: {picture.caption}."
        ),
    )
    out.playable("emergence", played)
    out.film("emergence", lambda: [render.to_uint8(e.frames) for e in made.values()], ms=80)

    def arrays() -> dict[str, Tensor | np.ndarray]:
        found: dict[str, Tensor | np.ndarray] = {"x": left.x, "x0": left.x0}
        for name, e in made.items():
            found |= {f"{name}_{what}": getattr(e, what) for what in ("frames", "distance", "logits")}
            found[f"{name}_steps"] = np.array(e.steps)
        return found

    def curve() -> dict[str, Sequence[object]]:
        columns: dict[str, Sequence[object]] = {**step_columns(made)}
        for name, e in made.items():
            columns[f"{name}_feature_distance"] = e.distance.tolist()
            columns[f"{name}_pixel_distance"] = e.pixel_distance.tolist()
            columns[f"{name}_prediction"] = [current().classes[k] for k in e.logits.argmax(1).tolist()]
        return columns

    out.arrays("inversion.npz", arrays, "float32, every frame")
    out.table("Curve", "inversion.csv", curve)
    return out.files


def _so_far(slot: DeltaGenerator, states: dict[str, State], names: list[str]) -> None:
    there = [name for name in names if name in states]
    if there:
        now = [render.upscaled(render.to_uint8(states[name].x)[0], max(1, 256 // current().side)) for name in there]
        titles = [f"{checkpoints.header(name).title}, so far" for name in there]
        slot.image(now, width=256, output_format="PNG", caption=titles, alt=titles)
