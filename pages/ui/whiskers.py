"""The whiskers of charts: 95 % intervals, as plotly wants them."""

from collections.abc import Iterable

from core.rates import Rate

Span = tuple[float, float, float]  # a value, the lower and the upper end of its interval


def whiskers(spans: Iterable[Span], *, scale: float = 1.0, **look: object) -> dict[str, object]:
    """Return error bars that reach from each value to both ends of its interval.

    Args:
        spans: Values with their intervals.
        scale: What the axis multiplies them by; 100 for per cent.
        look: Whatever else plotly knows of error bars.
    """
    known = list(spans)
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (high - value) for value, _, high in known],
        "arrayminus": [scale * (value - low) for value, low, _ in known],
        "thickness": 1.2,
        **look,
    }


def of_rates(rates: Iterable[Rate], **look: object) -> dict[str, object]:
    """Return the error bars of rates that are drawn in per cent."""
    return whiskers(((rate.value, *rate.interval) for rate in rates), scale=100, **look)
