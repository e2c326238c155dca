"""The curve view of the Transfer page: one pair, radius by radius."""

import math
from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from core.models import checkpoints
from core.rates import Rate
from core.transfer import views
from core.transfer.names import title
from core.transfer.outcome import Cell
from core.transfer.recipe import RADII, TransferRecipe
from core.transfer.results import Measured, Setting
from pages.transfer import work
from pages.transfer.matrix import source_line
from pages.ui.charts import of_rates, show_chart
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.folded import folded
from pages.ui.model_box import model_box

BLUE, ORANGE, GREY = "#0072b2", "#e69f00", "#8c8c8c"
Cells = Mapping[str, Cell]  # by radius


def show(recipe: TransferRecipe, measured: Measured | None) -> None:
    """Show the curve of the recipe's pair."""
    if recipe.numbers == "live" or measured is None:
        found = work.curve(recipe)
        pair = {label: row.cell(recipe.source, recipe.target) for label, row in found.items()}
        own = {label: row.cell(recipe.source, recipe.source) for label, row in found.items()}
        origin = f"Computed here: {recipe.n} pictures at most, steps: {recipe.steps}, seed {recipe.seed}."
    else:
        pair, own = (known(measured, recipe, recipe.source, t) for t in (recipe.target, recipe.source))
        origin = f"{source_line(measured)} The radii beyond the main ones are measured on a quarter of the pictures."
    if not pair:
        st.caption("Nothing is there yet for this pair.")
        return
    lines = lines_of(recipe, pair, own, measured)
    show_chart(figure(recipe, lines), key="transfer-curve", alt=sentence(recipe, pair, measured))
    st.markdown(sentence(recipe, pair, measured))
    numbers = {name: [str(rates.get(label, "")) for label in pair] for name, (rates, _) in lines.items()}
    columns = {f"{recipe.norm} ε": list(pair), **numbers}
    folded(
        "The numbers with their intervals",
        lambda: st.dataframe(columns, hide_index=True, alt="The numbers of the curve, with 95 % intervals"),
        key="transfer-curve-numbers",
        icon=":material/table:",
    )
    st.caption(f"Bars are 95 % intervals. {origin}")
    downloads(files(recipe, pair), key="transfer-curve", script=views.script(recipe))


def known(measured: Measured, recipe: TransferRecipe, source: str, target: str) -> dict[str, Cell]:
    """Return what was measured of a pair, by radius."""
    found = {}
    for label in RADII[recipe.norm]:
        cell = measured.cells.get(Setting(recipe.norm, label, recipe.goal).name, {}).get((source, target))
        if cell is not None:
            found[label] = cell
    return found


Lines = dict[str, tuple[dict[str, Rate], tuple[str, str]]]  # name -> rates by radius, colour and dash


def lines_of(recipe: TransferRecipe, pair: Cells, own: Cells, measured: Measured | None) -> Lines:
    """Return the three curves: the target, the source itself, and the noise."""
    source, target = (title(name, measured) for name in (recipe.source, recipe.target))

    def rates(cells: Cells, what: str) -> dict[str, Rate]:
        return {label: cell.rate(what, recipe.of, recipe.goal) for label, cell in cells.items()}

    lines: Lines = {}
    if recipe.source != recipe.target:
        lines[f"{target}, from {source}"] = (rates(pair, "attack"), (BLUE, "solid"))
    lines[f"{source} itself (white box)"] = (rates(own, "attack"), (ORANGE, "dash"))
    lines[f"{target}, noise of the same size"] = (rates(pair, "noise"), (GREY, "dot"))
    return lines


def figure(recipe: TransferRecipe, lines: Lines) -> go.Figure:
    """Draw rate over eps, eps on a logarithmic axis."""
    radii = RADII[recipe.norm]
    drawn = go.Figure()
    for name, (rates, (colour, dash)) in lines.items():
        drawn.add_scatter(
            x=[radii[label] for label in rates],
            y=[100 * r.value for r in rates.values()],
            error_y=of_rates(rates.values()),
            text=[str(r) for r in rates.values()],
            hovertemplate="%{text}",
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"size": 8},
        )
    says = "wrong answers" if recipe.goal == "untargeted" else "wanted class"
    drawn.update_layout(
        height=430,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={
            "type": "log",
            "range": [math.log10(min(radii.values()) * 0.8), math.log10(max(radii.values()) * 1.25)],
            "tickvals": list(radii.values()),
            "ticktext": list(radii),
            "title": f"{recipe.norm} ε",
        },
        yaxis={"range": [-2, 102], "title": f"{says}, %"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hovermode="x unified",
    )
    return drawn


def sentence(recipe: TransferRecipe, pair: Cells, measured: Measured | None) -> str:
    """Say what the curve shows at its two ends."""
    source, target = (title(name, measured) for name in (recipe.source, recipe.target))
    first, last = next(iter(pair)), list(pair)[-1]
    low, high = (pair[label].rate("attack", recipe.of, recipe.goal) for label in (first, last))
    noise = pair[last].rate("noise", recipe.of, recipe.goal)
    does = "is wrong about" if recipe.goal == "untargeted" else "predicts the wanted class for"
    at_first = "" if first == last else f"at {recipe.norm} ε = {first} the target {does} {low}, "
    return (
        f"Made for {source}, shown to {target}: {at_first}at {recipe.norm} ε = {last} the target {does} {high}. "
        f"Of noise as large as the latter: {noise}."
    )


def pair_boxes(recipe: TransferRecipe, names: list[str]) -> tuple[str, str]:
    """Show the choice of source and target; return both."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return (
            model_box("Made for", recipe.source, "source", names, 260, called=title),
            model_box("Shown to", recipe.target, "target", names, 260, called=title),
        )


def models(recipe: TransferRecipe, measured: Measured | None) -> list[str]:
    """List the models of the view: those measured, or those here."""
    if recipe.numbers == "live" or measured is None:
        return list(checkpoints.names(world=recipe.world))
    return list(measured.models)


def files(recipe: TransferRecipe, pair: Cells) -> list[Download]:
    """List the downloads."""

    def rates() -> dict[str, list[object]]:
        columns: dict[str, list[object]] = {k: [] for k in ("eps", "rate", "value", "low", "high", "hits", "n")}
        for label, cell in pair.items():
            for name, rate in cell.as_json().items():
                values = (label, name, rate["value"], *rate["interval"], rate["hits"], rate["n"])
                for column, value in zip(columns.values(), values, strict=True):
                    column.append(value)
        return columns

    out = Bundle(recipe)
    out.table("Rates", "transfer-curve.csv", rates, "All rates at all radii, with intervals")
    return out.files
