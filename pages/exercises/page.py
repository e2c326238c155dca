"""Exercises: ten tasks, each checked by recomputing what is handed in, and a report that cannot be forged."""

from collections.abc import Mapping

import streamlit as st

from core.exercises import Answer, Exercise, Verdict, exercises, handed
from core.exercises.recipe import ExercisesRecipe
from core.exercises.report import page as report_page
from core.exercises.report import report, to_json
from pages.exercises.answer import hand_in, judge
from pages.exercises.start import start
from pages.ui import shell
from pages.ui.address import keep
from pages.ui.escaped import plain
from pages.ui.exports import Download
from pages.ui.rooms import ROOMS

GIVEN = "exercises-given"  # name -> (answer, verdict), of this session
Given = dict[str, tuple[Answer, Verdict]]


def given() -> Given:
    """Return what this visitor has handed in so far."""
    return st.session_state.setdefault(GIVEN, {})


def listed(names: Mapping[str, Exercise], chosen: str) -> None:
    """Show all exercises as a row of buttons: solved, tried, or open."""
    with st.container(horizontal=True, key="exercises-presets"):
        for i, (name, exercise) in enumerate(names.items(), 1):
            found = given().get(name)
            icon = ":material/check_circle:" if found and found[1].passed else ":material/circle:"
            st.button(
                f"{i}. {exercise.title}",
                key=f"exercise-{name}",
                icon=icon,
                type="primary" if name == chosen else "secondary",
                on_click=st.session_state.__setitem__,
                args=("exercise", name),
                width="content",
            )


def task(exercise: Exercise) -> None:
    """Show the task, the way to its page, and the hints."""
    st.markdown(f"### {exercise.title}")
    st.markdown(exercise.task)
    room = next(room for room in ROOMS if room.name == exercise.page)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Open it on {room.title}", key="exercise-open", icon=room.icon, width="content"):
            st.switch_page(room.file, query_params=dict(exercise.view))
        for i, hint in enumerate(exercise.hints, 1):
            with st.popover(f"Hint {i}", type="tertiary", width="content"):
                st.markdown(hint)


def hand_out(done: Given) -> None:
    """Offer the report."""
    solved = sum(verdict.passed for _, verdict in done.values())
    st.markdown(f"### Your report: {solved} of {len(exercises())} solved")
    name = st.text_input("Your name, for the report only", key="exercises-name", max_chars=200, width=360)
    files = [
        Download("Report, HTML", "exercises.html", "text/html", lambda: report_page(report(name, done))),
        Download("Report, JSON", "exercises.json", "application/json", lambda: to_json(report(name, done))),
    ]
    with st.container(horizontal=True):
        for file in files:
            st.download_button(
                file.label,
                file.make,
                file.name,
                file.mime,
                key=f"exercises-{file.name}",
                on_click="ignore",
                width="content",
                icon=":material/download:",
                disabled=not done,
            )
    st.caption(
        "It holds your answers, not only that they were right. Whoever gets it recomputes them all:"
        " `python -m core.exercises verify exercises.html`. What you hand in stays in this session."
    )


shell.header("Exercises", "Ten tasks. What you hand in is computed again, so only what is true is solved.")
found = exercises()
chosen = keep("exercise", ExercisesRecipe().exercise, lambda name: name in found or not name) or next(iter(found))
listed(found, chosen)
exercise = found[chosen]
task(exercise)
with shell.user_errors():
    start(exercise)
    asked = hand_in(exercise)
    if asked is not None:
        answer = handed(exercise, asked)
        verdict = judge(exercise, answer)
        before = given().get(chosen)
        if before is None or verdict.passed or not before[1].passed:
            given()[chosen] = (answer, verdict)
        if before is None or verdict.passed != before[1].passed:
            st.session_state["exercises-said"] = (chosen, verdict)
            st.rerun()
        st.session_state["exercises-said"] = (chosen, verdict)
    name, verdict = st.session_state.get("exercises-said", ("", None))
    if name == chosen and verdict is not None:
        (st.success if verdict.passed else st.warning)(
            f"**{'Solved.' if verdict.passed else 'Not yet.'}** {plain(verdict.says)}",
            icon=":material/check_circle:" if verdict.passed else ":material/pending:",
        )
    hand_out(given())
