"""Three doors: see it, do it, argue about it."""

from collections.abc import Mapping

import streamlit as st

from pages.ui.duel import duel
from pages.ui.rooms import DOORS, ROOMS

STYLE = """<style>
div[class*="st-key-door-"] { border-top: 4px solid var(--door, rgb(128 128 128 / 35%)); padding-top: 0.8rem;
  margin-top: 1.2rem; }
div[class*="st-key-door-see"] { --door: #1c8a9e; }
div[class*="st-key-door-"] h3 { font-size: 1.7rem; padding: 0; }
div[class*="st-key-door-"] a { align-items: flex-start; padding: 0.2rem 0.3rem; }
div[class*="st-key-door-"] a p { white-space: normal; line-height: 1.35; }
</style>"""
PERTURB = "pages/perturb/page.py"


def doors(opening: Mapping[str, str]) -> None:
    """Show the ways on, the first of which is the widest.

    Args:
        opening: The address of the view on top of the home page, where one can go on by hand.
    """
    st.html(STYLE)
    for place, (name, door) in zip(st.columns([1.35, 1, 1], gap="large"), DOORS.items(), strict=True):
        with place.container(key=f"door-{name}", gap="small"):
            st.markdown(f"### {door.title}")
            st.markdown(door.says)
            if name == next(iter(DOORS)):
                _first_steps(opening)
            _rooms(name)


def _first_steps(opening: Mapping[str, str]) -> None:
    with st.container(horizontal=True):
        if st.button("Fool a model yourself", type="primary", icon=":material/tune:"):
            st.switch_page(PERTURB, query_params=dict(opening))
        duel("home-duel")


def _rooms(door: str) -> None:
    with st.container(gap=None):
        for room in ROOMS:
            if room.door == door:
                st.page_link(room.file, label=f"**{room.title}** · {room.says}", icon=room.icon)
