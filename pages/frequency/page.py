"""Beyond the ball: waves, filters and weather."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core.frequency import results
from core.frequency.corruptions import CORRUPTIONS
from core.frequency.recipe import FIRST, FrequencyRecipe
from pages.frequency import filters, lens, quiz, trades, weather
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.folded import folded
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.scrubber import frame_in_sight
from pages.ui.stale import say_stale
from pages.ui.store import lesson
from pages.ui.world import has_models

CLAIMS = {
    "lens": "Add one wave to test pictures, and count errors. Yellow: the network fails at that frequency.",
    "filters": (
        "Take a part of the picture away, the coarse or the fine. Can you still tell what it is? Ask a network that"
        " never saw anything else."
    ),
    "weather": "Nobody computed fog against a network, and yet it harms networks, each in its own measure.",
    "trades": (
        "One line a network, from clean pictures to attacks, weather and waves: which of them is higher depends on"
        " where you look."
    ),
}
VIEWS = {"lens": "Waves", "filters": "Filters", "weather": "Weather", "trades": "All of it on one line"}
WORDS = {
    "lens": ["frequency", "norm", "distribution shift"],
    "filters": ["high-pass", "student", "distribution shift"],
    "weather": ["corruption", "severity", "distribution shift"],
    "trades": ["corruption", "distribution shift"],
}
DEFAULTS = FrequencyRecipe()
PRESETS = [
    shell.Preset(
        "A wave that fools one",
        "Fine diagonal stripes. Drag the norm up from 0, and see in which column the answer changes first.",
        {"view": "lens", "u": 10, "v": 10},
    ),
    shell.Preset(
        "Label what you cannot see",
        "Only what is finer than 10 cycles is left. Look at the picture as it is and stretched for the eye, then take"
        " the quiz below.",
        {"view": "filters", "kind": "high"},
    ),
    shell.Preset(
        "Fog",
        "Drag the severity. Below the pictures: how often each network is still right, and the pair that the discussion"
        " quotes.",
        {"view": "weather", "corruption": "fog"},
    ),
]


def controls(view: str) -> FrequencyRecipe:
    """Show the controls of a view and return the recipe they make, without the picture."""
    found: dict[str, Any] = {}
    match view:
        case "lens":
            found["u"] = int(st.number_input("Cycles down", -16, 15, DEFAULTS.u, key="u", bind="query-params"))
            found["v"] = int(st.number_input("Cycles across", -16, 15, DEFAULTS.v, key="v", bind="query-params"))
        case "filters":
            found["kind"] = choose(
                "Filter",
                {"high": "High-pass", "low": "Low-pass"},
                key="kind",
                default=DEFAULTS.kind,
                help="High-pass keeps the fine part of the picture, low-pass the coarse one.",
            )
            found["soft"] = st.toggle(
                "Soft edge", key="soft", bind="query-params", help="A hard edge rings around every contour."
            )
        case "weather":
            # Names, not titles: what is chosen also stands in the address.
            found["corruption"] = st.selectbox("Corruption", list(CORRUPTIONS), key="corruption", bind="query-params")
    with st.expander("More"):
        found["standard"] = model_box("First network", DEFAULTS.standard, "standard")
        found["robust"] = model_box("Second network", DEFAULTS.robust, "robust")
        found["seed"] = int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params"))
    return FrequencyRecipe(view=view, **found)


shell.header(
    "Beyond the ball",
    "A network leans on what no person sees even where nobody attacks it. Training against small perturbations changes"
    " what it leans on; whether that helps depends on what comes next.",
    needs="what was measured on filtered and corrupted test pictures, and networks that learnt from filtered ones",
)
shell.presets(
    PRESETS,
    key="frequency",
    defaults={name: getattr(DEFAULTS, name) for name in ("view", "u", "v", "kind", "soft", "corruption", "seed")},
)
if not has_models():
    st.stop()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
with shell.user_errors():
    found = results.read()
    with st.sidebar:
        recipe = controls(view)
    if view == "trades":
        trades.show(recipe, found)
    else:
        stage = st.container()
        with st.expander("Another picture", icon=":material/image:"):
            picture = pick_picture(key="picture")
        recipe = replace(recipe, picture=picture.id, frame=frame_in_sight(f"frequency-{view}", FIRST[view]))
        with stage:
            {"lens": lens, "filters": filters, "weather": weather}[view].show(recipe, picture, found)
        if view == "filters":
            quiz.show(recipe, found)
    say_stale(found, results.AGAIN)
shell.glossary("frequency", WORDS[view])
folded("The reply of the authors", lambda: st.markdown(lesson("frequency")["reply"]), key="frequency-reply")
shell.mathematics("frequency")
