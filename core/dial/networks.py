"""The networks of the dial: one architecture, one seed, one recipe, and the radius of the adversary in training."""

from core.models import checkpoints
from core.models.judge import JUDGE, ROBUST_JUDGE

RADII = (0.0, 0.1, 0.25, 0.5, 1.0)  # L2, pixel units of [0, 1]
# Who says what is on a picture that one of them made: networks that took no part. The first is of another architecture,
# and its training was the ordinary one; the others met an adversary themselves.
JUDGES = (JUDGE, ROBUST_JUDGE, "resnet9-l2")


def name_of(eps: float) -> str:
    """Return the checkpoint's name of the network that was trained at that radius."""
    return f"dial/l2-{eps:g}"


def here() -> dict[float, str]:
    """Return the networks of the dial whose weights are here, by radius."""
    return {eps: name_of(eps) for eps in RADII if checkpoints.path_of(name_of(eps)).is_file()}


def build() -> str:
    """Return the command that makes the networks that are not here."""
    missing = [name_of(eps) for eps in RADII if eps not in here()]
    return f"python -m core.train.zoo build {' '.join(missing)}"


def judges() -> tuple[str, ...]:
    """List the judges whose weights are here."""
    return tuple(name for name in JUDGES if checkpoints.path_of(name).is_file())


def eps_of(name: str) -> float:
    """Return the radius at which a network of the dial was trained.

    Raises:
        ValueError: If it is none of them.
    """
    return {name_of(eps): eps for eps in RADII}[name] if name in map(name_of, RADII) else _refuse(name)


def _refuse(name: str) -> float:
    raise ValueError(f"{name!r} is no network of the dial; these are: {', '.join(map(name_of, RADII))}")
