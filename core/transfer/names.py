"""How the Transfer page calls models, and in which order it shows them."""

from collections.abc import Iterable

from core.models import titles
from core.models.pair import is_robust
from core.transfer.results import Measured
from core.transfer.views import JOIN


def title(name: str, measured: Measured | None = None) -> str:
    """Return a short title: "ResNet-9", "VGG", "ResNet-9, robust L2", "Ensemble of 3"."""
    if JOIN in name:
        return f"Ensemble of {name.count(JOIN) + 1}"
    known = measured.models.get(name) if measured is not None else None
    return titles.brief(known.title if known is not None else titles.title(name))


def robust(name: str, measured: Measured | None = None) -> bool:
    """Tell whether a model was trained adversarially."""
    return is_robust(name, title(name, measured))


def in_sight(names: Iterable[str], measured: Measured | None = None) -> list[str]:
    """Order models for showing: standard ones first, then robust ones, ensembles last."""
    return sorted(names, key=lambda n: (JOIN in n, robust(n, measured), not n.startswith("resnet9"), n))
