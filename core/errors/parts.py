"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core.errors.measure import RESULTS, ROBUST, STANDARD
from core.results import Part

# What it takes, and which networks take part: the students of "pictures" and of the plane are trained for it.
MEASURED: dict[str, tuple[int, tuple[str, ...]]] = {
    "toy": (2, ()),
    "manifold": (10, (STANDARD, ROBUST)),
    "leakage": (15, (STANDARD,)),
    "pictures": (60, ()),
}


def parts() -> tuple[Part, ...]:
    """Declare the parts of errors.json."""
    return tuple(
        Part("errors", name, RESULTS, ("core.errors", "measure", name), minutes, partial(tuple, names), ((name,),))
        for name, (minutes, names) in MEASURED.items()
    )
