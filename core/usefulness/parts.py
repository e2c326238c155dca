"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core import worlds
from core.data.planted import drawn
from core.results import FOLDER, Part
from core.usefulness import heads
from core.usefulness.measure import MODELS


def parts() -> tuple[Part, ...]:
    """Declare the atlas of each network, and the heads that are cut down by it."""
    planted = worlds.get(drawn.NAME)
    atlases = (
        Part(
            "usefulness",
            f"atlas of {name}",
            FOLDER / f"usefulness-{name}.json",
            ("core.usefulness", "measure", name),
            minutes,
            partial(tuple, [name]),
        )
        for name, minutes in [(name, 30) for name in MODELS] + [(planted.standard, 1), (planted.robust, 1)]
    )
    return (
        *atlases,
        Part("usefulness", "heads", heads.RESULTS, ("core.usefulness.heads", "measure"), 10, lambda: MODELS),
    )
