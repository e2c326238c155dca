"""Who takes part: the networks that a bug must leave right, and those that judge it afterwards."""

from torch import nn

from core import checkpoints, perturb

VICTIM = "resnet9-standard"
# In the order in which a smaller ensemble takes them; declared in checkpoints/zoo.toml.
MEMBERS = (
    "ensemble/resnet9-standard-1",
    "ensemble/resnet9-standard-2",
    "ensemble/vgg-standard",
    "ensemble/resnet9-standard-3",
    "ensemble/convmixer-standard",
    "ensemble/resnet9-standard-4",
    "ensemble/resnet9-standard-5",
)
# They have seen neither the attack nor its making.
JUDGES = ("resnet9-standard-2", "vgg-standard", "densenet-standard", "mobilenet-standard", "convmixer-standard")


def members(n: int = len(MEMBERS)) -> tuple[str, ...]:
    """Return the names of the first n members, of those whose weights are here."""
    return tuple(name for name in MEMBERS[:n] if checkpoints.path_of(name).is_file())


def judges(victim: str = VICTIM) -> tuple[str, ...]:
    """Return the names of five networks that take no part in an attack on the victim, of those whose weights are here."""
    others = (name for name in (*JUDGES, VICTIM) if name != victim)
    return tuple(name for name in others if checkpoints.path_of(name).is_file())[: len(JUDGES)]


def load(names: tuple[str, ...]) -> list[nn.Module]:
    """Load networks as the pages use them."""
    return [perturb.load(name) for name in names]
