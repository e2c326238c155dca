"""The controls of the Usefulness page; they return the recipe, or fields of it."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import worlds
from core.data import pictures
from core.usefulness.choice import sides
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import called
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.world import current, pair

DEFAULTS = UsefulnessRecipe()


def opening() -> UsefulnessRecipe:
    """Return the recipe with which this world opens."""
    world = current()
    if world == worlds.get():
        return DEFAULTS
    return UsefulnessRecipe(world=world.name, standard=pair().standard, robust=pair().right)


def sidebar(there: Sequence[str]) -> UsefulnessRecipe:
    """Show the task, the choice among these models, and the pictures; return the recipe they make."""
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
    first = opening()
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
        whose = {side: head for side, head in called(recipe).items() if side in sides(recipe)}
        side = choose("Look at a feature of", whose, key="side", default=DEFAULTS.side)
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
