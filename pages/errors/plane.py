"""The plane: a network learns coins by heart, and another one learns from where it was fooled."""

import base64
import html
from dataclasses import replace

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from core.errors import views
from core.errors.recipe import ErrorsRecipe
from core.errors.toy import Toy, play
from core.files import render
from core.rates import Estimate
from pages.errors.exports import bundle
from pages.ui.address import choose
from pages.ui.exports import Download
from pages.ui.store import results

DEFAULTS = ErrorsRecipe()
COLOURS = ((230, 159, 0), (0, 114, 178))  # class 0, class 1
MOVED = {
    "adversarial": "until the first network is fooled",
    "random": "as far, in random directions",
    "not": "not at all",
}
STYLE = """<style>
.planes { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1.2rem; }
.planes figure { margin: 0; }
.planes img { width: 100%; border-radius: 0.4rem; display: block; }
.planes figcaption { margin-top: 0.5rem; line-height: 1.45; }
@media (max-width: 700px) { .planes { grid-template-columns: 1fr; } }
</style>"""


def controls() -> ErrorsRecipe:
    """Show the controls and return the recipe they make."""
    moved = choose("Move each point", MOVED, key="moved", default=DEFAULTS.moved)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        eps = st.slider(
            "by at most, of the plane's side", 0.0, 0.5, DEFAULTS.eps, 0.01, key="eps", bind="query-params", width=320
        )
        points = st.slider("Points", 8, 128, DEFAULTS.points, 8, key="points", bind="query-params", width=260)
        st.button("Other points", icon=":material/casino:", on_click=_other, width="content")
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params", width=140)
    return ErrorsRecipe(points=int(points), eps=float(eps), seed=int(seed), moved=moved or DEFAULTS.moved)


def _other() -> None:
    st.session_state["seed"] = int(st.session_state.get("seed", 0)) + 1


def show(stage: st.delta_generator.DeltaGenerator, recipe: ErrorsRecipe) -> tuple[ErrorsRecipe, list[Download]]:
    """Show the three planes and what they say; return the recipe and the files of this view."""
    made: Toy = results().of(("errors-plane", recipe), lambda: play(recipe))
    with stage:
        st.html(drawn(made))
        st.markdown(sentence(recipe, made))
    if found := views.results("plane"):
        one, other = (Estimate.from_json(found[moved]).per_cent() for moved in ("adversarial", "random"))
        st.caption(
            f"Over {found['n']} planes of {found['points']} points (seeds {found['seeds'][0]} to {found['seeds'][1]}, ε"
            f" = {found['eps']:g}): a student of adversarial points gets {one} of the originals right, one of points"
            f" moved at random {other}. Wallace shows one plane: 23 of 32. {found['date']}."
        )
    out = bundle("plane", recipe)
    out.pixels(
        "Planes, PNG",
        "planes.png",
        lambda: render.sheet([render.upscaled(_map(p), 4) for p in (made.teacher, made.student)], 2),
    )
    return replace(recipe, view="plane"), out.files


def sentence(recipe: ErrorsRecipe, made: Toy) -> str:
    """Say what came out."""
    n, right, chance = len(made.labels), made.student_right.hits, len(made.labels) / 2
    text = (
        f"**The student gets {right} of {n} right, and has seen none of them**: only {n} moved points, each under the"
        f" label that it did not have. The first network was taken across by {int(made.crossed.sum())} of the moves."
    )
    if recipe.moved != "adversarial":
        return f"{text} No move followed the first network's judgement here, so nothing of it can pass over."
    return text + (
        " Guessing gives half." if right > chance else " That is no better than guessing; other points may do better."
    )


def drawn(made: Toy) -> str:
    """Draw the three planes as SVG."""
    teacher = _plane(made.teacher, made.points, made.labels, made.teacher_says != made.labels)
    middle = _plane(None, made.moved, made.given, None, made.points)
    student = _plane(made.student, made.points, made.labels, made.student_says != made.labels)
    n = len(made.labels)
    captions = (
        (
            f"<b>1.</b> {n} points, their colours drawn by a coin. A network learns them by heart:"
            f" {made.teacher_right.hits} of {n}."
        ),
        "<b>2.</b> Each is moved, and gets the other colour. A student sees these points and nothing else.",
        (
            f"<b>3.</b> What the student says of the plane, and of the points of 1: {made.student_right.hits} of {n}"
            " right (wrong: ringed)."
        ),
    )
    # As a picture: Streamlit strips SVG from HTML.
    figures = "".join(
        f'<figure><img src="{_url(plane)}" alt="{html.escape(caption.replace("<b>", "").replace("</b>", ""))}">'
        f"<figcaption>{caption}</figcaption></figure>"
        for plane, caption in zip((teacher, middle, student), captions, strict=True)
    )
    return f'{STYLE}<div class="planes">{figures}</div>'


def _url(plane: str) -> str:
    whole = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="600" height="600">{plane}</svg>'
    return f"data:image/svg+xml;base64,{base64.b64encode(whole.encode()).decode()}"


def _plane(
    said: Tensor | None, points: Tensor, labels: Tensor, wrong: Tensor | None, before: Tensor | None = None
) -> str:
    parts = ['<rect width="100" height="100" fill="#8c8c8c" fill-opacity="0.12"/>']
    if said is not None:
        url = render.data_url(render.png(_map(said)))
        parts = [f'<image href="{url}" width="100" height="100" preserveAspectRatio="none"/>']
    for i, ((x, y), label) in enumerate(zip((100 * points).tolist(), labels.tolist(), strict=True)):
        colour = "rgb({}, {}, {})".format(*COLOURS[label])
        if before is not None:
            x0, y0 = (100 * before[i]).tolist()
            parts.append(
                f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x:.1f}" y2="{y:.1f}" stroke="#8c8c8c" stroke-width="0.7"/>'
            )
        shape = (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.9" fill="{colour}" stroke="#fff" stroke-width="0.6"/>'
            if label
            else (
                f'<rect x="{x - 1.7:.1f}" y="{y - 1.7:.1f}" width="3.4" height="3.4" fill="{colour}" stroke="#fff"'
                ' stroke-width="0.6"/>'
            )
        )
        parts.append(shape)
        if wrong is not None and bool(wrong[i]):
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="none" stroke="#1c262d" stroke-width="0.9"/>')
    return "".join(parts)


def _map(probability: Tensor) -> np.ndarray:
    """Paint a map of probabilities (G, G): orange where class 0, blue where class 1, pale where it is unsure."""
    first, second = (torch.tensor(c, dtype=torch.float32) for c in COLOURS)
    sure = (2 * probability - 1)[..., None]
    colour = torch.where(sure < 0, first, second)
    return (255 + 0.62 * sure.abs() * (colour - 255)).round().byte().numpy()
