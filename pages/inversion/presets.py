"""What Robust frog offers to begin with, in each world."""

from core import worlds
from pages.ui import shell
from pages.ui.world import current, pair

PRESETS = [
    shell.Preset(
        "Another picture becomes the frog",
        "Press play. Through the robust model the start picture turns into the wanted one; through the standard model"
        " it hardly changes, and yet that model predicts the wanted class just as firmly.",
        {},
    ),
    shell.Preset(
        "Out of noise",
        "There is nothing to start from, so all that you see was put there by the representation.",
        {"start": "noise"},
    ),
    shell.Preset(
        "An early layer",
        "The first blocks still know almost every pixel, in both models: what makes the difference happens later.",
        {"block": "res1"},
    ),
]
ALONE = [  # where there is no robust network to compare with
    shell.Preset(
        "The same to the network",
        "Press play. The start picture hardly changes, and yet the network comes to represent it as it represents the"
        " wanted one: read what it predicts now.",
        {},
    ),
    shell.Preset(
        "Out of noise",
        "There is nothing to start from, so all that you see was put there by the representation: to this network it is"
        " the wanted picture.",
        {"start": "noise"},
    ),
]
HERE = {
    "planted": [
        shell.Preset(
            "Weave or shape",
            "Press play. To represent the start as it represents the wanted picture, the standard network changes"
            " little that you see; read how much of it lies on the weaves, where chance puts 0.13 %. The robust one has"
            " to redraw something; does what the standard one made convince it?",
            {},
        ),
        shell.Preset(
            "Out of noise",
            "Small networks, small pictures: neither holds the whole of it. But one writes a faint texture all over,"
            " and the other strokes.",
            {"start": "noise"},
        ),
        shell.Preset(
            "An early layer",
            "The first block still knows almost every pixel, in both models: what makes the difference happens later.",
            {"block": "stem"},
        ),
    ]
}


def offered() -> list[shell.Preset]:
    """Return what the world in sight tries first; the first one compares with a robust network, where it has one."""
    if current() == worlds.get() and pair().robust:
        return PRESETS
    return HERE.get(current().name, ALONE)
