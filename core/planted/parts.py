"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core.planted.measure import PARTS
from core.planted.networks import SIDES, named
from core.planted.results import PATH
from core.results import Part


def parts() -> tuple[Part, ...]:
    """Declare planted.json: the pair that ships is asked, all other networks are trained on the way."""
    names = [named("features", side) for side in SIDES]
    return (Part("planted", "all questions", PATH, ("core.planted", "measure", *PARTS), 30, partial(tuple, names)),)
