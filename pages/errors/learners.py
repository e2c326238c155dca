"""The view of the Errors page that asks whether non-robust features serve a learner without labels."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.debate.measured import measured
from core.debate.views import reading
from core.errors import learnt, views
from core.errors.recipe import ErrorsRecipe
from pages.errors.exports import bundle
from pages.ui.charts import of_rates, show_chart
from pages.ui.exports import Download
from pages.ui.stale import say_stale

COLOURS = {"supervised": "#0072b2", "contrastive": "#e69f00", "untrained": "#8c8c8c"}
QUESTIONS = {
    "own": "**What is the set worth?** The probe learns from the set itself, with its labels.",
    "fresh": "**What does the network see?** The probe learns from other original pictures.",
}


def learners(recipe: ErrorsRecipe) -> list[Download]:
    """Show what three sets are worth to learners with and without labels."""
    found = views.results("learners")
    if found is None or not learnt.whole(found):
        st.info(f"Not measured yet. Measure it with: {views.again('learners')}")
        return bundle("learners", recipe).files
    for column, (probe, question) in zip(st.columns(2), QUESTIONS.items(), strict=True):
        column.markdown(question)
        show_chart(chart(found, probe), key=f"errors-learners-{probe}", alt=alt(found, probe), place=column)
    st.markdown(f"{reading('li', measured('li'))} {learnt.of_fresh(found)}")
    if collapsed := [name for name, run in found["runs"].items() if run.get("collapsed")]:
        st.warning(f"Collapsed, so that nothing can be read from it: {', '.join(collapsed)}.")
    st.markdown(
        "A picture of D_NR looks like one training picture and has the label of another: to the eye its label is"
        " wrong. A student with labels is told to look for what the eye does not see. A learner without labels is told"
        " nothing, and what it keeps is what two views of a picture share."
    )
    st.caption(_caption(found))
    say_stale(found, views.again("learners"))
    return bundle("learners", recipe).files


def chart(found: Mapping[str, Any], probe: str) -> go.Figure:
    """Draw the accuracies under a probe, a group of bars for each set."""
    figure = go.Figure()
    for learner, title in learnt.LEARNERS.items():
        spans = [learnt.span(found, learner, kind, probe) for kind in learnt.SETS]
        figure.add_bar(
            x=list(learnt.SETS.values()),
            y=[100 * span.value for span in spans],
            name=title,
            marker={"color": COLOURS[learner]},
            error_y=of_rates(spans, color="gray"),
        )
    figure.add_hline(y=10, line={"dash": "dash", "color": "#8c8c8c"}, name="chance", showlegend=True)
    high = max(learnt.span(found, *each).high for each in product(learnt.LEARNERS, learnt.SETS, learnt.PROBES))
    figure.update_layout(
        height=380,
        barmode="group",
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": -0.2},
        yaxis={"title": "right on test pictures, %", "range": [0, 80 if high < 0.8 else 100]},
    )
    return figure


def alt(found: Mapping[str, Any], probe: str) -> str:
    """Say what the chart shows."""
    said = (
        f"{title} on {name}: {learnt.span(found, learner, kind, probe).per_cent()}"
        for kind, name in learnt.SETS.items()
        for learner, title in learnt.LEARNERS.items()
    )
    return f"Bars of accuracy, {learnt.PROBES[probe]}. {'; '.join(said)}."


def _caption(found: Mapping[str, Any]) -> str:
    labels, none = found["supervised"], found["contrastive"]
    n = learnt.span(found, "contrastive", "nonrobust", "own").n
    networks = len(learnt.runs(found, "contrastive", "nonrobust"))
    heads = ", ".join(
        f"{title} {100 * sum(run['clean']['value'] for run in runs) / len(runs):.1f} %"
        for kind, title in learnt.SETS.items()
        if (runs := learnt.runs(found, "supervised", kind))
    )
    arch = f"{labels['arch'].replace('resnet', 'ResNet-')} of width {labels['args']['width']}"
    seeds = f"{networks} seed{'s' if networks > 1 else ''}"
    size = f"{found['pictures']:,}"
    return (
        f"{size} pictures a set. D_R and D_NR are made with two networks of the dial, trained at ε = 0.5 and ε = 0."
        f" A {arch} learns, {labels['epochs']} epochs with labels or {none['epochs']} without (SimCLR, batches of"
        f" {none['batch_size']}, temperature {none['lesson']['temperature']:g}). Then its weights stay, and a linear"
        f" probe learns: from the same pictures in the first chart, from {size} shown to no network in the second."
        f" n = {n:,} test pictures; {seeds} of the networks, one set of each kind; lines reach over the 95 %"
        f" intervals of all seeds. With the head that labels taught it: {heads}. Li et al. use larger networks and"
        f" train for longer: compare what is above what, not the heights. Profile {found['profile']}, {found['date']}."
    )
