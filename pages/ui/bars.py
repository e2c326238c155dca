"""Measured numbers on a common scale from 0 to 1, each with its interval and, where it has one, the source's own."""

import html
from collections.abc import Sequence

from core.debate.measured import Number

# Drawn with boxes: Streamlit strips SVG from HTML.
STYLE = """<style>
.bars { display: grid; grid-template-columns: minmax(11rem, 17rem) 1fr; gap: 0.6rem 1.2rem; align-items: center;
  margin-right: 0.6rem; }
.bars .of { font-size: 0.8rem; opacity: 0.8; display: block; }
.bars .scale { position: relative; height: 1.6rem; }
.bars .scale i { position: absolute; top: 50%; height: 8px; margin-top: -4px; border-radius: 4px;
  background: rgb(140 140 140 / 30%); }
.bars .scale .value { background: #1c8a9e; }
.bars .scale .interval { height: 3px; margin-top: -1.5px; border-radius: 0; background: currentColor; }
.bars .scale .point { width: 10px; height: 10px; margin: -5px; border-radius: 50%; background: currentColor; }
.bars .scale .theirs {
  width: 15px; height: 15px; margin: -7.5px; border-radius: 50%; background: none;
    box-shadow: inset 0 0 0 2.5px #d98a00;
}
@media (max-width: 700px) { .bars { grid-template-columns: 1fr; gap: 0.2rem; } }
</style>"""


def bars(numbers: Sequence[Number]) -> str:
    """Draw numbers on a common scale from 0 to 1: a point with its interval, and the source's own as a ring."""
    return f'{STYLE}<div class="bars">{"".join(map(_bar, numbers))}</div>'


def _bar(number: Number) -> str:
    theirs = "" if number.theirs is None else f"; the source: {100 * number.theirs:.1f} %"
    said = f"{number.label}: {number}{theirs}"
    at, low, high = (100 * min(1.0, max(0.0, v)) for v in (number.value, number.low, number.high))
    ring = "" if number.theirs is None else f'<i class="theirs" style="left: {100 * number.theirs}%"></i>'
    drawn = (
        f'<i style="left: 0; right: 0"></i><i class="value" style="left: 0; width: {at}%"></i><i class="interval"'
        f' style="left: {low}%; width: {high - low}%"></i><i class="point" style="left: {at}%"></i>{ring}'
    )
    return (
        f'<div>{html.escape(number.label)}<span class="of">{html.escape(str(number))}{html.escape(theirs)}</span></div>'
        f'<div class="scale" role="img" aria-label="{html.escape(said)}">{drawn}</div>'
    )
