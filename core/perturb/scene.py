"""What the scrubber shows of an attack: three columns with their numbers and verdicts, on the page and without it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import worlds
from core.data import pictures
from core.data.planted.marks import Marks
from core.files.playable import Scene, scrubbing
from core.files.render import to_uint8
from core.files.trajectory import Axis, Row
from core.models import ready
from core.models.titles import stamped, title, titles
from core.perturb import planted
from core.perturb.recipe import PerturbRecipe
from core.perturb.trajectory import Trajectory
from core.perturb.views import attack, noise
from core.types import Images
from core.words import size, verdicts

CLAIM = (
    "A change too small to see makes a standard model see something else. To fool a robust model, the picture itself"
    " has to change."
)


@dataclass(frozen=True)
class Others:
    """What was not attacked and is shown beside it.

    Args:
        control: Noise as large as the left model's attack, as the left model sees it.
        right_logits: The right model's logits of the left model's frames (F, K).
        left_logits: The left model's logits of the right model's frames (F, K).
        noise_by_right: The right model's logits of the noise (F, K).
        planted: What was planted in the picture, where that is known.
        weave: The planted weave itself, as large as the left model's attack, as the left model sees it; with `planted`.
        weave_by_right: The right model's logits of it (F, K); with `planted`.
    """

    control: Trajectory
    right_logits: Tensor
    left_logits: Tensor
    noise_by_right: Tensor
    planted: Marks | None = None
    weave: Trajectory | None = None
    weave_by_right: Tensor | None = None


def others(recipe: PerturbRecipe, left: Trajectory, right: Trajectory, models: tuple[nn.Module, nn.Module]) -> Others:
    """Draw the noise control, and ask each model about what was made for the other.

    Args:
        recipe: What was attacked.
        left: The attack on the left model.
        right: The attack on the right model, as many frames.
        models: Both, prepared by `core.models.ready`.
    """
    standard, robust = models
    noisy, known = noise(recipe, recipe.standard, left, model=standard), planted.here(recipe, left)
    woven = None if known is None else planted.weave(recipe, left, known, standard)
    return Others(
        noisy,
        _asked(robust, left.x_adv, right),
        _asked(standard, right.x_adv, left),
        _asked(robust, noisy.x_adv, right),
        known,
        woven,
        None if woven is None else ready.asked(robust, woven.x_adv),
    )


def _asked(model: nn.Module, x: Images, own: Trajectory) -> Tensor:
    """Return what a model says of pictures; of those it was attacked with it has said so already, as of the first."""
    return own.logits if torch.equal(x, own.x_adv) else ready.asked(model, x)


def axis(recipe: PerturbRecipe, frames: int) -> Axis:
    """Describe what the slider moves along, of which so many frames are there."""
    if recipe.axis == "steps":
        shown = recipe.iterates
        unit = f"at ε = {recipe.eps_labels[recipe.at_index]}"
        if len(shown) > 2 and shown[1] > 1:
            unit += f", one in {shown[1]} shown"
        there = shown[:frames]
        return Axis("step", tuple(map(float, there)), tuple(map(str, there)), unit, len(shown))
    unit = "ℓ₂, pixels in [0, 1]" if recipe.norm == "L2" else "ℓ∞, grey levels of 255"
    return Axis("ε", recipe.eps_values[:frames], recipe.eps_labels[:frames], unit, len(recipe.eps_values))


def called(recipe: PerturbRecipe) -> tuple[str, str]:
    """Return what the left and the right model are called; both have a name of their own even if they are one model."""
    names = titles(*dict.fromkeys((recipe.standard, recipe.robust)))
    return names[0], names[-1]


def rows(
    recipe: PerturbRecipe, left: Trajectory, right: Trajectory, along: Axis, beside: Others | None = None
) -> list[Row]:
    """Build the columns: left model, right model and, where given, the controls as the left model sees them."""
    names = called(recipe)
    classes = worlds.of(recipe).classes

    def make(head: str, found: Trajectory, subtitle: str, *other: tuple[str, Tensor]) -> Row:
        return row(head, found, subtitle=subtitle, norm=recipe.norm, axis=along.labels, classes=classes, others=other)

    whole = title(recipe.standard), title(recipe.robust)
    if beside is None:
        return [make(n, found, long) for n, found, long in zip(names, (left, right), whole, strict=True)]
    says = [f"{name} predicts" for name in names]
    same = f"of the same size, as {names[0]} sees it"
    made = [
        make(names[0], left, whole[0], (says[1], beside.right_logits)),
        make(names[1], right, whole[1], (says[0], beside.left_logits)),
        replace(make("Random noise", beside.control, same, (says[1], beside.noise_by_right)), minor=True),
    ]
    known, woven, by_right = beside.planted, beside.weave, beside.weave_by_right
    if known is None or woven is None or by_right is None:
        return made
    fools = tuple("fools" if flag == "fooled" else flag for flag in make("", woven, "").flags)
    weave_of = make(f"The weave of {classes[known.other]}", woven, same, (says[1], by_right))
    made.append(replace(weave_of, minor=True, flags=fools))
    return [planted.marked(one, known) for one in made]


def scene(recipe: PerturbRecipe) -> Scene:
    """Compute the recipe's view as the page does."""
    names = (recipe.standard, recipe.robust)
    models = (ready.load(recipe.standard), ready.load(recipe.robust))
    picture = pictures.get(recipe.picture or worlds.first_picture(worlds.of(recipe)))
    left, right = (attack(recipe, n, picture=picture, model=m) for n, m in zip(names, models, strict=True))
    along = axis(recipe, len(left.x_adv))
    return played(recipe, rows(recipe, left, right, along, others(recipe, left, right, models)))


def played(recipe: PerturbRecipe, columns: Sequence[Row]) -> Scene:
    """Make a playable page of the columns."""
    along = axis(recipe, min(len(one.frames) for one in columns))
    models = stamped(recipe.standard, recipe.robust)
    return scrubbing(columns, along, frame=recipe.frame, title="Perturb", claim=CLAIM, models=models)


def row(
    title: str,
    found: Trajectory,
    *,
    subtitle: str,
    norm: str,
    axis: Sequence[str],
    classes: tuple[str, ...],
    others: Sequence[tuple[str, Tensor]] = (),
    flag: str = "fooled",
) -> Row:
    """Build a scrubber row from a trajectory.

    Args:
        title: Name of the column.
        found: The frames.
        subtitle: A muted line below the title.
        norm: "L2" or "Linf".
        axis: The label of each frame, for the alt texts.
        classes: Class names.
        others: Further readouts: a name, and the logits (F, K) behind its verdicts.
        flag: The badge of a successful frame.
    """
    said = verdicts(found.logits, classes)
    sizes = tuple(
        f"{size(float(n), norm)} of {size(float(a), norm)}" for n, a in zip(found.norm, found.allowed, strict=True)
    )
    wrong_at_first = bool(found.logits[0].argmax() != found.y) and float(found.norm[0]) == 0
    badge = "wrong from the start" if wrong_at_first else flag
    return Row(
        title=title,
        subtitle=subtitle,
        frames=to_uint8(found.x_adv),
        reference=to_uint8(found.x)[0],
        delta=found.x_adv - found.x,
        classes=classes,
        probabilities=found.probabilities,
        truth=found.y,
        target=found.target,
        curve=tuple(found.probabilities[:, found.y].tolist()),
        curve_name=f"probability of “{classes[found.y]}”",
        readouts=(
            ("‖δ‖ measured", sizes),
            *((name, verdicts(logits, classes)) for name, logits in others),
        ),
        flags=tuple(badge if s else None for s in found.success.tolist()),
        threshold=found.threshold,
        alt=tuple(
            f"{title}: {classes[found.y]} at {where}; the model says {verdict}; measured size {measured}."
            for where, verdict, measured in zip(axis, said, sizes, strict=True)
        ),
    )
