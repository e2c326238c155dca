"""What pages share of the dial: the way to it, and curves over the ε of training."""

import itertools
from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from core import worlds
from core.data.pictures import Picture
from core.dial.networks import RADII, here
from core.rates import Estimate
from pages.ui.charts import whiskers
from pages.ui.world import current

AXES = {"gradients": "cosine or correlation", "features": "of all features, %"}
# Okabe and Ito's colours, which no colour blindness confuses, and a dash and a symbol each.
LOOKS = (
    ("#0072b2", "solid", "circle"),
    ("#e69f00", "dash", "square"),
    ("#009e73", "dot", "diamond"),
    ("#cc79a7", "dashdot", "triangle-up"),
    ("#8c8c8c", "longdash", "x"),
    ("#56b4e9", "longdashdot", "star"),
)
Curves = Mapping[str, Mapping[float, Estimate]]


def under_the_dial(key: str, picture: Picture | None = None, **view: str) -> None:
    """Offer the same under the dial; nothing where it has fewer than two networks, or in a world that has none.

    Args:
        key: Of the button.
        picture: The picture in sight.
        view: Of the dial, a field of its recipe each.
    """
    if len(here()) < 2 or current() != worlds.get():
        return
    shown = {} if picture is None or picture.private else {"picture": picture.id}
    pressed = st.button(
        "The same under the dial" if picture is not None else "All of the dial",
        key=key,
        icon=":material/speed:",
        help="Networks that differ only in the ε of the adversary in their training, under one slider.",
    )
    if pressed:
        st.switch_page("pages/dial/page.py", query_params={**view, **shown})


def figure(curves: Curves, trend: str, height: int = 460) -> go.Figure:
    """Draw a line for each thing that was measured, over the ε of training."""
    drawn = go.Figure()
    scale = 1 if trend == "gradients" else 100
    for (label, values), (colour, dash, symbol) in zip(curves.items(), itertools.cycle(LOOKS), strict=False):
        there = [eps for eps in RADII if eps in values]
        each = [values[eps] for eps in there]
        drawn.add_scatter(
            x=there,
            y=[scale * one.value for one in each],
            error_y=whiskers(each, scale=scale),
            text=[words(one, trend) for one in each],
            hovertemplate="%{text}",
            name=label,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"size": 10, "symbol": symbol},
        )
    drawn.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "ε of the adversary in training (L2)", "tickvals": list(RADII), "range": [-0.04, 1.04]},
        yaxis={"title": AXES.get(trend, "of the pictures, %"), "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
    )
    return drawn


def sentence(curves: Curves, trend: str) -> str:
    """Say of each curve where it is highest, and whether its intervals tell that from both ends."""
    return "\n".join(f"- {line(label, values, trend)}" for label, values in curves.items())


def line(label: str, values: Mapping[float, Estimate], trend: str) -> str:
    """Say where one curve begins, where it is highest, and where it ends."""
    first, last = min(values), max(values)
    best = max(values, key=lambda eps: values[eps].value)
    if len(values) < 2:
        return f"**{label}**: {short(values[first], trend)} at ε = {first:g}."
    ends = f"{short(values[first], trend)} at ε = {first:g}, {short(values[last], trend)} at ε = {last:g}"
    if best in (first, last):
        other = last if best == first else first
        apart = "" if values[best].apart(values[other]) else ", which these intervals do not tell apart"
        return f"**{label}**: {ends}{apart}."
    surely = all(values[best].apart(values[eps]) for eps in (first, last))
    says = "above both ends" if surely else "not told apart from both ends by these intervals"
    return f"**{label}**: {ends}; highest at ε = {best:g} with {short(values[best], trend)}, {says}."


def short(one: Estimate, trend: str) -> str:
    """Write a value without its interval."""
    return f"{one.value:.2f}" if trend == "gradients" else f"{100 * one.value:.0f} %"


def words(one: Estimate | None, trend: str) -> str:
    """Write a value with interval and n."""
    if one is None:
        return "not measured"
    return f"{one.plain('.2f') if trend == 'gradients' else one.per_cent()}, {one.n:,}"
