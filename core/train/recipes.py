"""What is trained and how."""

from dataclasses import asdict, dataclass, field
from typing import Any

# Fields that came later: at these values a recipe is what it was without them, and is written as it was then.
LATER = {"awp": 0.0, "trades": 0.0}
LATER_INNER = {"eval_mode": False}


@dataclass(frozen=True)
class InnerAttack:
    """The adversary inside adversarial training.

    Args:
        norm: "L2" or "Linf".
        eps: Radius in pixel units of [0, 1].
        steps: Gradient steps; 1 is fast adversarial training (Wong et al. 2020), 7 the paper's (appendix C.3).
        step_size: Length of a step, pixel units.
        eval_mode: Batch norm uses its running statistics in the attack, and they stay as they are; otherwise those of
            the attack's own batches, which move them.
    """

    norm: str
    eps: float
    steps: int
    step_size: float
    eval_mode: bool = False


@dataclass(frozen=True)
class TrainRecipe:
    """All that decides the weights, besides the pictures.

    Args:
        arch: Key of `core.models.ARCHITECTURES`.
        args: The builder's arguments.
        epochs: Passes over the pictures.
        batch_size: Pictures per step, over all processes together.
        lr: Peak of the one-cycle learning rate.
        warmup: Fraction of all steps in which the rate climbs; then it falls linearly to zero.
        weight_decay: On weights of convolutions and linear layers only.
        label_smoothing: Of the cross-entropy.
        augment: Random 4-pixel shift (reflected border) and horizontal flip.
        ema: Decay per step of the averaged weights that the run returns; 0 returns the last weights.
        inner: The adversary, or None for standard training.
        awp: Size of adversarial weight perturbations, over each layer's norm; 0 is none (`core.train.weights`).
        trades: Weight of the divergence between f(x) and f(x_adv); 0 is cross-entropy on x_adv (`core.train.losses`).
        precision: "auto" (bfloat16 where the device is fast at it), "bf16" or "fp32".
        seed: Decides initialisation, order, augmentation and the adversary's starts.
    """

    arch: str = "resnet9"
    args: dict[str, int] = field(default_factory=dict)
    epochs: int = 12
    batch_size: int = 128
    lr: float = 0.2
    warmup: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.0
    augment: bool = True
    ema: float = 0.998
    inner: InnerAttack | None = None
    precision: str = "auto"
    seed: int = 0
    awp: float = 0.0
    trades: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return all fields by name: what a header says of a training, and what tells two trainings apart."""
        found = {name: value for name, value in asdict(self).items() if name not in LATER or value != LATER[name]}
        if found["inner"] is not None:
            found["inner"] = {k: v for k, v in found["inner"].items() if k not in LATER_INNER or v != LATER_INNER[k]}
        return found
