"""Synthesis: painting with a classifier, by hand or sixteen pictures at once."""

from dataclasses import replace

import streamlit as st

from core import worlds
from core.synthesis.studio import BATCH
from pages.synthesis import measured, morph, studio
from pages.synthesis.controls import controls, defaults, opening
from pages.synthesis.presets import ANYWHERE, HERE
from pages.ui import shell
from pages.ui.dial import under_the_dial
from pages.ui.picker import pick_picture
from pages.ui.world import current, has_models, pair

VIEWS = {"morph": "Draw and hold", "studio": "Sixteen at once"}
CLAIMS = {
    "morph": (
        "Draw something, or take one of the starts; then hold a class. Both models are soon sure: watch what each has"
        " added by then, and what it adds if you hold on."
    ),
    "studio": "Several pictures at once: what one gradient can do besides classifying.",
}
WORDS = {"morph": ["hold", "anchor", "who sees it"], "studio": ["class Gaussian", "tasks", "who sees it"]}


def called() -> dict[str, str]:
    """Call the views; there are fewer than sixteen pictures at once where they are large."""
    return {**VIEWS, **({} if current().batch(BATCH) == BATCH else {"studio": "Several at once"})}


def missing(view: str) -> str:
    """Say in a sentence why this world cannot serve the view; "" if it can."""
    world = current()
    if view != "morph" or morph.serves(world):
        return ""
    return (
        f"*{VIEWS['morph']}* has a button for each class and sends a frame at every step: it serves up to {morph.KEYS}"
        f" classes and {morph.LARGEST} pixels. {world.title} has {len(world.classes):,} and {world.side};"
        f" *{called()['studio']}* works."
    )


shell.header(
    "Synthesis",
    "Hold a class and watch the picture become it: a robust classifier can paint, because its features are ones you"
    " see.",
    needs="",
    alone="Ask for a class, and see what a classifier's gradient paints when it may change the picture as it likes.",
    of={
        "planted": "Hold a class: the standard network writes the weave that we planted and you do not see, the robust"
        " one draws strokes that you do see."
    },
)
shell.presets(HERE.get(current().name, ANYWHERE), key="synthesis", defaults=defaults())
morph.follow_preset(opening())
if not has_models():
    st.stop()
view = shell.views(CLAIMS, opening().view, called())
if why := missing(view):
    st.info(why, icon=":material/public:")
    st.stop()
if not pair().robust:
    st.caption(current().robust_how)
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    recipe = replace(controls(view), picture=picture.id)
with shell.user_errors():
    if view == "studio":
        st.session_state["morph-picture"] = picture.id  # picked for the studio, it does not go onto the canvas
        studio.show(recipe, picture)
    else:
        morph.show(recipe, picture)
    under_the_dial("synthesis-dial", picture, view="paint")
shell.glossary("synthesis", WORDS[view])
shell.mathematics("synthesis")
if current() == worlds.get():  # of whose networks it was measured
    measured.measured()
