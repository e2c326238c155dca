"""The controls of Synthesis, and the recipe they make."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.synthesis import seeds
from core.synthesis.recipe import LIMITS, REGIONS, TASKS, SynthesisRecipe
from core.synthesis.studio import IGNORED
from pages.synthesis import morph
from pages.ui.address import choose, same
from pages.ui.model_box import model_box
from pages.ui.store import model
from pages.ui.world import current, pair

DEFAULTS = SynthesisRecipe()
FAR = "From the start, in pixel units of [0, 1]. The models were made robust, or not, at 0.5."
TASKS_SAY = {
    "generate": "Out of nothing: from blurs drawn from the class Gaussians.",
    "turn": "Turn the picture into another class.",
    "inpaint": "Cut a hole into the picture and fill it toward the class.",
    "sharpen": "From few pixels to many, toward the class.",
    "mix": "Ask for two classes at once.",
    "feature": "Make one number of the representation as large as possible, in a region of the picture.",
}


def opening() -> SynthesisRecipe:
    """Return the recipe with which this world opens; without a robust network both columns are of one."""
    world, first = current(), pair()
    if world == worlds.get():
        return DEFAULTS
    return replace(
        DEFAULTS,
        world=world.name,
        view="morph" if morph.serves(world) else "studio",
        standard=first.standard,
        robust=first.right,
        start=f"seed/{world.classes[0]}/0",
        holds=(f"{world.classes[1]}:40",),
        second=world.classes[1],
    )


def controls(view: str) -> SynthesisRecipe:
    """Show the controls that the view has and return the recipe they make, without picture and frame."""
    made = studio_controls() if view == "studio" else opening()
    return replace(made, **shared_controls(view))


def studio_controls() -> SynthesisRecipe:
    """Show the studio's controls and return the recipe they make, without picture and frame."""
    first = opening()
    # The options are the words of the recipe, because they are also what stands in the address.
    task = st.selectbox("Task", TASKS, key="task", bind="query-params")
    st.caption(f"Out of nothing: from {seeds.described(current())}." if task == "generate" else TASKS_SAY[task])
    found: dict[str, Any] = {"task": task}
    if "target" not in IGNORED[task]:
        found["target"] = st.selectbox("Class", ("each", *current().classes), key="target", bind="query-params")
    if "second" not in IGNORED[task]:
        index = current().classes.index(first.second)
        found["second"] = st.selectbox("Other class", current().classes, index=index, key="second", bind="query-params")
        found["share"] = st.slider("Share of the first, %", 0, 100, first.share, 5, key="share", bind="query-params")
    if "region" not in IGNORED[task]:
        found["region"] = st.selectbox("Where", REGIONS, key="region", bind="query-params")
    if "coarse" not in IGNORED[task]:
        found["coarse"] = choose("Pixels a side", same(["4", "8", "16"]), key="coarse", default=first.coarse)
    if "feature" not in IGNORED[task]:
        most = model(first.robust).head.in_features - 1
        found["feature"] = int(st.number_input("Feature", 0, most, 0, key="feature", bind="query-params"))
    found["eps"] = st.select_slider(
        "How far (L2)",
        LIMITS,
        value=first.eps,
        key="eps",
        bind="query-params",
        help=FAR if current().scale == 1 else f"{FAR} Pictures are larger here: times {current().scale:g}.",
    )
    found["steps"] = st.slider("Steps", 10, 200, first.steps, 10, key="steps", bind="query-params")
    return SynthesisRecipe(**found)


def shared_controls(view: str) -> dict[str, Any]:
    """Show what both views have: the seed and the models."""
    found: dict[str, Any] = {
        "seed": int(st.number_input("Seed of the starts", 0, 2**31 - 1, 0, key="seed", bind="query-params"))
    }
    with st.expander("More"):
        for side, label in (("standard", "Left model"), ("robust", "Right model")):
            found[side] = model_box(label, getattr(opening(), side), side)
    return {"view": view, "world": current().name, **found}


def defaults() -> dict[str, object]:
    """Return what each control shows before anybody has touched it, by the widget's key.

    What the canvas opens with is no widget: its keys begin with "morph-".
    """
    first = opening()
    plain = ("view", "task", "target", "second", "share", "region", "coarse", "feature", "eps", "steps", "seed")
    return {
        **{name: getattr(first, name) for name in (*plain, "standard", "robust")},
        "morph-start": first.start,
        "morph-holds": first.holds,
        "picture": worlds.first_picture(current()),
    }
