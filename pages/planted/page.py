"""Sandbox: a world whose features are known, because we planted them."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import streamlit as st

from core.files import render
from core.planted.networks import SHIPPED
from core.planted.recipe import PlantedRecipe
from core.planted.views import script
from core.recipes import from_query
from pages.planted import attack, features, preferred, sheet, students, superposition, training, transfer, usefulness
from pages.ui import shell
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.store import lesson

DEFAULTS = PlantedRecipe()
CLAIMS = {
    "features": "**Which feature did each network use?** Take one away, or let the two disagree.",
    "attack": "**What does the attack write?** Compare each perturbation with what was planted.",
    "usefulness": "**ρ and γ**, in closed form, because here they are known, and as the Usefulness page measures them.",
    "datasets": "**D_rand, D_det, D_R, D_NR**: which of the two features is in them, and what does a student learn?",
    "transfer": "**Does it transfer?** To a network that read the same weave, and to one that never saw it.",
    "preferred": (
        "**When is the faint feature preferred?** Strength against reliability; and what more pictures change."
    ),
    "superposition": (
        "**The third answer to why:** more features than dimensions, and attacks by way of their overlaps."
    ),
}
VIEWS = {
    "features": "Features",
    "attack": "What the attack writes",
    "usefulness": "Usefulness",
    "datasets": "Data sets",
    "transfer": "Transfer",
    "preferred": "Which is preferred",
    "superposition": "Superposition",
}
WORDS = ["weave", "shape", "exact Bayes rule", "agreement", "standard and robust"]


def preset(label: str, look_for: str, view: str, changes: Mapping[str, Any] = {}) -> shell.Preset:
    """Make a preset of a view and of what differs from the default world."""
    return shell.Preset(label, look_for, {"view": view, **changes})


PRESETS = [
    preset(
        "Features",
        "Both features tell all classes apart. The standard network reads the weave that you cannot see; the robust one"
        " reads the shape.",
        "features",
    ),
    preset(
        "Robust training drops it",
        "The same pictures, the same attack. In the standard network it writes the target's weave. What is left of that"
        " in the robust one?",
        "attack",
    ),
    preset(
        "Conflict",
        "In one picture of five the shape is another class's; only the weave is always right. Train both: what does"
        " robustness cost here, and what does the Bayes rule do?",
        "features",
        SHIPPED["conflict"],
    ),
    preset(
        "Just bugs",
        "No faint feature at all, few pictures, a larger network. Train both: is the standard one fooled all the same,"
        " and is anything planted in what fools it?",
        "attack",
        SHIPPED["bugs"],
    ),
    preset(
        "More data",
        "Train both on more pictures. Does the standard network still read the weave? Then take the weave out and"
        " compare.",
        "preferred",
        SHIPPED["data"],
    ),
]


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


def below(recipe: PlantedRecipe) -> dict[str, list[object]]:
    """Show the chosen question; return its table for the export."""
    if recipe.view == "superposition":
        return superposition.show(recipe)[1]
    pair = training.box(recipe)
    if pair is None:
        return {}
    views = {
        "features": features,
        "attack": attack,
        "usefulness": usefulness,
        "datasets": students,
        "transfer": transfer,
        "preferred": preferred,
    }
    return views[recipe.view].show(recipe, pair)


def files(recipe: PlantedRecipe, numbers: dict[str, list[object]]) -> list[Download]:
    """List the downloads."""
    out = Bundle(recipe)
    out.pixels("Pictures, PNG", "planted.png", lambda: render.upscaled(sheet.picture_of(recipe), 4))
    if numbers:
        out.table("Numbers", "planted.csv", lambda: numbers)
    if recipe.view != "superposition" and training.kept(recipe) is not None:
        training.offer_weights(recipe, out)
    return out.files


shell.header(
    "Sandbox",
    "In a world that we drew ourselves both features are known: a shape that everybody sees, and a weave that nobody"
    " does. The standard network reads the weave, and its adversarial examples write it.",
)
shell.presets(PRESETS, key="planted", defaults={f.name: f.default for f in fields(PlantedRecipe)})
with st.sidebar:
    recipe = controls()
with shell.user_errors():
    sheet.show(recipe)
    view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
    extra, _ = from_query(PlantedRecipe, {name: st.query_params[name] for name in ("eps",) if name in st.query_params})
    recipe = replace(recipe, view=view, eps=extra.eps)
    numbers = below(recipe)
    downloads(files(recipe, numbers), key="planted", script=script(recipe))
shell.glossary("planted", WORDS)
with st.expander("The mathematics"):
    st.markdown(lesson("planted")["mathematics"])
