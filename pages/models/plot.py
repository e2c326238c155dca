"""All models in one plot: clean accuracy against robust accuracy, beside what others have published."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from core.models import card, checkpoints
from core.models.titles import title
from core.rates import Rate
from core.train.published import BALLS, BOARDS, SOURCE
from pages.ui.charts import of_rates

OURS, CHOSEN, OTHERS = "#0072b2", "#e69f00", "#8c8c8c"


@dataclass(frozen=True)
class Point:
    """A model of this computer of which both accuracies were measured."""

    name: str
    clean: Rate
    robust: Rate


def points(names: Sequence[str], norm: str) -> list[Point]:
    """Collect the models that were measured in the ball of RobustBench's board of that norm."""
    found = []
    for name in names:
        rates = {one.what: one.rate for one in card.measured(checkpoints.header(name))}
        if card.CLEAN in rates and BALLS[norm] in rates:
            found.append(Point(name, rates[card.CLEAN], rates[BALLS[norm]]))
    return found


def figure(ours: Sequence[Point], norm: str, chosen: str, *, published: bool) -> go.Figure:
    """Draw the plot; the chosen model is the large diamond, what others published are rings."""
    drawn = go.Figure()
    if published:
        board = BOARDS[norm]
        drawn.add_scatter(
            x=[point.clean for point in board],
            y=[point.robust for point in board],
            text=[f"{point.who}, {point.arch}: clean {point.clean:g} %, robust {point.robust:g} %" for point in board],
            name="published (RobustBench)",
            mode="markers",
            hovertemplate="%{text}<extra></extra>",
            marker={"symbol": "circle-open", "size": 11, "color": OTHERS, "line": {"width": 2}},
        )
    for label, some, colour, symbol, size in (
        ("here", [point for point in ours if point.name != chosen], OURS, "circle", 11),
        ("this one", [point for point in ours if point.name == chosen], CHOSEN, "diamond", 18),
    ):
        if some:
            drawn.add_scatter(
                x=[100 * point.clean.value for point in some],
                y=[100 * point.robust.value for point in some],
                error_x=of_rates((point.clean for point in some), width=3),
                error_y=of_rates((point.robust for point in some), width=3),
                text=[f"{title(point.name)}<br>clean {point.clean}<br>robust {point.robust}" for point in some],
                name=label,
                mode="markers",
                hovertemplate="%{text}<extra></extra>",
                marker={"symbol": symbol, "size": size, "color": colour},
            )
    drawn.update_layout(
        height=460,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "clean accuracy, %"},
        yaxis={"title": f"accuracy under attack, {BALLS[norm]}, %", "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return drawn


def sentence(ours: Sequence[Point], norm: str, chosen: str, *, published: bool) -> str:
    """Say what the plot shows."""
    if not ours:
        return f"No model of this world was measured at {BALLS[norm]} yet."
    best = max(ours, key=lambda point: point.robust.value)
    many = f"Of {len(ours)} models here, {title(best.name)} withstands most"
    text = f"{many if len(ours) > 1 else title(best.name)}: {best.robust} at {BALLS[norm]}."
    here = next((point for point in ours if point.name == chosen), None)
    if here is not None and here.name != best.name:
        text += f" {title(chosen)}: {here.robust}."
    if published:
        top = max(BOARDS[norm], key=lambda point: point.robust)
        text += (
            f" The best published network has {top.robust:g} % ({top.who}, {top.arch}); rings are {SOURCE}, ours are"
            " PGD on fewer pictures and far smaller networks, so compare the picture, not the digits."
        )
    return text
