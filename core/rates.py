"""A measured fraction never goes without its n and its interval."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rate:
    """A fraction of successes with its Wilson 95 % interval.

    Args:
        hits: Successes.
        n: Trials.
    """

    hits: int
    n: int

    @property
    def value(self) -> float:
        """The fraction in [0, 1]; NaN for n = 0."""
        return self.hits / self.n if self.n else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The Wilson score interval at 95 % (Wilson 1927); (0, 1) for n = 0."""
        if not self.n:
            return 0.0, 1.0
        z = 1.959964
        centre = (self.value + z * z / (2 * self.n)) / (1 + z * z / self.n)
        half = z / (1 + z * z / self.n) * math.sqrt(self.value * (1 - self.value) / self.n + z * z / (4 * self.n**2))
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        return f"{per_cent(self.value, self.interval)} (n = {self.n:,})"

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> "Rate":
        """Read what `as_json` wrote: the counts alone decide."""
        return Rate(value["hits"], value["n"])

    def as_json(self, digits: int | None = None) -> dict[str, Any]:
        """Write value, interval and counts, for a results file; all digits, or so many."""
        value, *interval = (v if digits is None else round(v, digits) for v in (self.value, *self.interval))
        return {"value": value, "interval": interval, "hits": self.hits, "n": self.n}


def per_cent(value: float, interval: Sequence[float], digits: int = 1) -> str:
    """Write a fraction with its interval: "74.1 % [73.3, 75.0]"."""
    low, high = interval
    return f"{100 * value:.{digits}f} % [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"
