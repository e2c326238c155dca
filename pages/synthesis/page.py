"""Synthesis: painting with a classifier, by hand or sixteen pictures at once."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.data import pictures
from core.models import checkpoints
from core.recipes import from_query
from core.synthesis.recipe import LIMITS, REGIONS, TASKS, SynthesisRecipe
from core.synthesis.studio import IGNORED
from pages.synthesis import measured, morph, studio
from pages.ui import shell
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.store import lesson, model
from pages.ui.world import current

DEFAULTS = SynthesisRecipe()
VIEWS = {"morph": "Draw and hold", "studio": "Sixteen at once"}
CLAIMS = {
    "morph": (
        "Draw something, or take one of the starts; then hold a class. Both models are soon sure: watch what each has"
        " added by then, and what it adds if you hold on."
    ),
    "studio": "Sixteen pictures at once: what one gradient can do besides classifying.",
}
WORDS = {"morph": ["hold", "anchor", "who sees it"], "studio": ["class Gaussian", "tasks", "who sees it"]}
# The options are the words of the recipe, because they are also what stands in the address.
TASKS_SAY = {
    "generate": "Out of nothing: from blurs drawn from the class Gaussians.",
    "turn": "Turn the picture into another class.",
    "inpaint": "Cut a hole into the picture and fill it toward the class.",
    "sharpen": "From few pixels to many, toward the class.",
    "mix": "Ask for two classes at once.",
    "feature": "Make one number of the representation as large as possible, in a region of the picture.",
}
PRESETS = [
    shell.Preset(
        "A drawing becomes a horse",
        "Drag the film back to its first frames: the standard model, on the left, is sure after about three of the"
        " forty steps, the robust one after about seven. From then on the robust model draws legs, a mane and a meadow;"
        " the standard model draws a vaguer horse under coloured noise. Then hold another class.",
        {"view": "morph", "morph-start": "sketch/meadow", "morph-holds": ("horse:40",)},
    ),
    shell.Preset(
        "Cat, dog, cat again",
        "One face, three holds. The robust model redraws what makes the difference: ears, muzzle, stripes.",
        {"view": "morph", "morph-start": "sketch/face", "morph-holds": ("cat:30", "dog:40", "cat:40")},
    ),
    shell.Preset(
        "Sixteen out of nothing",
        "Each starts as a blur drawn from its class's mean and covariance. Drag the slider and watch features arrive.",
        {"view": "studio", "task": "generate", "target": "each"},
    ),
    shell.Preset(
        "Half cat, half dog",
        "The loss asks for half a cat and half a dog. Some look like one, some like the other, a few like both.",
        {"view": "studio", "task": "mix", "target": "cat", "second": "dog"},
    ),
]


def presets() -> None:
    """Show the presets; what the canvas opens with is no widget, so it goes into the address by hand."""
    shell.presets(
        PRESETS,
        key="synthesis",
        defaults={
            **{
                name: getattr(DEFAULTS, name)
                for name in ("view", "task", "target", "second", "share", "region", "coarse")
            },
            **{name: getattr(DEFAULTS, name) for name in ("feature", "eps", "steps", "seed", "standard", "robust")},
            "morph-start": DEFAULTS.start,
            "morph-holds": DEFAULTS.holds,
            "picture": pictures.default_id(),
        },
    )
    asked = {name: st.session_state.pop(f"morph-{name}", None) for name in ("start", "holds")}
    if asked["start"] is not None and st.session_state["view"] == "morph":  # the studio's leave the canvas alone
        morph.ask(replace(DEFAULTS, **asked))


def studio_controls() -> SynthesisRecipe:
    """Show the studio's controls and return the recipe they make, without picture and frame."""
    defaults = DEFAULTS
    task = st.selectbox("Task", TASKS, key="task", bind="query-params")
    st.caption(TASKS_SAY[task])
    found: dict[str, str | int] = {"task": task}
    if "target" not in IGNORED[task]:
        found["target"] = st.selectbox("Class", ("each", *current().classes), key="target", bind="query-params")
    if "second" not in IGNORED[task]:
        index = current().classes.index(defaults.second)
        found["second"] = st.selectbox("Other class", current().classes, index=index, key="second", bind="query-params")
        found["share"] = st.slider("Share of the first, %", 0, 100, defaults.share, 5, key="share", bind="query-params")
    if "region" not in IGNORED[task]:
        found["region"] = st.selectbox("Where", REGIONS, key="region", bind="query-params")
    if "coarse" not in IGNORED[task]:
        found["coarse"] = st.segmented_control(
            "Pixels a side", ["4", "8", "16"], default=defaults.coarse, key="coarse", bind="query-params", required=True
        )
    if "feature" not in IGNORED[task]:
        most = model(defaults.robust).head.in_features - 1
        found["feature"] = int(st.number_input("Feature", 0, most, 0, key="feature", bind="query-params"))
    found["eps"] = st.select_slider(
        "How far (L2)",
        LIMITS,
        value=defaults.eps,
        key="eps",
        bind="query-params",
        help="From the start, in pixel units of [0, 1]. The models were made robust, or not, at 0.5.",
    )
    found["steps"] = st.slider("Steps", 10, 200, defaults.steps, 10, key="steps", bind="query-params")
    return SynthesisRecipe(**found)  # type: ignore[arg-type]


def shared_controls(view: str) -> dict[str, Any]:
    """Show what both views have: the seed and the models."""
    found: dict[str, str | int] = {
        "seed": int(st.number_input("Seed of the starts", 0, 2**31 - 1, 0, key="seed", bind="query-params"))
    }
    with st.expander("More"):
        for side, label in (("standard", "Left model"), ("robust", "Right model")):
            found[side] = model_box(label, getattr(DEFAULTS, side), side)
    return {"view": view, **found}


shell.header(
    "Synthesis",
    "Hold a class and watch the picture become it: a robust classifier can paint, because its features are ones you"
    " see.",
    needs="the class Gaussians that its starts are drawn from",
)
presets()
if not checkpoints.names():
    st.warning("There are no trained models in checkpoints/. Make them with: make zoo")
    st.stop()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    base = studio_controls() if view == "studio" else DEFAULTS
    recipe = replace(base, **shared_controls(view), picture=picture.id)
with shell.user_errors():
    if view == "studio":
        st.session_state["morph-picture"] = picture.id  # picked for the studio, it does not go onto the canvas
        studio.show(recipe, picture)
    else:
        linked, _ = from_query(SynthesisRecipe, st.query_params.to_dict())
        morph.show(replace(recipe, start=linked.start, holds=linked.holds, reach=linked.reach), picture)
shell.glossary("synthesis", WORDS[view])
with st.expander("The mathematics"):
    st.markdown(lesson("synthesis")["mathematics"])
measured.measured()
