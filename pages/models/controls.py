"""The controls of the Models page; they return the recipe."""

from dataclasses import replace

import streamlit as st

from core.models import checkpoints
from core.models.recipe import NORMS, ModelsRecipe
from core.worlds import World
from pages.ui.address import choose, same
from pages.ui.model_box import model_box

DEFAULTS = ModelsRecipe()


def opening(world: World) -> str:
    """Return the model with which a world opens."""
    names = checkpoints.names(world=world.name)
    return next((name for name in (DEFAULTS.model, world.standard, *names) if name in names), "")


def controls(world: World) -> ModelsRecipe:
    """Show the controls, and return the recipe that they make."""
    names = checkpoints.names(world=world.name)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        model = model_box("Model", opening(world), "model", names)
    with right:
        norm = choose("Norm", same(NORMS), key="norm", default=DEFAULTS.norm, help="Of the perturbations.")
    return ModelsRecipe(model=model, norm=norm, world=world.name)


def checking(recipe: ModelsRecipe) -> ModelsRecipe:
    """Ask whether the model shall be attacked here and now, and with how many pictures."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        check = st.toggle(
            "Still falling with more steps?",
            key="check",
            bind="query-params",
            help=(
                "Attacks it here and now with 10, 20, 40 and 80 steps. If the last doubling still breaks pictures, the"
                " number is too kind."
            ),
        )
        sizes = same(["20", "40", "100", "200"])
        pictures = choose("Pictures", sizes, key="pictures", default=str(DEFAULTS.pictures), disabled=not check)
    return replace(recipe, check=bool(check), pictures=int(pictures))
