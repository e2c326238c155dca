"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core import worlds
from core.data.planted import drawn
from core.results import Part
from core.usefulness import atlas, heads
from core.usefulness.measure import MODELS


def parts() -> tuple[Part, ...]:
    """Declare the atlas of each network, and the heads that are cut down by it."""
    planted = worlds.get(drawn.NAME)
    known = ((drawn.NAME, 1, ()), *((name, 1, (name,)) for name in (planted.standard, planted.robust)))
    asked = (*((name, 30, (name,)) for name in MODELS), *known)  # what was planted hangs on no weights
    atlases = (
        Part(
            "usefulness",
            f"atlas of {name}",
            atlas.results_of(name),
            ("core.usefulness", "measure", name),
            minutes,
            partial(tuple, weights),
        )
        for name, minutes, weights in asked
    )
    return (
        *atlases,
        Part("usefulness", "heads", heads.RESULTS, ("core.usefulness.heads", "measure"), 10, lambda: MODELS),
    )
