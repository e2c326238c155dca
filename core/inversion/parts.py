"""What this topic measures, for `python -m core.train.zoo refresh`."""

from functools import partial

from core.inversion.measure import MODELS, RESULTS
from core.models.judge import judges
from core.results import Part

MINUTES = {"paper": 10, "fast": 2, "smooth": 2}


def parts() -> tuple[Part, ...]:
    """Declare the parts of inversion.json: each setting, network by network."""
    return tuple(
        Part(
            "inversion",
            f"{setting} {name}",
            RESULTS,
            ("core.inversion", "measure", "--settings", setting, "--models", name),
            minutes,
            partial(_weights, name),
            (("settings", setting, name),),
        )
        for setting, minutes in MINUTES.items()
        for name in MODELS
    )


def _weights(name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((name, *MODELS, *judges())))
