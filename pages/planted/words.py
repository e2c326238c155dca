"""Names and colours of who is asked, the same in every view."""

from collections.abc import Mapping

import plotly.graph_objects as go

from core.rates import Estimate
from pages.ui.charts import whiskers

TITLES = {"standard": "Standard network", "robust": "Robust network", "bayes": "Exact Bayes rule", "student": "Student"}
COLOURS = {"standard": "#e69f00", "robust": "#0072b2", "bayes": "#8c8c8c"}
DASHES = {"standard": "solid", "robust": "dash", "bayes": "dot"}
SYMBOLS = {"standard": "circle", "robust": "diamond", "bayes": "square"}


def styled(figure: go.Figure, x: str, y: str, *, height: int = 320) -> go.Figure:
    """Give a chart its axes and margins."""
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis_title=x,
        yaxis_title=y,
    )
    return figure


def lines(x: list[float], curves: Mapping[str, list[Estimate]], x_title: str, y_title: str) -> go.Figure:
    """Draw one line for each name with its intervals."""
    figure = go.Figure()
    for name, numbers in curves.items():
        figure.add_scatter(
            x=x,
            y=[number.value for number in numbers],
            error_y=whiskers(numbers),
            name=TITLES.get(name, name),
            mode="lines+markers",
            line={"color": COLOURS.get(name), "dash": DASHES.get(name, "solid"), "width": 3},
            marker={"symbol": SYMBOLS.get(name, "circle"), "size": 9},
        )
    return styled(figure, x_title, y_title)
