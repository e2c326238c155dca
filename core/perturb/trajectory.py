"""What an attack on one picture leaves behind, frame by frame: radius by radius, or step by step."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Trajectory:
    """A row of the scrubber: frame after frame of one picture.

    Args:
        positions: Where each frame stands on the axis (F): its eps, or its step number.
        x: The clean picture (1, C, H, W).
        y: Its label, or what the model says of it where it has none.
        target: The wanted class, or None for untargeted.
        x_adv: Frames (F, C, H, W).
        logits: Of the attacked model (F, K).
        norm: Measured length of each perturbation in the recipe's norm (F), pixel units.
        allowed: Radius of the ball at each frame (F), pixel units.
        success: Whether the frame fools the attacked model (F).
        grad_vanished: Whether the gradient was exactly zero at some step: the attack is then not to be trusted.
    """

    positions: tuple[float, ...]
    x: Float[Tensor, "1 c h w"]
    y: int
    target: int | None
    x_adv: Float[Tensor, "f c h w"]
    logits: Float[Tensor, "f k"]
    norm: Float[Tensor, " f"]
    allowed: Float[Tensor, " f"]
    success: Bool[Tensor, " f"]
    grad_vanished: bool = False

    @property
    def probabilities(self) -> Tensor:
        """Softmax of the logits (F, K)."""
        return self.logits.softmax(1)

    @property
    def threshold(self) -> int | None:
        """The first frame that fools, or None."""
        hits = self.success.nonzero()
        return int(hits[0]) if len(hits) else None

    def first(self, frames: int) -> "Trajectory":
        """Return the trajectory with so many frames, the first ones."""
        if len(self.x_adv) == frames:
            return self
        cut = ("positions", "x_adv", "logits", "norm", "allowed", "success")
        return replace(self, **{name: getattr(self, name)[:frames] for name in cut})

    @staticmethod
    def join(parts: "list[Trajectory]") -> "Trajectory":
        """Put consecutive frames of the same picture together."""
        return Trajectory(
            positions=tuple(p for part in parts for p in part.positions),
            x=parts[0].x,
            y=parts[0].y,
            target=parts[0].target,
            x_adv=torch.cat([part.x_adv for part in parts]),
            logits=torch.cat([part.logits for part in parts]),
            norm=torch.cat([part.norm for part in parts]),
            allowed=torch.cat([part.allowed for part in parts]),
            success=torch.cat([part.success for part in parts]),
            grad_vanished=any(part.grad_vanished for part in parts),
        )
