"""What this topic measures, for `python -m core.train.zoo refresh`."""

from core.models import checkpoints
from core.results import Part
from core.synthesis import gallery
from core.synthesis.measure import RESULTS, SOURCES


def parts() -> tuple[Part, ...]:
    """Declare synthesis.json, and what is known of the gallery that opens the app."""
    painting = ("core.synthesis.measure", "measure")
    places = (("starts",), *(("painted", name) for name in SOURCES))
    return (
        Part("synthesis", "who recognises what", RESULTS, painting, 20, _everyone, places),
        Part("synthesis", "gallery", gallery.RESULTS, ("core.synthesis.gallery", "build"), 12, lambda: SOURCES),
    )


def _everyone() -> tuple[str, ...]:
    return tuple(dict.fromkeys((*SOURCES, *checkpoints.names())))
