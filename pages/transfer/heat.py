"""The matrix as a heat map that can be clicked, and its twin: a table for keyboard and screen reader."""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.rates import Rate
from core.transfer.views import JOIN
from pages.ui.stage import on_stage

ACCENT = "#d55e00"  # the frame of the chosen cell: seen on both ends of cividis
SIDE = 1.75  # of the room for the titles above: those beside, and room for the slanted ones


@dataclass(frozen=True)
class Grid:
    """What the heat map shows.

    Args:
        rates: (source, target) -> rate, for the pairs that are there.
        sources: Rows, in order.
        targets: Columns, in order.
        titles: How each model is called.
        says: What the rate is the rate of, e.g. "VGG is wrong".
    """

    rates: Mapping[tuple[str, str], Rate]
    sources: Sequence[str]
    targets: Sequence[str]
    titles: Mapping[str, str]
    says: str

    def frame(self) -> pd.DataFrame:
        """Return a row for each pair."""
        rows = []
        for (source, target), rate in self.rates.items():
            low, high = rate.interval
            rows.append(
                {
                    "source": source,
                    "target": target,
                    "from": self.titles[source],
                    "to": self.titles[target],
                    "rate": rate.value,
                    "shown": f"{100 * rate.value:.0f}",
                    "exact": str(rate),
                    "low": low,
                    "high": high,
                }
            )
        return pd.DataFrame(rows)


def chart(grid: Grid, chosen: tuple[str, str] | None, *, pick: bool) -> alt.LayerChart | alt.FacetChart:
    """Draw the heat map, a frame around the chosen cell; with `pick`, cells can be clicked."""
    frame, letters = grid.frame(), 17 if on_stage() else 12
    base = alt.Chart(frame).encode(
        x=alt.X(
            "to:N",
            sort=[grid.titles[t] for t in grid.targets],
            title="shown to",
            axis=alt.Axis(
                orient="top",
                labelAngle=-40,
                labelLimit=240,
                labelFontSize=letters,
                labelOverlap=False,
                labelPadding=6,
                ticks=False,
                domain=False,
            ),
        ),
        y=alt.Y(
            "from:N",
            sort=[grid.titles[s] for s in grid.sources],
            title="made for",
            axis=alt.Axis(labelLimit=240, labelFontSize=letters, ticks=False, domain=False),
        ),
    )
    cells = base.mark_rect(cursor="pointer" if pick else "default").encode(
        color=alt.Color(
            "rate:Q",
            scale=alt.Scale(scheme="cividis", domain=[0, 1]),
            legend=None,  # every cell says its number
        ),
        tooltip=[
            alt.Tooltip("from:N", title="made for"),
            alt.Tooltip("to:N", title="shown to"),
            alt.Tooltip("exact:N", title=grid.says),
        ],
    )
    if pick:
        cells = cells.add_params(
            alt.selection_point("cell", fields=["source", "target"], on="click", toggle=False, empty=False)
        )
    numbers = base.mark_text(fontSize=letters + 4, fontWeight=500, tooltip=None).encode(
        text="shown:N", color=alt.condition("datum.rate > 0.55", alt.value("#111111"), alt.value("#ffffff"))
    )
    layers = [cells, numbers]
    if chosen is not None and chosen in grid.rates:
        mark: Any = alt.datum.source == chosen[0]
        layers.append(
            base.transform_filter(mark & (alt.datum.target == chosen[1])).mark_rect(
                fill=None, stroke=ACCENT, strokeWidth=3.5, tooltip=None
            )
        )
    return alt.layer(*layers).properties(
        height=cell_px() * len(grid.sources) + heads_px(), padding={"left": 2, "top": 2, "right": 46, "bottom": 6}
    )


def heat(grid: Grid, chosen: tuple[str, str], on_pick: Callable[[str, str], None], *, key: str) -> None:
    """Show the heat map and its caption; a click hands source and target to `on_pick`, before the page runs again."""

    def clicked() -> None:
        points = st.session_state[key].selection.get("cell", [])
        if points and {"source", "target"} <= points[0].keys():
            on_pick(points[0]["source"], points[0]["target"])

    with board(grid, key=key):
        st.altair_chart(
            chart(grid, chosen, pick=True),
            key=key,
            on_select=clicked,
            selection_mode="cell",
            alt=sentence(grid),
        )


def width(grid: Grid) -> int:
    """Return how wide a heat map is, px: never so narrow that its cells cannot be read or hit."""
    return int(heads_px() * SIDE) + (20 * (len(grid.targets) < 5) + cell_px()) * max(3, len(grid.targets))


def cell_px() -> int:
    """Return the side of a cell: on a stage the matrix is as high as the projector."""
    return 92 if on_stage() else 56


def heads_px() -> int:
    """Return the room for the slanted titles above."""
    return 200 if on_stage() else 150


def board(grid: Grid, *, key: str) -> DeltaGenerator:
    """Show the caption and make the place of the heat map; where the page is narrower, on a phone, that scrolls.

    The style stands in the caption's element: one of its own may reach the browser later than the heat map.
    """
    px = width(grid)
    st.html(
        f"<style>.st-key-{key}-box {{ overflow-x: auto; }}"
        f".st-key-{key}-board {{ width: {px}px; min-width: {px}px; }}</style>"
        f'<div style="font-size: 0.875rem; opacity: 0.8">Of 100 pictures, how often {html.escape(grid.says)}. '
        "Click a cell to see its pictures.</div>"
    )
    return st.container(key=f"{key}-box").container(key=f"{key}-board")


def sentence(grid: Grid) -> str:
    """Say in words what the heat map shows."""
    own = [rate.value for (s, t), rate in grid.rates.items() if t in s.split(JOIN)]
    others = [rate.value for (s, t), rate in grid.rates.items() if t not in s.split(JOIN)]

    def span(values: list[float]) -> str:
        return f"{100 * min(values):.0f} to {100 * max(values):.0f} per cent" if values else "not computed"

    return (
        f"Heat map of {len(grid.sources)} sources by {len(grid.targets)} targets, rate: {grid.says}. "
        f"A model on its own examples: {span(own)}; on those of others: {span(others)}. "
        "The same numbers are in the table below."
    )


def table(grid: Grid, on_pick: Callable[[str, str], None], *, key: str) -> None:
    """Show the numbers as a table whose cells can be chosen with the keyboard."""
    rows = {
        grid.titles[s]: {
            grid.titles[t]: (str(grid.rates[s, t]).split(" (")[0] if (s, t) in grid.rates else "") for t in grid.targets
        }
        for s in grid.sources
    }
    columns = {grid.titles[t]: t for t in grid.targets}

    def chosen() -> None:
        cells = st.session_state[key].selection.get("cells", [])
        if cells and cells[0][1] in columns:
            on_pick(grid.sources[cells[0][0]], columns[cells[0][1]])

    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index.name = "made for ↓, shown to →"
    st.dataframe(frame, key=key, on_select=chosen, selection_mode="single-cell", alt=sentence(grid), height="content")
