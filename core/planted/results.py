"""What was measured in the planted world, over several seeds: assets/results/planted.json."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.results import FOLDER, read, write

PATH = FOLDER / "planted.json"
STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}  # 95 % quantiles by number of seeds


@dataclass(frozen=True)
class Number:
    """A mean over seeds with its 95 % t-interval.

    Args:
        value: The mean.
        low: Lower end.
        high: Upper end.
        n: Seeds.
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3g} [{self.low:.3g}, {self.high:.3g}]"

    @property
    def percent(self) -> str:
        """The number as a percentage; the ends stay in [0, 100]."""
        low, high = max(0.0, self.low), min(1.0, self.high)
        return f"{100 * self.value:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def aggregated(values: list[float]) -> dict[str, Any]:
    """Write the mean over seeds, its interval, and the values themselves."""
    n = len(values)
    mean = sum(values) / n
    half = STUDENT[n] * math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    return {"value": mean, "interval": [mean - half, mean + half], "values": [round(v, 5) for v in values]}


def save(found: dict[str, object], path: Path = PATH) -> None:
    """Write the results, atomically."""
    write(path, found, indent=1)


def _check(found: dict[str, Any]) -> None:
    if not found["about"].keys() or not all(len(entry["interval"]) == 2 for entry in found["numbers"].values()):
        raise ValueError("no date, or a number without its interval")


class Results:
    """The measured numbers by name, like `written/standard/0.5/weave`."""

    def __init__(self, path: Path = PATH) -> None:
        found = read(path, "python -m core.planted measure", _check) or {"about": {}, "numbers": {}}
        self.about: dict[str, Any] = found["about"]
        self.numbers: dict[str, Any] = found["numbers"]

    def __contains__(self, name: str) -> bool:
        return name in self.numbers

    def of(self, name: str) -> Number:
        """Return a number.

        Raises:
            KeyError: If it was not measured.
        """
        entry = self.numbers[name]
        low, high = entry["interval"]
        return Number(entry["value"], low, high, len(entry["values"]))

    def source(self, part: str) -> str:
        """Say where the numbers whose names begin with that come from, for captions."""
        seeds = max((len(entry["values"]) for name, entry in self.numbers.items() if name.startswith(part)), default=0)
        return (
            f"Means over {seeds} seeds with 95 % t-intervals; {self.about.get('date')}, profile"
            f" {self.about.get('profile')}"
        )
