"""How accuracy falls with eps, and whether it still falls when the attack takes more steps."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from core.attacks import balls
from core.models import arrivals, card, checkpoints
from core.models.card import Measured
from core.models.ready import placed
from core.models.recipe import ModelsRecipe
from core.models.titles import title
from core.train import published
from core.train.robustness import COUNTS, BySteps, by_steps
from core.worlds import World
from pages.ui import store, work
from pages.ui.charts import of_rates, show_chart

EPS = {"L2": 0.5, "Linf": 8 / 255}  # at which the steps are counted, times the world's scale for L2
BLUE, ORANGE = "#0072b2", "#e69f00"


def points(name: str, norm: str) -> list[Measured]:
    """Return what was measured of a model in a norm, the clean accuracy first, AutoAttack's beside PGD's."""
    return [one for one in card.measured(checkpoints.header(name)) if one.norm in ("", norm)]


def over_eps(everything: Sequence[Measured], norm: str) -> go.Figure:
    """Draw accuracy over eps with its intervals; what AutoAttack leaves stands beside it as crosses."""
    unit = 255 if norm == "Linf" else 1
    found = [one for one in everything if one.attack != card.AUTOATTACK]
    strong = [one for one in everything if one.attack == card.AUTOATTACK]
    rates = [one.rate for one in found]
    drawn = go.Figure(
        go.Scatter(
            x=[one.eps * unit for one in found],
            y=[100 * rate.value for rate in rates],
            error_y=of_rates(rates),
            text=[str(rate) for rate in rates],
            hovertemplate="%{text}<extra></extra>",
            mode="lines+markers",
            line={"color": BLUE, "width": 2.5},
            marker={"size": 10},
            name="PGD",
        )
    )
    if strong:
        drawn.add_scatter(
            x=[one.eps * unit for one in strong],
            y=[100 * one.rate.value for one in strong],
            text=[f"AutoAttack: {one.rate}" for one in strong],
            hovertemplate="%{text}<extra></extra>",
            mode="markers",
            marker={"symbol": "x-thin", "size": 13, "line": {"width": 3, "color": ORANGE}},
            name="AutoAttack",
        )
    drawn.update_layout(
        showlegend=bool(strong),
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        height=320,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "ε (L2, pixel units)" if norm == "L2" else "ε (Linf, in 1/255)"},
        yaxis={"title": "right, %", "range": [-2, 102]},
    )
    return drawn


def show(recipe: ModelsRecipe, world: World) -> BySteps | None:
    """Show the curve, and the count of steps where it was asked for."""
    found = points(recipe.model, recipe.norm)
    if len(found) > 1:
        alt = f"{title(recipe.model)}: " + "; ".join(f"{one.what}: {one.rate}" for one in found)
        show_chart(over_eps(found, recipe.norm), key="models-curve", alt=alt, name="robustness")
        st.caption("Measured before, with 95 % intervals; an attack gives an upper bound.")
    else:
        st.caption(
            "How it falls with ε was not measured yet. On the command line: "
            f"python -m core.train.zoo measure {recipe.model}, for models of this project."
        )
    if not recipe.check:
        return None
    counted = count(recipe, world)
    if counted is not None and counted.rates:
        at = card_ball(recipe.norm, world)
        alt = "; ".join(f"{n} steps: {rate}" for n, rate in zip(counted.counts, counted.rates, strict=True))
        show_chart(over_steps(counted), key="models-steps", alt=f"{at}: {alt}", name="steps")
        st.markdown(f"**{counted.says}**" + "".join(f"\n- {reason}" for reason in counted.warnings))
        st.caption(
            f"{at}, {counted.rates[0].n} pictures, attacked just now on this computer, with more and more steps."
        )
    return counted


def card_ball(norm: str, world: World) -> str:
    """Name the ball in which steps are counted."""
    return published.BALLS[norm] if norm == "Linf" else f"L2 {EPS['L2'] * world.scale:g}"


def count(recipe: ModelsRecipe, world: World) -> BySteps | None:
    """Attack with more and more steps, beside the page; None where that world has no labelled pictures."""
    x, y = arrivals.specimens(world, recipe.pictures)
    if y is None:
        st.caption("It takes labelled pictures, and there are none of this world here.")
        return None
    one = store.loaded(recipe.model)
    ball = balls.make(recipe.norm, EPS[recipe.norm] * (world.scale if recipe.norm == "L2" else 1))
    piece = work.Piece(
        ("models-steps", recipe.norm, recipe.pictures, world.name, one.stamp),
        lambda on_step: by_steps(
            one.model, placed(x, one.model), y.to(next(one.model.parameters()).device), ball, on_step=on_step
        ),
        steps=3 * sum(COUNTS),
    )
    (outcome,) = work.ask([piece], group=recipe, text=f"Attacking {title(recipe.model)} with up to {COUNTS[-1]} steps…")
    if outcome.stopped is not None or outcome.value is None:
        work.say_stopped("Stopped.")
    return outcome.value


def over_steps(counted: BySteps) -> go.Figure:
    """Draw accuracy over the number of steps."""
    drawn = go.Figure(
        go.Scatter(
            x=[str(n) for n in counted.counts],
            y=[100 * rate.value for rate in counted.rates],
            error_y=of_rates(counted.rates),
            text=[str(rate) for rate in counted.rates],
            hovertemplate="%{x} steps: %{text}<extra></extra>",
            mode="lines+markers",
            line={"color": ORANGE, "width": 2.5},
            marker={"size": 10, "symbol": "diamond"},
        )
    )
    drawn.update_layout(
        height=260,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis={"title": "steps of PGD", "type": "category"},
        yaxis={"title": "right, %", "range": [-2, 102]},
    )
    return drawn
