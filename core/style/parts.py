"""What this topic measures, for `python -m core.train.zoo refresh`."""

from core.models import checkpoints
from core.models.judge import judges
from core.results import Part
from core.style.measure import LAYERED, PAIR, RESULTS


def parts() -> tuple[Part, ...]:
    """Declare the parts of style.json."""
    return (
        Part("style", "pairs", RESULTS, ("core.style", "measure", "pairs"), 15, _judged, (("pairs",),)),
        Part("style", "layers", RESULTS, ("core.style", "measure", "layers"), 15, _layered, (("layers",),)),
    )


def _judged() -> tuple[str, ...]:
    return (*PAIR, *judges())


def _layered() -> tuple[str, ...]:
    return tuple(name for name in LAYERED if checkpoints.path_of(name).is_file())
