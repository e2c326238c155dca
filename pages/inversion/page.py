"""Robust frog: what a model keeps of a picture, made visible."""

from dataclasses import replace

import streamlit as st

from core import worlds
from pages.inversion import between, emergence, feature, gallery
from pages.inversion.controls import DEFAULTS, controls, defaults
from pages.inversion.measured import measured
from pages.inversion.presets import offered
from pages.ui import shell
from pages.ui.picker import pick_picture
from pages.ui.world import current, has_models, pair

VIEWS = {
    "emergence": "One picture",
    "gallery": "Many pictures",
    "feature": "One feature",
    "between": "Between two pictures",
}
CLAIMS = {
    "emergence": (
        "Press play: the start picture is moved until the model's representation of it is that of the wanted picture."
    ),
    "gallery": (
        "The same for several pictures at once: through the robust model as in the paper's D_R, through the standard"
        " one as in D_NR."
    ),
    "feature": (
        "A single number of the representation: what excites it most, among real pictures and among all possible ones?"
    ),
    "between": (
        "Walk along the straight line from one representation to another: a robust model has something to show on the"
        " way."
    ),
}
WORDS = {
    "emergence": ["representation", "inversion", "robustified picture", "who sees it"],
    "gallery": ["robustified picture", "inversion", "who sees it"],
    "feature": ["representation", "feature"],
    "between": ["representation", "inversion", "who sees it"],
}
LARGEST = 96  # pixels a side, of the views that invert many pictures at once


def missing(view: str) -> str:
    """Say in a sentence what this world lacks for the view; "" if nothing."""
    world = current()
    if view == "emergence" or world == worlds.get():
        return ""
    if world.side > LARGEST:
        return (
            f"*{VIEWS[view]}* inverts a dozen pictures at once, which takes minutes at {world.side} pixels;"
            f" *{VIEWS['emergence']}* works."
        )
    if view in ("gallery", "between") and not pair().robust:
        return f"*{VIEWS[view]}* compares a robust network with a standard one. {world.robust_how}"
    return ""


shell.header(
    "Robust frog",
    "A robust model's representation holds a picture that you recognise. A standard model's holds something that other"
    " standard networks recognise, too, and you do not.",
    needs="",
    alone="What does a network keep of a picture? One that it represents alike need not look alike to you.",
    elsewhere="Inversion",
    of={
        "planted": "What does a network keep of a picture? Here one knows what there was to keep: a shape and a weave."
    },
)
shell.presets(offered(), key="frog", defaults=defaults())
if not has_models():
    st.stop()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
if why := missing(view):
    st.info(why, icon=":material/public:")
    st.stop()
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    recipe = replace(controls(view), picture=picture.id)
with shell.user_errors():
    match view:
        case "gallery":
            gallery.show(replace(recipe, only=gallery.only()))
        case "feature":
            feature.show(replace(recipe, feature=feature.number()), picture)
        case "between":
            between.show(recipe, picture)
        case _:
            emergence.show(recipe, picture)
shell.glossary("inversion", WORDS[view])
shell.mathematics("inversion")
if current() == worlds.get():  # of whose networks it was measured
    measured()
