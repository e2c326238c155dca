"""The controls of Robust frog, and the recipe they make."""

from typing import Any

import streamlit as st

from core import worlds
from core.inversion.recipe import InvertRecipe
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.store import model
from pages.ui.world import current, pair

DEFAULTS = InvertRecipe()
STARTS = {"picture": "Another picture", "noise": "Noise", "grey": "Grey"}
CANVASES = {"noise": "Noise", "grey": "Grey", "fade": "Cross-fade"}
SETTINGS = {"fast": "Fast", "smooth": "Smooth", "paper": "As in the paper"}


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


def defaults() -> dict[str, object]:
    """Return what each control shows before anybody has touched it, by the widget's key."""
    first = pair()
    plain = {name: getattr(DEFAULTS, name) for name in ("view", "start", "seed", "block", "setting", "canvas")}
    return {
        **plain,
        "picture": worlds.first_picture(current()),
        "only": None,
        "standard": first.standard,
        "robust": first.right,
    }
