"""Figure 3 of the paper: who learns better from a network's non-robust features is fooled by it more often."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from core.rates import Estimate, Rate
from core.transfer import results, views
from core.transfer.recipe import TransferRecipe
from core.transfer.results import PAPER, PAPER_LINE, REPLY, Point
from core.transfer.similarity import correlation
from pages.ui.charts import of_rates, show_chart
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.folded import folded
from pages.ui.stale import say_stale

GREY, BLUE = "#8c8c8c", "#0072b2"


def show(recipe: TransferRecipe) -> None:
    """Show the paper's five points and, where they were measured, ours."""
    how, ours = results.figure3()
    show_chart(figure(ours), key="transfer-figure3", alt=alt(ours))
    st.markdown(
        f"- **The paper's five architectures: r = {_r(PAPER)}.** Each learned from the same training set D_det, whose"
        " labels are right only by the non-robust features of a ResNet-50."
    )
    if ours:
        st.markdown(
            f"- **Ours: r = {_r(ours)}. {verdict(ours)}** Small networks, our own D_det: {how['pictures']:,} pictures, "
            f"{how['epochs']} epochs, {how['date']}."
        )
    else:
        st.markdown(
            "- **Ours: not measured.** It takes a student of our D_det set for each architecture: "
            "python -m core.datasets.experiments run figure3, then python -m core.transfer measure."
        )
    st.markdown(
        "A correlation over so few points is weak evidence by itself: look at its interval. We found no ε and no number"
        " of steps for the paper's transfer rates, so compare the order of the points, not their height."
    )
    st.markdown(
        "- **At the origin:** a set made of [bugs](bugs), perturbations that transfer to nobody; it teaches nobody"
        " either. The authors put it there in their reply to Nakkiran (Distill 2019), and it is in no correlation here."
    )
    rows = [("paper", point) for point in PAPER] + [("ours", point) for point in ours]
    columns = {
        "who": [who for who, _ in rows],
        "architecture": [point.name for _, point in rows],
        "accuracy of the student of D_det": [_cell(p.accuracy, p.accuracy_rate) for _, p in rows],
        "transfer rate": [_cell(p.transfer, p.transfer_rate) for _, p in rows],
    }
    folded(
        "The numbers",
        lambda: st.dataframe(columns, hide_index=True, alt="The points of the figure"),
        key="transfer-figure3-numbers",
        icon=":material/table:",
    )
    st.caption(
        "The paper's points and its dashed line are read from the vector graphic of figure 3 (Ilyas et al. 2019), so"
        " they come without n and interval."
    )
    say_stale(how, "python -m core.datasets.experiments run figure3")
    downloads(files(recipe, ours), key="transfer-figure3", script=views.script(recipe))


def figure(ours: Sequence[Point]) -> go.Figure:
    """Draw transfer over accuracy."""
    drawn = go.Figure()
    drawn.add_scatter(
        x=[100 * x for x, _ in PAPER_LINE],
        y=[100 * y for _, y in PAPER_LINE],
        mode="lines",
        line={"color": GREY, "dash": "dash", "width": 1.5},
        name="the paper's line",
        hoverinfo="skip",
    )
    for name, points, colour, symbol in (("paper", PAPER, GREY, "circle"), ("ours", ours, BLUE, "diamond")):
        if not points:
            continue
        drawn.add_scatter(
            x=[100 * p.accuracy for p in points],
            y=[100 * p.transfer for p in points],
            error_x=_bars([(p.accuracy, p.accuracy_rate) for p in points]),
            error_y=_bars([(p.transfer, p.transfer_rate) for p in points]),
            text=[p.name for p in points],
            textposition=_beside(points),
            hovertemplate="%{text}: accuracy %{x:.1f} %, transfer %{y:.1f} %<extra></extra>",
            mode="markers+text",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 13},
            cliponaxis=False,
        )
    drawn.add_scatter(
        x=[100 * REPLY.accuracy],
        y=[100 * REPLY.transfer],
        text=[REPLY.name],
        textposition=["middle right"],
        hovertemplate="%{text}, as the authors draw it<extra></extra>",
        mode="markers+text",
        name="the authors' reply",
        marker={"color": GREY, "symbol": "circle-open", "size": 13, "line": {"width": 2}},
        cliponaxis=False,
    )
    drawn.update_layout(
        height=460,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "test accuracy when trained on D_det, %"},
        yaxis={"title": "fooled by the source's examples, %"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    drawn.update_xaxes(range=[-2, max([50.0, *(100 * p.accuracy + 4 for p in ours)])])
    drawn.update_yaxes(range=[-4, 104])
    return drawn


def _beside(points: Sequence[Point]) -> list[str]:
    """Place the names: by turns below and above, and that of the leftmost away from the axis."""
    first = min(p.accuracy for p in points)
    return [
        "top right" if p.accuracy == first else "bottom right" if i % 2 else "top left" for i, p in enumerate(points)
    ]


def alt(ours: Sequence[Point]) -> str:
    """Say in words what the figure shows."""
    text = "; ".join(f"{p.name} {100 * p.accuracy:.0f} and {100 * p.transfer:.0f} per cent" for p in PAPER)
    mine = "; ".join(f"{p.name} {100 * p.accuracy:.0f} and {100 * p.transfer:.0f} per cent" for p in ours)
    reply = f"{REPLY.name}, as the authors draw them: {REPLY.accuracy:.0f} and {REPLY.transfer:.0f}."
    drawn = f"Accuracy of a student of D_det against transfer rate. Paper: {text}. {reply}"
    return drawn + (f" Ours: {mine}." if ours else "")


def verdict(ours: Sequence[Point]) -> str:
    """Say whether our points show what the paper's do, judged by the interval of the correlation."""
    if len(ours) < 4:
        return "Too few points to say anything."
    found = correlation([p.accuracy for p in ours], [p.transfer for p in ours])
    if found.low > 0:
        return "They show it too."
    if found.high < 0:
        return "They show the opposite."
    leans = "They lean the same way, but" if found.value > 0 else "They do not show it:"
    return f"{leans} the interval holds zero."


def files(recipe: TransferRecipe, ours: Sequence[Point]) -> list[Download]:
    """List the downloads."""
    rows = [("paper", point) for point in PAPER] + [("ours", point) for point in ours]
    out = Bundle(recipe)
    out.table(
        "Points",
        "figure3.csv",
        lambda: {
            "who": [who for who, _ in rows],
            "architecture": [p.name for _, p in rows],
            "accuracy": [p.accuracy for _, p in rows],
            "transfer": [p.transfer for _, p in rows],
        },
    )
    return out.files


def _r(points: Sequence[Point]) -> str:
    return str(correlation([p.accuracy for p in points], [p.transfer for p in points]))


def _cell(value: float, rate: Rate | None) -> str:
    return str(rate) if rate is not None else f"{100 * value:.1f} %"


def _bars(values: list[tuple[float, Rate | None]]) -> dict[str, object]:
    spans = [rate if rate is not None else Estimate(value, (value, value), 0) for value, rate in values]
    return of_rates(spans, visible=any(rate is not None for _, rate in values))
