"""Saliency: what the gradients show."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from core.saliency import METHODS
from core.saliency.maps import CHANNELS
from core.saliency.recipe import SaliencyRecipe
from pages.saliency import attack, maps, measured
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.dial import under_the_dial
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.store import lesson
from pages.ui.world import current, has_models, pair

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
    "methods": ["loss gradient", "completeness", "randomisation check"],
    "pictures": ["loss gradient", "completeness"],
    "attack": ["loss gradient"],
    "classes": ["loss gradient", "inter-class direction"],
}
PRESETS = [
    shell.Preset(
        "Noise and outline",
        "Look at *Loss gradient*: the standard model's is grain, the robust model's has the animal's outline in it."
        " Then at *SmoothGrad*: by sizes alone (switch on *Sizes only*) the two now look much alike.",
        {},
    ),
    shell.Preset(
        "Ask for a truck",
        "The same maps for a class that is not in the picture. Which of them change? A map that stays the same does not"
        " explain the answer.",
        {"target": "truck"},
    ),
    shell.Preset(
        "Along an attack",
        "Press play and read *cosine with step 0*: the standard model's gradient soon turns away, the robust model's"
        " keeps its shape.",
        {"view": "attack"},
    ),
    shell.Preset(
        "From truck to frog",
        "Averaged over many frogs, the robust model's gradient leans towards the difference of the two class means; the"
        " standard model's hardly does. Read the cosines.",
        {"view": "classes"},
    ),
]
ANYWHERE = [  # in a world of which nothing is known but its size
    shell.Preset(
        "What it predicts",
        "Each model's own prediction is explained, whether it is right or not.",
        {"target": "prediction"},
    ),
    shell.Preset(
        "Along an attack",
        "Press play and read *cosine with step 0*: how soon is the gradient another one?",
        {"view": "attack"},
    ),
    shell.Preset(
        "One of each class",
        "One method on a picture of each class: what is the rule and what is the exception?",
        {"view": "pictures"},
    ),
]
HERE = {  # what each world tries first; presets of other worlds name classes that this one has not
    "imagenet": [
        shell.Preset(
            "Grain and outline",
            "Look at *Loss gradient*: grain, all over the picture. *Integrated Gradients* average it and show eyes and"
            " nose; but they multiply by each pixel's distance from grey, so part of what you see is only the picture.",
            {},
        ),
        shell.Preset(
            "Ask for an airliner",
            "The same maps for a class that is not in the picture. Which of them change? A map that stays the same does"
            " not explain the answer.",
            {"target": "airliner"},
        ),
        shell.Preset(
            "Along an attack",
            "Press play and read *cosine with step 0*: after a few steps too small to see, the gradient is another"
            " one.",
            {"view": "attack"},
        ),
        shell.Preset(
            "Several photographs",
            "One method, DeepLift, on each of the photographs: in which of them does it find what the answer names?",
            {"view": "pictures", "method": "deep_lift"},
        ),
    ],
    "planted": [
        shell.Preset(
            "Which feature does it read?",
            "Read below the *Loss gradient*: of the standard network's, most lies on the weaves that we planted, and"
            " less on the shape than its area; the robust network's is where the shape is.",
            {},
        ),
        shell.Preset(
            "A map of the picture",
            "Compare *in the shape* of *Integrated Gradients* and *DeepLift* with the loss gradient. Both multiply by"
            " the picture, so they show its shape, although the standard network reads the weave.",
            {"picture": "planted/10"},
        ),
        ANYWHERE[1],
        shell.Preset(
            "From class to class",
            "What would make this more of one class and less of another? Read the cosines with the difference of the"
            " two class means, and how much of each gradient lies on the weaves.",
            {"view": "classes"},
        ),
    ],
}
DEFAULTS = SaliencyRecipe()


def opening() -> SaliencyRecipe:
    """Return the recipe with which this world opens; without a robust network both columns are of one."""
    world, here = current(), pair()
    return replace(
        DEFAULTS,
        standard=here.standard,
        robust=here.right,
        norm=world.norm,
        window=world.pixels(DEFAULTS.window),
        world=world.name,
    )


def controls(view: str) -> SaliencyRecipe:
    """Show the controls that the view has and return the recipe they make (without picture and frame)."""
    found: dict[str, Any] = {"world": current().name}
    match view:
        case "attack":
            found |= attack_controls()
        case "classes":
            found["towards"] = class_box("More of", "towards", "the picture's class")
            found["away"] = class_box("Less of", "away", "another one")
        case _:
            if view == "pictures":
                found["method"] = choose(
                    "Method",
                    {name: about.title for name, about in METHODS.items()},
                    key="method",
                    default=DEFAULTS.method,
                    listed=True,
                )
                found["only"] = class_box("Pictures of", "only", "one of each class")
            found["target"] = st.selectbox(
                "Explain the score of",
                ["label", "prediction", *current().classes],
                key="target",
                bind="query-params",
                help="The picture's own class, each model's prediction, or any class.",
            )
    found |= look_controls()
    with st.expander("More"):
        if view in ("methods", "pictures"):
            found |= settings()
        found["seed"] = int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params"))
        names = checkpoints.names(world=current().name)
        found["standard"] = model_box("Left model", opening().standard, "standard")
        found["robust"] = model_box("Right model", pair().robust or found["standard"], "robust")
        found["third"] = (
            st.selectbox("One more model", names, index=None, placeholder="none", key="third", bind="query-params")
            or ""
        )
    return SaliencyRecipe(view=view, **found)


def look_controls() -> dict[str, Any]:
    """Show the controls of the drawing."""
    channel = st.segmented_control(
        "Show",
        list(CHANNELS),
        default=DEFAULTS.channel,
        key="channel",
        bind="query-params",
        required=True,
        wrap=True,
        help="The sum over the colour channels, one of them, or all three as a colour picture around grey.",
    )
    scale = choose(
        "Scale",
        {"relative": "Each map its own", "common": "One for all"},
        key="scale",
        default=DEFAULTS.scale,
        help="Each map in units of its own strength; or the same colour is the same value in all models.",
    )
    absolute = st.toggle("Sizes only", key="absolute", bind="query-params", help="Without the sign.")
    opacity = st.slider(
        "Map over picture, opacity in %", 0, 100, DEFAULTS.opacity, 5, key="opacity", bind="query-params"
    )
    return {"channel": channel, "scale": scale, "absolute": absolute, "opacity": int(opacity)}


def settings() -> dict[str, Any]:
    """Show the settings of the methods."""
    return {
        "samples": int(
            st.slider(
                "Noisy copies, or points on the path",
                1,
                128,
                DEFAULTS.samples,
                key="samples",
                bind="query-params",
                help="For SmoothGrad, VarGrad, Integrated Gradients and Gradient SHAP.",
            )
        ),
        "noise": int(
            st.slider("Noise, % of the pixel range", 0, 100, DEFAULTS.noise, key="noise", bind="query-params")
        ),
        "baseline": choose(
            "Baseline",
            {"black": "Black", "grey": "Grey", "white": "White"},
            key="baseline",
            default=DEFAULTS.baseline,
            help="What stands for “nothing there”.",
        ),
        "window": int(
            st.slider(
                "Occlusion's square, pixels",
                current().pixels(1),
                current().side,
                opening().window,
                key="window",
                bind="query-params",
            )
        ),
    }


def attack_controls() -> dict[str, Any]:
    """Show the controls of the attack."""
    norm = st.segmented_control(
        "Norm", list(current().reach), default=opening().norm, key="norm", bind="query-params", required=True
    )
    blank = PerturbRecipe(norm=norm, world=current().name)
    labels, default = blank.eps_labels, blank.eps_labels[blank.at_index]
    at = st.select_slider("ε of the attack", labels, value=default, key="at", bind="query-params")
    return {"norm": norm, "at": "" if at == default else at}


def class_box(label: str, key: str, nothing: str) -> str:
    """Show a choice among the classes; "" is none."""
    return st.selectbox(label, current().classes, index=None, placeholder=nothing, key=key, bind="query-params") or ""


def in_use() -> dict[str, Any]:
    """Return the defaults of the controls that are there.

    A value set for a control of another view would wait for it.
    """
    recipe, elsewhere = opening(), ("picture", "view", "frame", "world")
    blank = PerturbRecipe(norm=recipe.norm, world=recipe.world)
    fields = {name: value or None for name, value in vars(recipe).items() if name not in elsewhere}
    fields |= {"absolute": False, "seed": 0, "at": blank.eps_labels[blank.at_index]}
    for name in {"standard", "robust"} & fields.keys():
        if fields[name] not in checkpoints.names(world=recipe.world):
            del fields[name]
    return {name: value for name, value in fields.items() if name in st.session_state}


shell.header(
    "Saliency",
    "The gradient of a robust model has the object in it, that of a standard model looks like noise: each shows the"
    " features that its model uses.",
    needs="",
    alone="Which pixels is an answer based on? Eleven methods of asking a network, and they do not agree.",
)
shell.presets(
    PRESETS if current() == worlds.get() else HERE.get(current().name, ANYWHERE),
    key="saliency",
    defaults={"picture": worlds.first_picture(current()), "view": DEFAULTS.view} | in_use(),
)
if not has_models():
    st.stop()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    recipe = replace(controls(view), picture=picture.id)
with shell.user_errors():
    match view:
        case "pictures":
            maps.several(recipe)
        case "attack":
            attack.show(recipe, picture)
        case "classes":
            maps.classes(recipe, picture)
        case _:
            maps.methods(recipe, picture)
            under_the_dial("saliency-dial", picture, view="gradient")
measured.show()
shell.glossary("saliency", [*WORDS[view], "deletion and insertion"])
with st.expander("The mathematics"):
    st.markdown(lesson("saliency")["mathematics"])
