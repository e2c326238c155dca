"""The interpolation view of the Robust frog page: the straight line between two representations, made visible."""

import html
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from core.attacks.rules import State
from core.data.pictures import Picture
from core.files import render
from core.files.playable import Scene
from core.inversion import between, scene, starts, views
from core.inversion.between import InterpolationPath
from core.inversion.recipe import InvertRecipe
from core.inversion.views import cache_key
from core.models.titles import title, titles
from core.types import Images
from core.words import verdicts
from pages.ui import crisp, work
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.judge import JUDGE, judge_logits
from pages.ui.scrubber import Axis, Row, scrubbed
from pages.ui.world import current

STYLE = """<style>
.strip { grid-template-columns: repeat(11, minmax(0, 1fr)); gap: 0.3rem; margin-bottom: 0.6rem; }
@media (max-width: 700px) { .strip { grid-template-columns: repeat(6, minmax(0, 1fr)); } }
</style>"""
MIDDLE = 5  # the frame the view opens with


def show(recipe: InvertRecipe, picture: Picture) -> None:
    """Show the way in both models, and all of it below, beside the cross-fade of the pixels."""
    live = st.empty()
    left, right = work.both(
        recipe,
        lambda name, ready, on_step: between.between(recipe, name, picture=picture, model=ready, on_step=on_step),
        steps=starts.setting_of(recipe).steps,
        show=lambda states: _so_far(live, states),
        key=cache_key(recipe),
        own=picture.private,
    )
    live.empty()
    way = right
    ends = zip(way.x.split(1), (picture.caption, way.caption), ("t = 0", "t = 1"), strict=True)
    figures = "".join(crisp.figure(x, caption, (at, caption)) for x, caption, at in ends)
    st.html(f'{STYLE}{crisp.STYLE}<div class="crisp" style="grid-template-columns: repeat(2, 7rem)">{figures}</div>')
    axis = Axis("t", way.t, tuple(f"{t:.1f}" for t in way.t), "0 is the first picture, 1 the second")
    called = titles(recipe.standard, recipe.robust)
    rows = [
        row(called[0], title(recipe.standard), left, picture.label),
        row(called[1], title(recipe.robust), right, picture.label),
    ]
    frame = min(scrubbed(rows, axis, "frog-between", MIDDLE, own=picture.private), len(left.t) - 1)
    st.html(
        strip(f"Pixels alone, a cross-fade (as {called[1]} sees it)", way.fade, way.fade_logits, way)
        + strip(called[0], left.made, left.logits, left)
        + strip(called[1], right.made, right.logits, right)
    )
    shown = replace(recipe, frame=frame)
    downloads(
        files(shown, left, right, lambda: scene.played(shown, rows, axis)),
        key="frog-between",
        script=views.script(shown),
    )


def row(called: str, subtitle: str, way: InterpolationPath, label: int | None) -> Row:
    """Build a model's column of the scrubber."""
    said, third = verdicts(way.logits, current().classes), judge_logits(way.made)
    judge = ((f"{titles(JUDGE)[0]} predicts", verdicts(third, current().classes)),) if third is not None else ()
    return Row(
        title=called,
        subtitle=subtitle,
        frames=render.to_uint8(way.made),
        reference=render.to_uint8(way.start)[0],
        delta=way.made - way.start[:1],
        classes=current().classes,
        probabilities=way.logits.softmax(1),
        truth=label,
        curve=tuple(way.distance.tolist()),
        curve_name="feature distance",
        readouts=(("feature distance", tuple(f"{100 * d:.1f} %" for d in way.distance.tolist())), *judge),
        alt=tuple(f"{called}, t = {t:.1f}: prediction {verdict}." for t, verdict in zip(way.t, said, strict=True)),
    )


def strip(head: str, x: Images, logits: Tensor, way: InterpolationPath) -> str:
    """Return all points of one way as a strip in HTML, with what is seen in each."""
    said = verdicts(logits, current().classes)
    figures = "".join(
        crisp.figure(x[i : i + 1], f"{head}, t = {t:.1f}: {said[i]}", (said[i].partition(" ")[0],))
        for i, t in enumerate(way.t)
    )
    return f'<div><b>{html.escape(head)}</b></div><div class="crisp strip">{figures}</div>'


def files(
    recipe: InvertRecipe, left: InterpolationPath, right: InterpolationPath, played: Callable[[], Scene]
) -> list[Download]:
    """List the downloads."""
    made = {recipe.standard: left, recipe.robust: right}
    out = Bundle(recipe)
    out.slide(
        "Sheet",
        "between.png",
        lambda: [list(render.to_uint8(x)) for x in (left.fade, *(way.made for way in made.values()))],
        heads=[f"{t:.1f}" for t in left.t],
        sides=("Pixels, a cross-fade", *map(title, made)),
        caption="Points on the straight line between two representations, each made visible by inverting it.",
    )
    out.playable("between", played)
    out.film("between", lambda: [render.to_uint8(way.made) for way in made.values()], ms=200)

    def arrays() -> dict[str, Tensor | np.ndarray]:
        tensors = {f"{n}_{w}": getattr(way, w) for n, way in made.items() for w in ("made", "distance", "logits")}
        return {"x": left.x, "fade": left.fade, "t": np.array(left.t), **tensors}

    out.arrays("between.npz", arrays, "float32, every point")
    return out.files


def _so_far(slot: DeltaGenerator, states: dict[str, State]) -> None:
    if states:
        cells = [render.upscaled(cell, 3) for state in states.values() for cell in render.to_uint8(state.x)]
        alt = "The points so far, a row a model"
        slot.image(render.sheet(cells, between.POINTS, gap=4), output_format="PNG", caption=alt, alt=alt)
