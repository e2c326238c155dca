"""How a shard of a constructed set is made: one call of the one loop."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from core.attacks import OnStep, descend, pgd, rules
from core.attacks.balls import L2
from core.attacks.objectives import Objective, autocast, targeted
from core.data.sets import Pictures
from core.datasets.construct.recipes import INVERTED, ConstructRecipe, Draws
from core.files.render import to_uint8
from core.inversion.invert import UNLIMITED, noise_start, relative_distance, representation
from core.models import Classifier
from core.types import Images, Labels

BATCH = 125  # images a step


@dataclass(frozen=True)
class Shard:
    """Some rows of a constructed set, as 8-bit pictures, and what was measured of exactly those.

    Args:
        images: uint8 (M, H, W, 3).
        delta: L2 distance from the original picture (M,), pixel units.
        success: Whether the source model says the new label (M,); for kind "leak" nobody was asked, all False.
        distance: Relative distance of the representation from the wanted one (M,); zero where none was wanted.
    """

    images: torch.Tensor
    delta: torch.Tensor
    success: torch.Tensor
    distance: torch.Tensor


def make(recipe: ConstructRecipe, model: Classifier | None, pictures: Pictures, draws: Draws, rows: range) -> Shard:
    """Construct those rows.

    Args:
        recipe: What to construct.
        model: The source, in eval mode; None for kind "leak".
        pictures: The original pictures, at least as many as the recipe's n.
        draws: See `core.datasets.construct.recipes.draw`.
        rows: Which.
    """
    parts = [_batch(recipe, model, pictures, draws, rows[i : i + BATCH]) for i in range(0, len(rows), BATCH)]
    return Shard(*(torch.cat([getattr(part, name) for part in parts]) for name in Shard.__dataclass_fields__))


def _batch(recipe: ConstructRecipe, model: Classifier | None, pictures: Pictures, draws: Draws, rows: range) -> Shard:
    here = next(model.parameters()).device if model is not None else torch.device("cpu")
    x = pictures.x(rows).to(here, memory_format=torch.channels_last)
    y, labels = pictures.y(rows).to(here), draws.labels[list(rows)].to(here)
    if model is None:
        made = planted(x, y, labels, recipe.eps, recipe.seed, len(pictures.classes))
    elif recipe.kind in INVERTED:
        x0 = (
            noise(recipe, rows, x.shape[1:])
            if recipe.start == "noise"
            else pictures.x(draws.partners[list(rows)].tolist())
        )
        made = inverted(recipe, model, x, x0)
    else:
        made = perturbed(recipe, model, x, labels, _generator(recipe, rows.start))
    images = to_uint8(made)
    again = torch.from_numpy(images).permute(0, 3, 1, 2).float().div(255).to(here, memory_format=torch.channels_last)
    nothing = torch.zeros(len(x))
    success, distance = nothing.bool(), nothing
    if model is not None:
        with torch.no_grad():
            success = (model(again).argmax(1) == labels).cpu()
            if recipe.kind in INVERTED:
                distance = relative_distance(model, representation(model, x))(again).cpu()
    return Shard(torch.from_numpy(images), (again - x).flatten(1).norm(dim=1).cpu(), success, distance)


def perturbed(
    recipe: ConstructRecipe,
    model: nn.Module,
    x: Images,
    t: Labels,
    generator: torch.Generator,
    *,
    on_step: OnStep | None = None,
) -> Images:
    """Perturb toward the targets within the L2 ball: x_adv (N, C, H, W).

    Source: Ilyas et al. (2019), section 3.2 and appendix C.5 (L2, eps 0.5, 100 steps of 0.1).
    """
    goal = targeted(model, t)
    if recipe.shifts:
        goal = shifted(goal, generator)
    return pgd(
        autocast(goal, recipe.precision),
        x,
        L2(recipe.eps),
        steps=recipe.steps,
        step_size=recipe.step_size,
        on_step=on_step,
    )


def inverted(
    recipe: ConstructRecipe, model: Classifier, x: Images, x0: Images, *, on_step: OnStep | None = None
) -> Images:
    """Move x0 until the model represents it as it represents x: (N, C, H, W), no ball, only the box.

    Source: Ilyas et al. (2019), section 3.1 and appendix C.4 (1000 steps of 0.1).
    """
    x0 = x0.to(x.device, memory_format=torch.channels_last)
    goal = autocast(relative_distance(model, representation(model, x)), recipe.precision)
    rule = rules.lbfgs(1.0) if recipe.rule == "lbfgs" else rules.steepest(UNLIMITED, recipe.step_size)
    return descend(goal, x0, UNLIMITED, steps=recipe.steps, rule=rule, best=True, on_step=on_step)


def noise(recipe: ConstructRecipe, rows: range, shape: torch.Size) -> Images:
    """Draw the noise at which the inversion of each row starts; it is the row's own, whatever batch it is in."""
    return torch.cat([noise_start((1, *shape), _generator(recipe, row)) for row in rows])


def _generator(recipe: ConstructRecipe, row: int) -> torch.Generator:
    return torch.Generator().manual_seed(recipe.seed * 1_000_003 + 1 + row)


def planted(x: Images, y: Labels, t: Labels, eps: float, seed: int, classes: int) -> Images:
    """Make the control without adversarial features: x where t == y, elsewhere x plus the noise pattern of class t.

    The patterns are Gaussian, of L2 norm eps, fixed by the seed: they are the same for all pictures of a target, mean
    nothing to any model of natural pictures, and are all that a student can learn from the relabelled pictures.

    Source: Keller Jordan's cifar10-zoo, the leakage-only control.
    """
    patterns = torch.randn(classes, *x.shape[1:], generator=torch.Generator().manual_seed(seed + 1))
    patterns = patterns * (eps / patterns.flatten(1).norm(dim=1))[:, None, None, None]
    noisy = (x + patterns.to(x.device)[t]).clamp(0, 1)
    return torch.where((t == y)[:, None, None, None], x, noisy)


SHIFT = 4  # pixels, as the trainer's augmentation


def shifted(objective: Objective, generator: torch.Generator) -> Objective:
    """Evaluate an objective on the batch shifted (reflected border) and flipped at random, anew at each call."""

    def run(x: Images) -> torch.Tensor:
        down, right = torch.randint(2 * SHIFT + 1, (2,), generator=generator).tolist()
        moved = F.pad(x, [SHIFT] * 4, mode="reflect")[..., down : down + x.shape[2], right : right + x.shape[3]]
        return objective(moved.flip(3) if torch.rand((), generator=generator) < 0.5 else moved)

    return run
