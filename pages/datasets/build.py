"""The build view of the Datasets page: a few pictures through two source models, step by step, with their labels."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from core.attacks.recording import side_by_side
from core.attacks.rules import State
from core.attacks.steps import step_axis
from core.datasets import live
from core.datasets.live import ConstructedBatch
from core.datasets.recipe import DatasetsRecipe
from core.files import arrays as exports
from core.files import render
from core.files.playable import Scene, scrubbing
from core.files.render import RGB
from core.models.titles import stamped, title, titles
from core.types import Labels
from pages.ui import crisp, work
from pages.ui.escaped import html_of
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.scrubber import Row, frame_in_sight, scrubber
from pages.ui.world import current

COLUMNS = 4  # of the sheet in the scrubber
CARDS = 12
CLAIM = (
    "The same pictures through two networks, step by step, until each is what the data set holds. Their labels come"
    " from the set."
)
STYLE = """<style>
.made { grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); gap: 1.4rem 1.2rem; }
.made .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0.3rem; }
.made s { opacity: 0.75; }
@media (max-width: 640px) { .made { grid-template-columns: 1fr 1fr; } }
</style>"""


def show(recipe: DatasetsRecipe, script: Callable[[DatasetsRecipe], str]) -> None:
    """Show the view."""
    left, right = side_by_side(*both(recipe))
    made = {recipe.standard: left, recipe.robust: right}  # one, where a world has a single network
    called = dict(zip(made, titles(*made), strict=True))
    rows = [row(f"Through {called[name]}", name, few, recipe) for name, few in made.items()]
    inverted, last = recipe.kind == "inverted", len(left.steps) - 1
    at = min(frame_in_sight("datasets-scrubber", last), last)
    axis, gain = step_axis(left, right), 1 if inverted else 10
    captions = ("starts: other pictures" if inverted else "originals", "what was added")
    scrubber(rows, axis, key="datasets-scrubber", own=False, frame=at, captions=captions, gain=gain, report=True)
    st.html(STYLE + crisp.STYLE)
    for name, few in made.items():
        st.markdown(f"### As a network is shown them, through {called[name]}")
        cards(few, f"through {called[name]}")

    def played() -> Scene:
        return scrubbing(
            rows,
            axis,
            frame=at,
            gain=gain,
            captions=captions,
            title="Datasets",
            claim=CLAIM,
            models=stamped(recipe.standard, recipe.robust),
        )

    in_sight = replace(recipe, frame=at if at < last else recipe.frame)
    downloads(files(in_sight, left, right, played), key="datasets", script=script(in_sight))


def both(recipe: DatasetsRecipe) -> tuple[ConstructedBatch, ConstructedBatch]:
    """Return what both source models make."""
    live_sheets = st.empty()
    made = work.both(
        recipe,
        lambda name, ready, on_step: live.watch(recipe, name, model=ready, on_step=on_step),
        steps=recipe.steps,
        show=lambda states: _so_far(live_sheets, states),
        key=replace(recipe, view=DatasetsRecipe.view, frame=0, standard="", robust=recipe.robust),
    )
    live_sheets.empty()
    return made


def row(head: str, name: str, made: ConstructedBatch, recipe: DatasetsRecipe) -> Row:
    """Build a column of the scrubber: all pictures on one sheet, a frame a step."""
    n = len(made.labels)
    agrees = [int((predicted == made.labels).sum()) for predicted in made.predictions]
    frames = np.stack([render.sheet(list(render.to_uint8(frame)), COLUMNS) for frame in made.frames])
    apart, moved = made.distance.mean(1).tolist(), made.delta.mean(1).tolist()
    inverted = recipe.kind == "inverted"
    # An inversion starts from another picture, so that is what something is added to.
    reference = frames[0] if inverted else render.sheet(list(render.to_uint8(made.x)), COLUMNS)
    return Row(
        title=head,
        subtitle=title(name),
        frames=frames,
        reference=reference,
        curve=tuple(apart if inverted else [a / n for a in agrees]),
        curve_name="distance of the representation" if inverted else "agrees with the set's label",
        readouts=(
            ("predictions that agree with the set's label", tuple(f"{a} of {n}" for a in agrees)),
            ("mean L2 distance to the originals" if inverted else "mean ‖δ‖₂", tuple(f"{d:.2f}" for d in moved)),
            ("distance of the representation", tuple(f"{100 * d:.0f} %" for d in apart)),
        ),
        alt=tuple(
            f"{head}, step {step}: a sheet of {n} pictures; {a} predictions agree with the set's label; mean distance"
            f" from the originals {d:.2f}."
            for step, a, d in zip(made.steps, agrees, moved, strict=True)
        ),
    )


def cards(made: ConstructedBatch, way: str) -> None:
    """Show the first pictures, original beside constructed, with the old and the new label."""
    cells = []
    for i in mismatch_first(made)[:CARDS]:
        old, new = current().classes[int(made.y[i])], current().classes[int(made.labels[i])]
        predicted = current().classes[int(made.predictions[-1][i])]
        label = f"<b>{html_of(new)}</b>" if old == new else f"<s>{html_of(old)}</s> → <b>{html_of(new)}</b>"
        pair = crisp.figure(made.x[i : i + 1], f"{old}, the original") + crisp.figure(
            made.frames[-1][i : i + 1], f"{old} {way}, labelled {new}"
        )
        cells.append(
            f'<div><div class="pair">{pair}</div><div>{label}<br><small>the source predicts'
            f" {html_of(predicted)}</small></div></div>"
        )
    st.html(f'<div class="crisp made">{"".join(cells)}</div>')


def mismatch_first(made: ConstructedBatch) -> list[int]:
    """Number the pictures in the order of the set, but with one first whose label is not its class, if there is one.

    One label of D_rand in ten is the picture's own class; whoever meets that first takes the labels for right.
    """
    order = list(range(len(made.labels)))
    wrong = (made.labels != made.y).nonzero()[:1, 0].tolist()
    return [*wrong, *(i for i in order if i not in wrong)]


def files(
    recipe: DatasetsRecipe, left: ConstructedBatch, right: ConstructedBatch, played: Callable[[], Scene]
) -> list[Download]:
    """List the downloads: sheets, the sets as trainers read them, and an image folder."""
    made = {recipe.standard: left, recipe.robust: right}
    out = Bundle(recipe)
    out.playable("datasets", played)
    for name, few in made.items():
        out.slide(
            f"Sheet, {title(name)}",
            f"set-{name}.png",
            partial(_labelled, few),
            caption=(
                f"Through {title(name)}, with the labels that the set gives: {', '.join(map(str, _words(few.labels)))}."
            ),
        )

    def arrays(few: ConstructedBatch) -> bytes:
        columns: dict[str, Tensor | np.ndarray] = {
            "images": render.to_uint8(few.frames[-1]),
            "labels": few.labels.numpy(),
            "source_labels": few.y.numpy(),
            "classes": np.array(current().classes),
            "delta": few.delta[-1],
        }
        return exports.npz(columns, out.json)

    for name, few in made.items():
        out.file(
            f"Set, {title(name)}, npz",
            f"set-{name}.npz",
            "application/octet-stream",
            partial(arrays, few),
            "uint8, as `core.train --data` reads it",
        )

    def folder() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, few in made.items():
                for i, image in enumerate(render.to_uint8(few.frames[-1])):
                    label = current().classes[int(few.labels[i])]
                    archive.writestr(f"{name}/{label}/{i:05}.png", render.png(image))
            archive.writestr("recipe.json", out.json)
        return buffer.getvalue()

    def table() -> dict[str, list[object]]:
        columns: dict[str, list[object]] = {
            "picture": list(left.ids),
            "label_before": _words(left.y),
            "label": _words(left.labels),
        }
        for name, few in made.items():
            columns[f"{name}_prediction"] = _words(few.predictions[-1])
            columns[f"{name}_delta_L2"] = few.delta[-1].tolist()
        return columns

    out.file("Image folders, zip", "sets.zip", "application/zip", folder, "A sub-folder a label, lossless PNG")
    out.table("Table", "sets.csv", table)
    return out.files


def _labelled(few: ConstructedBatch) -> list[list[RGB]]:
    cells = list(render.to_uint8(few.frames[-1]))
    return [cells[i : i + COLUMNS] for i in range(0, len(cells), COLUMNS)]


def _so_far(slot: DeltaGenerator, states: dict[str, State]) -> None:
    if states:
        sheets = [render.sheet(list(render.to_uint8(state.x)), COLUMNS) for state in states.values()]
        alt = [f"{title(name)}, so far" for name in states]
        slot.image([render.upscaled(s, 2) for s in sheets], width=280, output_format="PNG", caption=alt, alt=alt)


def _words(labels: Labels) -> list[object]:
    return [current().classes[int(k)] for k in labels]
