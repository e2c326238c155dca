"""In the world whose features are known: how much of a perturbation lies on what was planted, and the weave itself."""

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from core.data.planted import marks
from core.data.planted.marks import Marks
from core.files.trajectory import Row
from core.perturb.recipe import PerturbRecipe
from core.perturb.trajectory import Trajectory
from core.perturb.views import moved_along


def here(recipe: PerturbRecipe, left: Trajectory) -> Marks | None:
    """Return what was planted in the recipe's picture, and in those of the class that the left model is led to.

    None where this world did not draw the picture.
    """
    if left.target is not None:
        return marks.of(recipe.picture, left.target)
    said = left.logits.argmax(1)
    wrong = said[said != left.y]
    led = int(wrong.mode().values) if len(wrong) else (left.y + 1) % left.logits.shape[1]
    return marks.of(recipe.picture, led)


def weave(recipe: PerturbRecipe, left: Trajectory, planted: Marks, model: nn.Module) -> Trajectory:
    """Exchange the picture's weave for the other class's, as far as the left model's attack went, frame by frame."""
    return moved_along(recipe, planted.rewoven, left, model)


def shares(delta: Tensor, planted: Marks, classes: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Write the shares of perturbations (F, 3, H, W) as readouts: a name, and a text for each frame."""
    names = {
        "weave_other": f"on the weave of {classes[planted.other]}",
        "weave_own": f"on its own weave ({classes[planted.own]})",
        "shapes": "on the two shapes",
    }
    found = {name: marks.share(delta, part(planted)).tolist() for name, part in marks.PARTS.items()}
    still = delta.flatten(1).abs().sum(1) == 0
    return tuple(
        (names[name], tuple("–" if none else marks.fraction(one) for one, none in zip(values, still, strict=True)))
        for name, values in found.items()
    )


def marked(row: Row, planted: Marks) -> Row:
    """Give a column its shares."""
    assert row.delta is not None
    return replace(row, readouts=(*row.readouts, *shares(row.delta, planted, row.classes)))
