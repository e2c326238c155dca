"""What training against small perturbations trades: one line a network, across everything that was measured."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.dial.results import AGAIN, about, read, series
from core.frequency.networks import NOISE
from core.frequency.recipe import FrequencyRecipe
from core.frequency.views import script
from core.models import checkpoints
from core.rates import Estimate, Rate
from pages.frequency.columns import title
from pages.frequency.weather import LOOKS
from pages.ui.charts import of_rates, show_chart
from pages.ui.dial import figure as curves_of
from pages.ui.dial import sentence as says
from pages.ui.dial import under_the_dial
from pages.ui.exports import Bundle, downloads
from pages.ui.stale import say_stale
from pages.ui.tables import table

Line = dict[str, Estimate]  # right answers by stop
STOPS = ("clean", "L2 0.5", "fog", "contrast", "Gaussian noise", "coarse waves", "fine waves")


def show(recipe: FrequencyRecipe, found: Mapping[str, Any]) -> None:
    """Draw the lines, and the same as a table."""
    lines = {name: stops(name, found) for name in dict.fromkeys((recipe.standard, recipe.robust, NOISE))}
    lines = {name: line for name, line in lines.items() if len(line) > 1}
    if not lines:
        st.info("Nothing was measured of these networks. Measure it with: python -m core.frequency measure weather")
        return
    show_chart(figure(lines), key="frequency-trades", alt=sentence(lines))
    st.markdown(sentence(lines))
    heads = ["Network", *STOPS]
    rows = [[title(name), *(_text(line.get(stop)) for stop in STOPS)] for name, line in lines.items()]
    table(heads, rows, label="Right answers of each network under every harm")
    st.caption(
        "Right answers with 95 % intervals. Clean and attacked: as measured for the zoo where known (PGD, see there),"
        " else here. Fog, contrast and noise: severity 5 of CIFAR-10-C. Waves: norm 4 in each channel, the mean over"
        " all frequencies below 4 cycles per picture, and from 11 on. Numbers of pictures differ from stop to stop; the"
        " intervals say what that costs."
    )
    along_the_dial()
    out = Bundle(recipe)
    out.table("Numbers", "trades.csv", lambda: numbers(lines))
    downloads(out.files, key="frequency-trades", script=script(recipe))


def along_the_dial() -> None:
    """Show the same along the dial, where that was measured: networks that differ only in the ε of training."""
    found = read()
    curves = series(found, "shifts")
    if not curves:
        return
    st.markdown("### Turned gradually: the ε of training, and nothing else")
    show_chart(curves_of(curves, "shifts", 400), key="frequency-dial", alt=says(curves, "shifts"))
    st.markdown(says(curves, "shifts"))
    st.caption(f"One network at each ε; intervals over pictures. {about(found, 'shifts')}")
    say_stale(found, AGAIN)
    under_the_dial("frequency-to-dial", view="measured", trend="shifts")


def stops(name: str, found: Mapping[str, Any]) -> Line:
    """Collect what is known of a network."""
    line: Line = {}
    known = checkpoints.header(name).measured if checkpoints.path_of(name).is_file() else {}
    for stop in ("clean", "L2 0.5"):
        value = known.get(stop) or found.get("trades", {}).get(name, {}).get(stop)
        if value:
            line[stop] = Rate.from_json(value)
    for stop, kind in (("fog", "fog"), ("contrast", "contrast"), ("Gaussian noise", "gaussian_noise")):
        value = found.get("weather", {}).get(kind, {}).get("5", {}).get(name)
        if value:
            line[stop] = Rate.from_json(value)
    regions = found.get("heat", {}).get(name, {}).get("regions", {})
    for stop, region in (("coarse waves", "low"), ("fine waves", "high")):
        if region in regions:
            line[stop] = Estimate.from_json(regions[region]).complement()
    return line


def figure(lines: Mapping[str, Line]) -> go.Figure:
    """Draw a line a network across the stops."""
    drawn = go.Figure()
    for i, (name, line) in enumerate(lines.items()):
        there = [stop for stop in STOPS if stop in line]
        values = [line[stop] for stop in there]
        colour, dash, symbol = LOOKS[i % len(LOOKS)]
        drawn.add_scatter(
            x=there,
            y=[100 * value.value for value in values],
            error_y=of_rates(values),
            text=[_text(value) for value in values],
            hovertemplate="%{text}",
            name=title(name),
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"size": 11, "symbol": symbol},
        )
    drawn.update_layout(
        height=480,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"categoryorder": "array", "categoryarray": list(STOPS)},
        yaxis={"range": [-2, 102], "title": "right, %"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
    )
    return drawn


def sentence(lines: Mapping[str, Line]) -> str:
    """Say where the second network is above the first and where below, as far as the intervals tell."""
    if len(lines) < 2:
        return "Only one network was measured."
    (a, first), (b, second) = list(lines.items())[:2]
    both = [stop for stop in STOPS if stop in first and stop in second]
    above = [stop for stop in both if second[stop].above(first[stop])]
    below = [stop for stop in both if first[stop].above(second[stop])]
    rest = [stop for stop in both if stop not in above and stop not in below]

    def listed(stops_: list[str]) -> str:
        return ", ".join(stops_) if stops_ else "nowhere"

    return (
        f"**{title(b)}** is above {title(a)} at: {listed(above)}. Below: {listed(below)}. Not told apart by these"
        f" intervals: {listed(rest)}."
    )


def numbers(lines: Mapping[str, Line]) -> dict[str, list[object]]:
    """Lay the lines out as a table."""
    columns: dict[str, list[object]] = {key: [] for key in ("network", "stop", "right", "low", "high", "n")}
    for name, line in lines.items():
        for stop, one in line.items():
            for column, cell in zip(columns.values(), (name, stop, one.value, *one.interval, one.n), strict=True):
                column.append(cell)
    return columns


def _text(value: Estimate | None) -> str:
    return "not measured" if value is None else f"{value.per_cent()} (n = {value.n:,})"
