"""Measured numbers on a common scale from 0 to 1, each with its interval and, where it has one, the source's own."""

import html
from collections.abc import Sequence

from core.debate.measured import Number

STYLE = """<style>
.bars { display: grid; grid-template-columns: minmax(11rem, 17rem) 1fr; gap: 0.35rem 1rem; align-items: center; }
.bars svg { width: 100%; height: 1.9rem; overflow: visible; }
.bars .of { font-size: 0.8rem; opacity: 0.75; display: block; }
@media (max-width: 700px) { .bars { grid-template-columns: 1fr; } }
</style>"""


def bars(numbers: Sequence[Number]) -> str:
    """Draw numbers on a common scale from 0 to 1: a point with its interval, and the source's own as a ring."""
    return f'{STYLE}<div class="bars">{"".join(map(_bar, numbers))}</div>'


def _bar(number: Number) -> str:
    theirs = "" if number.theirs is None else f"; the source: {_percent(number.theirs)}"
    said = f"{number.label}: {number}{theirs}"
    ring = (
        ""
        if number.theirs is None
        else f'<circle cx="{100 * number.theirs}%" cy="50%" r="6.5" fill="none" stroke="#d98a00" stroke-width="2.5"/>'
    )
    at, low, high = (100 * min(1.0, max(0.0, v)) for v in (number.value, number.low, number.high))
    drawn = (
        '<line x1="0" x2="100%" y1="50%" y2="50%" stroke="#8c8c8c" stroke-opacity="0.35" stroke-width="8" stroke-linecap="round"/>'
        f'<line x1="0" x2="{at}%" y1="50%" y2="50%" stroke="#1c8a9e" stroke-width="8" stroke-linecap="round"/>'
        f'<line x1="{low}%" x2="{high}%" y1="50%" y2="50%" stroke="currentColor" stroke-width="2.5"/>'
        f'<circle cx="{at}%" cy="50%" r="5" fill="currentColor"/>{ring}'
    )
    return (
        f'<div>{html.escape(number.label)}<span class="of">{html.escape(str(number))}{html.escape(theirs)}</span></div>'
        f'<svg role="img" aria-label="{html.escape(said)}">{drawn}</svg>'
    )


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"
