"""The main view of the Robust frog page: one picture's representation, inverted, iterate by iterate."""

import html
from dataclasses import replace

import numpy as np
import streamlit as st

from core.attacks.recording import side_by_side, step_columns
from core.attacks.rules import State
from core.data.pictures import Picture
from core.data.sets import CIFAR10_CLASSES
from core.files import arrays as exports
from core.files import render
from core.inversion import emergence, invert, starts, views
from core.inversion.emergence import Emergence
from core.inversion.recipe import InvertRecipe
from core.inversion.views import essential
from core.models import checkpoints
from core.recipes import to_json
from pages.ui import crisp, pair_work
from pages.ui.exports import Download, downloads
from pages.ui.rows import row
from pages.ui.scrubber import Row, scrubbed
from pages.ui.steps import step_axis
from pages.ui.words import verdicts


def show(recipe: InvertRecipe, picture: Picture) -> None:
    """Show the view; the frame in sight goes into the address."""
    steps = invert.SETTINGS[recipe.setting].steps
    slot = st.container()
    names = list(dict.fromkeys((recipe.standard, recipe.robust)))
    with slot:
        live = st.empty()
        left, right = pair_work.both(
            recipe,
            lambda name, ready, on_step: emergence.emerge(recipe, name, picture=picture, model=ready, on_step=on_step),
            steps=steps,
            show=lambda states: _so_far(live, states, names),
            key=essential(recipe),
        )
    wanted(recipe, picture)
    doubts(recipe, left, right, picture)
    left, right = side_by_side(left, right)
    rows = rows_of(recipe, left, right, picture)
    frame = scrubbed(rows, step_axis(left, right), "frog-scrubber", recipe.frame)
    shown = replace(recipe, frame=min(frame, len(left.steps) - 1))
    downloads(files(shown, left, right), key="frog", script=views.script(shown))


def wanted(recipe: InvertRecipe, picture: Picture) -> None:
    """Show the picture whose representation is wanted, and say what is done."""
    start = starts.start_of(replace(recipe, picture=picture.id))[1]
    st.html(
        f'{crisp.STYLE}<div class="crisp" style="grid-template-columns: 7rem 1fr; align-items: center">'
        f"{crisp.figure(picture.x, f'The wanted picture: {picture.caption}')}<div><b>Wanted: {html.escape(picture.caption)}</b><br>"
        f"Start: {html.escape(start)}. Each model moves the start until it represents it as it represents the wanted "
        "picture; nothing else about the result is asked for.</div></div>"
    )


def doubts(recipe: InvertRecipe, left: Emergence, right: Emergence, picture: Picture) -> None:
    """Say where a model takes the wanted picture itself for something else: then its inversion is of that."""
    if picture.label is None:
        return
    for name, made in dict(zip((recipe.standard, recipe.robust), (left, right), strict=True)).items():
        if int(made.clean_logits.argmax()) != picture.label:
            st.warning(
                f"{checkpoints.header(name).title} takes the wanted picture itself for something else "
                f"({verdicts(made.clean_logits, CIFAR10_CLASSES)[0]}), so expect its inversion to look like that to it.",
                icon=":material/info:",
            )


def rows_of(recipe: InvertRecipe, left: Emergence, right: Emergence, picture: Picture) -> list[Row]:
    """Build both columns of the scrubber, each with what the networks see in it that were not inverted."""
    return [
        row(recipe.standard, left, picture.label, recipe.robust),
        row(recipe.robust, right, picture.label, recipe.standard),
    ]


def files(recipe: InvertRecipe, left: Emergence, right: Emergence) -> list[Download]:
    """List the downloads for the frame in sight."""
    about = {"recipe": to_json(recipe), "Software": "Robust Frog"}
    made = {recipe.standard: left, recipe.robust: right}

    def picture(e: Emergence) -> bytes:
        frame = min(recipe.frame, len(e.frames) - 1)
        return render.png(render.to_uint8(e.frames[frame : frame + 1])[0], about)

    def sheet() -> bytes:
        cells = [render.to_uint8(t)[0] for e in made.values() for t in (e.x0, e.frames[-1:], e.x)]
        return render.png(render.sheet([render.upscaled(c, 6) for c in cells], 3, gap=12), about)

    def film(kind: str) -> bytes:
        strips = zip(*(render.to_uint8(e.frames) for e in made.values()), strict=True)
        frames = [render.upscaled(render.sheet(list(strip), len(made)), 6) for strip in strips]
        return render.animation(np.stack(frames), kind, 80, about)

    def arrays() -> bytes:
        tensors = {
            f"{n}_{what}": getattr(e, what) for n, e in made.items() for what in ("frames", "distance", "logits")
        }
        steps = {f"{n}_steps": np.array(e.steps) for n, e in made.items()}
        return exports.npz({"x": left.x, "x0": left.x0, **steps, **tensors}, to_json(recipe))

    def curve() -> str:
        columns: dict[str, list] = {**step_columns(made)}
        for name, e in made.items():
            columns[f"{name}_feature_distance"] = e.distance.tolist()
            columns[f"{name}_pixel_distance"] = e.pixel_distance.tolist()
            columns[f"{name}_prediction"] = [CIFAR10_CLASSES[k] for k in e.logits.argmax(1).tolist()]
        return exports.table(columns)

    return [
        *(Download(f"Picture, {n}", f"{n}-inverted.png", "image/png", lambda e=e: picture(e)) for n, e in made.items()),
        Download("Sheet", "inversion.png", "image/png", sheet, "A row a model: start, inversion, wanted picture"),
        Download("Film, APNG", "emergence.png", "image/apng", lambda: film("apng"), "Lossless"),
        Download("Film, WebP", "emergence.webp", "image/webp", lambda: film("webp"), "Lossless"),
        Download("Arrays, npz", "inversion.npz", "application/octet-stream", arrays, "float32, every frame"),
        Download("Curve, CSV", "inversion.csv", "text/csv", curve),
        Download("Recipe, JSON", "recipe.json", "application/json", lambda: to_json(recipe)),
    ]


def _so_far(slot, states: dict[str, State], names: list[str]) -> None:
    there = [name for name in names if name in states]
    if there:
        now = [render.upscaled(render.to_uint8(states[name].x)[0], 8) for name in there]
        titles = [f"{checkpoints.header(name).title}, so far" for name in there]
        slot.image(now, width=256, output_format="PNG", caption=titles, alt=titles)
