"""Saliency: what the gradients show."""

from dataclasses import replace

import streamlit as st

from pages.saliency import attack, classes, measured, methods, pictures
from pages.saliency.controls import DEFAULTS, controls, defaults
from pages.saliency.presets import offered
from pages.ui import shell
from pages.ui.picker import pick_picture
from pages.ui.world import current, has_models

VIEWS = {
    "methods": "All methods",
    "pictures": "Many pictures",
    "attack": "Along an attack",
    "classes": "From class to class",
}
CLAIMS = {
    "methods": "One picture, one question (which pixels is this prediction based on?), eleven methods of asking it.",
    "pictures": "One method, several pictures: what is the rule and what is the exception?",
    "attack": "Play: the gradient at each step of an attack, which is what the attack follows.",
    "classes": (
        "What would make this more of one class and less of another? Beside it, how the two classes really differ."
    ),
}
WORDS = {
    "methods": ["log-odds gradient", "completeness", "randomisation check"],
    "pictures": ["log-odds gradient", "completeness"],
    "attack": ["log-odds gradient"],
    "classes": ["log-odds gradient", "inter-class direction"],
}
shell.header(
    "Saliency",
    "The gradient of a robust model has the object in it, that of a standard model looks like noise: each shows the"
    " features that its model uses.",
    needs="",
    alone="Which pixels is an answer based on? Eleven methods of asking a network, and they do not agree.",
)
shell.presets(offered(current().name), key="saliency", defaults=defaults())
if not has_models():
    st.stop()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    recipe = replace(controls(view), picture=picture.id)
with shell.user_errors():
    match view:
        case "pictures":
            pictures.show(recipe)
        case "attack":
            attack.show(recipe, picture)
        case "classes":
            classes.show(recipe, picture)
        case _:
            methods.show(recipe, picture)
measured.show()
shell.glossary("saliency", [*WORDS[view], "deletion and insertion"])
shell.mathematics("saliency")
