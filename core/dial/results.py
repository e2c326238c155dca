"""What was measured along the dial: the file, and how it is read.

    series(read(), "accuracy")["clean"][0.5]      # an Estimate, with its interval and n

Each part has what is said about it, and for each network its numbers with the stamp of the weights they were measured
on.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import results
from core.dial.networks import RADII, name_of
from core.rates import Estimate

RESULTS = results.FOLDER / "dial.json"
AGAIN = "python -m core.dial measure"
PARTS = ("accuracy", "gradients", "pictures", "transfer", "features", "weather", "waves")
# Which parts each trend of the page shows.
OF_TREND = {trend: (trend,) for trend in PARTS[:5]} | {"shifts": ("weather", "waves")}


def read(path: Path | None = None) -> dict[str, Any]:
    """Read the file; empty where nothing was measured.

    Raises:
        core.data.DataError: If it is damaged.
    """
    return results.read(path if path is not None else RESULTS, AGAIN, _check) or {}


def series(found: Mapping[str, Any], trend: str) -> dict[str, dict[float, Estimate]]:
    """Return the curves of a trend: by what was measured, a value for each radius at which it was."""
    curves: dict[str, dict[float, Estimate]] = {}
    for part in OF_TREND[trend]:
        measured = found.get("parts", {}).get(part, {}).get("networks", {})
        for eps in RADII:
            for label, one in measured.get(name_of(eps), {}).get("values", {}).items():
                curves.setdefault(label, {})[eps] = Estimate.from_json(one)
    return curves


def about(found: Mapping[str, Any], trend: str) -> str:
    """Say how the parts of a trend were measured."""
    parts = [found["parts"][part]["about"] for part in OF_TREND[trend] if part in found.get("parts", {})]
    return " ".join(f"{one['how']} Seed {one['seed']}, {one['date']}." for one in parts)


def keep(
    part: str,
    network: str,
    values: Mapping[str, Any],
    about_: Mapping[str, Any],
    stamps: Mapping[str, str],
    path: Path | None = None,
) -> None:
    """Put one network's numbers into the file; those of the same part that were measured otherwise go.

    Args:
        part: One of `PARTS`.
        network: Whose.
        values: Its numbers, by label: value, interval, n.
        about_: n, seed, date, how.
        stamps: Of all weights that took part.
        path: The file, by default `RESULTS`.
    """
    path = path if path is not None else RESULTS
    found = read(path)
    before = found.get("parts", {}).get(part, {})
    others = before.get("networks", {}) if _same(before.get("about", {}), about_) else {}
    entry = {"values": dict(values), "stamps": dict(stamps)}
    parts = {**found.get("parts", {}), part: {"about": dict(about_), "networks": {**others, network: entry}}}
    everyone = {
        name: stamp for one in parts.values() for of in one["networks"].values() for name, stamp in of["stamps"].items()
    }
    results.write(path, {"date": about_["date"], results.STAMPS: everyone, "parts": parts}, sort_keys=False)


def has(
    found: Mapping[str, Any], part: str, network: str, about_: Mapping[str, Any], stamps: Mapping[str, str]
) -> bool:
    """Tell whether a network's numbers are there already, measured in the same way on the same weights."""
    there = found.get("parts", {}).get(part, {})
    return _same(there.get("about", {}), about_) and there["networks"].get(network, {}).get("stamps") == dict(stamps)


def _same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return bool(before) and all(before.get(key) == now[key] for key in ("n", "seed", "how"))


def _check(found: dict[str, Any]) -> None:
    for part in found["parts"].values():
        part["about"]["how"]
        for network in part["networks"].values():
            for one in network["values"].values():
                value = Estimate.from_json(one)
                if not value.low <= value.value <= value.high:
                    raise ValueError("a value outside of its interval")
