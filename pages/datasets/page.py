"""The paper's datasets: make a few pictures of each, label them yourself, see what networks learn from them."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.data import pictures
from core.datasets import live
from core.datasets import student as students
from core.datasets.recipe import DatasetsRecipe
from core.models import checkpoints
from pages.datasets import build, quiz, results, wrong
from pages.datasets import student as datasets_student
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.store import lesson

VIEWS = {
    "build": "Build a set",
    "live": "Train on wrong labels, live",
    "quiz": "Label it yourself",
    "results": "What networks learnt",
    "student": "Meet a student",
}
CLAIMS = {
    "build": (
        "Make a few pictures of each set as the paper does. What do you see, and what is the label that a network is"
        " given?"
    ),
    "live": "A set of wrong labels is built, and a network learns from it and nothing else, before your eyes.",
    "quiz": "Label the pictures of D_rand yourself. The network that was trained on them had nothing else to go by.",
    "results": "What networks learnt from each set, on ordinary test pictures: ours beside the paper's.",
    "student": (
        "Let a network that learnt from such a set alone look at any picture, beside one that learnt from ordinary"
        " ones."
    ),
}
KINDS = {
    "inverted": (
        "**D_NR and D_R.** Each picture is replaced by another that the model represents alike. The label stays."
    ),
    "rand": (
        "**D_rand.** Each picture is moved, within ε, toward a class drawn at random; that class becomes its label (for"
        " one in ten it is its own)."
    ),
    "det": "**D_det.** Each picture is moved, within ε, toward the *next* class; that class becomes its label.",
}
SETS = {"inverted": "D_NR and D_R", "rand": "D_rand", "det": "D_det"}
PRESETS = [
    shell.Preset(
        "Labels that look wrong",
        "Left, through the standard model: nothing visible changes, and yet that model predicts nearly every new label"
        " (the count is below the sheet). Right, within the same ε, the robust model can hardly be moved.",
        {"kind": "rand"},
    ),
    shell.Preset(
        "Only robust features",
        "Right: what a robust model keeps of each picture, D_R. Left: what a standard model keeps, D_NR; the start"
        " pictures hardly change. Both sets have the right labels.",
        {"kind": "inverted", "steps": 40},
    ),
    shell.Preset(
        "Every label wrong, live",
        "Predict first. Then a set is built in which no label is right, a network is trained on it here and now, and"
        " clean pictures examine it after each pass.",
        {"view": "live"},
    ),
    shell.Preset(
        "A robust model as the source",
        "Within a large ε the robust model (right) cannot be moved without visible change: its perturbations look like"
        " the new class.",
        {"kind": "det", "eps": 300},
    ),
]
TWO_STUDENTS = shell.Preset(
    "Two students",
    "Both were trained in the ordinary way, without any adversary: the left one on D_R, the right one on D_NR. What"
    " does each hold of the picture?",
    {"view": "student", "student": "student-robust", "beside": "student-nonrobust"},
)
if {"student-robust", "student-nonrobust"} <= set(students.names()):
    PRESETS.append(TWO_STUDENTS)
SURE_EPS = 100  # hundredths
# The gallery's pictures were made by a robust model, and networks are surer about them than about photographs.
GENERATED = pictures.available()[0] == "gallery"
DEFAULTS = DatasetsRecipe(eps=SURE_EPS) if GENERATED else DatasetsRecipe()
STUDENT_KEYS = ("student", "beside") if students.names() else ()  # their boxes offer what is here


def controls(view: str) -> DatasetsRecipe:
    """Show the controls that the view has and return the recipe they make."""
    kind = "rand"
    if view == "build":
        kind = choose("Set", SETS, key="kind", default=DEFAULTS.kind)
    n = st.slider("Pictures", 4, 48, DEFAULTS.n, 4, key="n", bind="query-params")
    steps = st.number_input(
        "Steps", 1, 200, DEFAULTS.steps, key="steps", bind="query-params", help="The paper: 100, and 1000 for D_R."
    )
    eps = DEFAULTS.eps
    if kind != "inverted":
        eps = st.slider(
            "ε in hundredths (ℓ₂)", 0, 500, DEFAULTS.eps, 10, key="eps", bind="query-params", help="The paper's is 50."
        )
    seed = st.number_input("Seed of pictures and labels", 0, 2**31 - 1, DEFAULTS.seed, key="seed", bind="query-params")
    found: dict[str, Any] = {}
    with st.expander("More"):
        for label, key in (("Left source", "standard"), ("Right source", "robust")):
            found[key] = model_box(label, getattr(DEFAULTS, key), key)
    return DatasetsRecipe(kind=kind, n=int(n), eps=int(eps), steps=int(steps), seed=int(seed), **found)


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
    needs="a labelled training set, and networks that learnt from sets constructed of it",
)
shell.presets(
    PRESETS,
    key="datasets",
    defaults={
        name: getattr(DEFAULTS, name)
        for name in ("view", "kind", "n", "eps", "steps", "seed", "standard", "robust", *STUDENT_KEYS)
    },
)
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
if view == "results":
    with shell.user_errors():
        results.show()
elif view == "live":
    with shell.user_errors():
        wrong.show()
elif not checkpoints.names():
    st.warning("There are no trained models in checkpoints/. Make them with: make zoo")
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
            st.markdown(KINDS[recipe.kind])
            if GENERATED and recipe.kind != "inverted":
                st.caption(
                    "CIFAR-10 is not here, so these are generated pictures. Networks are surer about them than about"
                    " photographs: the paper's ε of 0.5 moves few of them, 1.0 nearly all."
                )
            build.show(recipe, live.script)
shell.glossary("datasets", ["D_R and D_NR", "D_rand and D_det", "robust features", "leakage", "student"])
with st.expander("The mathematics"):
    st.markdown(lesson("datasets")["mathematics"])
