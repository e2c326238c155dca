"""Perturb: drag epsilon and watch what each model says."""

from dataclasses import replace
from functools import partial

import streamlit as st
import torch

from core import perturb, worlds
from core.attacks.rules import SCHEDULES
from core.models import checkpoints
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe
from pages.perturb.columns import axis_of, called, columns
from pages.perturb.exports import files, still_fools
from pages.perturb.work import Job
from pages.ui import shell, work
from pages.ui.address import choose
from pages.ui.duel import STUDENTS
from pages.ui.exports import downloads
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.scrubber import Axis, Row, frame_in_sight, scrubber, write_frame
from pages.ui.store import lesson, model
from pages.ui.words import size
from pages.ui.world import current, pair

PRESETS = [
    shell.Preset(
        "A frog, or a truck?",
        "Drag ε from 0. On the left the standard model says *truck* long before you can see any change. On the right, the"
        " same attack on the robust model needs many times as much.",
        {"target": "truck"},
        {"frame": "0"},
    ),
    shell.Preset(
        "The robust model changes the picture instead",
        "With a larger budget the robust model gives in as well. Look at its picture, and hold *D* for the difference: to"
        " fool it, the attack had to draw something that you can see.",
        {"reach": "5", "target": "truck", "steps": 40},
        {"frame": "11"},
    ),
    shell.Preset(
        "Noise does nothing",
        "The third picture carries random noise of exactly the same size. It is as visible as the attack, and the model"
        " does not mind: what fools it is the direction, not the size.",
        {"norm": "Linf", "reach": "20/255"},
    ),
    shell.Preset(
        "Step by step",
        "One fixed ε, and the slider is now the attack's own steps: how few of them does the standard model survive?",
        {"axis": "steps"},
        {"frame": "0"},
    ),
    shell.Preset(
        "Two students",
        "Both learnt in the ordinary way; only their pictures differ. The left one saw pictures with the brittle features"
        " alone, the right one pictures with the robust ones alone. See at which ε each of them gives in.",
        dict(STUDENTS),
        {"frame": "0"},
    ),
]
OPENING = shell.Preset(
    "The paper's opening picture",
    "The paper opens with a pig that a network takes for an airliner; here it is a cat. Drag ε from 0 to 2/255: no pixel moves"
    " by more than two of 255 grey levels.",
    {"picture": "photo-224/chelsea", "norm": "Linf", "reach": "2/255", "target": "airliner", "steps": 30},
    {"frame": "20"},
)
HERE = {  # what each world tries first; presets of other worlds name models and classes that this one has not
    "cifar10": PRESETS,
    "imagenet": [
        OPENING,
        shell.Preset(
            "Any other answer",
            "Nobody asks for a class now; the attack takes whichever comes first. How much less does it need?",
            {"target": "any", "norm": "L2", "reach": "1"},
            {"frame": "0"},
        ),
        *(replace(preset, values={**preset.values, "reach": "8/255"}) for preset in PRESETS[2:3]),
        PRESETS[3],
    ],
}
TARGETS = {"any": "any other class", "second": "the second most likely", "least": "the least likely"}
FIRST_FRAME = PerturbRecipe().frame


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
            help="Cosine: from ε down to nearly nothing, which needs fewer steps. Constant is the paper's way (appendix "
            "C.3).",
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


def absent() -> set[str]:
    """Return the models of the presets whose weights are not here."""
    return set(STUDENTS.values()) - set(checkpoints.names())


def shown_of(job: Job, rows: list[Row]) -> list[Row]:
    """Leave out the second column where both are of one model, and do not call true what only the model says."""
    if len(job.names) == 1:
        rows = [replace(row, readouts=row.readouts[:1]) for row in (rows[0], rows[-1])]
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
                "The gradient vanished at some step: the attack had nothing to follow, so do not read this as robustness."
            )


def _said(recipe: PerturbRecipe, name: str, x: torch.Tensor) -> str:
    with torch.no_grad():
        return worlds.of(recipe).classes[int(model(name)(x).argmax())]


def predict_first(recipe: PerturbRecipe, left: Trajectory, right: Trajectory, axis: Axis) -> bool:
    """Ask before showing; return whether the answer may be shown."""
    if not st.session_state.get("predict"):
        return True
    st.markdown("**Predict:** which model gives in first, and will you see why?")
    names = called(recipe)
    guess = st.radio(
        "Your prediction", [*dict.fromkeys(names), "both at the same ε", "neither"],
        index=None, horizontal=True, key="guess", label_visibility="collapsed",
    )  # fmt: skip
    if guess is None:
        st.caption("Choose, and the slider appears.")
        return False
    at = [t.threshold if t.threshold is not None else 10**6 for t in (left, right)]
    truth = (
        "neither" if min(at) == 10**6
        else "both at the same ε" if at[0] == at[1]
        else names[0] if at[0] < at[1] else names[1]
    )  # fmt: skip
    where = [axis.labels[t] if t < len(axis.labels) else "not within the slider" for t in at]
    st.success(f"You said *{guess}*; it is **{truth}**. {names[0]}: {where[0]}. {names[1]}: {where[1]}.")
    return True


shell.header(
    "Perturb",
    "A change too small to see makes a standard model see something else. To fool a robust model, the picture itself has to change.",
    needs="",
    alone="A change too small to see makes a network see something else.",
)
recipe = opening()
shell.presets(
    [preset for preset in HERE.get(current().name, PRESETS[2:4]) if set(preset.values.values()).isdisjoint(absent())],
    key="perturb",
    defaults={
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
    },
    address={"frame": "", "look": "", "gain": ""},
)
if not checkpoints.names(world=current().name):
    st.warning("There are no trained models in checkpoints/. Make them with: make zoo")
    st.stop()
if not pair().robust:
    st.caption(current().robust_how)
stage = st.container()
# The bar and Stop: a click on Stop takes them away before anything else is drawn; between two parts they stay.
working = st.empty() if st.session_state.get("stop") else st.container()
below = st.container()
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    recipe = replace(controls(), picture=picture.id)
    st.toggle("Predict first", key="predict", bind="query-params", help="Ask the room before showing the answer.")
frame = frame_in_sight("perturb-scrubber", FIRST_FRAME)
with shell.user_errors():
    job = Job(recipe, picture)
    left, right = job.known(recipe.standard), job.known(recipe.robust)
    if left is None or right is None:
        if work.is_stopped(job.group):
            with stage:
                work.say_stopped("Stopped before there was anything to show.", "Compute")
            st.stop()
        with working:
            job.more()
        st.rerun()
frames = min(len(left.x_adv), len(right.x_adv))
axis = axis_of(recipe, frames)
rows = shown_of(job, columns(job, left, right, axis))
with stage:
    shown = predict_first(recipe, left, right, axis)
    at = scrubber(rows, axis, key="perturb-scrubber", frame=frame, report=True) if shown else None
if shown:
    at = frame if at is None else at
    write_frame("perturb-scrubber", at, FIRST_FRAME)
    recipe_in_sight = replace(recipe, frame=at)
    with working, shell.user_errors():
        unfinished = job.more()
    if unfinished:
        st.rerun()
    with below:
        if not job.complete:
            work.say_stopped(f"Stopped after {frames} of {axis.total} frames; what was computed is kept.")
        summary(job, left, right)
        still_fools(recipe_in_sight, left, right)
        downloads(files(recipe_in_sight, rows, left, right), key="perturb", script=perturb.script(recipe_in_sight))
with below:
    shell.glossary("perturb", ["useful", "robustly useful", "useful, non-robust", "ε", "PGD"])
    with st.expander("The mathematics"):
        st.markdown(lesson("perturb")["mathematics"])
