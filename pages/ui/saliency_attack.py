"""The gradient along an attack: the scrubber, with a map at each iterate."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core import checkpoints
from core.data import CIFAR10_CLASSES
from core.pictures import Picture
from core.recipes import SaliencyRecipe
from core.saliency import measures, rows
from core.saliency.views import Along
from pages.ui import saliency_work
from pages.ui.exports import downloads
from pages.ui.saliency_cards import OF_FRAMES, STYLE, legend, title_of
from pages.ui.saliency_exports import films
from pages.ui.scrubber import Axis, Row, frame_in_sight, scrubber, write_frame
from pages.ui.trajectories import size, verdicts

KEY = "saliency-scrubber"


def show(recipe: SaliencyRecipe, picture: Picture) -> None:
    """Show the view; the frame in sight goes into the address."""
    found = saliency_work.alongs(recipe, picture)
    painted = {
        name: rows.paint(recipe, made.gradients, made.trajectory.x_adv, rows.frame_limits(recipe, made.gradients))
        for name, made in found.items()
    }
    count = min(map(len, painted.values()))
    columns = [row_of(name, made, painted[name], recipe) for name, made in found.items()]
    axis = Axis("step", tuple(map(float, range(count))), tuple(map(str, range(count))), _where(recipe))
    st.html(STYLE + legend(recipe, OF_FRAMES))
    frame = min(frame_in_sight(KEY, recipe.frame), count - 1)
    at = scrubber(
        columns, axis, key=KEY, frame=frame, captions=("gradient at step 0", "what changed in it"), gain=1, report=True
    )
    frame = min(frame if at is None else at, count - 1)
    write_frame(KEY, frame, 0)
    st.caption(
        "In each column: the gradient towards the picture's class at the clean picture, what has changed in it, and the gradient "
        "at this step of the attack. The attack itself moves the picture against the gradient, by ‖δ‖ so far."
    )
    shown = replace(recipe, frame=frame)
    downloads(films(shown, found, painted), key="saliency-attack", script=rows.script(shown))


def row_of(name: str, made: Along, painted: np.ndarray, recipe: SaliencyRecipe) -> Row:
    """Build a model's column of the scrubber."""
    t = made.trajectory
    word = title_of(name, recipe)
    title = f"{word.capitalize()} model" if word in ("standard", "robust") else word
    norms = made.gradients.flatten(1).norm(dim=1)
    first = measures.cosine(made.gradients, made.gradients[:1].expand_as(made.gradients))
    said = verdicts(t.logits, CIFAR10_CLASSES)
    sizes = tuple(size(float(n), recipe.norm) for n in t.norm)
    return Row(
        title=title,
        subtitle=checkpoints.header(name).title,
        frames=painted,
        reference=painted[0],
        classes=CIFAR10_CLASSES,
        probabilities=t.probabilities,
        truth=t.y,
        curve=tuple(norms.tolist()),
        curve_name="gradient norm",
        readouts=(
            ("‖δ‖ measured", sizes),
            ("gradient norm", tuple(f"{float(n):.3g}" for n in norms)),
            ("cosine with step 0", tuple(f"{float(c):+.2f}" for c in first)),
        ),
        flags=tuple("fooled" if s else None for s in t.success.tolist()),
        threshold=t.threshold,
        alt=tuple(
            f"{title}, step {i}: gradient towards {CIFAR10_CLASSES[t.y]}, norm {float(n):.3g}; "
            f"the model says {verdict}."
            for i, (n, verdict) in enumerate(zip(norms, said, strict=True))
        ),
    )


def _where(recipe: SaliencyRecipe) -> str:
    attack = recipe.attack
    return f"of PGD, ε = {attack.eps_labels[attack.at_index]} in {'ℓ₂' if recipe.norm == 'L2' else 'ℓ∞'}"
