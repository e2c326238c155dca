"""The view of layers: how far the worst perturbation moves each, as measured."""

from functools import partial

import plotly.graph_objects as go
import streamlit as st

from core.models.pair import is_robust
from core.models.titles import title
from core.rates import Estimate
from core.style import views
from core.style.recipe import StyleRecipe
from pages.ui.charts import show_chart, whiskers
from pages.ui.exports import Bundle, downloads
from pages.ui.folded import folded
from pages.ui.stale import say_stale
from pages.ui.store import lesson
from pages.ui.tables import strong, table

ROBUST, STANDARD = "#0072b2", "#e69f00"
DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


def show(recipe: StyleRecipe) -> None:
    """Show R(f) of every layer of every network."""
    found = views.results("layers")
    if found is None:
        st.info(f"Not measured yet. Measure it with: {views.again('layers')}")
    else:
        known = views.layers(found)
        show_chart(chart(known), key="style-layers", alt=words(known), name="layers")
        st.markdown(words(known))
        st.caption(
            f"{found['n']} test pictures, perturbations within {found['attack']}, whiskers: 95 % intervals over"
            f" pictures. An attack finds a lower bound. {found['date']}."
        )
        st.markdown(lesson("style")["the reply"])
        theirs = "; ".join(f"{name} {', '.join(f'{v:g}' for v in values)}" for name, values in views.THEIRS.items())
        st.caption(f"The reply's own figure, for ImageNet, four layers each, read by eye: {theirs}.")
        folded("All numbers", partial(numbers, known), key="style-layers-numbers")
        say_stale(found, views.again("layers"))
    out = Bundle(recipe)
    out.file("Numbers, CSV", "style-layers.csv", "text/csv", views.table)
    downloads(out.files, key="style", script=views.script(recipe))


def numbers(known: dict[str, dict[str, Estimate]]) -> None:
    """Show every layer of every network as a table."""
    rows = [
        [title(name), block, strong(one.plain(".3f")), f"{one.n:,}"]
        for name, layers in known.items()
        for block, one in layers.items()
    ]
    table(["Network", "Layer", "R(f)", "n"], rows, label="R(f) of every layer of every network")


def chart(known: dict[str, dict[str, Estimate]]) -> go.Figure:
    """Draw a line for each network, from its first layer to its representation."""
    figure = go.Figure()
    dashes = {colour: iter(DASHES) for colour in (ROBUST, STANDARD)}
    for name, layers in known.items():
        colour = ROBUST if is_robust(name) else STANDARD
        last = max(1, len(layers) - 1)
        figure.add_scatter(
            x=[i / last for i in range(len(layers))],
            y=[one.value for one in layers.values()],
            error_y=whiskers(layers.values(), color=colour),
            text=list(layers),
            mode="lines+markers",
            name=title(name),
            line={"color": colour, "width": 3 if colour == ROBUST else 2, "dash": next(dashes[colour], "solid")},
            hovertemplate="%{text}: R = %{y:.2f}<extra>%{fullData.name}</extra>",
        )
    figure.update_layout(
        height=440,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": -0.2},
        xaxis={"title": "depth", "tickvals": [0, 0.5, 1], "ticktext": ["first layer", "", "representation"]},
        yaxis={"title": "R(f): moved, of the way to another picture", "rangemode": "tozero"},
    )
    return figure


def words(known: dict[str, dict[str, Estimate]]) -> str:
    """Say of the representation, the last layer, what was measured in the two kinds of network."""
    ends = {name: list(layers.values())[-1] for name, layers in known.items()}
    moved = [one.value for name, one in ends.items() if is_robust(name)]
    others = [one.value for name, one in ends.items() if not is_robust(name)]
    if not moved or not others:
        return "The worst perturbation of a picture, in units of the way to another picture, layer by layer."
    return (
        "A perturbation that nobody sees moves the representation of the standard networks by"
        f" {_span(others)} of the way to another picture, that of the robust ones by {_span(moved)}."
    )


def _span(values: list[float]) -> str:
    least, most = (f"{end:.2f}" for end in (min(values), max(values)))
    return least if least == most else f"{least} to {most}"
