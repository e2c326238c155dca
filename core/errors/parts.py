"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core.errors.learners import PAIR
from core.errors.measure import RESULTS, ROBUST, STANDARD
from core.results import Part

# What it takes, and which networks take part: those of "pictures", "learners" and the plane are trained for it.
MEASURED: dict[str, tuple[int, tuple[str, ...]]] = {
    "toy": (2, ()),
    "manifold": (10, (STANDARD, ROBUST)),
    "leakage": (15, (STANDARD,)),
    "pictures": (60, ()),
    "learners": (30, tuple(PAIR.values())),
}


def parts() -> tuple[Part, ...]:
    """Declare the parts of errors.json."""
    return tuple(
        Part("errors", name, RESULTS, ("core.errors", "measure", name), minutes, partial(tuple, names), ((name,),))
        for name, (minutes, names) in MEASURED.items()
    )
