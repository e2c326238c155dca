"""What this topic measures, for `python -m core.train.zoo refresh`."""

from core.bugs import ensemble, results
from core.results import Part

MINUTES = {"attacks": 25, "members": 20, "wide": 10, "students": 60}


def parts() -> tuple[Part, ...]:
    """Declare the parts of bugs.json."""
    return tuple(
        Part("bugs", name, results.RESULTS, ("core.bugs", "measure", name), minutes, ensemble.everyone, ((name,),))
        for name, minutes in MINUTES.items()
    )
