"""The draggable plane of the Gaussian page: both models, drawn and computed in the browser.

It reports to the page once, when a handle or the slider is let go; what it computes meanwhile is what `core.gaussian`
computes, formula for formula.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.gaussian_views import SHOWN, draws
from core.recipes import GaussianRecipe

DRAGGED = ("mu1", "mu2", "var1", "var2", "angle", "eps", "probe1", "probe2")
_ASSETS = Path(__file__).parents[2] / "assets" / "gaussian"
_mount = st.components.v2.component(  # once, at import: registering in a rerun logs a warning each time
    "robust_frog.gaussian",
    html=(_ASSETS / "stage.html").read_text("utf-8"),
    css=(_ASSETS / "stage.css").read_text("utf-8"),
    js=(_ASSETS / "math.js").read_text("utf-8") + (_ASSETS / "stage.js").read_text("utf-8"),
)


def stage(recipe: GaussianRecipe, *, key: str, on_release: Callable[[dict[str, Any]], None]) -> None:
    """Mount the plane.

    Args:
        recipe: What it shows, unless the person has moved something since.
        key: Identity on the page.
        on_release: Called before the next run with what was dragged, by name of the recipe's fields.
    """

    def released() -> None:
        values = st.session_state[key].get("values")
        if isinstance(values, dict):
            on_release({name: value for name, value in values.items() if name in DRAGGED})

    data = {
        "values": {name: getattr(recipe, name) for name in DRAGGED},
        "draws": draws(recipe, (2, SHOWN, 2)).tolist(),
        "shape": recipe.shape,
        "budget": recipe.budget,
    }
    _mount(key=key, data=data, default={"values": None}, on_values_change=released)
