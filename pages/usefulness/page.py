"""Usefulness: the paper's definitions, measured on every feature of two networks."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core import worlds
from core.data import labelled
from core.models import checkpoints
from core.usefulness import atlas
from core.usefulness.atlas import Atlas
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.views import FIRST_FRAME
from core.worlds import World
from pages.ui import shell
from pages.ui.world import current, has_models
from pages.usefulness import features, head, here, linear
from pages.usefulness.controls import DEFAULTS, forget_other_pages, one_feature, opening, sidebar
from pages.usefulness.measured import measured
from pages.usefulness.scatter import brush_in_sight, frame_in_sight, scatter
from pages.usefulness.words import CLAIM, CLAIMS, ELSEWHERE, HERE, IN_GENERAL, IN_OTHERS, VIEWS, WORDS


def served(world: World) -> bool:
    """Tell whether features can be measured in a world: it has pictures whose classes are known."""
    return labelled.has(world.name)


def how_to_measure() -> str:
    """Say by which command the features of this world's networks are measured."""
    where = "" if current() == worlds.get() else f" --world {current().name}"
    return f"No features have been measured. Measure them with: python -m core.usefulness measure{where}"


def show(recipe: UsefulnessRecipe, have: Mapping[str, Atlas]) -> None:
    """Show the scatter and, below it, the view of what single features look like or of heads."""
    recipe = replace(recipe, view=view, frame=frame_in_sight(DEFAULTS.frame), brush=brush_in_sight())
    stage = st.container()
    recipe = replace(recipe, **(one_feature(recipe) if view == "features" else head.controls()))
    with stage:
        scatter(recipe, have)
        here.say(have)
    (features if view == "features" else head).show(recipe, have)
    if view == "features":
        measured(recipe, have)


shell.header(
    "Usefulness",
    CLAIM,
    of={name: ELSEWHERE.get(name, IN_GENERAL) for name in worlds.known() if name != worlds.DEFAULT},
    needs="test pictures whose classes are known, to measure features on",
    served=served,
    get=lambda world: labelled.missing(world.title),
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
    elif here.possible():
        if has_models():
            with st.sidebar:
                recipe = sidebar(checkpoints.names(world=current().name))
            if (have := here.atlases(recipe)) is not None:
                show(recipe, have)
    elif not (there := atlas.names(world=current().name)):
        if has_models():
            st.warning(how_to_measure())
    else:
        with st.sidebar:
            recipe = sidebar(there)
        show(recipe, {})
shell.glossary("usefulness", WORDS[view])
shell.mathematics("usefulness", "linear mathematics" if view == "linear" else "mathematics")
