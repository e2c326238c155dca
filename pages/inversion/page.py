"""Robust frog: what a model keeps of a picture, made visible."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.inversion.recipe import InvertRecipe
from pages.inversion import between, emergence, feature, gallery
from pages.inversion.measured import measured
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.store import lesson, model
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
PRESETS = [
    shell.Preset(
        "Another picture becomes the frog",
        "Press play. Through the robust model the start picture turns into the wanted one; through the standard model"
        " it hardly changes, and yet that model predicts the wanted class just as firmly.",
        {},
    ),
    shell.Preset(
        "Out of noise",
        "There is nothing to start from, so all that you see was put there by the representation.",
        {"start": "noise"},
    ),
    shell.Preset(
        "An early layer",
        "The first blocks still know almost every pixel, in both models: what makes the difference happens later.",
        {"block": "res1"},
    ),
]
ALONE = [  # where there is no robust network to compare with
    shell.Preset(
        "The same to the network",
        "Press play. The start picture hardly changes, and yet the network comes to represent it as it represents the"
        " wanted one: read what it predicts now.",
        {},
    ),
    shell.Preset(
        "Out of noise",
        "There is nothing to start from, so all that you see was put there by the representation: to this network it is"
        " the wanted picture.",
        {"start": "noise"},
    ),
]
HERE = {
    "planted": [
        shell.Preset(
            "Weave or shape",
            "Press play. To represent the start as it represents the wanted picture, the standard network changes"
            " little that you see; read how much of it lies on the weaves, where chance puts 0.13 %. The robust one has"
            " to redraw something; does what the standard one made convince it?",
            {},
        ),
        shell.Preset(
            "Out of noise",
            "Small networks, small pictures: neither holds the whole of it. But one writes a faint texture all over,"
            " and the other strokes.",
            {"start": "noise"},
        ),
        shell.Preset(
            "An early layer",
            "The first block still knows almost every pixel, in both models: what makes the difference happens later.",
            {"block": "stem"},
        ),
    ]
}
DEFAULTS = InvertRecipe()
STARTS = {"picture": "Another picture", "noise": "Noise", "grey": "Grey"}
CANVASES = {"noise": "Noise", "grey": "Grey", "fade": "Cross-fade"}
SETTINGS = {"fast": "Fast", "smooth": "Smooth", "paper": "As in the paper"}
LARGEST = 96  # pixels a side, of the views that invert many pictures at once
FIRST_FRAME = {"between": between.MIDDLE}


def controls(view: str) -> InvertRecipe:
    """Show the controls that the view has and return the recipe they make (without picture and frame)."""
    found: dict[str, Any] = {}
    if view in ("emergence", "gallery"):
        found["start"] = choose(
            "Start from",
            STARTS,
            key="start",
            default=DEFAULTS.start,
            help="Another picture is drawn without regard to its class, as in the paper.",
        )
    else:
        found["canvas"] = choose(
            "Start from",
            CANVASES if view == "between" else {word: CANVASES[word] for word in ("noise", "grey")},
            key="canvas",
            default=DEFAULTS.canvas,
            help="Cross-fade: each point starts at the mixture of the pixels." if view == "between" else None,
        )
    what = {"gallery": "Seed of pictures and starts", "between": "Seed of the other picture"}.get(
        view, "Seed of the start"
    )
    seed = st.number_input(what, 0, 2**31 - 1, 0, key="seed", bind="query-params")
    with st.expander("More"):
        found["standard"] = left = model_box("Left model", pair().standard, "standard")
        found["robust"] = right = model_box("Right model", pair().robust or left, "robust")
        if view != "feature":
            found["block"] = block_box(left, right)
            found["setting"] = choose(
                "Setting",
                _settings() or SETTINGS,
                key="setting",
                default=DEFAULTS.setting,
                help=(
                    "How long it is computed."
                    if current().inversion
                    else (
                        "A hundred quasi-Newton steps, a hundred with momentum that shorten to zero, or the paper's"
                        " 1000 of 0.1."
                    )
                ),
            )
    return InvertRecipe(view=view, seed=int(seed), world=current().name, **found)


def _settings() -> dict[str, str]:
    """Call the settings of a world by their steps."""
    return {word: f"{steps} steps" for word, (steps, _) in current().inversion.items()}


def block_box(left: str, right: str) -> str:
    """Show a choice among the blocks that both models have."""
    shared = [b for b in model(left).blocks if b in model(right).blocks]
    return st.selectbox(
        "Representation",
        shared,
        index=len(shared) - 1,
        key="block",
        bind="query-params",
        help="“pool” is the penultimate layer, the paper's choice; earlier blocks know more of the picture.",
    )


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
first = pair()
shell.presets(
    PRESETS if first.robust and current() == worlds.get() else HERE.get(current().name, ALONE),
    key="frog",
    defaults={
        "picture": worlds.first_picture(current()),
        "view": DEFAULTS.view,
        "start": DEFAULTS.start,
        "seed": DEFAULTS.seed,
        "block": DEFAULTS.block,
        "setting": DEFAULTS.setting,
        "canvas": DEFAULTS.canvas,
        "only": None,
        "standard": first.standard,
        "robust": first.right,
    },
)
if not has_models():
    st.stop()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
if why := missing(view):
    st.info(why, icon=":material/public:")
    st.stop()
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    recipe = replace(controls(view), picture=picture.id)
recipe = replace(recipe, frame=FIRST_FRAME.get(view, DEFAULTS.frame))
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
with st.expander("The mathematics"):
    st.markdown(lesson("inversion")["mathematics"])
if current() == worlds.get():  # of whose networks it was measured
    measured()
