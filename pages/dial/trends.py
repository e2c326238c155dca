"""What was measured along the dial: a plot a trend, what it says in a sentence, and the numbers."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core import results as measured_on
from core.dial.networks import RADII
from core.dial.recipe import DialRecipe
from core.dial.results import AGAIN, Value, about, series
from core.dial.views import script
from pages.ui import store
from pages.ui.address import choose
from pages.ui.exports import Bundle, camera, downloads
from pages.ui.tables import table

TRENDS = {
    "accuracy": "Accuracy",
    "gradients": "Gradients",
    "pictures": "Who recognises it",
    "transfer": "Transfer",
    "features": "Features",
    "shifts": "Fog and waves",
}
SAYS = {
    "accuracy": "Right answers, of clean test pictures and under attack.",
    "gradients": "Does the gradient point where a person would look? Noise has 0 in all three.",
    "pictures": "How often a judge that took no part sees the wanted class in what each network made.",
    "transfer": "How often perturbations that were made for a network of the dial fool five ordinary networks that took no part. Springer"
    " et al. (2021) report that slightly robust sources transfer best.",
    "features": "Of its features, how many are useful, and how many still are after an adversary has pushed them.",
    "shifts": "Harm that nobody computed: what training against small perturbations trades.",
}
AXES = {"gradients": "cosine or correlation", "features": "of all features, %"}
# Okabe and Ito's colours, which no colour blindness confuses, and a dash and a symbol each.
LOOKS = (
    ("#0072b2", "solid", "circle"), ("#e69f00", "dash", "square"), ("#009e73", "dot", "diamond"),
    ("#cc79a7", "dashdot", "triangle-up"), ("#8c8c8c", "longdash", "x"), ("#56b4e9", "longdashdot", "star"),
)  # fmt: skip
Curves = Mapping[str, Mapping[float, Value]]


def show(found: Mapping[str, Any]) -> None:
    """Show the trend that is chosen."""
    if not found:
        st.info(f"Nothing was measured along the dial. Measure it with: {AGAIN}")
        return
    trend = choose("Trend", TRENDS, key="trend", default=DialRecipe().trend, label_visibility="collapsed")
    curves = series(found, trend)
    st.markdown(SAYS[trend])
    if not curves:
        st.info(f"This trend was not measured. Measure it with: {AGAIN}")
        return
    st.plotly_chart(
        figure(curves, trend), key=f"dial-{trend}", alt=sentence(curves, trend), config=camera(f"dial-{trend}")
    )
    st.markdown(sentence(curves, trend))
    heads = ["Measured", *(f"ε = {eps:g}" for eps in RADII)]
    rows = [[label, *(words(values.get(eps), trend) for eps in RADII)] for label, values in curves.items()]
    table(heads, rows, label=f"{TRENDS[trend]} along the dial")
    st.caption(f"In brackets: 95 % intervals, and n. One network at each ε, so the intervals do not cover another seed. {about(found, trend)}")  # fmt: skip
    stale = store.results().of(("dial-stale", repr(found.get("stamps"))), lambda: measured_on.stale(found))
    if stale:
        st.warning(f"Measured on weights that have changed since: {', '.join(stale)}. Measure again: {AGAIN}")
    recipe = DialRecipe(view="measured", trend=trend)
    out = Bundle(recipe)
    out.table("Numbers", f"dial-{trend}.csv", lambda: numbers(curves))
    downloads(out.files, key="dial-trends", script=script(recipe))


def figure(curves: Curves, trend: str, height: int = 460) -> go.Figure:
    """Draw a line for each thing that was measured, over the ε of training."""
    drawn = go.Figure()
    scale = 1 if trend == "gradients" else 100
    for (label, values), (colour, dash, symbol) in zip(curves.items(), LOOKS * 2, strict=False):
        there = [eps for eps in RADII if eps in values]
        each = [values[eps] for eps in there]
        drawn.add_scatter(
            x=there,
            y=[scale * one.value for one in each],
            error_y={
                "array": [scale * (one.high - one.value) for one in each],
                "arrayminus": [scale * (one.value - one.low) for one in each],
                "symmetric": False,
                "thickness": 1.4,
            },
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
    """Say of each curve where it is highest, and whether its intervals tell that from ordinary training."""
    return "\n".join(f"- {line(label, values, trend)}" for label, values in curves.items())


def line(label: str, values: Mapping[float, Value], trend: str) -> str:
    """Say where one curve begins, where it is highest, and where it ends."""
    first, last = min(values), max(values)
    best = max(values, key=lambda eps: values[eps].value)
    if len(values) < 2:
        return f"{label}: {short(values[first], trend)} at ε = {first:g}."
    ends = f"{short(values[first], trend)} at ε = {first:g}, {short(values[last], trend)} at ε = {last:g}"
    if best in (first, last):
        other = last if best == first else first
        apart = "" if distinct(values[best], values[other]) else ", which these intervals do not tell apart"
        return f"**{label}**: {ends}{apart}."
    surely = all(distinct(values[best], values[eps]) for eps in (first, last))
    says = "above both ends" if surely else "not told apart from both ends by these intervals"
    return f"**{label}**: {ends}; highest at ε = {best:g} with {short(values[best], trend)}, {says}."


def distinct(a: Value, b: Value) -> bool:
    """Tell whether two intervals do not overlap."""
    return a.low > b.high or b.low > a.high


def short(one: Value, trend: str) -> str:
    """Write a value without its interval."""
    return f"{one.value:.2f}" if trend == "gradients" else f"{100 * one.value:.0f} %"


def words(one: Value | None, trend: str) -> str:
    """Write a value with interval and n."""
    if one is None:
        return "not measured"
    if trend == "gradients":
        return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}], {one.n:,}"
    return f"{100 * one.value:.1f} % [{100 * one.low:.1f}, {100 * one.high:.1f}], {one.n:,}"


def numbers(curves: Curves) -> dict[str, list[object]]:
    """Lay the curves out as a table."""
    rows = [
        (label, eps, one.value, one.low, one.high, one.n)
        for label, values in curves.items()
        for eps, one in values.items()
    ]
    heads = ("measured", "trained_at_eps", "value", "low", "high", "n")
    return {head: [row[i] for row in rows] for i, head in enumerate(heads)}
