"""The work of the Perturb page: both models attacked part by part, what is done kept for everybody."""

from collections.abc import Callable

import streamlit as st
import torch

from core import perturb
from core.attacks import OnStep
from core.data.pictures import Picture
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe
from pages.ui import jobs
from pages.ui.store import model, results

CLOSEST_STEPS = 60


def keys(recipe: PerturbRecipe) -> list[tuple[str, int | None]]:
    """List the pieces of work: each model's parts, first parts first."""
    pieces = [None] if recipe.axis == "steps" else list(range(len(perturb.parts(recipe))))
    return [(name, part) for part in pieces for name in dict.fromkeys((recipe.standard, recipe.robust))]


def known(recipe: PerturbRecipe, name: str) -> Trajectory | None:
    """Return what is computed so far of one model's trajectory."""
    parts = [results().get((recipe, n, part)) for n, part in keys(recipe) if n == name]
    ready = []
    for part in parts:
        if part is None:
            break
        ready.append(part)
    return Trajectory.join(ready) if ready else None


def compute_more(recipe: PerturbRecipe, picture: Picture) -> bool:
    """Compute the next part for both models side by side; return whether anything was missing."""
    work = keys(recipe)
    missing = [piece for piece in work if results().get((recipe, *piece)) is None]
    if not missing:
        return False
    now = [piece for piece in missing if piece[1] == missing[0][1]]

    def job(name: str, part: int | None) -> Callable[[OnStep], Trajectory]:
        ready = model(name)  # loaded here: Streamlit's cache wants the script's own thread
        return lambda on_step: perturb.attack(recipe, name, picture=picture, model=ready, part=part, on_step=on_step)

    with st.container(horizontal=True, vertical_alignment="center"):
        done = 1 - len(missing) / len(work)
        st.button("Stop", key="stop", on_click=st.session_state.__setitem__, args=("stopped", recipe), width="content")
        found = jobs.run(
            [job(*piece) for piece in now],
            1 if recipe.attack == "FGSM" else recipe.steps,
            before=done,
            after=done + len(now) / len(work),
            text="Attacking both models…",
        )
    for piece, trajectory in zip(now, found, strict=True):
        results().put((recipe, *piece), trajectory)
    return True


def closest_of(recipe: PerturbRecipe, picture: Picture) -> dict[str, tuple[torch.Tensor, float]]:
    """Return the nearest adversarial picture and its distance for each model, computing what is missing."""
    names = list(dict.fromkeys((recipe.standard, recipe.robust)))
    keys = {name: ("closest", picture.id, name, recipe.norm, recipe.target) for name in names}

    def job(name: str) -> Callable[[OnStep], tuple[torch.Tensor, float]]:
        ready = model(name)
        return lambda on_step: perturb.closest(
            recipe, name, steps=CLOSEST_STEPS, picture=picture, model=ready, on_step=on_step
        )

    missing = [name for name in names if results().get(keys[name]) is None]
    if missing:
        found = jobs.run([job(name) for name in missing], CLOSEST_STEPS, text="How little does it take?")
        for name, result in zip(missing, found, strict=True):
            results().put(keys[name], result)
    return {name: results().get(keys[name]) for name in names}
