"""The student view of the Datasets page.

A network that never saw an ordinary picture with its label, on any picture.
"""

from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from core.attacks.recording import side_by_side
from core.attacks.rules import State
from core.attacks.steps import step_axis
from core.data import pictures
from core.data.pictures import Picture
from core.datasets import student
from core.datasets.experiments import PLANS
from core.datasets.recipe import DatasetsRecipe
from core.datasets.student import Look
from core.files import render
from core.inversion.views import cache_key
from core.models import checkpoints
from core.models.titles import title, titles
from core.rates import Rate
from core.saliency.maps import limits
from core.saliency.rows import paint
from core.types import Images
from core.words import verdicts
from pages.datasets import results
from pages.ui import crisp, work
from pages.ui.duel import duel
from pages.ui.escaped import html_of
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.model_box import model_box
from pages.ui.rows import row
from pages.ui.scrubber import scrubbed
from pages.ui.store import loaded, model
from pages.ui.store import results as results_store
from pages.ui.world import current

ORDER = ("student-rand", "student-det", "student-robust", "student-nonrobust")


def controls(default: DatasetsRecipe) -> DatasetsRecipe:
    """Show the choice of the student and of the network beside it."""
    here = sorted(student.names(), key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return replace(
        default,
        student=model_box("Student", default.student, "student", here, called=lambda name: titles(name)[0]),
        beside=model_box("Beside it", default.beside, "beside"),
    )


def show(recipe: DatasetsRecipe, picture: Picture) -> None:
    """Show what both networks say of the picture, which pixels that hangs on, and what their representations hold."""
    st.html(f"{crisp.STYLE}<p>{taught(recipe.student)}</p>")
    asked = student.inversion_of(replace(recipe, picture=picture.id))
    live = st.empty()
    left, right = work.both(
        asked,
        lambda name, ready, on_step: student.look(
            replace(recipe, picture=picture.id), name, picture=picture, model=ready, on_step=on_step
        ),
        steps=student.STEPS,
        show=lambda states: _so_far(live, states),
        key=("student", cache_key(asked)),
        own=picture.private,
    )
    live.empty()
    names = (recipe.student, recipe.beside)
    looks = dict(zip(names, (left, right), strict=True))
    cards(recipe, picture, looks)
    wrong(recipe, picture, left)
    st.markdown(
        "**What the representation holds.** Noise is moved until the network represents it as it represents the"
        " picture."
    )
    emerged = side_by_side(left.emergence, right.emergence)
    rows = [
        row(name, made, picture.label, other) for name, made, other in zip(names, emerged, reversed(names), strict=True)
    ]
    last = len(emerged[0].steps) - 1
    at = scrubbed(rows, step_axis(*emerged), "datasets-student", last, own=picture.private)
    duel("datasets-duel")
    shown = replace(recipe, picture=picture.id, frame=at if at < last else recipe.frame)
    downloads(files(shown, looks), key="datasets-student", script=student.script(shown))


def taught(name: str) -> str:
    """Say what a student has learnt from, and how well it does, as measured: HTML."""
    for experiment in PLANS:
        found = results.results(experiment).get("students", {}).get(name)
        if found:
            clean = Rate.from_json(found["clean"])
            return (
                f"<b>{html_of(found['title'])}.</b> This network has seen {found['n_train']:,} such pictures and"
                f" nothing else. Of ordinary test pictures it recognises {html_of(clean)}."
            )
    return f"<b>{html_of(checkpoints.header(name).title)}.</b>"


def cards(recipe: DatasetsRecipe, picture: Picture, looks: dict[str, Look]) -> None:
    """Show the picture, and each network's map and verdict."""
    truth = current().classes[picture.label] if picture.label is not None else "class unknown"
    figures = [crisp.figure(picture.x, picture.caption, ("The picture", truth))]
    for name, seen in looks.items():
        title, verdict = checkpoints.header(name).title, verdicts(seen.logits, current().classes)[0]
        alt = f"{title} predicts {verdict}; the pixels for it orange, against it purple"
        figures.append(crisp.figure(_map(recipe, seen), alt, (f"predicts {verdict}", title)))
    st.html(
        f'<div class="crisp" style="grid-template-columns: repeat({len(figures)}, minmax(0,'
        f' 13rem))">{"".join(figures)}</div>'
    )
    st.caption(
        "The maps are gradients of the log-odds of each network's prediction: orange pixels speak for it, purple ones"
        " against it."
    )


def first_picture(name: str) -> str | None:
    """Return the picture that the view opens with where nobody has chosen one: one that the student recognises."""
    known = results_store().of(
        ("recognised", loaded(name).stamp, pictures.available()[0]),
        lambda: student.recognised(name, model=model(name)) or "",
    )
    return known or None


def wrong(recipe: DatasetsRecipe, picture: Picture, seen: Look) -> None:
    """Say where the student gets the picture wrong, and offer one that it recognises."""
    if picture.label is None or seen.target == picture.label:
        return
    known = first_picture(recipe.student)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("The student gets this picture wrong, as it does with many.", width="content")
        if known:
            st.button(
                "Show one that it recognises",
                key="recognised",
                on_click=st.session_state.__setitem__,
                args=("picture", known),
                help="The one of 100 pictures that it is surest of.",
            )


def files(recipe: DatasetsRecipe, seen: dict[str, Look]) -> list[Download]:
    """List the downloads."""
    out = Bundle(recipe)
    out.slide(
        "Sheet",
        "student.png",
        lambda: [
            [render.to_uint8(x)[0] for x in (look.x, _map(recipe, look), look.emergence.frames[-1:])]
            for look in seen.values()
        ],
        heads=("picture", "gradient", "inversion from noise"),
        sides=[f"{title(n)}: {verdicts(look.logits, current().classes)[0]}" for n, look in seen.items()],
        caption="What each network predicts, which pixels speak for it (orange), and what its representation holds.",
    )

    def arrays() -> dict[str, Tensor]:
        found = {"x": next(iter(seen.values())).x}
        for name, look in seen.items():
            found |= {f"{name}_logits": look.logits, f"{name}_attribution": look.attribution}
            found[f"{name}_frames"] = look.emergence.frames
        return found

    def table() -> dict[str, list[object]]:
        shares = {name: look.logits.softmax(1)[0].tolist() for name, look in seen.items()}
        return {"class": list(current().classes), **shares}

    out.arrays("student.npz", arrays)
    out.table("Probabilities", "student.csv", table)
    return out.files


def _map(recipe: DatasetsRecipe, seen: Look) -> Images:
    drawn = paint(student.map_of(recipe), seen.attribution, seen.x, limits(seen.attribution))
    return render.from_uint8(drawn)


def _so_far(slot: DeltaGenerator, states: dict[str, State]) -> None:
    if states:
        now = [render.upscaled(render.to_uint8(state.x)[0], 8) for state in states.values()]
        titles = [f"{checkpoints.header(name).title}, so far" for name in states]
        slot.image(now, width=256, output_format="PNG", caption=titles, alt=titles)
