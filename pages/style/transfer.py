"""The view that paints: content and style, and what each network makes of them, step by step."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from core.attacks.recording import side_by_side, step_columns
from core.attacks.rules import State
from core.attacks.steps import step_axis
from core.files import render
from core.files.playable import Scene
from core.files.render import RGB
from core.models import Classifier
from core.models.titles import titles
from core.style import opening, scene, views
from core.style.recipe import StyleRecipe
from core.style.scene import Judged
from core.style.transfer import transfer
from core.types import Images
from pages.style.controls import Given
from pages.ui import work
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.scrubber import scrubbed
from pages.ui.store import stamp
from pages.ui.world import current, pair

WIDE = 192  # px, of what is computed, so far: four of them stand in a row
ALIKE = 1.5  # times as far from the style as the other: below, the page says that the pair does not tell much


def show(recipe: StyleRecipe, given: Given) -> None:
    """Show the view; the frame in sight goes into the address."""
    if "upload" in (recipe.content, recipe.style) and not given.private:
        st.info("Until a picture of yours comes, the page shows its own.", icon=":material/upload:")
    judges = scene.judging(recipe.standard, recipe.robust)
    live = st.empty()
    finished = {} if given.private else opening.read(recipe)
    shown_already: list[bool] = []

    def so_far(states: Mapping[str, State]) -> None:
        if not finished:
            _so_far(live, {name: state.x for name, state in states.items()}, given)
        elif not shown_already:  # what is computed meanwhile is less finished
            shown_already.append(True)
            _so_far(live, finished, given, "at the end")

    def paint(name: str, ready: Classifier, on_step: work.Step) -> Judged:
        two = (given.content, given.style)
        return scene.judged(transfer(recipe, name, given=two, model=ready, on_step=on_step), *two, judges)

    left, right = work.both(
        recipe,
        paint,
        steps=recipe.steps,
        show=so_far,
        key=("style", views.cache_key(recipe), _own(given), tuple((name, stamp(name)) for name in judges)),
        own=given.private,
    )
    live.empty()
    left, right = side_by_side(left, right)
    made = {recipe.standard: left, recipe.robust: right}  # one, where both are the same model
    st.caption(
        f"Content: {given.said['content']}. Style: {given.said['style']}. {recipe.side} pixels a side,"
        f" {recipe.steps} steps of L-BFGS from the content.{'' if pair().robust else f' {current().robust_how}'}"
    )
    rows = scene.rows_of(made, given.style, given.said["style"])
    axis = step_axis(*made.values())
    frame = scrubbed(rows, axis, "style-scrubber", recipe.frame, own=given.private)
    st.markdown(sentence(made))
    shown = replace(recipe, frame=min(frame, len(left.steps) - 1))
    downloads(
        files(shown, given, made, lambda: scene.played(shown, rows, axis)),
        key="style",
        script=views.script(shown),
    )


def sentence(made: dict[str, Judged]) -> str:
    """Say what each judge sees in the last frames, of this pair of pictures."""
    judged = next(iter(made.values())).seen
    if not judged:
        return "No judge is here that took no part in painting; look at the pictures."
    painters = dict(zip(made, titles(*made), strict=True))
    parts = []
    for judge, head in zip(judged, titles(*judged), strict=True):
        left = [f"{100 * float(one.seen[judge][0][-1]):.0f} % by {painters[name]}" for name, one in made.items()]
        parts.append(f"in the eyes of **{head}** {' and '.join(left)}")
    text = f"Of the distance to the style is left, {'; '.join(parts)}. One pair of pictures is no measurement."
    ends = [float(list(one.seen.values())[-1][0][-1]) for one in made.values()]
    if len(ends) == 2 and max(ends) < ALIKE * min(ends):
        text += f" And this pair hardly tells the two apart: to {titles(*judged)[-1]} both came about as far."
    return text


def _own(given: Given) -> str:
    if not given.private:
        return ""
    pixels = (given.content.numpy().tobytes(), given.style.numpy().tobytes())
    return hashlib.blake2b(b"".join(pixels), digest_size=8).hexdigest()


def files(recipe: StyleRecipe, given: Given, made: dict[str, Judged], played: Callable[[], Scene]) -> list[Download]:
    """List the downloads for the frame in sight."""
    called = dict(zip(made, titles(*made), strict=True))
    out = Bundle(recipe)

    def at(one: Judged) -> RGB:
        frame = min(recipe.frame, len(one.steps) - 1)
        return render.to_uint8(one.made.frames[frame : frame + 1])[0]

    content, style = (render.to_uint8(x)[0] for x in (given.content, given.style))
    for name, one in made.items():
        out.slide(
            f"Picture, {called[name]}",
            f"{name}-style.png",
            partial(lambda one: [[at(one)]], one),
            caption=f"{given.said['content']} in the style of {given.said['style']}, painted by {called[name]}.",
        )
    out.slide(
        "Sheet",
        "style.png",
        lambda: [[content, style, *(at(one) for one in made.values())]],
        heads=("content", "style", *called.values()),
        caption="The same content and the same style through two networks.",
    )
    out.playable("style", played)
    out.film("style", lambda: [render.to_uint8(one.made.frames) for one in made.values()], ms=100)

    def arrays() -> dict[str, Tensor | np.ndarray]:
        found: dict[str, Tensor | np.ndarray] = {"content": given.content, "style": given.style}
        for name, one in made.items():
            found |= {f"{name}_frames": one.made.frames, f"{name}_value": one.made.value}
            found[f"{name}_steps"] = np.array(one.steps)
        return found

    def curve() -> dict[str, Sequence[object]]:
        columns: dict[str, Sequence[object]] = {**step_columns(made)}
        for name, one in made.items():
            for judge, (far, moved) in one.seen.items():
                columns[f"{name}_style_left_{judge}"] = far.tolist()
                columns[f"{name}_content_distance_{judge}"] = moved.tolist()
        return columns

    out.arrays("style.npz", arrays, "float32, every frame")
    out.table("Curve", "style.csv", curve)
    out.file("Measured pairs, CSV", "style-pairs.csv", "text/csv", views.pairs_table)
    return out.files


def _so_far(slot: DeltaGenerator, painted: Mapping[str, Images], given: Given, when: str = "so far") -> None:
    """Show the two pictures, and what there is of those that are being painted."""
    larger = lambda x: render.upscaled(render.to_uint8(x)[0], max(1, WIDE // x.shape[-1]))
    now = {"Content": given.content, "Style": given.style}
    now |= {f"{head}, {when}": x for head, x in zip(titles(*painted), painted.values(), strict=True)}
    slot.image([larger(x) for x in now.values()], width=WIDE, output_format="PNG", caption=list(now), alt=list(now))
