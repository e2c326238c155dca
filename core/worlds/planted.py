"""Shapes and weaves that we drew ourselves, 32 pixels: what is in a picture is known, and nothing is downloaded."""

from core.data.planted import drawn
from core.worlds.world import World


def world() -> World:
    """Return the world of the planted features, as it ships."""
    return World(
        name=drawn.NAME,
        title="Planted shapes",
        classes=drawn.WORLD.names,
        side=32,
        sources=(drawn.NAME,),
        standard="planted-features-standard",
        robust="planted-features-robust",
        picture=f"{drawn.NAME}/19",
        reaches={
            "Linf": {"8/255": (8 / 255, 16), "20/255": (20 / 255, 20), "40/255": (40 / 255, 20)},
            "L2": {"0.5": (0.5, 20), "2": (2.0, 20), "5": (5.0, 20)},
        },
        reach={"Linf": "20/255", "L2": "2"},
        more="The page *Sandbox* has of this world what is known in closed form, and its data sets and students.",
        how="Its networks are missing; make them with: python -m core.planted train features",
    )
