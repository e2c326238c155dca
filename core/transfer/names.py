"""How the Transfer page calls models, and in which order it shows them."""

import re
from collections.abc import Iterable

from core.models import checkpoints
from core.transfer.results import Measured
from core.transfer.views import JOIN


def title(name: str, measured: Measured | None = None) -> str:
    """Return a short title: "ResNet-9", "VGG", "ResNet-9, robust L2", "Ensemble of 3"."""
    if JOIN in name:
        return f"Ensemble of {name.count(JOIN) + 1}"
    if measured is not None and name in measured.models:
        long = measured.models[name].title
    else:
        long = checkpoints.header(name).title if checkpoints.path_of(name).is_file() else name
    short = long.replace(", standard training", "")
    return re.sub(r"adversarial training \((\w+), [^)]*\)", r"robust \1", short)


def robust(name: str, measured: Measured | None = None) -> bool:
    """Tell whether a model was trained adversarially."""
    return "robust" in title(name, measured)


def in_sight(names: Iterable[str], measured: Measured | None = None) -> list[str]:
    """Order models for showing: standard ones first, then robust ones, ensembles last."""
    return sorted(names, key=lambda n: (JOIN in n, robust(n, measured), not n.startswith("resnet9"), n))
