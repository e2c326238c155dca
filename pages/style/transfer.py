"""The view that paints: content and style, and what each network makes of them, step by step."""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
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
from core.models.titles import title, titles
from core.style import opening, scene, views
from core.style.recipe import StyleRecipe
from core.style.scene import Seen
from core.style.transfer import Painting, transfer
from core.types import Images
from pages.style.controls import Given
from pages.ui import work
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.scrubber import scrubbed
from pages.ui.store import stamp
from pages.ui.world import current, pair

WIDE = 256  # px, of what is computed, so far
ALIKE = 1.5  # times as far from the style as the other: below, the page says that the pair does not tell much


def show(recipe: StyleRecipe, given: Given) -> None:
    """Show the view; the frame in sight goes into the address."""
    if "upload" in (recipe.content, recipe.style) and not given.private:
        st.info("Until a picture of yours comes, the page shows its own.", icon=":material/upload:")
    key = (views.cache_key(recipe), _own(given))
    live = st.empty()
    finished = {} if given.private else opening.read(recipe)
    _so_far(live, finished, given, "at the end" if finished else "so far")

    def so_far(states: Mapping[str, State]) -> None:
        if not finished:
            _so_far(live, {name: state.x for name, state in states.items()}, given)

    left, right = work.both(
        recipe,
        lambda name, ready, on_step: transfer(
            recipe, name, given=(given.content, given.style), model=ready, on_step=on_step
        ),
        steps=recipe.steps,
        show=so_far,
        key=("style", *key),
        own=given.private,
    )
    live.empty()
    left, right = side_by_side(left, right)
    made = {recipe.standard: left, recipe.robust: right}  # one, where both are the same model
    seen = {name: _seen(key, name, one, given, tuple(made)) for name, one in made.items()}
    st.caption(
        f"Content: {given.said['content']}. Style: {given.said['style']}. {recipe.side} pixels a side,"
        f" {recipe.steps} steps of L-BFGS from the content.{'' if pair().robust else f' {current().robust_how}'}"
    )
    rows = scene.rows_of(made, seen, given.style, given.said["style"])
    axis = step_axis(*made.values())
    frame = scrubbed(rows, axis, "style-scrubber", recipe.frame)
    st.markdown(sentence(made, seen))
    shown = replace(recipe, frame=min(frame, len(left.steps) - 1))
    downloads(
        files(shown, given, made, seen, lambda: scene.played(shown, rows, axis)),
        key="style",
        script=views.script(shown),
    )


def sentence(made: dict[str, Painting], seen: dict[str, Seen]) -> str:
    """Say what each judge sees in the last frames, of this pair of pictures."""
    judged = next(iter(seen.values()))
    if not judged:
        return "No network is here that took no part and could judge: the judges themselves painted."
    painters = dict(zip(made, titles(*made), strict=True))
    parts = []
    for judge, head in zip(judged, titles(*judged), strict=True):
        left = [f"{100 * float(seen[name][judge][0][-1]):.0f} % by {painters[name]}" for name in made]
        parts.append(f"in the eyes of **{head}** {' and '.join(left)}")
    text = f"Of the distance to the style is left, {'; '.join(parts)}. One pair of pictures is no measurement."
    ends = [float(list(found.values())[-1][0][-1]) for found in seen.values()]
    if len(ends) == 2 and max(ends) < ALIKE * min(ends):
        text += f" And this pair hardly tells the two apart: to {titles(*judged)[-1]} both came about as far."
    return text


def _seen(key: Hashable, name: str, made: Painting, given: Given, painters: tuple[str, ...]) -> Seen:
    stamps = tuple(stamp(one) for one in (*painters, *scene.judging(*painters)))
    what = ("style-seen", key, name, made.steps, painters, stamps)
    return work.kept(what, lambda: scene.seen_by(made, given.content, given.style, painters), own=given.private)


def _own(given: Given) -> str:
    if not given.private:
        return ""
    pixels = (given.content.numpy().tobytes(), given.style.numpy().tobytes())
    return hashlib.blake2b(b"".join(pixels), digest_size=8).hexdigest()


def files(
    recipe: StyleRecipe, given: Given, made: dict[str, Painting], seen: dict[str, Seen], played: Callable[[], Scene]
) -> list[Download]:
    """List the downloads for the frame in sight."""
    called = dict(zip(made, titles(*made), strict=True))
    out = Bundle(recipe)

    def at(one: Painting) -> RGB:
        frame = min(recipe.frame, len(one.frames) - 1)
        return render.to_uint8(one.frames[frame : frame + 1])[0]

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
    out.film("style", lambda: [render.to_uint8(one.frames) for one in made.values()], ms=100)

    def arrays() -> dict[str, Tensor | np.ndarray]:
        found: dict[str, Tensor | np.ndarray] = {"content": given.content, "style": given.style}
        for name, one in made.items():
            found |= {f"{name}_frames": one.frames, f"{name}_value": one.value, f"{name}_steps": np.array(one.steps)}
        return found

    def curve() -> dict[str, Sequence[object]]:
        columns: dict[str, Sequence[object]] = {**step_columns(made)}
        for name in made:
            for judge, (far, moved) in seen[name].items():
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
    now |= {f"{title(name)}, {when}": x for name, x in painted.items()}
    slot.image([larger(x) for x in now.values()], width=WIDE, output_format="PNG", caption=list(now), alt=list(now))
