"""The independent judge: a network that took no part in what a page made, and what it sees in it."""

from torch import Tensor

from core.models.judge import JUDGE, knows
from core.models.ready import asked
from core.types import Images
from pages.ui.store import model
from pages.ui.world import current

__all__ = ["JUDGE", "judge_logits", "knows", "logits_of"]


def logits_of(name: str, x: Images) -> Tensor:
    """Return what that model says of images (N, C, H, W): logits (N, K)."""
    return asked(model(name), x)


def judge_logits(x: Images) -> Tensor | None:
    """Return the judge's logits (N, K), or None where it is not there."""
    return logits_of(JUDGE, x) if knows(JUDGE, current().classes) else None
