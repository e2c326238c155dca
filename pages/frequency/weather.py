"""The weather: corruptions under the scrubber, and what they leave of each network's accuracy."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.data.pictures import Picture
from core.frequency.corruptions import CORRUPTIONS
from core.frequency.networks import NOISE
from core.frequency.recipe import FrequencyRecipe
from core.rates import Rate
from pages.frequency.columns import column, here, offer, seen, stage, title
from pages.ui.charts import of_rates, show_chart
from pages.ui.folded import folded
from pages.ui.scrubber import Axis
from pages.ui.tables import table

# Okabe and Ito's colours, which no colour blindness confuses, and a dash and a symbol each.
LOOKS = (("#0072b2", "solid", "circle"), ("#e69f00", "dash", "square"), ("#8c8c8c", "dot", "diamond"))
OTHERS = {"color": "#8c8c8c", "width": 1}
PAIRS = ("fog", "contrast", "gaussian_noise")


def show(recipe: FrequencyRecipe, picture: Picture, found: Mapping[str, Any]) -> None:
    """Show a column a network, then the measured accuracies."""
    names = here(recipe)
    made = seen(recipe, picture, names)
    severities = tuple(str(int(s)) for s in recipe.positions)
    where = tuple(f"{CORRUPTIONS[recipe.corruption].title}, severity {s}" for s in severities)
    rows = [column(name, made, where, picture.label) for name in names]
    axis, captions = Axis("severity", recipe.positions, severities), ("the picture", "what was added")
    in_sight = stage(recipe, rows, axis, captions, own=picture.private)
    known = found.get("weather", {})
    if recipe.corruption in known:
        measured(recipe, known[recipe.corruption])
    else:
        st.caption("This corruption was not measured. Measure it with: python -m core.frequency measure weather")
    if known:
        pairs(recipe, known)
        about = found.get("weather_about", {})
        st.caption(
            f"Right answers with 95 % intervals; all networks see the same pictures. Seed {about.get('seed', 0)},"
            f" {about.get('date', '')}; {about.get('how', '')}. Formulas and severities: CIFAR-10-C (Hendrycks &"
            " Dietterich 2019)."
        )
    offer(in_sight, made, numbers(known), rows, axis, captions)


def in_order(recipe: FrequencyRecipe, measured_: Mapping[str, Any]) -> list[str]:
    """List measured networks, those of the recipe first."""
    return [name for name in dict.fromkeys((recipe.standard, recipe.robust, NOISE, *measured_)) if name in measured_]


def measured(recipe: FrequencyRecipe, known: Mapping[str, Any]) -> None:
    """Draw accuracy over severity, a line a network; all but the first three are thin, and told apart in a table."""
    names = in_order(recipe, known["0"])
    if not names:
        return
    drawn = go.Figure()
    for i, name in enumerate(names):
        rates = [Rate.from_json(known[s][name]) for s in known if name in known[s]]
        if i >= len(LOOKS):
            drawn.add_scatter(
                x=list(known),
                y=[100 * r.value for r in rates],
                text=[f"{title(name)}: {r}" for r in rates],
                hovertemplate="%{text}<extra></extra>",
                mode="lines",
                line=OTHERS,
                showlegend=False,
            )
            continue
        colour, dash, symbol = LOOKS[i]
        drawn.add_scatter(
            x=list(known),
            y=[100 * r.value for r in rates],
            text=[str(r) for r in rates],
            hovertemplate="%{text}",
            error_y=of_rates(rates),
            name=title(name),
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2.5},
            marker={"size": 9, "symbol": symbol},
        )
    word = CORRUPTIONS[recipe.corruption].title
    drawn.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        hovermode="x unified",
        xaxis={"title": f"severity of {word}, 0 is clean", "type": "category"},
        yaxis={"range": [0, 102], "title": "right, %"},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    said = "; ".join(f"{title(n)} {Rate.from_json(known['5'][n])}" for n in names)
    show_chart(drawn, key="frequency-weather-lines", alt=f"Accuracy over severity of {word}. At severity 5: {said}.")
    if len(names) > len(LOOKS):
        st.caption("Thin lines: the other networks.")
    heads = ["Network", *("clean" if s == "0" else s for s in known)]
    rows = [[title(n), *(Rate.from_json(known[s][n]).per_cent() for s in known)] for n in names]
    folded(
        f"Every network, every severity of {word}",
        lambda: table(heads, rows, label=f"Right answers by severity of {word}"),
        key="frequency-weather-numbers",
    )


def pairs(recipe: FrequencyRecipe, known: Mapping[str, Any]) -> None:
    """Put clean accuracy and the worst severity side by side, standard beside robust, with the pair that is quoted."""
    rows = []
    for kind in PAIRS:
        five = known.get(kind, {}).get("5", {})
        if recipe.standard not in five or recipe.robust not in five:
            continue
        a, b = (Rate.from_json(five[name]) for name in (recipe.standard, recipe.robust))
        theirs = (
            "85.7 % → 55.3 %" if kind == "fog" else "worse; no number printed" if kind == "contrast" else "none printed"
        )
        rows.append([CORRUPTIONS[kind].title, str(a), str(b), compared(a, b), theirs])
    if not rows:
        return
    st.markdown("### Severity 5, ours beside theirs")
    heads = [
        "Corruption",
        title(recipe.standard),
        title(recipe.robust),
        "Found",
        "Gilmer & Hendrycks: standard → robust",
    ]
    table(heads, rows, label="Accuracy at severity 5")
    st.caption(
        "Their fog pair comes from Yin et al. (2019); the severity and the network behind it are not given, so compare"
        " the direction, not the height. “Found” compares networks of different clean accuracy, on the same pictures."
    )


def compared(standard: Rate, robust: Rate) -> str:
    """Say which of two rates is higher, where their intervals allow it."""
    if standard.above(robust):
        return "the robust one is worse"
    if robust.above(standard):
        return "the robust one is better"
    return "no difference that so few pictures show"


def numbers(known: Mapping[str, Any]) -> dict[str, list[object]]:
    """Lay the accuracies under corruption out as a table."""
    columns: dict[str, list[object]] = {
        key: [] for key in ("corruption", "severity", "network", "hits", "n", "low", "high")
    }
    for kind, severities in known.items():
        for severity, networks in severities.items():
            for name, value in networks.items():
                values = (kind, severity, name, value["hits"], value["n"], *Rate.from_json(value).interval)
                for column_, cell in zip(columns.values(), values, strict=True):
                    column_.append(cell)
    return columns
