"""The controls of Saliency, and the recipe they make."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from core.saliency import METHODS
from core.saliency.classes import usual
from core.saliency.maps import CHANNELS
from core.saliency.recipe import SaliencyRecipe
from core.words import a
from pages.ui.address import choose, same
from pages.ui.model_box import model_box
from pages.ui.world import current, pair

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
            found["away"] = class_box("Less of", "away", _nobody_chose())
        case "pictures":
            found["method"] = choose(
                "Method",
                {name: about.title for name, about in METHODS.items()},
                key="method",
                default=DEFAULTS.method,
                listed=True,
            )
            found["only"] = class_box("Pictures of", "only", "one of each class")
            found["target"] = target_box()
        case _:
            found["target"] = target_box()
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


def target_box() -> str:
    """Show the choice of the class that is explained."""
    return st.selectbox(
        "Explain the score of",
        ["label", "prediction", *current().classes],
        key="target",
        bind="query-params",
        help="The picture's own class, each model's prediction, or any class.",
    )


def class_box(label: str, key: str, nothing: str) -> str:
    """Show a choice among the classes; "" is none."""
    return st.selectbox(label, current().classes, index=None, placeholder=nothing, key=key, bind="query-params") or ""


def _nobody_chose() -> str:
    """Say which class it is where nobody chose one: "truck (for a truck: frog)"."""
    classes = current().classes
    away = usual(classes)
    return f"{away} (for {a(away)}: {usual(classes, away)})"


def look_controls() -> dict[str, Any]:
    """Show the controls of the drawing."""
    channel = choose(
        "Show",
        same(CHANNELS),
        key="channel",
        default=DEFAULTS.channel,
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
    norm = choose("Norm", same(current().reach), key="norm", default=opening().norm)
    blank = PerturbRecipe(norm=norm, world=current().name)
    labels, default = blank.eps_labels, blank.eps_labels[blank.at_index]
    at = st.select_slider("ε of the attack", labels, value=default, key="at", bind="query-params")
    return {"norm": norm, "at": "" if at == default else at}


def defaults() -> dict[str, Any]:
    """Return what the controls that are there show before anybody has touched them, by the widget's key.

    A value set for a control of another view would wait for it.
    """
    recipe, elsewhere = opening(), ("picture", "view", "frame", "world")
    blank = PerturbRecipe(norm=recipe.norm, world=recipe.world)
    fields = {name: value or None for name, value in vars(recipe).items() if name not in elsewhere}
    fields |= {"absolute": False, "seed": 0, "at": blank.eps_labels[blank.at_index]}
    for name in {"standard", "robust"} & fields.keys():
        if fields[name] not in checkpoints.names(world=recipe.world):
            del fields[name]
    there = {name: value for name, value in fields.items() if name in st.session_state}
    return {"picture": worlds.first_picture(current()), "view": recipe.view} | there
