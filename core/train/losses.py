"""What a training step minimises, and what its adversary maximises."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import compute
from core.attacks.objectives import Objective, autocast, diverging, untargeted
from core.train.recipes import TrainRecipe
from core.types import Images, Labels, Logits

# A loss that asks for no labels: (recipe, model in training mode, x (N, C, H, W), draws) -> the loss, and which of its
# predictions are right (M,). Its repr tells one from another.
LossFn = Callable[[TrainRecipe, nn.Module, Images, torch.Generator], tuple[Tensor, Tensor]]


def adversary(recipe: TrainRecipe, model: nn.Module, x: Images, y: Labels) -> Objective:
    """Return what the inner attack minimises: log-odds of the label, or with TRADES minus the divergence from f(x)."""
    if not recipe.trades:
        return autocast(untargeted(model, y), recipe.precision)
    with torch.no_grad(), compute.autocast(x.device, recipe.precision):
        said = model(x).float()
    return autocast(diverging(model, said), recipe.precision)


def loss(recipe: TrainRecipe, model: nn.Module, x: Images, x_adv: Images, y: Labels) -> tuple[Tensor, Logits]:
    """Compute the loss of a step, and the logits of what the adversary made.

    Cross-entropy on x_adv (Madry et al. 2018); with TRADES, cross-entropy on x plus `recipe.trades` times the mean
    KL(f(x) || f(x_adv)), through which both are moved (Zhang et al. 2019, arXiv 1901.08573, eq. 5).

    Args:
        recipe: Label smoothing, precision, and the weight of the divergence.
        model: In training mode.
        x: Pictures (N, C, H, W).
        x_adv: What the adversary made of them; x itself in standard training.
        y: Labels (N,).
    """
    with compute.autocast(x.device, recipe.precision):
        attacked = model(x_adv).float()
        plain = model(x).float() if recipe.trades else attacked
    value = F.cross_entropy(plain, y, label_smoothing=recipe.label_smoothing)
    if recipe.trades:
        apart = F.kl_div(attacked.log_softmax(1), plain.log_softmax(1), reduction="batchmean", log_target=True)
        value = value + recipe.trades * apart
    return value, attacked


def minimised(
    recipe: TrainRecipe,
    loss_fn: LossFn | None,
    model: nn.Module,
    x: Images,
    x_adv: Images,
    y: Labels,
    draws: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Compute the loss of a step, and which predictions are right (M,): by `loss_fn`, or see `loss`."""
    if loss_fn is not None:
        return loss_fn(recipe, model, x, draws)
    value, logits = loss(recipe, model, x, x_adv, y)
    return value, logits.argmax(1) == y
