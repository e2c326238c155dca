"""The studio of the Synthesis page: sixteen pictures at once, in both models' hands, to scrub, judge, pick and keep."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from core.attacks.recording import side_by_side
from core.attacks.rules import State
from core.attacks.steps import step_axis
from core.data.pictures import Picture
from core.data.planted import drawn, marks
from core.data.planted.world import weaves
from core.files import render
from core.files.playable import Scene, scrubbing
from core.files.render import RGB
from core.files.slides import slide
from core.models.ready import asked
from core.models.titles import stamped, title, titles
from core.rates import Rate
from core.synthesis import studio
from core.synthesis.recipe import SynthesisRecipe
from core.synthesis.studio import Painting, cache_key
from pages.synthesis.morph import LARGEST
from pages.ui import crisp, work
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.judge import JUDGE, knows
from pages.ui.scrubber import Row, scrubbed
from pages.ui.store import model, stamp
from pages.ui.world import current

COLUMNS, GAP = 4, 2
KEPT_AT_MOST = 48
CLAIM = "Several pictures, moved step by step until each network sees the wanted class in them."
STYLE = """<style>
.st-key-studio-pick button { padding: 3px; min-height: 0; }
.st-key-studio-pick img { image-rendering: pixelated; height: 64px; max-height: none; display: block; }
.shelf { grid-template-columns: repeat(auto-fill, minmax(5rem, 1fr)); margin-bottom: 0.6rem; }
</style>"""


def show(recipe: SynthesisRecipe, picture: Picture) -> None:
    """Show both models' batches, what an independent network sees in them, and the shelf of kept pictures."""
    live = st.empty()
    left, right = work.both(
        recipe,
        lambda name, ready, on_step: studio.studio(recipe, name, picture=picture, model=ready, on_step=on_step),
        steps=recipe.steps,
        show=lambda states: _so_far(live, states),
        key=("studio", cache_key(recipe)),
        own=picture.private,
    )
    live.empty()
    left, right = side_by_side(left, right)
    made_by = {recipe.standard: left, recipe.robust: right}  # one, where both are the same model
    judged = {name: _judged(recipe, name, made, own=picture.private) for name, made in made_by.items()}
    st.markdown(summary(recipe, left, judged))
    other = studio.second(recipe) if recipe.task == "mix" else None
    rows = [
        row(head, name, made_by[name], judged[name], other)
        for head, name in zip(titles(*made_by), made_by, strict=True)
    ]
    axis = step_axis(left, right)
    frame = scrubbed(rows, axis, "studio-scrubber", recipe.frame, own=picture.private)
    frame = min(frame, len(left.steps) - 1)
    shown = replace(recipe, frame=frame)
    pick(shown, left, right)

    def played() -> Scene:
        return scrubbing(
            rows,
            axis,
            frame=frame,
            gain=1,
            captions=("start", "what was added"),
            title="Synthesis",
            claim=CLAIM,
            models=stamped(recipe.standard, recipe.robust),
        )

    downloads(files(shown, left, right, played), key="studio", script=studio.script(shown))


def _judged(recipe: SynthesisRecipe, name: str, made: Painting, *, own: bool) -> Tensor | None:
    """Return the third network's logits of every frame (F, N, K), or None where it is not there."""
    if not knows(JUDGE, current().classes):
        return None

    def look() -> Tensor:
        judge = model(JUDGE)
        return torch.stack([asked(judge, frame) for frame in made.frames])

    if made.stopped is not None:
        return look()
    stamps = stamp(name), stamp(JUDGE)
    return work.kept(("studio-judged", cache_key(recipe), name, stamps, made.steps), look, own=own)


def summary(recipe: SynthesisRecipe, made: Painting, judged: dict[str, Tensor | None]) -> str:
    """Say in a sentence what became of the batch at its last step."""
    most, n = studio.reach(recipe), len(made.x0)
    how = f"Up to L2 {most:g} from" if most < math.inf else "As far as the steps lead from"
    text = f"{how} {made.of}; {f'the same {n} starts for both models' if len(judged) > 1 else f'{n} starts'}. "
    known = {name: logits for name, logits in judged.items() if logits is not None}
    if made.y is None or len(known) < len(judged):
        return text
    other = studio.second(recipe) if recipe.task == "mix" else -1
    what = "one of the two classes" if recipe.task == "mix" else "the wanted class"
    parts = []
    for head, logits in zip(titles(*known), known.values(), strict=True):
        said = logits[-1].argmax(1)
        right = int(((said == made.y) | (said == other)).sum())
        parts.append(f"**{Rate(right, len(made.y))}** of those by {head}")
    return f"{text}{titles(JUDGE)[0]}, which took no part, sees {what} in {' and in '.join(parts)}."


def sheets(frames: Tensor) -> np.ndarray:
    """Lay each frame's N pictures (F, N, C, H, W) out as one 8-bit picture: (F, h, w, 3)."""
    across = columns(frames.shape[1])
    return np.stack([render.sheet(list(render.to_uint8(frame)), across, GAP) for frame in frames])


def columns(n: int) -> int:
    """Return how many of n pictures stand beside one another."""
    return COLUMNS if n > COLUMNS else 2


def row(head: str, name: str, made: Painting, judged: Tensor | None, other: int | None) -> Row:
    """Build a model's column of the scrubber."""
    frames = sheets(made.frames)
    n = made.x0.shape[0]
    moved = made.moved.mean(1)
    readouts = [("moved (L2), mean", tuple(f"{m:.2f}" for m in moved.tolist())), *woven(made)]
    judge = titles(JUDGE)[0]
    curve, curve_name = tuple(moved.tolist()), "mean distance moved"
    alt = [
        f"{head}, step {i}: {n} pictures, moved {m:.1f} on average"
        for i, m in zip(made.steps, moved.tolist(), strict=True)
    ]
    if made.y is not None:
        own = (made.logits.argmax(2) == made.y).sum(1).tolist()
        readouts.append(
            (
                "it sees the first class in" if other is not None else "it sees the class in",
                tuple(f"{k} of {n}" for k in own),
            )
        )
        if other is not None:
            also = (made.logits.argmax(2) == other).sum(1).tolist()
            readouts.append(("it sees the other in", tuple(f"{k} of {n}" for k in also)))
        if judged is not None:
            seen = (judged.argmax(2) == made.y).sum(1).tolist()
            readouts.append((f"{judge} sees it in", tuple(f"{k} of {n}" for k in seen)))
            p = judged.softmax(2)[:, torch.arange(n), made.y].mean(1)
            curve, curve_name = tuple(p.tolist()), f"{judge}: mean probability of the class"
            alt = [f"{text}; {judge} sees the wanted class in {k} of them" for text, k in zip(alt, seen, strict=True)]
    return Row(
        title=head,
        subtitle=title(name),
        frames=frames,
        reference=sheets(made.x0[None])[0],
        curve=curve,
        curve_name=curve_name,
        readouts=tuple(readouts),
        alt=tuple(f"{text}." for text in alt),
    )


def woven(made: Painting) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Say, in the world whose features are known, how much of what was painted lies on the weaves, on average."""
    if current().name != drawn.NAME:
        return ()
    of = weaves(drawn.WORLD.classes, drawn.WORLD.weave).flatten(1)
    shares = [float(marks.share(frame - made.x0, of).mean()) for frame in made.frames]
    return (("on the weaves, mean", tuple(map(marks.fraction, shares))),)


def pick(recipe: SynthesisRecipe, left: Painting, right: Painting) -> None:
    """Show the right model's pictures at the frame in sight as buttons, and the shelf of those that were kept."""
    by, beside = titles(recipe.robust)[0], titles(recipe.standard)[0]
    if recipe.robust != recipe.standard:
        by, beside = titles(recipe.robust, recipe.standard)
    made, rival = (render.to_uint8(painting.frames[recipe.frame]) for painting in (right, left))
    st.html(STYLE + crisp.STYLE)
    also = "" if by == beside else f"; what {beside} made of the same start is kept with it"
    st.markdown(f"**Pick what you want to keep** (by {by}{also})")
    with st.container(horizontal=True, gap="xsmall", key="studio-pick"):
        for i, image in enumerate(made):
            name = "no class" if right.y is None else current().classes[int(right.y[i])]
            url = render.data_url(render.png(render.upscaled(image, max(1, 64 // len(image)))))
            st.button(
                f"![{name}, picture {i + 1}]({url})",
                key=f"studio-pick-{i}",
                on_click=_keep,
                args=(image, rival[i], name, (by, beside)),
                help=f"Keep this {name}",
            )
    shelf: list[tuple[np.ndarray, np.ndarray, str, tuple[str, str]]] = st.session_state.get("studio-shelf", [])
    if not shelf:
        return
    figures = "".join(
        crisp.figure(render.from_uint8(pixels[None]), f"{name} by {painter}, kept", (name, painter))
        for image, other, name, painters in shelf
        for pixels, painter in zip((image, other), painters, strict=True)
    )
    st.html(f'<div class="crisp shelf">{figures}</div>')
    with st.container(horizontal=True, vertical_alignment="center"):
        if len(shelf[-1][0]) <= LARGEST:
            st.button("Paint on the last one by hand", key="studio-paint", on_click=_paint_on, icon=":material/brush:")
        st.download_button(
            "Kept pictures",
            data=_shelf_sheet,
            file_name="kept.png",
            mime="image/png",
            key="studio-kept",
            on_click="ignore",
        )
        st.button("Clear", key="studio-clear", on_click=shelf.clear, type="tertiary")


def _keep(image: np.ndarray, rival: np.ndarray, name: str, painters: tuple[str, str]) -> None:
    shelf = st.session_state.setdefault("studio-shelf", [])
    if not any(np.array_equal(image, kept) for kept, *_ in shelf):
        shelf.append((image, rival, name, painters))
    del shelf[:-KEPT_AT_MOST]


def _shelf_sheet() -> bytes:
    shelf = st.session_state.get("studio-shelf", [])
    cells = [cell for image, rival, *_ in shelf for cell in (image, rival)]
    rows = [cells[i : i + 2 * COLUMNS] for i in range(0, len(cells), 2 * COLUMNS)]
    painters = " and ".join(shelf[0][3]) if shelf else ""
    return render.png(
        slide(rows, caption=f"Pairs painted from the same starts, by {painters}."), {"Software": "Robust Frog"}
    )


def _paint_on() -> None:
    st.session_state["morph-next"] = st.session_state["studio-shelf"][-1][0]
    st.session_state["view"] = "morph"


def files(recipe: SynthesisRecipe, left: Painting, right: Painting, played: Callable[[], Scene]) -> list[Download]:
    """List the downloads for the frame in sight."""
    made = {recipe.standard: left, recipe.robust: right}
    out = Bundle(recipe)
    out.playable("studio", played)

    def cells(painting: Painting) -> list[list[RGB]]:
        found = list(render.to_uint8(painting.frames[recipe.frame]))
        across = columns(len(found))
        return [found[i : i + across] for i in range(0, len(found), across)]

    for name, painting in made.items():
        out.slide(
            f"Sheet, {title(name)}",
            f"{name}-painted.png",
            partial(cells, painting),
            caption=f"Painted by {title(name)} in {painting.steps[recipe.frame]} steps from {painting.of}.",
        )
    out.film("studio", lambda: [sheets(painting.frames) for painting in made.values()], ms=100)

    def arrays() -> dict[str, Tensor]:
        tensors = {f"{n}_{what}": getattr(p, what) for n, p in made.items() for what in ("frames", "logits", "moved")}
        labels = {} if left.y is None else {"y": left.y}
        return {"x0": left.x0, **labels, **tensors}

    def table() -> dict[str, list[object]]:
        columns: dict[str, list[object]] = {"picture": list(range(1, len(left.x0) + 1))}
        if left.y is not None:
            columns["wanted"] = [current().classes[k] for k in left.y.tolist()]
        for name, painting in made.items():
            columns[f"{name}_moved"] = painting.moved[-1].tolist()
            columns[f"{name}_prediction"] = [current().classes[k] for k in painting.logits[-1].argmax(1).tolist()]
        return columns

    out.arrays("studio.npz", arrays, "float32, every frame")
    out.table("Table", "studio.csv", table)
    return out.files


def _twice(sheet: RGB) -> RGB:
    """Enlarge a small sheet."""
    return render.upscaled(sheet, 2) if len(sheet) < 200 else sheet


def _so_far(slot: DeltaGenerator, states: dict[str, State]) -> None:
    if states:
        images = [_twice(sheets(state.x[None])[0]) for state in states.values()]
        titles = [f"{title(name)}, so far" for name in states]
        slot.image(images, width=268, output_format="PNG", caption=titles, alt=titles)
