"""Who takes part: the network that is fooled, those that a bug must leave right, and those that judge it afterwards."""

from hashlib import sha256

from torch import nn

from core.models import checkpoints, ready

# Small networks in a folder of their own, declared in checkpoints/zoo.toml. Those that a bug leaves right must be able
# to see what the victim sees: small ones could not keep a bug of a network four times as wide from its twin.
VICTIM, WIDE = "small/resnet9-standard-1", "resnet9-standard"
# In the order in which a smaller ensemble takes them.
MEMBERS = (
    "small/resnet9-standard-2",
    "small/vgg-standard",
    "small/resnet9-standard-3",
    "small/convmixer-standard",
    "small/resnet9-standard-4",
    "small/resnet9-standard-5",
    "small/resnet9-standard-6",
)
# They have seen neither the attack nor its making. The twin takes the place of a victim that is one of them.
JUDGES = (WIDE, "vgg-standard", "densenet-standard", "mobilenet-standard", "convmixer-standard")
TWIN = "resnet9-standard-2"


def missing() -> tuple[str, ...]:
    """List the networks of this topic whose weights are not here."""
    return tuple(name for name in (VICTIM, *MEMBERS, *JUDGES) if not checkpoints.path_of(name).is_file())


def judges(victim: str = VICTIM) -> tuple[str, ...]:
    """Return the names of five networks that are here and take no part in an attack on the victim."""
    names = (TWIN if name == victim else name for name in JUDGES)
    return tuple(name for name in names if checkpoints.path_of(name).is_file())


def everyone() -> tuple[str, ...]:
    """List all networks that take part in what is measured, of those whose weights are here."""
    names = dict.fromkeys((VICTIM, *MEMBERS, *judges(), TWIN))
    return tuple(name for name in names if checkpoints.path_of(name).is_file())


def mark() -> str:
    """Name a folder for what these networks made: with other weights it is another one."""
    stamps = "".join(checkpoints.stamp(name) for name in everyone())
    return sha256(stamps.encode()).hexdigest()[:12]


def load(names: tuple[str, ...]) -> list[nn.Module]:
    """Load networks as the pages use them."""
    return [ready.load(name) for name in names]
