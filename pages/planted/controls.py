"""The controls of the Sandbox, and the recipe they make."""

from dataclasses import fields, replace
from typing import Any

import streamlit as st

from core.planted.recipe import PlantedRecipe

DEFAULTS = PlantedRecipe()


def slider(label: str, name: str, step: float, help: str | None = None) -> Any:  # noqa: A002
    """Show one number of the world, within its bounds."""
    field = next(f for f in fields(PlantedRecipe) if f.name == name)
    return st.slider(
        label,
        field.metadata["low"],
        field.metadata["high"],
        field.default,
        step,
        key=name,
        bind="query-params",
        help=help,
    )


def controls() -> PlantedRecipe:
    """Show the world's sliders and return the recipe they make."""
    st.caption("The world")
    values: dict[str, Any] = {
        "classes": slider("Classes", "classes", 1),
        "visible": slider("Shape: strength", "visible", 0.5, "L2 length that it adds to a picture, pixel units"),
        "visible_agrees": slider("Shape: agrees with the label", "visible_agrees", 0.05),
        "faint": slider("Weave: strength", "faint", 0.05, "L2 length, pixel units"),
        "faint_agrees": slider("Weave: agrees with the label", "faint_agrees", 0.05),
    }
    with st.expander("More of the world"):
        values["conflict"] = st.toggle(
            "A weave that does not agree is another class's",
            DEFAULTS.conflict,
            key="conflict",
            bind="query-params",
            help="Else it is missing.",
        )
        values["label_noise"] = slider("Label noise in training", "label_noise", 0.05)
        values["noise"] = slider("Pixel noise σ", "noise", 0.01)
        values["background"] = slider("Background", "background", 0.25)
        values["weave"] = slider("Which weaves", "weave", 1, "Seed of the faint patterns: another is another world")
    with st.expander("The networks"):
        values["pictures"] = slider("Training pictures", "pictures", 100)
        values["epochs"] = slider("Epochs", "epochs", 1)
        values["width"] = slider("Width", "width", 1)
        values["train_eps"] = slider("Adversary in training, ε", "train_eps", 0.05)
        values["seed"] = slider("Seed", "seed", 1)
    return replace(DEFAULTS, **values)
