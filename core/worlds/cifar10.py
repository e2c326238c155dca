"""Ten classes, 32 pixels: the paper's own ground."""

from core.data.sets import CIFAR10_CLASSES
from core.worlds.world import World


def world() -> World:
    """Return the world of CIFAR-10."""
    return World(
        name="cifar10",
        title="CIFAR-10",
        classes=CIFAR10_CLASSES,
        side=32,
        sources=("cifar10", "gallery", "photo"),
        standard="resnet9-standard",
        robust="resnet9-l2",
        reaches={
            "Linf": {"8/255": (8 / 255, 16), "20/255": (20 / 255, 20), "40/255": (40 / 255, 20)},
            "L2": {"0.5": (0.5, 20), "2": (2.0, 20), "5": (5.0, 20)},
        },
        reach={"Linf": "20/255", "L2": "2"},
    )
