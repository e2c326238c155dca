"""Ways to train a robust network that are compared at equal cost: each is the baseline with something changed.

    recipe("awp", width=16)             # the TrainRecipe, but for its epochs

`python -m core.train.speedrun` gives each the same minutes and writes what came out to assets/results/speedrun.json.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.problems import InputError
from core.train.recipes import InnerAttack, TrainRecipe

EPS = 0.5  # L2, pixel units


@dataclass(frozen=True)
class Variation:
    """What differs from the baseline, and who proposed it.

    Args:
        title: For people.
        source: Where it comes from.
        changes: Fields of the training recipe.
        inner: Fields of its adversary.
    """

    title: str
    source: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    inner: Mapping[str, Any] = field(default_factory=dict)


VARIATIONS = {
    "baseline": Variation("one step, averaged weights", "Wong, Rice & Kolter (2020)"),
    "no-ema": Variation("without averaged weights", "the baseline without Izmailov et al. (2018)", {"ema": 0.0}),
    "eval-inner": Variation("batch norm still inside the attack", "as in TRADES' code", inner={"eval_mode": True}),
    "two-steps": Variation("two inner steps", "Madry et al. (2018)", inner={"steps": 2, "step_size": 0.3}),
    "awp": Variation("weights perturbed, too", "Wu, Xia & Wang (2020), γ = 0.01", {"awp": 0.01}),
    "trades": Variation("TRADES", "Zhang et al. (2019), β = 6", {"trades": 6.0}),
    "smoothing": Variation("labels smoothed by 0.1", "Szegedy et al. (2016)", {"label_smoothing": 0.1}),
    "less-decay": Variation("weight decay 1e-4", "a fifth of the baseline's", {"weight_decay": 1e-4}),
    "more-decay": Variation("weight decay 1e-3", "twice the baseline's", {"weight_decay": 1e-3}),
}


def recipe(name: str, *, width: int, seed: int = 0) -> TrainRecipe:
    """Return the training recipe of a variation, but for its epochs.

    Args:
        name: A key of `VARIATIONS`.
        width: Channels of the first block of the ResNet-9.
        seed: Of all draws.

    Raises:
        InputError: If there is no such variation.
    """
    if name not in VARIATIONS:
        raise InputError(f"there is no recipe {name!r}; these are: {', '.join(VARIATIONS)}")
    one = VARIATIONS[name]
    inner = replace(InnerAttack("L2", EPS, 1, EPS), **one.inner)
    base = TrainRecipe(arch="resnet9", args={"width": width}, lr=0.2, inner=inner, seed=seed)
    return replace(base, **one.changes)
