"""The gradient along an attack: the scrubber, with a map at each iterate."""

from dataclasses import replace

import streamlit as st
import torch

from core.attacks.recording import side_by_side
from core.data.pictures import Picture
from core.files.render import Frames
from core.saliency import measures, rows
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import Along
from pages.saliency import work
from pages.saliency.cards import OF_FRAMES, STYLE, legend
from pages.saliency.exports import films
from pages.ui.exports import downloads
from pages.ui.scrubber import Row, frame_in_sight, scrubber, write_frame
from pages.ui.steps import step_axis
from pages.ui.titles import title, titles
from pages.ui.words import size, verdicts
from pages.ui.world import current

KEY = "saliency-scrubber"


def show(recipe: SaliencyRecipe, picture: Picture) -> None:
    """Show the view; the frame in sight goes into the address."""
    alongs = work.alongs(recipe, picture)
    found = dict(zip(alongs, side_by_side(*alongs.values()), strict=True))
    painted = {name: paint(recipe, made) for name, made in found.items()}
    heads = dict(zip(found, titles(*found), strict=True))
    columns = [row_of(heads[name], name, made, painted[name], recipe) for name, made in found.items()]
    axis = step_axis(*found.values(), unit=_where(recipe))
    st.html(STYLE + legend(recipe, OF_FRAMES))
    last = len(axis.values) - 1
    frame = min(frame_in_sight(KEY, recipe.frame), last)
    at = scrubber(
        columns, axis, key=KEY, frame=frame, captions=("gradient at step 0", "what changed in it"), gain=1, report=True
    )
    frame = min(frame if at is None else at, last)
    write_frame(KEY, frame, 0)
    st.caption(
        "In each column: the gradient towards the picture's class at the clean picture, what has changed in it, and the gradient "
        "at this step of the attack. The attack itself moves the picture against the gradient, by ‖δ‖ so far."
    )
    shown = replace(recipe, frame=frame)
    films_of = {name: frames[1:] for name, frames in painted.items()}
    downloads(films(shown, found, films_of), key="saliency-attack", script=rows.script(shown))


def paint(recipe: SaliencyRecipe, made: Along) -> Frames:
    """Paint the gradient at the clean picture, and then the one at each frame, on the recipe's scale (1 + F, H, W, 3)."""
    gradients = torch.cat([made.clean, made.gradients])
    x = torch.cat([made.trajectory.x, made.trajectory.x_adv])
    return rows.paint(recipe, gradients, x, rows.frame_limits(recipe, gradients))


def row_of(head: str, name: str, made: Along, painted: Frames, recipe: SaliencyRecipe) -> Row:
    """Build a model's column of the scrubber from what `paint` made."""
    t = made.trajectory
    norms = made.gradients.flatten(1).norm(dim=1)
    first = measures.cosine(made.gradients, made.clean.expand_as(made.gradients))
    said = verdicts(t.logits, current().classes)
    sizes = tuple(size(float(n), recipe.norm) for n in t.norm)
    return Row(
        title=head,
        subtitle=title(name),
        frames=painted[1:],
        reference=painted[0],
        classes=current().classes,
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
            f"{head}, step {i}: gradient towards {current().classes[t.y]}, norm {float(n):.3g}; prediction {verdict}."
            for i, n, verdict in zip(made.steps, norms, said, strict=True)
        ),
    )


def _where(recipe: SaliencyRecipe) -> str:
    attack = recipe.attack
    return f"of PGD, ε = {attack.eps_labels[attack.at_index]} in {'ℓ₂' if recipe.norm == 'L2' else 'ℓ∞'}"
