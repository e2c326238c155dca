"""The paper's datasets: make a few pictures of each, label them yourself, see what networks learn from them."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.data import labelled, pictures
from core.datasets import live
from core.datasets import student as students
from core.datasets.recipe import DatasetsRecipe
from pages.datasets import build, quiz, results, wrong
from pages.datasets import student as datasets_student
from pages.datasets.words import KINDS, SETS, VIEWS, elsewhere, here, offered
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.world import current, has_models, pair

SURE_EPS = 100  # hundredths
# The gallery's pictures were made by a robust model, and networks are surer about them than about photographs.
GENERATED = pictures.available()[0] == "gallery"
DEFAULTS = DatasetsRecipe(eps=SURE_EPS) if GENERATED else DatasetsRecipe()
LARGEST_EPS = 500  # hundredths
STUDENT_KEYS = ("student", "beside") if students.names() else ()  # their boxes offer what is here


def opening() -> DatasetsRecipe:
    """Return the recipe with which this world opens: the paper's eps, as much a pixel where pictures are larger."""
    world = current()
    if world == worlds.get():
        return DEFAULTS
    eps = min(LARGEST_EPS, round(DatasetsRecipe.eps * world.scale / 10) * 10)
    return DatasetsRecipe(world=world.name, standard=pair().standard, robust=pair().right, eps=eps)


def controls(view: str) -> DatasetsRecipe:
    """Show the controls that the view has and return the recipe they make."""
    kind, first = "rand", opening()
    if view == "build":
        kind = choose("Set", SETS, key="kind", default=DEFAULTS.kind)
    n = st.slider("Pictures", 4, 48, DEFAULTS.n, 4, key="n", bind="query-params")
    steps = st.number_input(
        "Steps", 1, 200, DEFAULTS.steps, key="steps", bind="query-params", help="The paper: 100, and 1000 for D_R."
    )
    eps = first.eps
    if kind != "inverted":
        eps = st.slider(
            "ε in hundredths (ℓ₂)",
            0,
            LARGEST_EPS,
            first.eps,
            10,
            key="eps",
            bind="query-params",
            help="The paper's is 50.",
        )
    seed = st.number_input("Seed of pictures and labels", 0, 2**31 - 1, DEFAULTS.seed, key="seed", bind="query-params")
    found: dict[str, Any] = {}
    with st.expander("More"):
        for label, key in (("Left source", "standard"), ("Right source", "robust")):
            found[key] = model_box(label, getattr(first, key), key)
    return replace(first, kind=kind, n=int(n), eps=int(eps), steps=int(steps), seed=int(seed), **found)


def student() -> None:
    """Show the view of a student, or how to make one."""
    if not students.names():
        st.info(
            "No student has been trained here yet: python -m core.datasets.experiments run table1. "
            "The results view shows what the paper's students learnt.",
            icon=":material/school:",
        )
        return
    with st.sidebar:
        recipe = datasets_student.controls(replace(DEFAULTS, view="student"))
        picture = pick_picture(key="picture", default=datasets_student.first_picture(recipe.student))
        seed = st.number_input("Seed of the noise", 0, 2**31 - 1, DEFAULTS.seed, key="seed", bind="query-params")
    datasets_student.show(replace(recipe, seed=int(seed)), picture)


shell.header(
    "Datasets",
    "From pictures whose labels look wrong to you, networks learn to be right, because the labels fit features that you"
    " do not see.",
    needs="pictures whose classes are known",
    served=lambda world: labelled.has(world.name),
    get=lambda world: labelled.missing(world.title),
)
first, home = opening(), current() == worlds.get()
shell.presets(
    offered(),
    key="datasets",
    defaults={
        name: getattr(first, name)
        for name in (
            "view",
            "kind",
            "n",
            "eps",
            "steps",
            "seed",
            "standard",
            "robust",
            "where",
            "set",
            *(STUDENT_KEYS if home else ()),
        )
    },
)
view = shell.views(here(), DEFAULTS.view, VIEWS)
if not home:
    st.caption(elsewhere())
if view == "results":
    with shell.user_errors():
        results.show()
elif view == "live":
    with shell.user_errors():
        wrong.show()
elif not has_models():
    st.stop()
elif view == "student":
    with shell.user_errors():
        student()
else:
    with st.sidebar:
        recipe = replace(controls(view), view=view)
    with shell.user_errors():
        if view == "quiz":
            quiz.show(replace(recipe, n=max(recipe.n, quiz.ROUNDS)))
        else:
            st.markdown(KINDS[recipe.kind].format(classes=len(current().classes)))
            if home and GENERATED and recipe.kind != "inverted":
                st.caption(
                    "CIFAR-10 is not here, so these are generated pictures. Networks are surer about them than about"
                    " photographs: the paper's ε of 0.5 moves few of them, 1.0 nearly all."
                )
            build.show(recipe, live.script)
shell.glossary("datasets", ["D_R and D_NR", "D_rand and D_det", "robust features", "leakage", "student"])
shell.mathematics("datasets")
