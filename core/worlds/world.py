"""What a world is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec

# Radii that a sweep can reach, as they stand in the address: norm -> reach -> (largest eps, number of intervals).
Reaches = Mapping[str, Mapping[str, tuple[float, int]]]

FILM_PIXELS = 21 * 224**2  # of all frames of a column: more, and a browser takes seconds to show it
SIDE = 32  # of the world whose lengths are the unit of `World.scale`


@dataclass(frozen=True)
class World:
    """What models and pictures have in common, so that no page and no topic names a data set by itself.

    Args:
        name: In recipes, addresses and the headers of checkpoints.
        title: For people, e.g. "CIFAR-10".
        classes: Class names in the order of the logits.
        side: Of the pictures, in pixels.
        sources: Where its pictures come from: kinds of `core.data.pictures`, the best first.
        standard: The model on the left of the pair that is shown first.
        robust: The model on its right, or "" where the world has no robust one.
        picture: Id of the picture shown first, or "" for the first class picture there is.
        norm: The norm that is shown first.
        target: The class that is aimed at first; "any" is whichever comes.
        steps: Of an attack, at first.
        reaches: The eps sweeps of each norm, pixel units; Linf counts in 1/255, so that 8-bit pictures keep it exactly.
        reach: The sweep of each norm that is shown first.
        inversion: Of each setting of an inversion that is another one here, the steps and the L2 length of one, pixel
            units.
        package: A Python package that has to be installed, or "".
        how: The sentence that says how to get it.
        more: A sentence that says where else there is something about it, or "".
        robust_how: Where there is no robust model, the sentence that says so and how to get one.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    side: int
    sources: tuple[str, ...]
    standard: str
    robust: str = ""
    picture: str = ""
    norm: str = "L2"
    target: str = "any"
    steps: int = 10
    reaches: Reaches = field(default_factory=dict)
    reach: Mapping[str, str] = field(default_factory=dict)
    inversion: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    package: str = ""
    how: str = ""
    more: str = ""
    robust_how: str = ""

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def scale(self) -> float:
        """By how much an L2 length grows when every pixel is changed as much as at 32 pixels a side."""
        return self.side / SIDE

    def pixels(self, length: int) -> int:
        """Return how many pixels a length is here that is so many of 32 pixels a side."""
        return max(1, round(length * self.scale))

    def frames(self, most: int) -> int:
        """Return how many frames a film of its pictures has at most, where so many are wanted."""
        return min(most, FILM_PIXELS // self.side**2)

    def batch(self, most: int) -> int:
        """Return how many of its pictures are worked on at once, where so many small ones would be."""
        return max(4, min(most, most * (2 * SIDE) ** 2 // self.side**2))

    @property
    def installed(self) -> bool:
        """Whether its models can be loaded on this computer."""
        return not self.package or _is_there(self.package)

    def index(self, name: str) -> int | None:
        """Return the index of a class, None where there is none of that name."""
        return self.classes.index(name) if name in self.classes else None


@cache
def _is_there(package: str) -> bool:
    return find_spec(package) is not None
