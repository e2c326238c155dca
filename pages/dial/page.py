"""The dial: one slider for the ε of the adversary in training."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.data import pictures
from core.dial.networks import RADII, build, here
from core.dial.recipe import DialRecipe
from core.dial.results import read
from core.saliency.methods import METHODS
from core.synthesis.recipe import LIMITS
from pages.dial import stage, trends
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.picker import pick_picture
from pages.ui.world import current

VIEWS = {"inversion": "Inverted", "gradient": "Gradient", "paint": "Painted", "measured": "Measured"}
CLAIMS = {
    "inversion": (
        "A network's representation is a list of numbers. Out of noise, look for a picture that has the same numbers as"
        " the wanted one: what you see in it is what the network kept."
    ),
    "gradient": "How the answer to this picture hangs on each pixel, for the same picture and the same class.",
    "paint": (
        "Move the picture toward a class, with a large budget. At the left end this is an adversarial example; at the"
        " right it is a drawing."
    ),
    "measured": "What else changes as the dial is turned: not all of it for the better.",
}
WORDS = {
    "inversion": ["training ε", "representation", "judge"],
    "gradient": ["training ε", "gradient"],
    "paint": ["training ε", "painting", "judge"],
    "measured": ["training ε", "judge", "slightly robust sources"],
}
STARTS = {"noise": "Noise", "picture": "Another picture", "grey": "Grey"}
CANVASES = {"picture": "The picture", "seed": "A blur of the class"}
REACHES = {word: "No limit" if word == "none" else word for word in LIMITS}
DEFAULTS = DialRecipe()
PRESETS = [
    shell.Preset(
        "Turn it up",
        "The dial stands at its left end: the smallest adversary, or none. Every network is sure of what it made; press"
        " play and see from where on you are.",
        {},
        {"frame": "0"},
    ),
    shell.Preset(
        "The gradient takes shape",
        "Turn the dial: the map begins to follow what is in the picture. Below it stands how much neighbouring pixels"
        " agree, which in noise they do not.",
        {"view": "gradient"},
        {"frame": "0"},
    ),
    shell.Preset(
        "From an attack to a drawing",
        "The same budget and the same goal at every ε. At the left end the network is fooled by something that you"
        " cannot see; at the right end the picture itself has changed.",
        {"view": "paint"},
        {"frame": "0"},
    ),
    shell.Preset(
        "What it costs",
        "Clean accuracy falls while accuracy under attack rises. Then look at fog and waves, and at who is the best"
        " source of perturbations that fool others.",
        {"view": "measured"},
    ),
]


def controls(view: str) -> DialRecipe:
    """Show the controls that the view has and return the recipe they make (without picture and frame)."""
    found: dict[str, Any] = {}
    match view:
        case "inversion":
            found["start"] = choose("Start from", STARTS, key="start", default=DEFAULTS.start)
        case "gradient":
            methods = {name: method.title for name, method in METHODS.items()}
            found["method"] = choose("Method", methods, key="method", default=DEFAULTS.method, listed=True)
        case "paint":
            classes = {name: name for name in current().classes}
            found["target"] = choose("Class", classes, key="target", default=DEFAULTS.target, listed=True)
            found["canvas"] = choose("Paint on", CANVASES, key="canvas", default=DEFAULTS.canvas)
            found["eps"] = choose("Budget (L2)", REACHES, key="eps", default=DEFAULTS.eps, listed=True)
    seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params")
    st.toggle("Predict first", key="predict", bind="query-params", help="Ask the room before showing the answer.")
    return DialRecipe(view=view, seed=int(seed), **found)


shell.header(
    "The dial",
    "Networks that differ in one number only: the ε of the adversary that they were trained against. Turn robustness"
    " up, and the picture appears.",
    needs="networks trained against several ε, and what was measured along them",
)
shell.presets(
    PRESETS,
    key="dial",
    defaults={
        "picture": pictures.default_id(),
        **{
            name: getattr(DEFAULTS, name)
            for name in ("view", "start", "method", "target", "canvas", "eps", "trend", "seed")
        },
    },
    address={"frame": "", "look": "", "gain": ""},
)
if not here():
    st.warning(f"The networks of the dial are not here. Make them with: {build()}")
    st.stop()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
if absent := [f"{eps:g}" for eps in RADII if eps not in here()]:
    st.caption(f"Networks trained at ε = {', '.join(absent)} are not here. Make them with: {build()}")
with shell.user_errors():
    if view == "measured":
        trends.show(read())
    else:
        with st.sidebar:
            picture = pick_picture(key="picture")
            recipe = replace(controls(view), picture=picture.id)
        stage.show(recipe, picture)
shell.glossary("dial", WORDS[view])
shell.mathematics("dial")
