"""An answer to an exercise: where it is handed in, and its recomputation."""

import streamlit as st

from core.exercises import Answer, Exercise, Verdict, check
from core.exercises.checks import models
from core.models import checkpoints
from pages.ui import work
from pages.ui.hosting import read_only
from pages.ui.store import loaded

STEPS = 200  # of the longest check, for the bar


def hand_in(exercise: Exercise) -> str | bytes | None:
    """Show where to hand in; return what is to be checked now."""
    key = f"answer-{exercise.name}"
    with st.form(f"hand-in-{exercise.name}", border=False):
        file = None
        if exercise.choices:
            called = {name: checkpoints.header(name).title for name in exercise.choices if name in checkpoints.names()}
            text = st.radio("Your answer", list(called), index=None, key=key, format_func=called.__getitem__) or ""
        elif exercise.check == "brittle_accuracy":
            number = st.number_input("Your answer, per cent", 0.0, 100.0, None, 0.1, key=key, width=240)
            text = "" if number is None else f"{number:g}"
        else:
            text = st.text_input(
                "The address of your view, or its recipe", key=key, placeholder="http://…/perturb?picture=…&frame=12"
            )
            if not read_only():
                file = st.file_uploader(
                    "Or a file that was saved there: picture, recipe or playable page",
                    ["png", "json", "html"],
                    key=f"{key}-file",
                )
        pressed = st.form_submit_button("Check it", type="primary", icon=":material/rule:")
    if not pressed:
        return None
    if file is not None:
        return file.getvalue()
    if not text.strip():
        st.info("Hand something in first.")
        return None
    return text


def judge(exercise: Exercise, answer: Answer) -> Verdict:
    """Recompute an answer beside the page."""
    stamps = tuple(loaded(name).stamp for name in models(exercise) if name in checkpoints.names())
    piece = work.Piece(
        ("exercise", exercise.name, answer, stamps), lambda on_step: check(exercise, answer, on_step), STEPS, own=True
    )
    return work.wanted([piece], text="Recomputing what you handed in…")[0]
