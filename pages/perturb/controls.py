"""The controls of Perturb, and the recipe they make."""

import streamlit as st

from core import worlds
from core.attacks.rules import SCHEDULES
from core.perturb.recipe import PerturbRecipe
from pages.ui.address import choose
from pages.ui.model_box import model_box
from pages.ui.world import current, pair

TARGETS = {"any": "any other class", "second": "the second most likely", "least": "the least likely"}


def controls() -> PerturbRecipe:
    """Show the controls and return the recipe they make (without picture and frame)."""
    world, defaults = current(), opening()
    with st.container(horizontal=True):
        # The options are the words of the recipe, because they are also what stands in the address.
        norm = st.segmented_control(
            "Norm", list(world.reaches), default=defaults.norm, key="norm", bind="query-params", required=True
        )
        attack = st.segmented_control(
            "Attack", ["PGD", "FGSM"], default=defaults.attack, key="attack", bind="query-params", required=True
        )
        axis = choose(
            "Slider",
            {"eps": "Size ε", "steps": "Steps of the attack"},
            key="axis",
            default=defaults.axis,
            help="Sweep the size of change ε, or follow the attack step by step at one ε.",
        )
    reach = st.select_slider(
        "Largest ε",
        list(world.reaches[norm]),
        value=world.reach[norm],
        key="reach",
        bind="query-params",
        help="Linf counts grey levels of 255; L2 is in pixel units of [0, 1].",
    )
    target = choose(
        "Make the models predict",
        {**TARGETS, **{name: name for name in world.classes}},
        key="target",
        default=defaults.target,
        listed=True,
        help="Any other class (untargeted), the second most likely, the least likely, or one class.",
    )
    steps = st.slider("Steps", 1, 100, defaults.steps, key="steps", bind="query-params", disabled=attack == "FGSM")
    with st.expander("More"):
        labels = PerturbRecipe(norm=norm, reach=reach, world=world.name).eps_labels
        at = st.select_slider(
            "ε of the steps view",
            labels,
            value=labels[defaults.at_index],
            key="at",
            bind="query-params",
            disabled=axis == "eps",
        )
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
            default=defaults.schedule,
            disabled=attack == "FGSM",
            help=(
                "Cosine: from ε down to nearly nothing, which needs fewer steps. Constant is the paper's way (appendix "
                "C.3)."
            ),
        )
        precision = choose(
            "Gradients in",
            {"auto": "What is fast here", "fp32": "float32"},
            key="precision",
            default=defaults.precision,
            help="bfloat16 where this machine is fast at it. Predictions are always made in float32.",
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params")
        left = model_box("Left model", defaults.standard, "standard")
        right = model_box("Right model", pair().robust or left, "robust")
    return PerturbRecipe(
        standard=left,
        robust=right,
        norm=norm,
        reach="" if reach == world.reach[norm] else reach,
        attack=attack,
        steps=int(steps),
        target=target,
        random_start=start,
        axis=axis,
        at="" if at == labels[defaults.at_index] else at,
        seed=int(seed),
        schedule=schedule,
        precision=precision,
        world=world.name,
    )


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
