"""What an exercise starts from, before anybody has done anything: its pictures, and what the models say of them."""

from urllib.parse import urlencode

import streamlit as st
from torch import Tensor

from core import worlds
from core.data import pictures
from core.exercises import Exercise, check, handed
from core.inversion.recipe import InvertRecipe
from core.inversion.starts import start_of
from core.models import checkpoints
from core.models.titles import titles
from core.perturb.recipe import PerturbRecipe
from core.recipes import from_query
from core.words import verdicts
from pages.ui import crisp
from pages.ui.escaped import plain
from pages.ui.judge import logits_of

AT_ONCE = {"aligned", "perfect"}  # checks whose verdict on the untouched view takes no time
STYLE = "<style>.crisp.start { grid-template-columns: repeat(auto-fill, minmax(10rem, 11rem)); }</style>"


def models_of(exercise: Exercise) -> tuple[str, ...]:
    """List the models that the view opens with and whose weights are here; none where they are the question."""
    if exercise.choices:
        return ()
    kind: type[InvertRecipe | PerturbRecipe] = InvertRecipe if exercise.page == "frog" else PerturbRecipe
    recipe, _ = from_query(kind, exercise.view)
    return tuple(name for name in (recipe.standard, recipe.robust) if name in checkpoints.names())


def shown(exercise: Exercise) -> list[tuple[str, Tensor]]:
    """Return the pictures (1, C, H, W) that the exercise begins with, each with what it is."""
    chosen = exercise.view.get("picture") or pictures.default_id()
    found = [("what you start from", pictures.get(chosen).x)]
    if exercise.page == "frog":
        recipe, _ = from_query(InvertRecipe, {**exercise.view, "picture": chosen})
        found = [("the wanted picture", found[0][1]), ("where the inversion starts", start_of(recipe)[0])]
    return found


def start(exercise: Exercise) -> None:
    """Show what the exercise starts from; nothing for one that is about features alone.

    Raises:
        core.problems.UserError: If its picture or its models cannot be read.
    """
    if exercise.check in AT_ONCE:
        untouched = f"/{exercise.page}?{urlencode(exercise.view)}"
        st.caption(f"As it opens: {plain(check(exercise, handed(exercise, untouched)).says)}")
    if exercise.page not in ("perturb", "frog", "datasets"):
        return
    names = models_of(exercise)
    called, classes = titles(*names), worlds.get().classes
    figures = []
    for what, x in shown(exercise):
        said = [f"{one}: {verdicts(logits_of(name, x), classes)[0]}" for name, one in zip(names, called, strict=True)]
        figures.append(crisp.figure(x, "; ".join([what, *said]), (what, *said)))
    st.html(f'{crisp.STYLE}{STYLE}<div class="crisp start">{"".join(figures)}</div>')
