"""The scatter of usefulness against robust usefulness, a panel a model: its slider moves the points in the browser.

A brush over points, a click on one, and the slider's release are reported; what they mean is kept here, in the session
and in the address: `frame` and `brush` by this file, `feature` and `side` by the widgets of those names.
"""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.results import read
from core.usefulness.atlas import results_of
from core.usefulness.choice import SIDES, Brush, Have, atlas_of, sides
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import payload
from pages.ui import scrubber
from pages.ui.address import keep, tell
from pages.ui.component import component
from pages.ui.scrubber import reported
from pages.ui.stale import say_stale

KEY = "usefulness-atlas"
MOST_FRAMES = 50

_mount = component("usefulness")


def scatter(recipe: UsefulnessRecipe, have: Have = None) -> None:
    """Mount the scatter for the recipe's two models and task, and say so where their features are of other weights."""
    _mount(
        key=KEY,
        data=payload(recipe, have),
        on_frame_change=partial(reported, KEY, "useful-frame"),
        on_picked_change=_take,
    )
    for name in dict.fromkeys(atlas_of(recipe, side, have).name for side in sides(recipe)):
        again = f"python -m core.usefulness measure {name}"
        say_stale(read(results_of(name), again) or {}, again)


def frame_in_sight(default: int) -> int:
    """Return where the slider stands, and keep it in the address."""
    return scrubber.frame_in_sight("useful", default, MOST_FRAMES)


def brush_in_sight() -> str:
    """Return the brush: the address's if it is news, else the session's."""
    return keep("brush", "", lambda text: Brush.parse(text) is not None, key="useful-brush")


def _take() -> None:
    """Take over what was picked, before the page runs."""
    state = st.session_state.get(KEY)
    picked = state.get("picked") if state else None
    if picked:
        apply(picked)


def apply(picked: dict[str, object]) -> None:
    """Turn a brush or a click into the session's brush, or feature and side."""
    panel = picked.get("panel")
    side = SIDES[panel] if isinstance(panel, int) and 0 <= panel < len(SIDES) else SIDES[0]
    box, feature, frame = picked.get("box"), picked.get("feature"), picked.get("frame")
    if isinstance(feature, int):
        st.session_state["feature"], st.session_state["side"] = feature, side
    elif isinstance(box, Sequence) and len(box) == 4:
        x0, y0, x1, y1 = (float(v) for v in box)
        tell("useful-brush", str(Brush(side, (x0, y0, x1, y1), int(str(frame or 0)))))
        st.session_state["feature"], st.session_state["side"] = None, side
    else:
        tell("useful-brush", "")
        st.session_state["feature"] = None
