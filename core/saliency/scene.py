"""What the scrubber shows of the gradient along an attack, on the page and without it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from core import worlds
from core.attacks.recording import side_by_side
from core.attacks.steps import step_axis
from core.files.playable import Scene, scrubbing
from core.files.render import Frames
from core.files.trajectory import Axis, Row
from core.models.titles import stamped, title, titles
from core.problems import InputError
from core.saliency import measures, planted, rows
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import Along, along
from core.words import size, verdicts

CAPTIONS = ("gradient at step 0", "what changed in it")
CLAIM = (
    "The gradient towards the picture's class at each step of an attack: what it points to, and how it changes on the"
    " way."
)


def paint(recipe: SaliencyRecipe, made: Along) -> Frames:
    """Paint the gradient at the clean picture, then at each frame, on the recipe's scale (1 + F, H, W, 3)."""
    gradients = torch.cat([made.clean, made.gradients])
    x = torch.cat([made.trajectory.x, made.trajectory.x_adv])
    return rows.paint(recipe, gradients, x, rows.frame_limits(recipe, gradients))


def columns(recipe: SaliencyRecipe, found: Mapping[str, Along], painted: Mapping[str, Frames]) -> list[Row]:
    """Build each model's column of the scrubber from what `paint` made."""
    return [
        _column(head, name, made, painted[name], recipe)
        for head, (name, made) in zip(titles(*found), found.items(), strict=True)
    ]


def _column(head: str, name: str, made: Along, painted: Frames, recipe: SaliencyRecipe) -> Row:
    """Build a model's column of the scrubber from what `paint` made."""
    t, classes = made.trajectory, worlds.of(recipe).classes
    norms = made.gradients.flatten(1).norm(dim=1)
    first = measures.cosine(made.gradients, made.clean.expand_as(made.gradients))
    said = verdicts(t.logits, classes)
    sizes = tuple(size(float(n), recipe.norm) for n in t.norm)
    return Row(
        title=head,
        subtitle=title(name),
        frames=painted[1:],
        reference=painted[0],
        classes=classes,
        probabilities=t.probabilities,
        truth=t.y,
        curve=tuple(norms.tolist()),
        curve_name="gradient norm",
        readouts=(
            ("‖δ‖ measured", sizes),
            ("gradient norm", tuple(f"{float(n):.3g}" for n in norms)),
            ("cosine with step 0", tuple(f"{float(c):+.2f}" for c in first)),
            *planted.readouts(made.gradients, recipe.picture),
        ),
        flags=tuple("fooled" if s else None for s in t.success.tolist()),
        threshold=t.threshold,
        alt=tuple(
            f"{head}, step {i}: gradient towards {classes[t.y]}, norm {float(n):.3g}; prediction {verdict}."
            for i, n, verdict in zip(made.steps, norms, said, strict=True)
        ),
    )


def axis(recipe: SaliencyRecipe, found: Mapping[str, Along]) -> Axis:
    """Describe what the slider moves along."""
    attack = recipe.attack
    where = f"of PGD, ε = {attack.eps_labels[attack.at_index]} in {'ℓ₂' if recipe.norm == 'L2' else 'ℓ∞'}"
    return step_axis(*found.values(), unit=where)


def played(recipe: SaliencyRecipe, shown: Sequence[Row], along_what: Axis, names: Sequence[str]) -> Scene:
    """Make a playable page of the columns of these models."""
    return scrubbing(
        shown,
        along_what,
        frame=recipe.frame,
        gain=1,
        captions=CAPTIONS,
        title="Saliency",
        claim=CLAIM,
        models=stamped(*names),
    )


def scene(recipe: SaliencyRecipe) -> Scene:
    """Compute the recipe's view as the page does.

    Raises:
        core.problems.InputError: If it is not the view of an attack.
    """
    if recipe.view != "attack":
        raise InputError(f"this command plays the view attack of a SaliencyRecipe, not {recipe.view}")
    recipe = replace(recipe, picture=recipe.picture or worlds.first_picture(worlds.of(recipe)))
    names = rows.names_of(recipe)
    made = dict(zip(names, side_by_side(*(along(recipe, name) for name in names)), strict=True))
    shown = columns(recipe, made, {name: paint(recipe, one) for name, one in made.items()})
    return played(recipe, shown, axis(recipe, made), names)
