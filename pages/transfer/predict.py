"""Predict first: the room guesses how far a perturbation travels before the matrix is shown."""

import streamlit as st

from core.rates import Rate
from core.transfer.recipe import TransferRecipe
from pages.ui.escaped import plain
from pages.ui.guess import predicted

# Upper ends of the guesses, and how they are said.
GUESSES = {"under 5": 0.05, "5 to 25": 0.25, "25 to 60": 0.60, "over 60": 1.01}


def right_guess(rate: Rate) -> str:
    """Return the guess that a rate makes right."""
    return next(words for words, end in GUESSES.items() if rate.value < end)


def predict_first(recipe: TransferRecipe, rate: Rate, source: str, target: str) -> bool:
    """Ask for a guess of one cell where that is switched on; return whether the matrix may be shown.

    Args:
        recipe: Which cell, under which attack.
        rate: What is right.
        source: What the network is called for which the perturbations were made.
        target: What the one is called to which they are shown.
    """
    if not st.session_state.get("predict"):
        return True
    does = "be wrong about" if recipe.goal == "untargeted" else "predict the wanted class for"
    guess = predicted(
        f"perturbations were made for {plain(source)} alone. Of 100 pictures that it and {plain(target)} get right, how"
        f" many will {plain(target)} {does}?",
        list(GUESSES),
        about=(recipe.source, recipe.target, recipe.goal, recipe.norm, recipe.radius, recipe.numbers),
        then="the matrix appears",
    )
    if guess is None:
        return False
    truth = right_guess(rate)
    (st.success if guess == truth else st.info)(f"You said *{guess}*; it is **{truth}**: {rate}.")
    return True
