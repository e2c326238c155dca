"""What was measured beyond the ball: the file, and how it is read.

For example:

    found = read()                         # a dict of the sections "heat", "weather", "students", "stamps", …
    rate(found["weather"]["fog"]["5"]["resnet9-l2"])
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.models import checkpoints
from core.rates import Rate

RESULTS = checkpoints.FOLDER.parent / "assets" / "results" / "frequency.json"
YIN = "Yin et al. (2019), as Gilmer & Hendrycks (2019) quote it"
PAPER_FOG = {"standard": 0.857, "robust": 0.553}  # severity and network: not given


def read(path: Path | None = None) -> dict[str, Any]:
    """Read the file; empty where nothing was measured.

    Raises:
        ValueError: If it is damaged.
    """
    path = path if path is not None else RESULTS
    if not path.is_file():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for name, heat in found.get("heat", {}).items():
            if len(heat["wrong"]) != len(found["frequencies"]):
                raise ValueError(f"{name} has {len(heat['wrong'])} frequencies")
        return found
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path.name} is damaged ({error}); measure again with: python -m core.frequency measure"
        ) from error


def write(found: Mapping[str, Any], path: Path | None = None) -> None:
    """Write the file, atomically; lists of numbers stay on one line."""
    path = path if path is not None else RESULTS
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(_lines(found, 0) + "\n", encoding="utf-8")
    part.replace(path)


def merged(section: str, values: Mapping[str, Any], stamps: Mapping[str, str], path: Path | None = None) -> None:
    """Put newly measured values into a section of the file, leaving the others as they are."""
    found = read(path)
    before = found.get(section, {})
    write(
        {
            **found,
            "stamps": {**found.get("stamps", {}), **stamps},
            section: {**before, **values},
        },
        path,
    )


def rate(value: Mapping[str, Any]) -> Rate:
    """Read a rate as `Rate.as_json` wrote it."""
    return Rate(value["hits"], value["n"])


def short(rate: Rate) -> dict[str, Any]:
    """Write a rate with four digits."""
    low, high = rate.interval
    return {"hits": rate.hits, "n": rate.n, "value": round(rate.value, 4), "interval": [round(low, 4), round(high, 4)]}


def stale(found: Mapping[str, Any]) -> tuple[str, ...]:
    """List the networks whose weights are no longer those that were measured."""
    stamps: Mapping[str, str] = found.get("stamps", {})
    return tuple(
        name
        for name, stamp in stamps.items()
        if checkpoints.path_of(name).is_file() and checkpoints.stamp(name) != stamp
    )


def _lines(value: Any, depth: int) -> str:
    """Write JSON with a line for each entry of a mapping, and mappings without mappings on one line."""
    if not isinstance(value, Mapping) or not any(isinstance(v, Mapping) for v in value.values()):
        return json.dumps(value)
    pad = " " * (depth + 1)
    entries = ",\n".join(f"{pad}{json.dumps(key)}: {_lines(v, depth + 1)}" for key, v in value.items())
    return f"{{\n{entries}\n{' ' * depth}}}"
