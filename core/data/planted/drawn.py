"""The pictures of the planted world as it ships: a training and a test set, drawn when they are first asked for.

    load("test").x(range(8))           # float32 (8, 3, 32, 32)
    scene(12)                          # what is in the picture "planted/12"
"""

import functools

from core.data.planted.scenes import Scenes, draw, pictures
from core.data.planted.world import PlantedWorld
from core.data.sets import Pictures

WORLD = PlantedWorld()
NAME = "planted"  # of the world, and of the kind of its pictures
TEST_SEED = 10**6  # of pictures that no network has seen; training pictures have a recipe's own seed, far below
SETS = {"train": (3000, 0), "test": (1000, TEST_SEED)}  # pictures, seed


@functools.cache
def scenes_of(split: str) -> Scenes:
    """Return what is in the pictures of the "train" or the "test" set.

    Raises:
        ValueError: If there is no such set.
    """
    if split not in SETS:
        raise ValueError(f"split must be one of {', '.join(SETS)}, got {split!r}")
    return draw(WORLD, *SETS[split])


@functools.cache
def load(split: str) -> Pictures:
    """Return the "train" or the "test" set.

    Raises:
        ValueError: If there is no such set.
    """
    found = pictures(WORLD, scenes_of(split))
    return Pictures(found.images, found.labels, found.classes, f"planted {split} set")
