"""The independent judges: networks that took no part in what is shown, and what they see in it.

Both are of another architecture than the pair that the pages open with. One was trained in the ordinary way: what it
sees in a picture may be a feature that people do not see. The other met an adversary in training, and sees what is
robust.
"""

from torch import Tensor

from core.models import checkpoints
from core.models.ready import asked, load
from core.types import Images

JUDGE, ROBUST_JUDGE = "vgg-standard", "vgg-l2"


def judges() -> tuple[str, ...]:
    """List the judges whose weights are here, the ordinary one first."""
    return tuple(name for name in (JUDGE, ROBUST_JUDGE) if checkpoints.path_of(name).is_file())


def knows(name: str, classes: tuple[str, ...]) -> bool:
    """Tell whether a model is here and has logits of exactly these classes."""
    try:
        return checkpoints.path_of(name).is_file() and checkpoints.header(name).classes == classes
    except checkpoints.CheckpointError:
        return False


def logits_of(name: str, x: Images) -> Tensor:
    """Return what a model says of images (N, C, H, W): logits (N, K)."""
    return asked(load(name), x)
