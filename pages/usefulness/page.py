"""Usefulness: the paper's definitions, measured on every feature of two networks."""

from dataclasses import replace

import streamlit as st

from core import worlds
from core.data import labelled, pictures
from core.usefulness import atlas
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import called
from core.usefulness.views import FIRST_FRAME
from core.worlds import World
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.store import lesson
from pages.ui.world import current, has_models, pair
from pages.usefulness import features, head, linear
from pages.usefulness.measured import measured
from pages.usefulness.scatter import brush_in_sight, frame_in_sight, scatter
from pages.usefulness.words import CLAIM, CLAIMS, ELSEWHERE, HERE, IN_GENERAL, IN_OTHERS, VIEWS, WORDS

DEFAULTS = UsefulnessRecipe()


def opening() -> UsefulnessRecipe:
    """Return the recipe with which this world opens."""
    world = current()
    if world == worlds.get():
        return DEFAULTS
    return UsefulnessRecipe(world=world.name, standard=pair().standard, robust=pair().right)


def served(world: World) -> bool:
    """Tell whether features can be measured in a world: it has pictures whose classes are known."""
    return labelled.has(world.name)


def how_to_measure() -> str:
    """Say by which command the features of this world's networks are measured."""
    where = "" if current() == worlds.get() else f" --world {current().name}"
    return f"No features have been measured. Measure them with: python -m core.usefulness measure{where}"


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
    there, first = atlas.names(world=current().name), opening()
    with st.expander("More"):
        left = model_box("Left model", first.standard, "standard", there)
        right = model_box("Right model", first.robust, "robust", there)
        sources = pictures.available(current().sources)
        source = st.selectbox("Pictures", sources, key="source", bind="query-params")
    return replace(
        first, task=task, against=against, standard=left, robust=right, source="" if source == sources[0] else source
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
    classes = current().classes
    ours = {
        "task": ("best", *classes),
        "against": ("rest", *classes),
        "source": pictures.available(current().sources),
    }
    for key, allowed in ours.items():
        if st.session_state.get(key, allowed[0]) not in allowed:
            del st.session_state[key]


shell.header(
    "Usefulness",
    CLAIM,
    of={name: ELSEWHERE.get(name, IN_GENERAL) for name in worlds.known() if name != worlds.DEFAULT},
    needs="measurements of every feature on labelled test pictures",
    served=served,
)
first, home = opening(), current() == worlds.get()
shell.presets(
    HERE.get(current().name, IN_OTHERS),
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
        "standard": first.standard,
        "robust": first.robust,
    },
)
forget_other_pages()
claims = CLAIMS if home else {view: CLAIMS[view] for view in ("features", "head")}
view = shell.views(claims, DEFAULTS.view, VIEWS)
with shell.user_errors():
    if view == "linear":
        fields = linear.controls()
        linear.show(replace(DEFAULTS, view="linear", frame=FIRST_FRAME[str(fields["linear"])], **fields))
    elif not atlas.names(world=current().name):
        if has_models():
            st.warning(how_to_measure())
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
