"""The whiskers of charts: 95 % intervals, as plotly wants them."""

from collections.abc import Iterable

from core.rates import Estimate


def whiskers(measured: Iterable[Estimate], *, scale: float = 1.0, **look: object) -> dict[str, object]:
    """Return error bars that reach from each value to both ends of its interval.

    Args:
        measured: Values with their intervals.
        scale: What the axis multiplies them by; 100 for per cent.
        look: Whatever else plotly knows of error bars. On bars they need a colour: plotly's own is dark, also on a dark
            page.
    """
    known = list(measured)
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (one.high - one.value) for one in known],
        "arrayminus": [scale * (one.value - one.low) for one in known],
        "thickness": 1.2,
        **look,
    }


def of_rates(measured: Iterable[Estimate], **look: object) -> dict[str, object]:
    """Return the error bars of fractions that are drawn in per cent."""
    return whiskers(measured, scale=100, **look)
