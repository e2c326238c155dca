"""Predict first: the room guesses how far a perturbation travels before the matrix is shown."""

import streamlit as st

from core.rates import Rate

# Upper ends of the guesses, and how they are said.
GUESSES = {"under 5": 0.05, "5 to 25": 0.25, "25 to 60": 0.60, "over 60": 1.01}


def right_guess(rate: Rate) -> str:
    """Return the guess that a rate makes right."""
    return next(words for words, end in GUESSES.items() if rate.value < end)


def predict_first(rate: Rate, source: str, target: str, goal: str) -> bool:
    """Ask for a guess of one cell where that is switched on; return whether the matrix may be shown."""
    if not st.session_state.get("predict"):
        return True
    does = "be wrong about" if goal == "untargeted" else "predict the wanted class for"
    st.markdown(
        f"**Predict:** perturbations were made for {source} alone. Of 100 pictures that it and {target} get right, how"
        f" many will {target} {does}?"
    )
    guess = st.radio(
        "Your prediction", list(GUESSES), index=None, horizontal=True, key="guess", label_visibility="collapsed"
    )
    if guess is None:
        st.caption("Choose, and the matrix appears.")
        return False
    truth = right_guess(rate)
    (st.success if guess == truth else st.info)(f"You said *{guess}*; it is **{truth}**: {rate}.")
    return True
