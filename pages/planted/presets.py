"""What the Sandbox offers to begin with."""

from collections.abc import Mapping
from typing import Any

from core.planted.networks import SHIPPED
from pages.ui import shell


def preset(label: str, look_for: str, view: str, changes: Mapping[str, Any] = {}) -> shell.Preset:
    """Make a preset of a view and of what differs from the default world."""
    return shell.Preset(label, look_for, {"view": view, **changes})


PRESETS = [
    preset(
        "Features",
        "Both features tell all classes apart. The standard network reads the weave that you cannot see; the robust one"
        " reads the shape.",
        "features",
    ),
    preset(
        "Robust training drops it",
        "The same pictures, the same attack. In the standard network it writes the target's weave. What is left of that"
        " in the robust one?",
        "attack",
    ),
    preset(
        "Conflict",
        "In one picture of five the shape is another class's; only the weave is always right. Train both: what does"
        " robustness cost here, and what does the Bayes rule do?",
        "features",
        SHIPPED["conflict"],
    ),
    preset(
        "Just bugs",
        "No faint feature at all, few pictures, a larger network. Train both: is the standard one fooled all the same,"
        " and is anything planted in what fools it?",
        "attack",
        SHIPPED["bugs"],
    ),
    preset(
        "More data",
        "Train both on more pictures. Does the standard network still read the weave? Then take the weave out and"
        " compare.",
        "preferred",
        SHIPPED["data"],
    ),
]
