"""More features than dimensions: a toy, trained in a second."""

from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st
import torch

from core.planted import superposition
from core.planted.measure import TOY_DIMENSIONS, TOY_NUMBER
from core.planted.recipe import PlantedRecipe
from core.planted.results import Results
from pages.planted.words import lines, styled
from pages.ui.charts import show_chart
from pages.ui.store import results


def show(recipe: PlantedRecipe) -> tuple[PlantedRecipe, dict[str, list[object]]]:
    """Show the toy, its attack, and what room does to vulnerability."""
    a, b, c = st.columns(3)
    number = a.slider("Features n", 2, 20, recipe.number, key="number", bind="query-params")
    dimensions = b.slider("Dimensions m", 2, 10, recipe.dimensions, key="dimensions", bind="query-params")
    sparsity = c.slider(
        "Sparsity: how often a feature is 0", 0.0, 0.99, recipe.sparsity, 0.01, key="sparsity", bind="query-params"
    )
    recipe = replace(recipe, number=int(number), dimensions=int(dimensions), sparsity=float(sparsity))
    with st.spinner("Training the toy…"):
        toy = results().of(
            ("planted toy", number, dimensions, sparsity, recipe.seed),
            lambda: superposition.train_toy(int(number), int(dimensions), float(sparsity), recipe.seed),
        )
    stored = int(toy.stored.sum())
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"### {stored} of {number} features are kept in {dimensions} dimensions")
        figure = _arrows(toy) if dimensions == 2 else _overlaps(toy)
        show_chart(
            figure, key="planted-toy", alt=f"{stored} of {number} features are represented in {dimensions} dimensions"
        )
    with right:
        if stored:
            st.markdown("### The best attack on one output goes by way of the others")
            show_chart(_attack(toy), key="planted-toy-attack", alt="The attack on the first stored feature, by feature")
            ratio = superposition.vulnerability(toy)
            st.caption(
                "Blue: its own feature; orange: features that overlap with it. For a perturbation of the same length"
                f" the output moves {float(ratio.mean()):.2f} times as far as by its own feature alone (mean over the"
                f" {stored} stored ones; 1 without superposition)."
            )
    found = Results()
    if f"toys/0.9/{TOY_DIMENSIONS[0]}/vulnerability" in found:
        st.markdown("### Room and vulnerability")
        curves = {
            text: [found.of(f"toys/{s}/{m}/vulnerability") for m in TOY_DIMENSIONS]
            for text, s in (("sparse (0.9)", "0.9"), ("dense (0)", "0"))
        }
        figure = lines(
            [TOY_NUMBER / m for m in TOY_DIMENSIONS], curves, "features for each dimension, n / m", "vulnerability"
        )
        show_chart(figure, key="planted-toys", alt="Vulnerability against features for each dimension")
        st.caption(f"{TOY_NUMBER} features. {found.source('toys')}.")
    return recipe, {
        "feature": list(range(len(toy.stored))),
        "stored": toy.stored.tolist(),
        "length": toy.directions.norm(dim=0).tolist(),
    }


def _arrows(toy: superposition.Toy) -> go.Figure:
    figure = go.Figure()
    for i, (x, y) in enumerate(toy.directions.T.tolist()):
        figure.add_scatter(
            x=[0, x],
            y=[0, y],
            mode="lines+markers+text",
            text=["", str(i + 1)],
            textposition="top center",
            showlegend=False,
            line={"width": 3, "color": "#0072b2" if bool(toy.stored[i]) else "#8c8c8c"},
            name=f"feature {i + 1}",
        )
    figure.update_yaxes(scaleanchor="x", scaleratio=1)
    return styled(figure, "dimension 1", "dimension 2", height=380)


def _overlaps(toy: superposition.Toy) -> go.Figure:
    n = len(toy.stored)
    names = [str(i + 1) for i in range(n)]
    figure = go.Figure(go.Heatmap(x=names, y=names, z=toy.overlaps.tolist(), zmid=0, colorscale="PuOr"))
    figure.update_yaxes(autorange="reversed")
    return styled(figure, "reads of feature", "output", height=380)


def _attack(toy: superposition.Toy) -> go.Figure:
    first = int(toy.stored.nonzero()[0, 0])
    direction = torch.nn.functional.normalize(toy.overlaps[first], dim=0)
    colours = ["#0072b2" if i == first else "#e69f00" for i in range(len(direction))]
    figure = go.Figure(
        go.Bar(x=[str(i + 1) for i in range(len(direction))], y=direction.tolist(), marker_color=colours)
    )
    return styled(figure, "feature", f"attack on output {first + 1}, length 1", height=300)
