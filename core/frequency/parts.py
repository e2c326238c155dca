"""What this topic measures, for `python -m core.train.zoo refresh`: on as many pictures as before."""

from collections.abc import Callable
from functools import partial

from core.frequency import results
from core.frequency.measure import MAPPED, N, everyone
from core.frequency.networks import NETWORKS
from core.models import checkpoints
from core.results import Part

MINUTES = {"heat": 40, "weather": 40, "students": 4, "trades": 15}


def parts() -> tuple[Part, ...]:
    """Declare the parts of frequency.json."""
    found = results.read()
    n = {key: found.get(f"{key}_about", {}).get("n", N[key]) for key in results.SECTIONS}
    n["heat"] = min((one["n"] for one in found.get("heat", {}).values()), default=N["heat"])
    return tuple(
        Part(
            "frequency",
            key,
            results.RESULTS,
            ("core.frequency", "measure", key, "--n", str(n[key])),
            MINUTES[key],
            partial(_here, NETWORKS_OF.get(key, lambda: MAPPED)),
            ((key,),),
        )
        for key in results.SECTIONS
    )


def _students() -> tuple[str, ...]:
    return (*MAPPED, *(name for name, network in NETWORKS.items() if network.kind))


NETWORKS_OF = {"weather": everyone, "students": _students}


def _here(names: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(name for name in names() if checkpoints.path_of(name).is_file())
