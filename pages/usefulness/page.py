"""Usefulness: the paper's definitions, measured on every feature of two networks."""

from dataclasses import replace

import streamlit as st

from core.data import pictures
from core.models import checkpoints
from core.usefulness import atlas
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import called
from core.usefulness.views import FIRST_FRAME
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.store import lesson
from pages.ui.world import current
from pages.usefulness import features, head, linear
from pages.usefulness.measured import measured
from pages.usefulness.scatter import brush_in_sight, frame_in_sight, scatter

VIEWS = {"features": "Every feature", "head": "Switch features off", "linear": "Made by hand"}
CLAIMS = {
    "features": (
        "Each point is one number that a model computes of a picture. Drag ε: how many still help when an adversary may"
        " move the picture by so much?"
    ),
    "head": (
        "Switch features off, and see what a head can do with the others. What is left of the accuracy, clean and"
        " attacked?"
    ),
    "linear": "Two features made by hand, with nothing but linear algebra: useful, and not robust.",
}
WORDS = {
    "features": ["feature", "useful", "robustly useful", "useful, non-robust", "one class against the rest"],
    "head": ["switched off", "refit", "attacked accuracy"],
    "linear": ["linear feature", "singular vector", "ensemble", "containment"],
}
DEFAULTS = UsefulnessRecipe()
PRESETS = [
    shell.Preset(
        "The cloud sinks",
        "Drag ε from 0 to 0.5. At 0 all points lie on the diagonal, γ = ρ. The standard model's cloud falls through"
        " zero at an ε that you cannot see; the robust model's stays up.",
        {"useful-frame": 4},
    ),
    shell.Preset(
        "Live on what is robust",
        "At ε = 0.15 about half of the standard model's features are still robustly useful. A head that may use only"
        " those keeps its clean accuracy; does it withstand the attack?",
        {"view": "head", "keep": "robust", "useful-frame": 3},
    ),
    shell.Preset(
        "Accuracy entirely from non-robust features",
        "Only the features that are not robustly useful at ε = 0.25 stay on. The standard model's head still gets most"
        " clean pictures right with them; then look at the attacked accuracy.",
        {"view": "head", "keep": "brittle", "useful-frame": 4},
    ),
    shell.Preset(
        "Hide a robust direction",
        "Drag α from 0. Two thousandths of a robust direction make a useless one as useful as the robust one, and no"
        " less brittle: Goh's containment.",
        {"view": "linear", "linear": "containment"},
    ),
]


def sidebar() -> UsefulnessRecipe:
    """Show the task, the models and the pictures; return the recipe they make."""
    task = choose(
        "Task",
        {"best": "each feature's best class", **{name: name for name in current().classes}},
        key="task",
        default="best",
        listed=True,
        help=(
            "Each feature judged by the class that it is most useful for, against the rest; or all of them by one "
            "class. y = +1 for the class, −1 for the rest, and both count alike."
        ),
    )
    against = st.selectbox(
        "Against",
        ["rest", *current().classes],
        key="against",
        bind="query-params",
        disabled=task == "best",
        help="A class against another one rests on fewer pictures, so its intervals are wider.",
    )
    there = atlas.names()
    with st.expander("More"):
        left = model_box("Left model", DEFAULTS.standard, "standard", there)
        right = model_box("Right model", DEFAULTS.robust, "robust", there)
        sources = pictures.available()
        source = st.selectbox("Pictures", sources, key="source", bind="query-params")
    return UsefulnessRecipe(
        task=task, against=against, standard=left, robust=right, source="" if source == sources[0] else source
    )


def one_feature(recipe: UsefulnessRecipe) -> dict[str, object]:
    """Show which feature is looked at: the keyboard's way to what a click on a point does."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        side = choose("Look at a feature of", called(recipe), key="side", default=DEFAULTS.side)
        number = st.number_input(
            "Feature",
            0,
            4095,
            None,
            key="feature",
            bind="query-params",
            width=260,
            placeholder="the most useful one",
            help="A click on a point chooses it. Empty: the most useful one of the chosen, or of all.",
        )
    return {"side": side, "feature": -1 if number is None else int(number)}


def forget_other_pages() -> None:
    """Other pages use some of the same words for their controls; what they left behind is not a value of ours."""
    ours = {"task": ("best", *current().classes), "source": pictures.available()}
    for key, allowed in ours.items():
        if st.session_state.get(key, allowed[0]) not in allowed:
            del st.session_state[key]


shell.header(
    "Usefulness",
    "Almost every feature of a standard model is useful, and at ε = 0.25, too little to see, almost none is robustly"
    " useful. A robust model's features withstand it.",
    needs="measurements of every feature on labelled test pictures",
)
shell.presets(
    PRESETS,
    key="usefulness",
    defaults={
        "view": DEFAULTS.view,
        "task": DEFAULTS.task,
        "against": DEFAULTS.against,
        "keep": DEFAULTS.keep,
        "head": DEFAULTS.head,
        "linear": DEFAULTS.linear,
        "feature": None,
        "side": DEFAULTS.side,
        "useful-frame": DEFAULTS.frame,
        "useful-brush": "",
        "standard": DEFAULTS.standard,
        "robust": DEFAULTS.robust,
    },
)
forget_other_pages()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
with shell.user_errors():
    if view == "linear":
        fields = linear.controls()
        linear.show(replace(DEFAULTS, view="linear", frame=FIRST_FRAME[str(fields["linear"])], **fields))
    elif not atlas.names():
        st.warning(
            "No measured features are here whose model is. Make them with: make zoo, then python -m core.usefulness"
            " measure"
            if not checkpoints.names()
            else "No features have been measured. Measure them with: python -m core.usefulness measure"
        )
    else:
        with st.sidebar:
            recipe = sidebar()
        recipe = replace(recipe, view=view, frame=frame_in_sight(DEFAULTS.frame), brush=brush_in_sight())
        stage = st.container()
        recipe = replace(recipe, **(one_feature(recipe) if view == "features" else head.controls()))
        with stage:
            scatter(recipe)
        (features if view == "features" else head).show(recipe)
        if view == "features":
            measured(recipe)
shell.glossary("usefulness", WORDS[view])
with st.expander("The mathematics"):
    st.markdown(lesson("usefulness")["linear mathematics" if view == "linear" else "mathematics"])
