"""What was measured along the dial: a plot a trend, what it says in a sentence, and the numbers."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.dial.networks import RADII
from core.dial.recipe import DialRecipe
from core.dial.results import AGAIN, about, series
from core.dial.views import script
from pages.ui.address import choose
from pages.ui.charts import show_chart
from pages.ui.dial import Curves, figure, sentence, words
from pages.ui.exports import Bundle, downloads
from pages.ui.stale import say_stale
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
    "transfer": (
        "How often perturbations that were made for a network of the dial fool five ordinary networks that took no"
        " part. Springer et al. (2021) report that slightly robust sources transfer best."
    ),
    "features": "Of its features, how many are useful, and how many still are after an adversary has pushed them.",
    "shifts": "Harm that nobody computed: what training against small perturbations trades.",
}


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
    says = sentence(curves, trend)
    show_chart(figure(curves, trend), key=f"dial-{trend}", alt=says)
    st.markdown(says)
    heads = ["Measured", *(f"ε = {eps:g}" for eps in RADII)]
    rows = [[label, *(words(values.get(eps), trend) for eps in RADII)] for label, values in curves.items()]
    table(heads, rows, label=f"{TRENDS[trend]} along the dial")
    st.caption(
        "In brackets: 95 % intervals; behind them n. There is one network at each ε, so the intervals say nothing of"
        f" another seed. {about(found, trend)}"
    )
    say_stale(found, AGAIN)
    recipe = DialRecipe(view="measured", trend=trend)
    out = Bundle(recipe)
    out.table("Numbers", f"dial-{trend}.csv", lambda: numbers(curves))
    downloads(out.files, key="dial-trends", script=script(recipe))


def numbers(curves: Curves) -> dict[str, list[object]]:
    """Lay the curves out as a table."""
    rows = [
        (label, eps, one.value, *one.interval, one.n) for label, values in curves.items() for eps, one in values.items()
    ]
    heads = ("measured", "trained_at_eps", "value", "low", "high", "n")
    return {head: [row[i] for row in rows] for i, head in enumerate(heads)}
