"""The labelled pictures of a world, by its name: CIFAR-10's, the planted ones, or somebody's own.

    load("planted", "test").x(range(8))
"""

from core.data import own
from core.data.planted import drawn
from core.data.sets import Pictures, cifar10

CIFAR10 = "cifar10"


def has(world: str) -> bool:
    """Tell whether a world has pictures whose classes are known; photographs have none."""
    return world in (CIFAR10, drawn.NAME) or world in own.declared()


def missing(title: str) -> str:
    """Say how to come by pictures whose classes are known, where a world of that title has photographs alone."""
    return (
        f"Of {title} there are only photographs here, of which nobody has said the class. A folder of labelled"
        " pictures becomes a world of its own, and networks that know its classes are trained there or added:"
        " docs/your-data.md says how."
    )


def load(world: str, split: str) -> Pictures:
    """Return the "train" or the "test" pictures of a world.

    Raises:
        core.data.DataError: If they are not here, or there is no such world.
    """
    if world == CIFAR10:
        return cifar10(split)
    return drawn.load(split) if world == drawn.NAME else own.load(world, split)
