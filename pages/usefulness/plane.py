"""Goh's plane: every singular vector by its deviation and its usefulness, and a construction's way among them."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from core.usefulness import linear as goh
from core.usefulness.views import EPS, Construction
from pages.ui.charts import show_chart

ROBUST, NON_ROBUST, WAY = "#0072b2", "#d98a00", "#8a7eb3"
LOWEST = 3e-4  # usefulness that is drawn
CROWDED = 60  # positions of the slider: more would hide the directions
LIMITS = (0.001, 0.01, 0.1, 1.0)  # eps of the dashed lines, L2


def show(made: Construction, frame: int, known: goh.Known) -> None:
    """Draw all directions and the construction's way among them, as Goh's figure does, and say what that is."""
    show_chart(
        figure(made, frame, known),
        key="usefulness-goh",
        alt="Usefulness against standard deviation of all singular vectors, both on logarithmic axes, with the"
        " construction's way",
        name="usefulness-linear",
    )
    st.caption(
        f"All {len(known.deviation):,} singular vectors of {known.n:,} training pictures, {goh.PAIR[0]} against"
        f" {goh.PAIR[1]}. A feature above a dashed line is robustly useful at its ε. After Goh, “Two Examples of"
        " Useful, Non-Robust Features” (Distill, 2019), who shows 729 points and judges on the pictures that the"
        " directions come from; the test pictures are our addition. The authors reply that a containment meets the"
        " definition, and that the relabelled data set D_det excludes it as the explanation."
    )


def figure(made: Construction, frame: int, known: goh.Known) -> go.Figure:
    """Draw usefulness over deviation, both on logarithmic axes."""
    drawn = go.Figure()
    _directions(drawn, known)
    for test in (False, True):
        _way(drawn, made, frame, test=test)
    _limits(drawn, known)
    # An exponent is smaller than what it belongs to: 12 px at least.
    powers = {"type": "log", "exponentformat": "power", "tickfont": {"size": 16}}
    drawn.update_xaxes(**powers, dtick=1, title="standard deviation, ‖a‖<sub>Σ</sub> / ‖a‖")
    drawn.update_yaxes(**powers, dtick=1, title="usefulness ρ", range=[-3.5, 0])
    drawn.update_layout(height=460, margin={"l": 10, "r": 10, "t": 20, "b": 10}, legend={"orientation": "h", "y": -0.2})
    return drawn


def _directions(drawn: go.Figure, known: goh.Known) -> None:
    """Draw the singular vectors, few of which are robust."""
    deviation, rho = known.deviation.numpy(), known.rho.numpy()
    robust = rho - EPS / deviation > 0
    for where, colour, name, size, opacity in (
        (~robust, NON_ROBUST, f"γ ≤ 0 at ε = {EPS:g}", 4, 0.35),
        (robust, ROBUST, f"γ > 0 at ε = {EPS:g}", 9, 0.9),
    ):
        drawn.add_scattergl(
            x=deviation[where],
            y=rho[where],
            mode="markers",
            name=f"singular vectors, {name}",
            marker={"size": size, "color": colour, "opacity": opacity},
            text=[f"direction {i}" for i in np.flatnonzero(where)],
            hovertemplate="%{text}<br>std %{x:.3g}, ρ = %{y:.3f}<extra></extra>",
        )


def _way(drawn: go.Figure, made: Construction, frame: int, *, test: bool) -> None:
    """Draw the slider's positions, judged on training or on test pictures, and mark the one in sight."""
    on = "test" if test else "training"
    xs = [f.deviation_test if test else f.deviation for f in made.features]
    ys = [f.rho_test if test else f.rho for f in made.features]
    drawn.add_scatter(
        x=xs,
        y=[y if y > LOWEST else None for y in ys],
        mode="lines+markers",
        line={"dash": "dot" if test else "solid", "color": WAY},
        marker={"size": 4},
        name=f"the slider's way, {on} pictures",
        text=made.labels,
        hovertemplate=f"{on}, %{{text}}<br>std %{{x:.3g}}, ρ = %{{y:.3f}}<extra></extra>",
        visible="legendonly" if len(made.labels) > CROWDED else True,
    )
    drawn.add_scatter(
        x=[xs[frame]],
        y=[ys[frame]],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={"size": 15, "symbol": "circle-open" if test else "circle", "color": WAY, "line": {"width": 3}},
    )


def _limits(drawn: go.Figure, known: goh.Known) -> None:
    """Draw above which line a direction is robustly useful at an eps, and what a random one shows by chance."""
    deviation = known.deviation.numpy()
    span = np.array([deviation.min(), deviation.max()])
    for eps in LIMITS:
        drawn.add_scatter(
            x=span,
            y=eps / span,
            mode="lines",
            line={"width": 1, "color": "rgba(128,128,128,0.6)", "dash": "dash"},
            showlegend=False,
            hoverinfo="skip",
        )
        drawn.add_annotation(
            x=np.log10(eps / 0.8),
            y=np.log10(0.8),
            text=f"ε = {eps:g}",
            showarrow=False,
            xanchor="left",
            font={"size": 12, "color": "gray"},
        )
    drawn.add_hline(
        y=known.chance,
        line={"width": 1, "dash": "dot", "color": "gray"},
        annotation_text="chance",
        annotation_position="bottom left",
    )
