"""What was measured beyond the ball: the file, and how it is read.

    found = read()
    Rate.from_json(found["weather"]["fog"]["5"]["resnet9-l2"])

Its sections are "heat", "weather", "students" and "trades", each with what is said about it, and "stamps".
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import results
from core.files.atomic import replace_with

RESULTS = results.FOLDER / "frequency.json"
AGAIN = "python -m core.frequency measure"
SECTIONS = ("heat", "weather", "students", "trades")


def read(path: Path | None = None) -> dict[str, Any]:
    """Read the file; empty where nothing was measured.

    Raises:
        core.data.DataError: If it is damaged.
    """
    return results.read(path if path is not None else RESULTS, AGAIN, _check) or {}


def _check(found: dict[str, Any]) -> None:
    for name, heat in found.get("heat", {}).items():
        if len(heat["wrong"]) != len(found["frequencies"]):
            raise ValueError(f"{name} has {len(heat['wrong'])} frequencies")


def write(found: Mapping[str, Any], path: Path | None = None) -> None:
    """Write the file, atomically; lists of numbers stay on one line."""
    replace_with(path if path is not None else RESULTS, _lines(found, 0) + "\n")


def merged(section: str, values: Mapping[str, Any], stamps: Mapping[str, str], path: Path | None = None) -> None:
    """Put newly measured values into a section of the file, leaving the others as they are.

    Stamps are given once the whole section is of these weights: a measurement that was stopped before stays stale.
    """
    found = read(path)
    content = {**found, section: {**found.get(section, {}), **values}}
    write(results.signed(content, section, stamps, SECTIONS) if stamps else content, path)


def _lines(value: Any, depth: int) -> str:
    """Write JSON with a line for each entry of a mapping, and mappings without mappings on one line."""
    if not isinstance(value, Mapping) or not any(isinstance(v, Mapping) for v in value.values()):
        return json.dumps(value)
    pad = " " * (depth + 1)
    entries = ",\n".join(f"{pad}{json.dumps(key)}: {_lines(v, depth + 1)}" for key, v in value.items())
    return f"{{\n{entries}\n{' ' * depth}}}"
