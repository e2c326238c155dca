"""What is trained and how."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class InnerAttack:
    """The adversary inside adversarial training.

    Args:
        norm: "L2" or "Linf".
        eps: Radius in pixel units of [0, 1].
        steps: Gradient steps; 1 is fast adversarial training (Wong et al. 2020), 7 the paper's (appendix C.3).
        step_size: Length of a step, pixel units.
    """

    norm: str
    eps: float
    steps: int
    step_size: float


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
