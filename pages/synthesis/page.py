"""Synthesis: painting with a classifier, by hand or sixteen pictures at once."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.recipes import from_query
from core.synthesis import seeds
from core.synthesis.recipe import LIMITS, REGIONS, TASKS, SynthesisRecipe
from core.synthesis.studio import BATCH, IGNORED
from pages.synthesis import measured, morph, studio
from pages.synthesis.presets import ANYWHERE, HERE
from pages.ui import shell
from pages.ui.dial import under_the_dial
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.store import lesson, model
from pages.ui.world import current, has_models, pair

DEFAULTS = SynthesisRecipe()
KEYS = 20  # classes with a button, of the canvas
FAR = "From the start, in pixel units of [0, 1]. The models were made robust, or not, at 0.5."
VIEWS = {"morph": "Draw and hold", "studio": "Sixteen at once"}
CLAIMS = {
    "morph": (
        "Draw something, or take one of the starts; then hold a class. Both models are soon sure: watch what each has"
        " added by then, and what it adds if you hold on."
    ),
    "studio": "Several pictures at once: what one gradient can do besides classifying.",
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


def opening() -> SynthesisRecipe:
    """Return the recipe with which this world opens; without a robust network both columns are of one."""
    world, first = current(), pair()
    if world == worlds.get():
        return DEFAULTS
    return replace(
        DEFAULTS,
        world=world.name,
        view="studio" if missing("morph") else "morph",
        standard=first.standard,
        robust=first.right,
        start=f"seed/{world.classes[0]}/0",
        holds=(f"{world.classes[1]}:40",),
        second=world.classes[1],
    )


def called() -> dict[str, str]:
    """Call the views; there are fewer than sixteen pictures at once where they are large."""
    return {**VIEWS, **({} if current().batch(BATCH) == BATCH else {"studio": "Several at once"})}


def missing(view: str) -> str:
    """Say in a sentence why this world cannot serve the view; "" if it can."""
    world = current()
    if view != "morph" or (world.side <= studio.LARGEST and len(world.classes) <= KEYS):
        return ""
    return (
        f"*{VIEWS['morph']}* has a button for each class and sends a frame at every step: it serves up to {KEYS}"
        f" classes and {studio.LARGEST} pixels. {world.title} has {len(world.classes):,} and {world.side};"
        f" *{called()['studio']}* works."
    )


def presets() -> None:
    """Show the presets; what the canvas opens with is no widget, so it goes into the address by hand."""
    first = opening()
    shell.presets(
        HERE.get(current().name, ANYWHERE),
        key="synthesis",
        defaults={
            **{
                name: getattr(first, name) for name in ("view", "task", "target", "second", "share", "region", "coarse")
            },
            **{name: getattr(first, name) for name in ("feature", "eps", "steps", "seed", "standard", "robust")},
            "morph-start": first.start,
            "morph-holds": first.holds,
            "picture": worlds.first_picture(current()),
        },
    )
    asked = {name: st.session_state.pop(f"morph-{name}", None) for name in ("start", "holds")}
    if asked["start"] is not None and st.session_state["view"] == "morph":  # the studio's leave the canvas alone
        morph.ask(replace(first, **asked))


def studio_controls() -> SynthesisRecipe:
    """Show the studio's controls and return the recipe they make, without picture and frame."""
    defaults = opening()
    task = st.selectbox("Task", TASKS, key="task", bind="query-params")
    st.caption(f"Out of nothing: from {seeds.described(current())}." if task == "generate" else TASKS_SAY[task])
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
        help=FAR if current().scale == 1 else f"{FAR} Pictures are larger here: times {current().scale:g}.",
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
            found[side] = model_box(label, getattr(opening(), side), side)
    return {"view": view, "world": current().name, **found}


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
presets()
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
    base = studio_controls() if view == "studio" else opening()
    recipe = replace(base, **shared_controls(view), picture=picture.id)
with shell.user_errors():
    if view == "studio":
        st.session_state["morph-picture"] = picture.id  # picked for the studio, it does not go onto the canvas
        studio.show(recipe, picture)
    else:
        linked, _ = from_query(SynthesisRecipe, st.query_params.to_dict())
        asked = {name: getattr(linked, name) for name in morph.ADDRESS if name in st.query_params}
        morph.show(replace(recipe, **asked), picture)
    under_the_dial("synthesis-dial", picture, view="paint")
shell.glossary("synthesis", WORDS[view])
with st.expander("The mathematics"):
    st.markdown(lesson("synthesis")["mathematics"])
if current() == worlds.get():  # of whose networks it was measured
    measured.measured()
