"""The draggable plane of the Gaussian page: both models, drawn and computed in the browser.

It reports to the page once, when a handle or the slider is let go; what it computes meanwhile is what `core.gaussian`
computes, formula for formula.
"""

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import streamlit as st

from core.gaussian.recipe import GaussianRecipe
from core.gaussian.scene import DRAGGED, payload
from pages.ui.component import component

_mount = component("gaussian")


def stage(recipe: GaussianRecipe, *, key: str, on_release: Callable[[dict[str, float]], None]) -> None:
    """Mount the plane.

    Args:
        recipe: What it shows, unless the person has moved something since.
        key: Identity on the page.
        on_release: Called before the next run with what was dragged, by name of the recipe's fields.
    """

    def released() -> None:
        on_release(accepted(st.session_state[key].get("values")))

    _mount(key=key, data=payload(recipe), default={"values": None}, on_values_change=released)


def accepted(values: Any) -> dict[str, float]:
    """Return what of a browser's message can be used: numbers, kept within the recipe's bounds."""
    found = {}
    for field in fields(GaussianRecipe):
        value = values.get(field.name) if isinstance(values, dict) and field.name in DRAGGED else None
        if isinstance(value, int | float) and math.isfinite(value):
            found[field.name] = min(max(float(value), field.metadata["low"]), field.metadata["high"])
    return found
