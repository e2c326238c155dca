"""When is the faint feature preferred? And do adversarial examples go away with more pictures?"""

import plotly.graph_objects as go
import streamlit as st

from core.models import Classifier
from core.planted import probes
from core.planted.measure import AGREES, FAINT, MORE
from core.planted.networks import fresh
from core.planted.recipe import PlantedRecipe
from core.planted.results import Results
from pages.planted.words import TITLES, lines, styled
from pages.ui.charts import show_chart
from pages.ui.store import results

LIVE = 200


def show(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, list[object]]:
    """Show the phase diagram with this world in it, and what more pictures change."""
    found = Results()
    key = ("planted point", recipe.trained)
    asked = probes.rules(recipe.world, {"standard": pair["standard"]})
    point = results().of(key, lambda: probes.follows(recipe.world, fresh(recipe, LIVE), asked))
    here = {name: rates["weave"] for name, rates in point.items()}
    st.markdown(
        f"**This world:** in conflict the standard network says the weave's class in {here['standard']}, the Bayes rule"
        f" in {here['bayes']}."
    )
    columns = st.columns(2, gap="large")
    for name, column in zip(("standard", "bayes"), columns, strict=True):
        with column:
            st.markdown(f"### {TITLES[name]}: share that follows the weave")
            if f"preferred/{FAINT[0]:g}/{AGREES[0]:g}/standard/weave" in found:
                show_chart(_heat(found, name, recipe), key=f"planted-phase-{name}", alt=_alt(found, name))
            else:
                st.caption("Not measured yet: python -m core.planted measure preferred")
    if f"preferred/{FAINT[0]:g}/{AGREES[0]:g}/standard/weave" in found:
        st.caption(
            "The shape agrees with the label in 90 % of the pictures. Theory (right) turns to the weave where it can"
            " be read and agrees more often than the shape. Left: what a standard network of 1,000 pictures does."
            f" {found.source('preferred')}. The cross is this page's world; numbers in per cent."
        )
    _more(found)
    return {"who": list(here), "follows the weave": [r.value for r in here.values()], "n": [LIVE] * len(here)}


def _heat(found: Results, name: str, recipe: PlantedRecipe) -> go.Figure:
    values = [[found.of(f"preferred/{f:g}/{a:g}/{name}/weave").value for f in FAINT] for a in AGREES]
    figure = go.Figure(
        go.Heatmap(
            x=[f"{f:g}" for f in FAINT],
            y=[f"{a:g}" for a in AGREES],
            z=values,
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            text=[[f"{100 * v:.0f}" for v in row] for row in values],
            texttemplate="%{text}",
            textfont={"size": 12},
            colorbar={"tickformat": ".0%"},
        )
    )
    nearest_f = min(FAINT, key=lambda f: abs(f - recipe.faint))
    nearest_a = min(AGREES, key=lambda a: abs(a - recipe.faint_agrees))
    figure.add_scatter(
        x=[f"{nearest_f:g}"],
        y=[f"{nearest_a:g}"],
        mode="markers",
        showlegend=False,
        name="this world",
        marker={"symbol": "x-open", "size": 26, "color": "#d55e00", "line": {"width": 3}},
    )
    return styled(figure, "strength of the weave, L2", "how often it agrees with the label", height=360)


def _alt(found: Results, name: str) -> str:
    corners = [
        f"strength {f:g}, agreement {a:g}: {found.of(f'preferred/{f:g}/{a:g}/{name}/weave').per_cent()}"
        for f in (FAINT[0], FAINT[-1])
        for a in (AGREES[0], AGREES[-1])
    ]
    return f"{TITLES[name]}, share that follows the weave. " + "; ".join(corners)


def _more(found: Results) -> None:
    faint = f"{PlantedRecipe().faint:g}"
    if f"data/{faint}/{MORE[-1]}/robust" not in found:
        return
    st.markdown("### More pictures: with a faint feature and without")
    left, right = st.columns(2, gap="large")
    named = {"with the weave": faint, "without any faint feature": "0"}
    for column, what, title in (
        (left, "robust", "accuracy under attack, ε = 0.5"),
        (right, "transfer", "transfer to another network"),
    ):
        curves = {text: [found.of(f"data/{at}/{n}/{what}") for n in MORE] for text, at in named.items()}
        figure = lines(list(MORE), curves, "training pictures", title)
        figure.update_xaxes(type="log")
        with column:
            show_chart(
                figure,
                key=f"planted-more-{what}",
                alt=f"{title} against the number of training pictures: at {MORE[-1]}, "
                + ", ".join(f"{text} {curve[-1].per_cent()}" for text, curve in curves.items()),
            )
    clean = ", ".join(f"{text} {found.of(f'data/{at}/{MORE[-1]}/clean').per_cent()}" for text, at in named.items())
    st.caption(
        f"Standard networks; all saw 8,000 pictures in all epochs together. Clean accuracy at {MORE[-1]:,}: {clean}."
        f" {found.source('data')}."
    )
