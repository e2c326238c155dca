"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core.results import FOLDER, Part
from core.usefulness import heads
from core.usefulness.measure import MODELS


def parts() -> tuple[Part, ...]:
    """Declare the atlas of each network, and the heads that are cut down by it."""
    atlases = (
        Part(
            "usefulness",
            f"atlas of {name}",
            FOLDER / f"usefulness-{name}.json",
            ("core.usefulness", "measure", name),
            30,
            partial(tuple, [name]),
        )
        for name in MODELS
    )
    return (
        *atlases,
        Part("usefulness", "heads", heads.RESULTS, ("core.usefulness.heads", "measure"), 10, lambda: MODELS),
    )
