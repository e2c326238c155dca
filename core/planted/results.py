"""What was measured in the planted world, over several seeds: assets/results/planted.json."""

from pathlib import Path
from typing import Any

from core.rates import Estimate
from core.results import FOLDER, read, write

PATH = FOLDER / "planted.json"
AGAIN = "python -m core.planted measure"


def aggregated(values: list[float]) -> dict[str, Any]:
    """Write the mean over seeds, its interval, and the values themselves."""
    found = Estimate.of(values)
    return {"value": found.value, "interval": list(found.interval), "values": [round(v, 5) for v in values]}


def save(found: dict[str, object], path: Path = PATH) -> None:
    """Write the results, atomically."""
    write(path, found, indent=1)


def _check(found: dict[str, Any]) -> None:
    if not found["about"].keys() or not all(len(entry["interval"]) == 2 for entry in found["numbers"].values()):
        raise ValueError("no date, or a number without its interval")


class Results:
    """The measured numbers by name, like `written/standard/0.5/weave`."""

    def __init__(self, path: Path = PATH) -> None:
        found = read(path, AGAIN, _check) or {"about": {}, "numbers": {}}
        self.about: dict[str, Any] = found["about"]
        self.numbers: dict[str, Any] = found["numbers"]

    def __contains__(self, name: str) -> bool:
        return name in self.numbers

    def of(self, name: str) -> Estimate:
        """Return a mean over seeds, with its t-interval; n counts the seeds.

        Raises:
            KeyError: If it was not measured.
        """
        return Estimate.from_json(self.numbers[name])

    def source(self, part: str) -> str:
        """Say where the numbers whose names begin with that come from, for captions."""
        seeds = max((len(entry["values"]) for name, entry in self.numbers.items() if name.startswith(part)), default=0)
        return (
            f"Means over {seeds} seeds with 95 % t-intervals; {self.about.get('date')}, profile"
            f" {self.about.get('profile')}"
        )
