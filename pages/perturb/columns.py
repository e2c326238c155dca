"""What stands side by side on the Perturb page, and on the home page: both models, and the noise control."""

from dataclasses import replace

import torch

from core import perturb
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe
from pages.perturb.rows import row
from pages.perturb.work import Job
from pages.ui.scrubber import Axis, Row
from pages.ui.store import model
from pages.ui.titles import title, titles
from pages.ui.world import current


def called(recipe: PerturbRecipe) -> tuple[str, str]:
    """Return what the left and the right model are called; both have a name of their own even if they are one model."""
    names = titles(*dict.fromkeys((recipe.standard, recipe.robust)))
    return names[0], names[-1]


def columns(job: Job, left: Trajectory, right: Trajectory, axis: Axis, *, control: bool = True) -> list[Row]:
    """Build the columns: the left model, the right one, and random noise of the same size as the left one sees it.

    Args:
        job: The page's work.
        left: What is known of the left model's trajectory.
        right: The same of the right one.
        axis: What the slider moves along.
        control: With the noise, and with what each model says of the other's pictures.
    """
    recipe, frames = job.recipe, min(len(left.x_adv), len(right.x_adv))
    left, right = _first(left, frames), _first(right, frames)
    names = called(recipe)
    common = {"norm": recipe.norm, "axis": axis.labels, "classes": current().classes}
    whole = title(recipe.standard), title(recipe.robust)
    if not control:
        return [
            row(name, found, subtitle=long, **common)
            for name, found, long in zip(names, (left, right), whole, strict=True)
        ]

    def look() -> tuple[Trajectory, torch.Tensor, torch.Tensor, torch.Tensor]:
        standard, robust = model(recipe.standard), model(recipe.robust)
        noisy = perturb.noise(recipe, recipe.standard, left, model=standard)
        with torch.no_grad():
            return noisy, robust(left.x_adv), standard(right.x_adv), robust(noisy.x_adv)

    # The noise is drawn from the seed whether or not the attack is.
    noise, seen_by_right, seen_by_left, noise_right = job.kept(("others", recipe.seed), frames, look)
    says = [f"{name} predicts" for name in names]
    return [
        row(names[0], left, subtitle=whole[0], others=[(says[1], seen_by_right)], **common),
        row(names[1], right, subtitle=whole[1], others=[(says[0], seen_by_left)], **common),
        replace(
            row("Random noise", noise, subtitle=f"of the same size, as {names[0]} sees it", others=[(says[1], noise_right)], **common),
            minor=True,
        ),
    ]  # fmt: skip


def axis_of(recipe: PerturbRecipe, frames: int) -> Axis:
    """Describe what the slider moves along."""
    if recipe.axis == "steps":
        total = (1 if recipe.attack == "FGSM" else recipe.steps) + 1
        at = recipe.eps_labels[recipe.at_index]
        return Axis("step", tuple(map(float, range(frames))), tuple(map(str, range(frames))), f"at ε = {at}", total)
    unit = "ℓ₂, pixels in [0, 1]" if recipe.norm == "L2" else "ℓ∞, grey levels of 255"
    return Axis("ε", recipe.eps_values[:frames], recipe.eps_labels[:frames], unit, len(recipe.eps_values))


def _first(found: Trajectory, frames: int) -> Trajectory:
    if len(found.x_adv) == frames:
        return found
    cut = {f: getattr(found, f)[:frames] for f in ("positions", "x_adv", "logits", "norm", "allowed", "success")}
    return replace(found, **cut)
