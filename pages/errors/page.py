"""Errors: labels that are all wrong, and teach."""

from dataclasses import asdict

import streamlit as st

from core.errors import views
from core.errors.recipe import ErrorsRecipe
from pages.errors import learners, measured, plane
from pages.ui import shell
from pages.ui.exports import downloads

CLAIMS = {
    "plane": "Thirty-two coins on a plane: where a network errs tells another one what it knows.",
    "pictures": (
        "A network of two epochs labels its own training pictures. Another one sees only those that it got wrong."
    ),
    "leakage": (
        "Does a student of D_rand learn non-robust features only? Ten robust features of each picture, and what they"
        " teach alone (Goh)."
    ),
    "manifold": "Do perturbations follow the data, or leave it? The dimpled manifold says: at a right angle.",
    "learners": (
        "Do non-robust features serve a learner that is told no labels? Li et al. find that they hardly do, and call"
        " them shortcuts."
    ),
}
VIEWS = {
    "plane": "Coins on a plane",
    "pictures": "On pictures",
    "leakage": "What leaks",
    "manifold": "Along the data?",
    "learners": "Without labels",
}
WORDS = {
    "plane": ["by heart", "adversarial", "control"],
    "pictures": ["error", "control", "distillation"],
    "leakage": ["robust linear feature", "D_rand and D_det", "leak"],
    "manifold": ["direction of the data", "dimple", "share"],
    "learners": ["D_R and D_NR", "contrastive", "linear probe", "collapse"],
}
SHOWN = {
    "pictures": measured.pictures,
    "leakage": measured.leakage,
    "manifold": measured.manifold,
    "learners": learners.learners,
}
DEFAULTS = ErrorsRecipe()
PRESETS = [
    shell.Preset(
        "None of them seen",
        "Compare planes 1 and 3: the student's colours resemble the first network's, though every label it saw was the"
        " wrong one.",
        {},
    ),
    shell.Preset(
        "The control: random moves",
        "The same labels, as far away, in directions that the first network has not chosen. The student now knows less"
        " than a coin.",
        {"moved": "random"},
    ),
    shell.Preset(
        "On real pictures",
        "Twelve thousand pictures, every label wrong. Find the two controls, grey and orange: how much of the"
        " effect is left in each?",
        {"view": "pictures"},
    ),
]

shell.header(
    "Errors",
    "A network's mistakes, and nothing else, teach another network: what it gets wrong shows what it knows.",
)
shell.presets(PRESETS, key="errors", defaults=asdict(DEFAULTS))
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
with shell.user_errors():
    if view == "plane":
        stage = st.container()
        recipe, files = plane.show(stage, plane.controls())
    else:
        recipe = ErrorsRecipe(view=view)
        files = SHOWN[view](recipe)
    downloads(files, key="errors", script=views.script(recipe))
shell.glossary("errors", WORDS[view])
shell.mathematics("errors")
