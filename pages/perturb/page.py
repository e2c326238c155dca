"""Perturb: drag epsilon and watch what each model says."""

from dataclasses import replace
from functools import partial

import streamlit as st
import torch

from core import perturb
from core.attacks.rules import SCHEDULES
from core.data import pictures
from core.models import checkpoints
from core.perturb import Trajectory
from core.perturb.recipe import DEFAULT_REACH, REACHES, PerturbRecipe
from pages.perturb.exports import files, still_fools
from pages.perturb.rows import row
from pages.perturb.work import Job
from pages.ui import shell, work
from pages.ui.exports import downloads
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.scrubber import Axis, Row, frame_in_sight, scrubber, write_frame
from pages.ui.store import lesson, model
from pages.ui.words import size
from pages.ui.world import current

PRESETS = [
    shell.Preset(
        "A frog, or a truck?",
        "Drag ε from 0. On the left the standard model says *truck* long before you can see any change. On the right, the"
        " same attack on the robust model needs many times as much.",
        {"target": "truck"},
    ),
    shell.Preset(
        "The robust model changes the picture instead",
        "With a larger budget the robust model gives in as well. Look at its picture, and at *Difference*: to fool it, the"
        " attack had to draw something that you can see.",
        {"reach": "5", "target": "second", "steps": 40},
    ),
    shell.Preset(
        "Noise does nothing",
        "The third picture carries random noise of exactly the same size. It is as visible as the attack, and the model"
        " does not mind: what fools it is the direction, not the size.",
        {"norm": "Linf", "reach": "20/255"},
    ),
    shell.Preset(
        "Watch it think",
        "One fixed ε, and the slider is now the attack's own steps: how few of them does the standard model survive?",
        {"axis": "steps"},
    ),
]
TARGETS = ("any", "second", "least", *current().classes)
FIRST_FRAME = PerturbRecipe().frame


def controls() -> PerturbRecipe:
    """Show the controls and return the recipe they make (without picture and frame)."""
    defaults = PerturbRecipe()
    with st.container(horizontal=True):
        # The options are the words of the recipe, because they are also what stands in the address.
        norm = st.segmented_control(
            "Norm", list(REACHES), default=defaults.norm, key="norm", bind="query-params", required=True
        )
        attack = st.segmented_control(
            "Attack", ["PGD", "FGSM"], default=defaults.attack, key="attack", bind="query-params", required=True
        )
        axis = st.segmented_control(
            "Slider",
            ["eps", "steps"],
            default=defaults.axis,
            key="axis",
            bind="query-params",
            required=True,
            help="Sweep the size of change ε, or follow the attack step by step at one ε.",
        )
    reach = st.select_slider(
        "Largest ε",
        list(REACHES[norm]),
        value=DEFAULT_REACH[norm],
        key="reach",
        bind="query-params",
        help="Linf counts grey levels of 255; L2 is in pixel units of [0, 1].",
    )
    target = st.selectbox(
        "Make it say",
        TARGETS,
        key="target",
        bind="query-params",
        help="“any” other class (untargeted), the second most likely, the least likely, or one class.",
    )
    steps = st.slider("Steps", 1, 100, defaults.steps, key="steps", bind="query-params", disabled=attack == "FGSM")
    with st.expander("More"):
        labels = PerturbRecipe(norm=norm, reach=reach).eps_labels
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
        schedule = st.segmented_control(
            "Step lengths",
            list(SCHEDULES),
            default=defaults.schedule,
            key="schedule",
            bind="query-params",
            required=True,
            disabled=attack == "FGSM",
            help="Cosine: from ε down to nearly nothing, which needs fewer steps. Constant is the paper's way (appendix "
            "C.3).",
        )
        precision = st.segmented_control(
            "Gradients in",
            ["auto", "fp32"],
            default=defaults.precision,
            key="precision",
            bind="query-params",
            required=True,
            help="“auto” is bfloat16 where this machine is fast at it. What the models say is always float32.",
        )
        seed = st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params")
        left = model_box("Left model", defaults.standard, "standard")
        right = model_box("Right model", defaults.robust, "robust")
    return PerturbRecipe(
        standard=left,
        robust=right,
        norm=norm,
        reach="" if reach == DEFAULT_REACH[norm] else reach,
        attack=attack,
        steps=int(steps),
        target=target,
        random_start=start,
        axis=axis,
        at="" if at == labels[defaults.at_index] else at,
        seed=int(seed),
        schedule=schedule,
        precision=precision,
    )


def rows_of(job: Job, left: Trajectory, right: Trajectory, axis: Axis) -> list[Row]:
    """Build the three columns: standard, robust, and the noise control as the standard model sees it."""
    recipe, frames = job.recipe, min(len(left.x_adv), len(right.x_adv))
    left, right = _first(left, frames), _first(right, frames)
    titles = {name: checkpoints.header(name).title for name in (recipe.standard, recipe.robust)}

    def look() -> tuple[Trajectory, torch.Tensor, torch.Tensor, torch.Tensor]:
        standard, robust = model(recipe.standard), model(recipe.robust)
        noisy = perturb.noise(recipe, recipe.standard, left, model=standard)
        with torch.no_grad():
            return noisy, robust(left.x_adv), standard(right.x_adv), robust(noisy.x_adv)

    # The noise is drawn from the seed whether or not the attack is.
    control, seen_by_robust, seen_by_standard, noise_robust = job.kept(("others", recipe.seed), frames, look)
    common = {"norm": recipe.norm, "axis": axis.labels, "classes": current().classes}
    return [
        row("Standard model", left, subtitle=titles[recipe.standard], others=[("right model says", seen_by_robust)], **common),
        row("Robust model", right, subtitle=titles[recipe.robust], others=[("left model says", seen_by_standard)], **common),
        row("Random noise, same size", control, subtitle="as the left model sees it", others=[("right model says", noise_robust)], **common),
    ]  # fmt: skip


def _first(found: Trajectory, frames: int) -> Trajectory:
    if len(found.x_adv) == frames:
        return found
    cut = {f: getattr(found, f)[:frames] for f in ("positions", "x_adv", "logits", "norm", "allowed", "success")}
    return replace(found, **cut)


def axis_of(recipe: PerturbRecipe, frames: int) -> Axis:
    """Describe what the slider moves along."""
    if recipe.axis == "steps":
        total = (1 if recipe.attack == "FGSM" else recipe.steps) + 1
        at = recipe.eps_labels[recipe.at_index]
        return Axis("step", tuple(map(float, range(frames))), tuple(map(str, range(frames))), f"at ε = {at}", total)
    unit = "ℓ₂, pixels in [0, 1]" if recipe.norm == "L2" else "ℓ∞, grey levels of 255"
    return Axis("ε", recipe.eps_values[:frames], recipe.eps_labels[:frames], unit, len(recipe.eps_values))


def summary(job: Job, left: Trajectory, right: Trajectory) -> None:
    """Say in one line each how little it takes, and what must be doubted."""
    recipe = job.recipe
    sides = (("Left", recipe.standard, left), ("Right", recipe.robust, right))
    for column, (title, name, found) in zip(st.columns(2), sides, strict=True):
        nearest, distance = work.known(job.nearest[name]) or (None, float("inf"))
        at = found.threshold
        if nearest is None and at is None:  # stopped before either was found
            continue
        if at is not None and float(found.norm[at]) < distance:  # the sweep came closer
            nearest, distance = found.x_adv[at : at + 1], float(found.norm[at])
        said = job.kept(("nearest", name, distance), 0, partial(_said, name, nearest))
        if distance == 0:
            text = f"**{title} model: wrong without any change.** It says *{said}* of the clean picture."
        elif distance == float("inf"):
            text = f"**{title} model: nothing found.** The minimum-norm attack did not succeed."
        else:
            text = (
                f"**{title} model: {size(distance, recipe.norm)} is enough** to hear *{said}* "
                f"(smallest change found, ℓ{'₂' if recipe.norm == 'L2' else '∞'})."
            )
        column.markdown(text)
        if found.grad_vanished:
            column.warning(
                "The gradient vanished at some step: the attack had nothing to follow, so do not read this as robustness."
            )


def _said(name: str, x: torch.Tensor) -> str:
    with torch.no_grad():
        return current().classes[int(model(name)(x).argmax())]


def predict_first(left: Trajectory, right: Trajectory, axis: Axis) -> bool:
    """Ask before showing; return whether the answer may be shown."""
    if not st.session_state.get("predict"):
        return True
    st.markdown("**Predict:** which model gives in first, and will you see why?")
    guess = st.radio(
        "Your prediction", ["the standard model", "the robust model", "both at the same ε", "neither"],
        index=None, horizontal=True, key="guess", label_visibility="collapsed",
    )  # fmt: skip
    if guess is None:
        st.caption("Choose, and the slider appears.")
        return False
    at = [t.threshold if t.threshold is not None else 10**6 for t in (left, right)]
    truth = (
        "neither" if min(at) == 10**6
        else "both at the same ε" if at[0] == at[1]
        else "the standard model" if at[0] < at[1] else "the robust model"
    )  # fmt: skip
    where = [axis.labels[t] if t < len(axis.labels) else "not within the slider" for t in at]
    st.success(f"You said *{guess}*; it is **{truth}**. Standard: {where[0]}. Robust: {where[1]}.")
    return True


shell.header(
    "Perturb",
    "A change too small to see makes a standard model see something else. To fool a robust model, the picture itself has to change.",
)
recipe = PerturbRecipe()
shell.presets(
    PRESETS,
    key="perturb",
    defaults={
        "picture": pictures.default_id(),
        "norm": recipe.norm,
        "reach": DEFAULT_REACH[recipe.norm],
        "attack": recipe.attack,
        "axis": recipe.axis,
        "target": recipe.target,
        "steps": recipe.steps,
        "random_start": recipe.random_start,
        "seed": recipe.seed,
        "schedule": recipe.schedule,
        "precision": recipe.precision,
    },
)
if not checkpoints.names():
    st.warning("There are no trained models in checkpoints/. Make them with: make zoo")
    st.stop()
stage = st.container()
# The bar and Stop: a click on Stop takes them away before anything else is drawn; between two parts they stay.
working = st.empty() if st.session_state.get("stop") else st.container()
below = st.container()
with st.sidebar, shell.told():
    picture = pick_picture(key="picture")
    recipe = replace(controls(), picture=picture.id)
    st.toggle("Predict first", key="predict", bind="query-params", help="Ask the room before showing the answer.")
frame = frame_in_sight("perturb-scrubber", FIRST_FRAME)
with shell.told():
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
rows = rows_of(job, left, right, axis)
with stage:
    shown = predict_first(left, right, axis)
    at = scrubber(rows, axis, key="perturb-scrubber", frame=frame, report=True) if shown else None
if shown:
    at = frame if at is None else at
    write_frame("perturb-scrubber", at, FIRST_FRAME)
    recipe_in_sight = replace(recipe, frame=at)
    with working, shell.told():
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
