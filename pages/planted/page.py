"""Sandbox: a world whose features are known, because we planted them."""

from dataclasses import replace

import streamlit as st

from core.files import render
from core.planted.recipe import PlantedRecipe
from core.planted.results import AGAIN, Results
from core.planted.views import script
from core.recipes import from_query
from pages.planted import attack, features, preferred, sheet, students, superposition, training, transfer, usefulness
from pages.planted.controls import DEFAULTS, controls
from pages.planted.presets import PRESETS
from pages.ui import shell
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.stale import say_stale

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
shell.presets(PRESETS, key="planted", defaults=vars(DEFAULTS))
with st.sidebar:
    recipe = controls()
with shell.user_errors():
    sheet.show(recipe)
    view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
    asked, _ = from_query(PlantedRecipe, st.query_params.to_dict())
    recipe = replace(recipe, view=view, eps=asked.eps)
    numbers = below(recipe)
    say_stale(Results().about, AGAIN)
    downloads(files(recipe, numbers), key="planted", script=script(recipe))
shell.glossary("planted", WORDS)
shell.mathematics("planted")
