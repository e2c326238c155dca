"""rho and gamma of what was planted, in closed form and as the atlas measures them, and the networks' own features."""

from functools import partial

import plotly.graph_objects as go
import streamlit as st
import torch

from core.models import Classifier
from core.planted import usefulness
from core.planted.networks import SIDES, fresh
from core.planted.recipe import PlantedRecipe
from core.planted.results import Results
from core.usefulness.definitions import Usefulness
from pages.planted.words import COLOURS, SYMBOLS, TITLES, styled
from pages.ui.charts import show_chart
from pages.ui.store import results

PICTURES, PUSHED, PUSHED_NETWORK = 1000, 16, 8
AT = 0.5  # the radius of the scatter
Planted = dict[str, list[Usefulness]]


def show(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, list[object]]:
    """Show gamma against the radius for both planted features, and all features of both networks at one radius."""
    with st.spinner("Measuring features as the atlas does…"):
        planted: Planted = results().of(("planted useful", recipe.world), lambda: _planted(recipe))
        own: Planted = results().of(("planted own features", recipe.trained), lambda: _own(recipe, pair))
    rho, gamma = usefulness.closed_form(recipe.world)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("### How useful is each after a perturbation of length ε?")
        show_chart(_curves(rho, gamma, planted), key="planted-gamma", alt=_alt(rho, gamma))
        st.caption(
            f"Means over the classes, each against the rest. Line: closed form. Marks: the atlas, ρ from {PICTURES:,}"
            f" pictures, γ from pushing {PUSHED}.{_compared(planted)}"
        )
    with right:
        st.markdown(f"### What the networks compute, at ε = {AT:g}")
        show_chart(_scatter(own, planted), key="planted-own", alt="rho and gamma of all features of both networks")
        st.caption(
            f"Each point is one of {recipe.width * 8} features for its best class; γ from {PUSHED_NETWORK} pictures, a"
            " bound from above."
        )
    _measured()
    radii = (0.0, *usefulness.RADII)
    return {"eps": list(radii), "weave_closed_form": [float(rho.mean()), *gamma.mean(1).tolist()]}


def _compared(planted: Planted, at: int = 3) -> str:
    """Compare how much of its usefulness each feature loses to a perturbation of length RADII[at]."""
    rho, lost = {}, {}
    for name, tables in planted.items():
        rho[name] = sum(float(t.rho[c]) for c, t in enumerate(tables)) / len(tables)
        lost[name] = rho[name] - sum(float(t.gamma[at, c]) for c, t in enumerate(tables)) / len(tables)
    if rho["weave"] < 0.1 or rho["shape"] < 0.1:
        return ""
    return (
        f" At ε = {usefulness.RADII[at]:g} the weave has lost {lost['weave']:.2f} of its ρ of {rho['weave']:.2f}, the"
        f" shape {lost['shape']:.2f} of {rho['shape']:.2f}: that is all that “non-robust” means."
    )


def _planted(recipe: PlantedRecipe) -> Planted:
    world, drawn = recipe.world, fresh(recipe, PICTURES)
    readers = {"weave": usefulness.weave_features, "shape": usefulness.shape_features}
    return {name: usefulness.measured(world, drawn, PUSHED, partial(reader, world)) for name, reader in readers.items()}


def _own(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> Planted:
    drawn = fresh(recipe, PICTURES)
    return {
        side: usefulness.measured(recipe.world, drawn, PUSHED_NETWORK, pair[side].features, (AT,)) for side in SIDES
    }


def _curves(rho: torch.Tensor, gamma: torch.Tensor, planted: Planted) -> go.Figure:
    radii = [0.0, *usefulness.RADII]
    figure = go.Figure()
    figure.add_scatter(
        x=radii,
        y=[float(rho.mean()), *gamma.mean(1).tolist()],
        name="weave, closed form",
        line={"color": "#e69f00", "width": 3},
    )
    for name, colour, symbol in (("weave", "#e69f00", "circle"), ("shape", "#0072b2", "diamond")):
        tables = planted[name]
        values = [sum(float(t.rho[c]) for c, t in enumerate(tables)) / len(tables)]
        values += [
            sum(float(t.gamma[e, c]) for c, t in enumerate(tables)) / len(tables) for e in range(len(usefulness.RADII))
        ]
        figure.add_scatter(
            x=radii,
            y=values,
            name=f"{name}, measured",
            mode="markers" if name == "weave" else "lines+markers",
            line={"color": colour, "dash": "dash"},
            marker={"symbol": symbol, "size": 10, "color": colour},
        )
    figure.add_hline(y=0, line={"color": "#8c8c8c", "width": 1})
    return styled(figure, "ε, L2 in pixel units", "γ (ρ at ε = 0)")


def _scatter(own: Planted, planted: Planted) -> go.Figure:
    figure = go.Figure()
    for side, tables in own.items():
        best = torch.stack([t.rho for t in tables]).argmax(0)
        rho = torch.stack([t.rho for t in tables]).gather(0, best[None])[0]
        gamma = torch.stack([t.gamma[0] for t in tables]).gather(0, best[None])[0]
        figure.add_scatter(
            x=rho.tolist(),
            y=gamma.tolist(),
            mode="markers",
            name=TITLES[side],
            marker={"color": COLOURS[side], "symbol": SYMBOLS[side], "size": 9, "opacity": 0.8},
        )
    at = usefulness.RADII.index(AT)
    for name, symbol in (("weave", "x"), ("shape", "cross")):
        tables = planted[name]
        figure.add_scatter(
            x=[float(t.rho[c]) for c, t in enumerate(tables)],
            y=[float(t.gamma[at, c]) for c, t in enumerate(tables)],
            mode="markers",
            name=f"planted {name}",
            marker={"color": "#d55e00", "symbol": symbol, "size": 12},
        )
    figure.add_hline(y=0, line={"color": "#8c8c8c", "width": 1})
    return styled(figure, "ρ", f"γ at ε = {AT:g}")


def _alt(rho: torch.Tensor, gamma: torch.Tensor) -> str:
    ends = ", ".join(f"{g:.2f} at {eps:g}" for eps, g in zip(usefulness.RADII, gamma.mean(1).tolist(), strict=True))
    return f"Usefulness of the weave in closed form: rho {float(rho.mean()):.2f}, gamma {ends}."


def _measured() -> None:
    found = Results()
    if "useful/weave/rho" not in found:
        return
    st.caption(
        f"In the default world: ρ of the weave {found.of('useful/planted/rho').value:.3f} in closed form,"
        f" {found.of('useful/weave/rho').plain()} measured; γ at 0.5 {found.of('useful/planted/gamma/0.5').value:.3f}"
        f" and {found.of('useful/weave/gamma/0.5').plain()}. The atlas's own 95 % intervals hold the planted ρ in"
        f" {found.of('useful/weave/rho_inside').per_cent()} and the planted γ in"
        f" {found.of('useful/weave/gamma_inside').per_cent()} of the cases. {found.source('useful')}."
    )
