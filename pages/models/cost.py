"""What robustness costs: accuracy under attack over the operations of training, and recipes at equal cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core import results
from core.models import card, checkpoints
from core.models.titles import title
from core.rates import Rate
from core.train import cost, speedrun, zoo
from core.train.published import BALLS, COSTED
from pages.models.plot import CHOSEN, OTHERS, OURS
from pages.ui.charts import of_rates, show_chart
from pages.ui.tables import table

AUTO = "#009e73"


@dataclass(frozen=True)
class Point:
    """A network of this computer, what its training cost, and what an attack leaves.

    Args:
        name: The checkpoint.
        operations: Of its training.
        pgd: Under PGD, in the ball of the norm's board.
        auto: Under AutoAttack, where it was measured.
        minutes: Of training on which machine, where that was noted.
    """

    name: str
    operations: float
    pgd: Rate
    auto: Rate | None
    minutes: str

    @property
    def hover(self) -> str:
        """What is said of it."""
        lines = [title(self.name), f"{cost.written(self.operations)} operations", f"PGD {self.pgd}"]
        lines += [f"AutoAttack {self.auto}"] if self.auto is not None else []
        return "<br>".join([*lines, self.minutes] if self.minutes else lines)


def elsewhere() -> tuple[str, ...]:
    """List the networks in folders of their own, which no box of models offers, of which accuracies were measured."""
    declared = (name for name in zoo.declared() if "/" in name and checkpoints.path_of(name).is_file())
    return tuple(name for name in declared if card.measured(checkpoints.header(name)))


def points(names: Sequence[str], norm: str) -> list[Point]:
    """Collect the networks whose cost is known and that were attacked in the ball of that norm."""
    found = []
    for name in names:
        about = checkpoints.header(name)
        spent = cost.operations(about)
        rates = {(one.attack, one.ball): one.rate for one in card.measured(about)}
        pgd = rates.get((card.PGD, BALLS[norm]))
        if spent is not None and pgd is not None:
            found.append(Point(name, spent, pgd, rates.get((card.AUTOATTACK, BALLS[norm])), cost.minutes(about)))
    return found


def figure(ours: Sequence[Point], norm: str, chosen: str) -> go.Figure:
    """Draw accuracy under attack over operations; the chosen network is the diamond, published ones are rings."""
    drawn = go.Figure()
    theirs = COSTED[norm]
    drawn.add_scatter(
        x=[one.operations for one in theirs],
        y=[one.robust for one in theirs],
        text=[
            f"{one.who}, {called(one.arch)}<br>{cost.written(one.operations)} operations: {one.says}" for one in theirs
        ],
        name="published",
        mode="markers",
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": "circle-open", "size": 12, "color": OTHERS, "line": {"width": 2}},
    )
    for label, some, colour, symbol, size in (
        ("here, PGD", [one for one in ours if one.name != chosen], OURS, "circle", 10),
        ("this one, PGD", [one for one in ours if one.name == chosen], CHOSEN, "diamond", 17),
    ):
        if some:
            drawn.add_scatter(
                x=[one.operations for one in some],
                y=[100 * one.pgd.value for one in some],
                error_y=of_rates(one.pgd for one in some),
                text=[one.hover for one in some],
                name=label,
                mode="markers",
                hovertemplate="%{text}<extra></extra>",
                marker={"symbol": symbol, "size": size, "color": colour},
            )
    both = [one for one in ours if one.auto is not None]
    if both:
        drawn.add_scatter(
            x=[one.operations for one in both],
            y=[100 * one.auto.value for one in both if one.auto is not None],
            text=[one.hover for one in both],
            name="here, AutoAttack",
            mode="markers",
            hovertemplate="%{text}<extra></extra>",
            marker={"symbol": "x-thin", "size": 10, "line": {"width": 2.5, "color": AUTO}},
        )
    drawn.update_layout(
        height=400,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "operations of training", "type": "log", "exponentformat": "power", "dtick": 1},
        yaxis={"title": f"accuracy under attack, {BALLS[norm]}, %", "rangemode": "tozero"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return drawn


def called(arch: str) -> str:
    """Write an architecture as people do: ResNet-50."""
    return arch.replace("resnet", "ResNet-")


def sentence(ours: Sequence[Point], norm: str) -> str:
    """Say what the plot shows."""
    if not ours:
        return f"No network here whose cost is known was measured at {BALLS[norm]} yet."
    best = max(ours, key=lambda one: one.pgd.value)
    text = (
        f"{title(best.name)} has {best.pgd} under PGD at {BALLS[norm]} for {cost.written(best.operations)} "
        "floating-point operations of training, counted layer by layer from what its header says."
    )
    for one in COSTED[norm]:
        times = one.operations / best.operations
        text += f" {one.who}, {called(one.arch)}: {one.says} for {times:,.0f} times as many ({one.note})."
    return text


def show(names: Sequence[str], norm: str, chosen: str) -> None:
    """Show the plot, and the recipes that were tried at equal cost, where they were."""
    ours = points(names, norm)
    text = sentence(ours, norm)
    show_chart(figure(ours, norm, chosen), key="models-cost", alt=text, name="cost")
    st.caption(text)
    rows = tried(results.read(speedrun.RESULTS, speedrun.AGAIN) or {})
    if rows:
        st.markdown("### Recipes at equal cost")
        table(rows[0], rows[1:], label="What gives most robust accuracy a minute")
        st.caption(
            "Each ResNet-9 was trained for the minutes said, on all but the last 5,000 training pictures, and measured"
            " on those; cost is that of a step over the baseline's. python -m core.train.speedrun"
        )


def tried(found: Mapping[str, Any]) -> list[list[str]]:
    """Lay out the recipes that were tried, the most robust first; empty where none was."""
    ball = BALLS["L2"]
    runs = sorted(found.get("runs", {}).values(), key=lambda one: -one[ball]["value"])
    if not runs:
        return []
    auto = any(f"{card.AUTOATTACK} {ball}" in one for one in runs)
    head = ["Recipe", "After", "Width", "Minutes", "Cost", "Clean", f"PGD, {ball}", *(["AutoAttack"] if auto else [])]
    lines = []
    for one in runs:
        rates = [str(Rate.from_json(one[what])) for what in ("clean", ball)]
        strong = one.get(f"{card.AUTOATTACK} {ball}")
        rates += [str(Rate.from_json(strong)) if strong else ""] if auto else []
        width = str(one["fields"]["args"]["width"])
        lines.append(
            [one["title"], one["source"], width, f"{one['minutes']:g}", f"{one['times_baseline']:.2f}", *rates]
        )
    return [head, *lines]
