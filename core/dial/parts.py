"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core.dial import results
from core.dial.measure import MEASURES
from core.dial.networks import here
from core.results import Part

MINUTES = {
    "accuracy": 6,
    "gradients": 2,
    "pictures": 8,
    "transfer": 8,
    "features": 6,
    "weather": 2,
    "waves": 4,
}


def parts() -> tuple[Part, ...]:
    """Declare the parts of dial.json."""
    return tuple(
        Part(
            "dial",
            name,
            results.RESULTS,
            ("core.dial", "measure", name),
            MINUTES[name],
            partial(_weights, name),
            (("parts", name),),
        )
        for name in results.PARTS
    )


def _weights(name: str) -> tuple[str, ...]:
    return (*here().values(), *MEASURES[name].others())
