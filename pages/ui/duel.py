"""The way from a page to both students of D_NR and D_R under one slider."""

import streamlit as st

from core.models import checkpoints

STUDENTS = {"standard": "student-nonrobust", "robust": "student-robust"}


def duel(key: str) -> None:
    """Offer to attack both students side by side; nothing where one of them is not here."""
    if not set(STUDENTS.values()) <= set(checkpoints.names()):
        return
    pressed = st.button(
        "Attack two students under one slider",
        key=key,
        icon=":material/tune:",
        help="Both were trained in the ordinary way, on D_NR and on D_R; they differ in their pictures alone.",
    )
    if pressed:
        st.switch_page("pages/perturb/page.py", query_params=STUDENTS)
