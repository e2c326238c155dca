"""Debate: nine claims about adversarial examples on one line, each with what was measured here."""

from dataclasses import asdict

import streamlit as st

from core.debate import views
from core.debate.claims import CLAIMS, Claim
from core.debate.measured import measured, sources
from core.debate.recipe import DebateRecipe
from pages.debate.line import NUMBERS, line
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.bars import bars
from pages.ui.dial import under_the_dial
from pages.ui.exports import Bundle, downloads
from pages.ui.folded import folded
from pages.ui.rooms import ROOMS
from pages.ui.stale import say_stale
from pages.ui.store import lesson

DEFAULTS = DebateRecipe()
PRESETS = [
    shell.Preset(
        "The strongest case for bugs",
        "Nakkiran makes perturbations that fool one network and nobody else. Does that refute that others are"
        " features?",
        {"claim": "nakkiran"},
    ),
    shell.Preset(
        "Every label wrong",
        "A student that sees only another network's mistakes. Guess its accuracy before you read on; chance is 10 %.",
        {"claim": "wallace"},
    ),
    shell.Preset(
        "The strongest case for features",
        "The paper's own experiment, and beside it Goh's doubt: how much of it could be robust features that"
        " slipped in?",
        {"claim": "ilyas"},
    ),
]


def position(label: str, key: str, help: str) -> int:  # noqa: A002
    """Ask where the visitor stands."""
    return int(st.slider(label, 0, 100, getattr(DEFAULTS, key), key=key, bind="query-params", help=help, format="%d"))


def show(key: str, claim: Claim) -> None:
    """Show one claim: who says what, what it predicts, what was measured, and what the authors answered."""
    with st.container(border=True, key=f"debate-{key}"):
        st.markdown(f"### {NUMBERS[key]} · {claim.title}\n{claim.who}")
        st.markdown(f"{claim.says} **It predicts:** {claim.predicts[0].lower()}{claim.predicts[1:]}")
        numbers = measured(key)
        if numbers:
            st.caption(f"Measured here: {claim.unit}. Lines are 95 % intervals; a ring is the source's own number.")
            st.html(bars(numbers))
            if text := views.reading(key, numbers):
                st.markdown(text)
            for found, again in sources(key):
                say_stale(found, again)
        else:
            st.caption("Not measured here yet: its results file is not there.")
        if claim.reply:
            st.markdown(f"**The authors' reply:** {claim.reply}")
        with st.container(horizontal=True):
            if room := next((room for room in ROOMS if room.name == claim.page), None):
                params = {"view": claim.view} if claim.view else {}
                if st.button(f"Try it: {room.title}", key=f"debate-try-{key}", icon=room.icon):
                    st.switch_page(room.file, query_params=params)
            if claim.trend:
                under_the_dial(f"debate-dial-{key}", view="measured", trend=claim.trend)
            st.page_link(claim.source, label="Read it", icon=":material/open_in_new:")


def the_others() -> None:
    """Show every claim but the opened one."""
    for key, claim in CLAIMS.items():
        if key != opened:
            show(key, claim)


shell.header(
    "Debate",
    "Bugs or features? Nine voices on one line, and what each of them says comes out when it is measured here.",
)
shell.presets(PRESETS, key="debate", defaults=asdict(DEFAULTS))
before = position("Where do you stand before you read?", "before", "0: they are bugs. 100: they are features.")
stage = st.container()
opened = choose(
    "Claim",
    {key: f"{NUMBERS[key]} {claim.title}" for key, claim in CLAIMS.items()},
    key="claim",
    default=DEFAULTS.claim,
    label_visibility="collapsed",
)
show(opened, CLAIMS[opened])
after = position("And now?", "after", "The line above shows both.")
recipe = DebateRecipe(opened, before, after)
stage.html(line(opened, before, None if after == DEFAULTS.after and before == DEFAULTS.before else after))
if after != before:
    way = "features" if after > before else "bugs"
    st.markdown(f"You moved by **{abs(after - before)}** towards {way}. The address of this page keeps both places.")
folded("All nine, one after the other", the_others, key="debate-all")
out = Bundle(recipe)
out.file("Numbers, CSV", "debate.csv", "text/csv", views.table)
downloads(out.files, key="debate", script=views.script(recipe))
shell.glossary("debate", ["bug", "feature", "D_rand and D_det", "distillation", "interval"])
folded("What is not here", lambda: st.markdown(lesson("debate")["missing"]), key="debate-missing")
