"""A measured number never goes without its n and its interval."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Z = 1.959964  # of a 95 % interval
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365)  # the same of Student's t, with 1 to 7 degrees of freedom


@dataclass(frozen=True)
class Estimate:
    """A measured number with its 95 % interval.

    Args:
        value: The number.
        interval: Both ends of its interval.
        n: What it was estimated from: pictures, seeds, samples.
    """

    value: float
    interval: tuple[float, float]
    n: int

    @staticmethod
    def of(values: Iterable[float]) -> "Estimate":
        """Estimate a mean from independent values, at least one, with Student's interval; one alone says nothing."""
        each = [float(value) for value in values]
        n, mean = len(each), math.fsum(each) / len(each)
        if n == 1:
            return Estimate(mean, (-math.inf, math.inf), n)
        deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in each) / (n - 1))
        quantile = STUDENT[n - 2] if n - 2 < len(STUDENT) else student(n - 1)
        half = quantile * deviation / math.sqrt(n)
        return Estimate(mean, (mean - half, mean + half), n)

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return self.interval[0]

    @property
    def high(self) -> float:
        """The upper end of the interval."""
        return self.interval[1]

    def above(self, other: "Estimate") -> bool:
        """Tell whether it is larger, as far as both intervals tell: whether they are apart."""
        return self.low > other.high

    def apart(self, other: "Estimate") -> bool:
        """Tell whether both intervals do not overlap."""
        return self.above(other) or other.above(self)

    def within(self, least: float, most: float) -> "Estimate":
        """Cut the interval off where no value can be."""
        low, high = (min(most, max(least, end)) for end in self.interval)
        return Estimate(self.value, (low, high), self.n)

    def complement(self) -> "Estimate":
        """Return one minus it: right answers from wrong ones."""
        return Estimate(1 - self.value, (1 - self.high, 1 - self.low), self.n)

    def plain(self, form: str = ".3g") -> str:
        """Write it with its interval: "0.412 [0.403, 0.421]"; alone where nothing varies."""
        if self.high - self.low <= 1e-9 * abs(self.value):
            return f"{self.value:{form}}"
        return f"{self.value:{form}} [{self.low:{form}}, {self.high:{form}}]"

    def per_cent(self, digits: int = 1) -> str:
        """Write a fraction with its interval, which stays in [0, 100]: "74.1 % [73.3, 75.0]"."""
        low, high = self.within(0.0, 1.0).interval
        return f"{100 * self.value:.{digits}f} % [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"

    def __str__(self) -> str:
        return f"{self.plain()} (n = {self.n:,})"

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> "Estimate":
        """Read what a results file says: "value" or "mean", "interval", and "n" or the "values" themselves."""
        value = found["value"] if "value" in found else found["mean"]
        low, high = found["interval"]
        n = found["n"] if "n" in found else len(found["values"])
        return Estimate(float(value), (float(low), float(high)), int(n))

    def as_json(self, digits: int | None = None) -> dict[str, Any]:
        """Write value, interval and n, for a results file; all digits, or so many."""
        value, *interval = (v if digits is None else round(v, digits) for v in (self.value, *self.interval))
        return {"value": value, "interval": interval, "n": self.n}


@dataclass(frozen=True, init=False)
class Rate(Estimate):
    """A fraction of successes with its Wilson 95 % interval (Wilson 1927).

    Its value is NaN and its interval (0, 1) for n = 0.

    Args:
        hits: Successes.
        n: Trials.
    """

    hits: int

    def __init__(self, hits: int, n: int) -> None:
        super().__init__(hits / n if n else math.nan, _wilson(hits, n), n)
        object.__setattr__(self, "hits", hits)

    def __str__(self) -> str:
        return f"{self.per_cent()} (n = {self.n:,})"

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> "Rate":
        """Read what `as_json` wrote: the counts alone decide."""
        return Rate(found["hits"], found["n"])

    def as_json(self, digits: int | None = None) -> dict[str, Any]:
        """Write value, interval and counts, for a results file; all digits, or so many."""
        found = super().as_json(digits)
        return {"value": found["value"], "interval": found["interval"], "hits": self.hits, "n": self.n}


def student(freedom: Any) -> Any:
    """Return Student's t quantile at 97.5 %, by its expansion around Z.

    Args:
        freedom: Degrees of freedom, a number or a tensor; good to 1 % from 3 on.
    """
    first = (Z**3 + Z) / 4
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    third = (3 * Z**7 + 19 * Z**5 + 17 * Z**3 - 15 * Z) / 384
    return Z + first / freedom + second / freedom**2 + third / freedom**3


def _wilson(hits: int, n: int) -> tuple[float, float]:
    if not n:
        return 0.0, 1.0
    value = hits / n
    centre = (value + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(value * (1 - value) / n + Z * Z / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)
