"""What was measured of the attribution methods: the chart, the table, where the claim holds and where it does not."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core import worlds
from core.files.once import once_a_state
from core.models.titles import title, titles
from core.rates import Estimate
from core.results import read
from core.saliency import METHODS
from core.saliency.measure import AGAIN, RESULTS
from pages.ui.charts import show_chart, whiskers
from pages.ui.escaped import plain
from pages.ui.folded import folded
from pages.ui.stale import say_stale
from pages.ui.tables import strong, table
from pages.ui.world import current

FAILS = 0.5  # rank correlation from which a map is called much the same; there is no agreed limit
SYMBOLS = ("circle", "diamond", "square", "cross")
MULTIPLIED = (
    " Each value is multiplied by the pixel's distance from the baseline, which no shuffling changes: much of what such"
    " a map shows is the picture."
)


@dataclass(frozen=True)
class Measure:
    """A column of the results: what it is called, and which way is the claim's.

    Args:
        title: Axis label.
        says: One sentence.
        claim: Whether the claim wants the robust model's to be larger.
        good: +1 where large values speak for a method, -1 where small ones do: it is then held against a random order.
    """

    title: str
    says: str
    claim: bool = False
    good: int = 0


MEASURES = {
    "coherence": Measure(
        "correlation of neighbouring pixels",
        "Does the map look like noise? White noise has 0; below 0, neighbours disagree even more often than in noise.",
        claim=True,
    ),
    "edge_correlation": Measure(
        "correlation with the picture's edges",
        "Does the map trace what is in the picture? Noise has 0.",
        claim=True,
    ),
    "edge_alignment": Measure(
        "cosine with the picture's edges",
        "The same without subtracting means: look at where noise is.",
        claim=True,
    ),
    "sparsity": Measure("Gini index", "How few pixels make up most of the map?"),
    "deletion": Measure(
        "area under the deletion curve (small is good)",
        "How soon does the class go when the map's top pixels go?",
        good=-1,
    ),
    "insertion": Measure(
        "area under the insertion curve (large is good)",
        "How soon does the class come when they come?",
        good=1,
    ),
    "randomised": Measure(
        "rank correlation with the map of shuffled weights",
        "Does the map depend on what the model learnt? From 0.5 on, the method is marked as failing.",
    ),
    "randomised_top": Measure(
        "the same, upper half of the network shuffled",
        "Does it depend on where the decision is made? From 0.5 on, the method is marked as failing.",
    ),
}
CONTROLS = {"noise": "control: noise", "edges": "control: edges"}


def results(path: Path = RESULTS) -> dict[str, Any] | None:
    """Read the results; None where there are none.

    Raises:
        core.data.DataError: If the file is damaged.
    """
    return _read(path)


@once_a_state(4)
def _read(path: Path) -> dict[str, Any] | None:
    found = read(path, AGAIN, lambda file: (file["models"], file["differences"]))
    if found is not None:  # the model that differences are taken from comes first
        found["models"] = dict(sorted(found["models"].items(), key=lambda item: item[0] in found["differences"]))
    return found


def here() -> dict[str, Any] | None:
    """Return the results where the networks in sight are of the world in which they were measured."""
    return results() if current() == worlds.get() else None


def warning(method: str) -> str:
    """Return the warning beside a method whose map survives the randomisation check, as HTML; else nothing."""
    found = here()
    if found is None:
        return ""
    bad = []
    for name, of in found["models"].items():
        for key, what in (("randomised", "all weights shuffled"), ("randomised_top", "the upper half shuffled")):
            like = of.get(method, {}).get(key)
            if like and (much := Estimate.from_json(like)).low >= FAILS:
                bad.append(f"{titles(name)[0]}, {what}: {much.plain('.2f')}")
    if not bad:
        return ""
    return (
        f'<p class="fails"><b>Fails the randomisation check</b> (rank correlation, n = {found["n"]}): '
        f"{html.escape('; '.join(bad))}.{MULTIPLIED if 'baseline' in METHODS[method].settings else ''}</p>"
    )


def show() -> None:
    """Show what was measured; nothing where there is no results file."""
    found = here()
    if found is None:
        return
    st.markdown("### Measured, not only shown")
    if text := headline(found):
        st.markdown(text)
    key = st.selectbox("Measure", list(MEASURES), key="measure", bind="query-params", width=320)
    about = MEASURES[key]
    st.markdown(about.says)
    figure = chart(found, key)
    show_chart(figure, key="saliency-chart", alt=sentence(found, key), name=f"saliency-{key}")
    st.markdown(sentence(found, key))
    st.caption(
        f"Points: means over n = {found['n']} test pictures; bars: 95 % bootstrap intervals; seed {found['seed']},"
        f" {found['date']}; {found['how']}. The camera in the chart saves it as PNG."
    )
    say_stale(found, AGAIN)
    keys = ["class_alignment", *MEASURES]
    heads = ["Method", "Model", *(key.replace("_", " ") for key in keys)]
    label = "Every measure of every method and model"
    folded("All numbers", lambda: table(heads, numbers(found, keys), label=label), key="saliency-numbers")


def headline(found: Mapping[str, Any]) -> str:
    """Say what came of the quantity of theorem 3."""
    key = "class_alignment"
    cells = [
        f"{plain(title(name))} {_bold(Estimate.from_json(value).plain('.3f'))}"
        for name, of in found["models"].items()
        if (value := of.get("gradient", {}).get(key))
    ]
    if not cells:
        return ""
    return (
        "Does the gradient point from class to class, as theorem 3 has it? Cosine with the difference of the class"
        f" means, averaged over the nine other classes: {'; '.join(cells)} (n = {found['n']} test pictures)."
    )


def chart(found: Mapping[str, Any], key: str) -> go.Figure:
    """Draw a point with its interval for each method and model."""
    figure = go.Figure()
    rows = [m for m in (*METHODS, *CONTROLS) if any(key in of.get(m, {}) for of in found["models"].values())]
    for i, (name, of) in enumerate(found["models"].items()):
        there = [m for m in rows if key in of.get(m, {})]
        values = [Estimate.from_json(of[m][key]) for m in there]
        figure.add_scatter(
            name=title(name),
            x=[one.value for one in values],
            y=[label(m) for m in there],
            mode="markers",
            marker={"symbol": SYMBOLS[i % len(SYMBOLS)], "size": 10},
            error_x=whiskers(values),
            hovertemplate="%{y}: %{x:.3f}<extra>" + title(name) + "</extra>",
        )
    if key.startswith("randomised"):
        figure.add_vline(x=FAILS, line={"dash": "dot", "width": 1}, annotation_text="fails from here")
    figure.update_layout(
        height=90 + 30 * len(rows) + (40 if len(rows) < 3 else 0),
        margin={"l": 0, "r": 10, "t": 30, "b": 0},
        xaxis_title=MEASURES[key].title,
        yaxis={"autorange": "reversed", "automargin": True},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def sentence(found: Mapping[str, Any], key: str) -> str:
    """Say for how many methods the robust model is above, below or not told apart, and whether as the claim says."""
    if not found["differences"]:
        return ""
    name, of = next(iter(found["differences"].items()))
    above, below, same = list[str](), list[str](), list[str]()
    for method in METHODS:
        if key in of.get(method, {}):
            low, high = Estimate.from_json(of[method][key]).interval
            (above if low > 0 else below if high < 0 else same).append(label(method))
    parts = [
        f"{what}: {', '.join(names)}."
        for what, names in (
            (f"{title(name)} above {title(next(iter(found['models'])))}", above),
            ("Below", below),
            ("Not told apart", same),
        )
        if names
    ]
    claim = MEASURES[key].claim
    against = [*below, *same] if claim else []
    verdict = ""
    if claim and not against:
        verdict = " **Here the claim holds for every method measured.**"
    elif claim:
        verdict = f" **Here the claim does not hold for: {', '.join(against)}.**"
    return " ".join(parts) + verdict + "".join(_no_better(found, key))


def _no_better(found: Mapping[str, Any], key: str) -> Iterator[str]:
    """Name the methods that find what a model uses no better than a random order of the pixels does."""
    good = MEASURES[key].good
    for name, of in found["models"].items():
        if not good or key not in of.get("noise", {}):
            continue
        noise = Estimate.from_json(of["noise"][key])
        there = {m: Estimate.from_json(of[m][key]) for m in METHODS if key in of.get(m, {})}
        bad = [label(m) for m, one in there.items() if not (one.above(noise) if good > 0 else noise.above(one))]
        if bad:
            yield (
                f" **No better than a random order (judged by the intervals) in {titles(name)[0]}: {', '.join(bad)}.**"
            )


def numbers(found: Mapping[str, Any], keys: Sequence[str]) -> Iterator[list[str]]:
    """List all numbers, a row for each method and model."""
    for method in (*METHODS, *CONTROLS):
        for name, of in found["models"].items():
            if method in of:
                cells = [_cell(of[method].get(key)) for key in keys]
                yield [label(method), titles(name)[0], *cells]


def label(method: str) -> str:
    """Name a method, or a control."""
    return METHODS[method].title if method in METHODS else CONTROLS[method]


def _bold(number: str) -> str:
    value, bracket, interval = number.partition(" [")
    return f"**{value}**{bracket}{interval}"


def _cell(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return "–"
    return strong(Estimate.from_json(value).plain(".3f"))
