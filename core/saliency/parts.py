"""What this topic measures, for `python -m core.train.zoo refresh`."""

from core.models import checkpoints
from core.results import Part
from core.saliency.measure import RESULTS, models

KEPT = checkpoints.FOLDER.parent / "runs" / "saliency"


def parts() -> tuple[Part, ...]:
    """Declare saliency.json; finished batches are kept, so that a measurement that was stopped goes on."""
    command = ("core.saliency", "measure", "--kept", str(KEPT))
    return (Part("saliency", "all methods", RESULTS, command, 60, models),)
