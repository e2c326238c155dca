"""What the students learnt, drawn: bars with intervals, and learning curves."""

import textwrap
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from core.rates import Estimate
from pages.datasets.experiments import HEADS, MEASURED, RENEWED, Line, again, chance
from pages.ui.charts import of_rates

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")  # as many as an experiment has lines
BARS = dict(zip(HEADS, ("#0072B2", "#E69F00", "#009E73", "#56B4E9"), strict=True))


def bars(lines: list[Line], students: Mapping[str, Any]) -> go.Figure:
    """Draw the rates of each student with intervals, as rings those of other seeds, and as diamonds the paper's.

    Clean accuracy, beside it what the paper gives as well; and with adaptive batch norm where there is nothing else.
    """
    shown = [name for i, name in enumerate(MEASURED) if i == 0 or any(line.paper[i] is not None for line in lines)]
    figure = go.Figure()
    saw = [_folded(line.saw) for line in lines]
    adapted = [RENEWED] if shown == ["clean"] and all(RENEWED in students[line.student] for line in lines) else []
    for name in (*shown, *adapted):
        rates = [Estimate.from_json(students[line.student][name]) for line in lines]
        figure.add_bar(
            x=saw,
            y=[100 * rate.value for rate in rates],
            error_y=of_rates(rates, color="gray"),
            name=HEADS[name] + ", here" * (name in MEASURED),
            marker_color=BARS[name],
            offsetgroup=name,
        )
        seeds = [(text, other) for text, line in zip(saw, lines, strict=True) for other in again(line, students)]
        if seeds:
            figure.add_scatter(
                x=[text for text, _ in seeds],
                y=[100 * other[name]["value"] for _, other in seeds],
                mode="markers",
                marker={"symbol": "circle-open", "size": 11, "color": "gray", "line": {"width": 2}},
                name="other seeds, here",
                showlegend=name == "clean",
                offsetgroup=name,
            )
        if name not in MEASURED:
            continue
        figure.add_scatter(
            x=saw,
            y=[line.paper[MEASURED.index(name)] for line in lines],
            mode="markers",
            marker={"symbol": "diamond", "size": 11, "color": BARS[name], "line": {"width": 2, "color": "gray"}},
            name=f"{HEADS[name]}, elsewhere",
            offsetgroup=name,
        )
    figure.add_hline(y=100 * chance(lines[0]), line_dash="dot", line_color="gray")
    figure.update_layout(
        height=340,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        yaxis_title="accuracy on test pictures, %",
        yaxis_range=[0, 100],
        barmode="group",
        scattermode="group",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    )
    return figure


def _folded(text: str) -> str:
    """Break a name into lines, so that the axis need not tilt it."""
    return "<br>".join(textwrap.wrap(text, 16))


def bars_alt(lines: list[Line], students: Mapping[str, Any]) -> str:
    ours = [f"{line.saw} {100 * students[line.student]['clean']['value']:.0f} %" for line in lines]
    return (
        f"Accuracy of each student, here and in the paper; the table has the numbers. Clean, here: {'; '.join(ours)}."
    )


def curves(lines: list[Line], students: Mapping[str, Any]) -> go.Figure:
    """Draw the learning curves: clean test accuracy after each epoch, and what guessing gives as a dotted line."""
    figure = go.Figure()
    for colour, line in zip(COLOURS[: len(lines)], lines, strict=True):
        curve = students[line.student]["curve"]
        figure.add_scatter(
            x=[epoch for epoch, _ in curve],
            y=[100 * value for _, value in curve],
            name=line.saw,
            mode="lines+markers",
            line_color=colour,
        )
    figure.add_hline(y=100 * chance(lines[0]), line_dash="dot", line_color="gray", annotation_text="chance")
    figure.update_layout(
        height=340,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis_title="epochs",
        yaxis_title="clean test accuracy, %",
        yaxis_range=[0, 100],
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        showlegend=True,
    )
    return figure


def curves_alt(lines: list[Line], students: Mapping[str, Any]) -> str:
    ends = [f"{line.saw} ends at {100 * students[line.student]['curve'][-1][1]:.0f} %" for line in lines]
    return f"Learning curves, clean test accuracy after each epoch: {'; '.join(ends)}."
