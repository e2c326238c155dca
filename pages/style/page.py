"""Style: the texture of one picture and the content of another, painted by what two networks see."""

import streamlit as st

from core import worlds
from core.style.recipe import StyleRecipe
from pages.style import layers, transfer
from pages.style.controls import controls, defaults
from pages.style.measured import measured
from pages.ui import shell, world
from pages.ui.folded import folded
from pages.ui.store import lesson

CLAIMS = {
    "transfer": (
        "Both networks were given the same two pictures and the same instruction: keep the one, with the texture of the"
        " other."
    ),
    "layers": "How far does the worst perturbation move each layer? The authors' answer to why some networks paint.",
}
VIEWS = {"transfer": "Paint", "layers": "Layer by layer"}
WORDS = {
    "transfer": ["style transfer", "Gram matrix", "style", "content", "who judges"],
    "layers": ["layer", "R(f)", "lower bound"],
}
PRESETS = [
    shell.Preset(
        "Astronaut in grass",
        "Where does each network put the texture? Look at the face, then at what was added (hold D).",
        {"content": "astronaut", "style": "grass"},
    ),
    shell.Preset(
        "A cat in waves",
        "A pair that tells the two apart less: both have waves. In which of them is the cat still there?",
        {"content": "chelsea", "style": "waves"},
    ),
    shell.Preset(
        "Which layers move",
        "Follow the two robust networks: a perturbation hardly moves them anywhere. Then the standard ones.",
        {"view": "layers"},
        dict.fromkeys(("content", "style", "side", "standard", "robust"), ""),  # controls that it does not show
    ),
]

shell.header(
    "Style",
    "What a robust network sees is enough to paint with; much of what a standard one sees is noise to you.",
    needs="",
    alone="One picture in the texture of another, painted by what a network sees.",
    of={
        "planted": "One picture in the texture of another, painted by networks that have seen nothing but shapes and"
        " weaves."
    },
)
shell.presets(PRESETS, key="style", defaults=defaults(), address={"frame": "", "look": "", "gain": ""})
if not world.has_models():
    st.stop()
view = shell.views(CLAIMS, StyleRecipe.view, VIEWS)
with shell.user_errors():
    if view == "transfer":
        with st.sidebar:
            recipe, given = controls()
        transfer.show(recipe, given)
        if world.current() == worlds.get():  # of whose networks it was measured
            measured()
    else:
        world.serves(VIEWS["layers"], "what was measured of each layer of its networks")
        layers.show(StyleRecipe(view="layers"))
shell.glossary("style", WORDS[view])
folded("Where it misleads", lambda: st.markdown(lesson("style")["where it misleads"]), key="style-misleads")
shell.mathematics("style")
