"""The controls of Perturb, and the recipe they make."""

from typing import Any

import streamlit as st

from core import worlds
from core.attacks.rules import SCHEDULES
from core.perturb.recipe import PerturbRecipe
from pages.ui.address import choose, same
from pages.ui.model_box import model_box
from pages.ui.world import current, pair

TARGETS = {"any": "any other class", "second": "the second most likely", "least": "the least likely"}


def controls() -> PerturbRecipe:
    """Show the controls and return the recipe they make (without picture and frame)."""
    world, first = current(), opening()
    found = kind_of_attack(first)
    norm = found["norm"]
    reach = st.select_slider(
        "Largest ε",
        list(world.reaches[norm]),
        value=world.reach[norm],
        key="reach",
        bind="query-params",
        help="Linf counts grey levels of 255; L2 is in pixel units of [0, 1].",
    )
    found["reach"] = "" if reach == world.reach[norm] else reach
    found["target"] = choose(
        "Make the models predict",
        {**TARGETS, **{name: name for name in world.classes}},
        key="target",
        default=first.target,
        listed=True,
        help="Any other class (untargeted), the second most likely, the least likely, or one class.",
    )
    single = found["attack"] == "FGSM"
    steps = st.slider("Steps", 1, 100, first.steps, key="steps", bind="query-params", disabled=single)
    with st.expander("More"):
        blank = PerturbRecipe(norm=norm, reach=reach, world=world.name)
        found["at"] = radius_of_steps(blank, disabled=found["axis"] == "eps")
        found |= more(first, single=single)
        found["standard"] = left = model_box("Left model", first.standard, "standard")
        found["robust"] = model_box("Right model", pair().robust or left, "robust")
    return PerturbRecipe(steps=int(steps), world=world.name, **found)


def kind_of_attack(first: PerturbRecipe) -> dict[str, Any]:
    """Show which attack it is, and what the slider of the view moves along."""
    with st.container(horizontal=True):
        # The options are the words of the recipe, because they are also what stands in the address.
        norm = choose("Norm", same(current().reaches), key="norm", default=first.norm)
        attack = choose("Attack", same(["PGD", "FGSM"]), key="attack", default=first.attack)
        axis = choose(
            "Slider",
            {"eps": "Size ε", "steps": "Steps of the attack"},
            key="axis",
            default=first.axis,
            help="Sweep the size of change ε, or follow the attack step by step at one ε.",
        )
    return {"norm": norm, "attack": attack, "axis": axis}


def radius_of_steps(blank: PerturbRecipe, *, disabled: bool) -> str:
    """Show the choice of the radius whose iterates are shown; "" is the usual one."""
    labels, usual = blank.eps_labels, blank.eps_labels[blank.at_index]
    at = st.select_slider("ε of the steps view", labels, value=usual, key="at", bind="query-params", disabled=disabled)
    return "" if at == usual else at


def more(first: PerturbRecipe, *, single: bool) -> dict[str, Any]:
    """Show what is seldom changed of an attack, which may be of a single step."""
    start = st.toggle(
        "Random start",
        key="random_start",
        bind="query-params",
        help="Start at a uniform draw from the ball. Off is the paper's way (appendix C.3).",
    )
    schedule = choose(
        "Step lengths",
        {name: name.capitalize() for name in SCHEDULES},
        key="schedule",
        default=first.schedule,
        disabled=single,
        help=(
            "Cosine: from ε down to nearly nothing, which needs fewer steps. Constant is the paper's way (appendix "
            "C.3)."
        ),
    )
    precision = choose(
        "Gradients in",
        {"auto": "What is fast here", "fp32": "float32"},
        key="precision",
        default=first.precision,
        help="bfloat16 where this machine is fast at it. Predictions are always made in float32.",
    )
    seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params")
    return {"random_start": start, "schedule": schedule, "precision": precision, "seed": int(seed)}


def opening() -> PerturbRecipe:
    """Return the recipe with which this world opens; without a robust model both columns are of one."""
    world, here = current(), pair()
    return PerturbRecipe(
        standard=here.standard,
        robust=here.right,
        norm=world.norm,
        target=world.target,
        steps=world.steps,
        world=world.name,
    )


def defaults() -> dict[str, object]:
    """Return what each control shows before anybody has touched it, by the widget's key."""
    recipe = opening()
    return {
        "picture": worlds.first_picture(current()),
        "standard": recipe.standard,
        "robust": recipe.robust,
        "norm": recipe.norm,
        "reach": current().reach[recipe.norm],
        "attack": recipe.attack,
        "axis": recipe.axis,
        "target": recipe.target,
        "steps": recipe.steps,
        "random_start": recipe.random_start,
        "seed": recipe.seed,
        "schedule": recipe.schedule,
        "precision": recipe.precision,
        "at": recipe.eps_labels[recipe.at_index],
        "view": recipe.view,
    }
