"""What this topic measures, for `python -m core.train.zoo refresh`."""

from core import worlds
from core.models import checkpoints
from core.results import Part
from core.transfer.results import RESULTS


def parts() -> tuple[Part, ...]:
    """Declare transfer.json; of it, only the rows and columns of new weights are measured."""
    return (Part("transfer", "who is fooled by whom", RESULTS, ("core.transfer", "measure"), 25, _everyone),)


def _everyone() -> tuple[str, ...]:
    return checkpoints.knowing(worlds.get().classes, students=False)
