"""What Perturb says of its trajectories: how little is enough, and the question that comes first in class."""

from dataclasses import replace
from functools import partial

import streamlit as st
import torch

from core import worlds
from core.models.ready import asked
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe
from core.words import size
from pages.perturb.columns import called, columns
from pages.perturb.work import Job
from pages.ui import work
from pages.ui.guess import predicted
from pages.ui.scrubber import Axis, Row
from pages.ui.store import model


def shown_columns(job: Job, left: Trajectory, right: Trajectory, axis: Axis) -> list[Row]:
    """Build the columns, one where both are of one model, and do not call true what only the model says."""
    rows = columns(job, left, right, axis)
    if len(job.names) == 1:
        rows = [
            replace(row, readouts=tuple(read for read in row.readouts if not read[0].endswith(" predicts")))
            for row in (rows[0], *rows[2:])
        ]
    return rows if job.picture.label is not None else [replace(row, truth_name="its clean answer") for row in rows]


def summary(job: Job, left: Trajectory, right: Trajectory) -> None:
    """Say in one line each how little it takes, and what must be doubted."""
    recipe = job.recipe
    names = called(recipe)
    sides = {recipe.standard: (names[0], left), recipe.robust: (names[1], right)}
    for column, (name, (title, found)) in zip(st.columns(2), sides.items(), strict=False):
        nearest, distance = work.known(job.nearest[name]) or (None, float("inf"))
        at = found.threshold
        if at is not None and float(found.norm[at]) < distance:  # the sweep came closer
            nearest, distance = found.x_adv[at : at + 1], float(found.norm[at])
        if nearest is None:  # stopped before either was found
            continue
        said = job.kept(("nearest", name, distance), 0, partial(_said, recipe, name, nearest))
        if distance == 0:
            text = f"**{title}: wrong without any change.** It says *{said}* of the clean picture."
        elif distance == float("inf"):
            text = f"**{title}: nothing found.** The minimum-norm attack did not succeed."
        else:
            text = (
                f"**{title}: {size(distance, recipe.norm)} is enough** to hear *{said}* "
                f"(smallest change found, ℓ{'₂' if recipe.norm == 'L2' else '∞'})."
            )
        column.markdown(text)
        if found.grad_vanished:
            column.warning(
                "The gradient vanished at some step: the attack had nothing to follow, so do not read this as"
                " robustness."
            )


def _said(recipe: PerturbRecipe, name: str, x: torch.Tensor) -> str:
    return worlds.of(recipe).classes[int(asked(model(name), x).argmax())]


def predict_first(job: Job, left: Trajectory, right: Trajectory, axis: Axis) -> bool:
    """Ask before showing; return whether the answer may be shown."""
    if not st.session_state.get("predict"):
        return True
    names = called(job.recipe)
    options = [*dict.fromkeys(names), "both at the same ε", "neither"]
    question = "which model gives in first, and will you see why?"
    guess = predicted(question, options, about=job.group, then="the slider appears")
    if guess is None:
        return False
    never = len(axis.labels) + 1
    at = [never if t.threshold is None else t.threshold for t in (left, right)]
    first = "both at the same ε" if at[0] == at[1] else names[at.index(min(at))]
    truth = "neither" if min(at) == never else first
    where = [axis.labels[t] if t < len(axis.labels) else "not within the slider" for t in at]
    st.success(f"You said *{guess}*; it is **{truth}**. {names[0]}: {where[0]}. {names[1]}: {where[1]}.")
    return True
