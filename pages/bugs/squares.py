"""Nakkiran's squares, learnt here and now."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.bugs import views
from core.bugs.recipe import BugsRecipe
from core.bugs.squares import SMALL, TESTED, Learnt, learn
from core.files import render
from core.rates import Rate
from pages.ui import crisp, work
from pages.ui.charts import show_chart
from pages.ui.exports import Bundle, Download, downloads

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#8c8c8c"
CLASSES = ("black", "white")
LEAST = 0.0005  # where eps 0 stands on the logarithmic axis


def show(recipe: BugsRecipe) -> None:
    """Learn the recipe's squares and show what came of it."""
    key = ("squares", recipe.pixel_noise, recipe.label_noise, recipe.n, recipe.rounds, recipe.seed)
    (seen,) = work.wanted([work.Piece(key, _job(recipe), recipe.rounds)], text="Learning the squares…")
    st.markdown(sentence(seen))
    pictures(seen)
    left, right = st.columns(2)
    left.markdown("**How far can a square be pushed?**")
    show_chart(over_eps(seen), key="squares-eps", alt=_alt(seen), name="squares", place=left)
    right.markdown("**What training does, round by round**")
    show_chart(over_rounds(seen), key="squares-rounds", alt=_alt_rounds(seen), name="squares", place=right)
    st.caption(
        f"{recipe.n:,} squares to learn from, {TESTED} new ones to test; bands and brackets are 95 % intervals; seed"
        f" {recipe.seed}. Nakkiran's own: 10,000 squares, a ResNet-18, 20 epochs to 99.9 % of its labels; ε 0.01 then"
        " flips almost every square, while a linear rule stands until 0.9, and after a single epoch the network is"
        " robust. [Nakkiran 2019](https://doi.org/10.23915/distill.00019.5)"
    )
    downloads(files(recipe, seen), key="squares", script=views.script(recipe))


def _job(recipe: BugsRecipe) -> Callable[[Any], Learnt]:
    return lambda on_step: learn(recipe, lambda number, _: on_step(number - 1, None))


def sentence(seen: Learnt) -> str:
    """Say what was found, as it was found."""
    last, small = seen.rounds[-1], seen.network[seen.eps.index(SMALL)]
    heart = (
        "knows every label, the wrong ones too,"
        if last.trained.hits == last.trained.n
        else f"knows {last.trained} of the labels"
    )
    fate = "yet" if small.value < 0.5 else "and"
    stands = max((eps for eps, rate in zip(seen.eps, seen.linear, strict=True) if rate.hits == rate.n), default=0.0)
    return (
        f"The network {heart} and is right about {last.tested} of new squares, {fate} under attack within ε = {SMALL}"
        f" it is right about **{small}**. Adding up all pixels tells every square up to ε = {stands:g}; black and white"
        " are 2 apart."
    )


def pictures(seen: Learnt) -> None:
    """Show a black and a white square before and after the attack, and the change, amplified."""
    cells = []
    for k, name in enumerate(CLASSES):
        said = CLASSES[int(seen.said[k])]
        delta = seen.x_adv[k : k + 1] - seen.x[k : k + 1]
        gain = 0.5 / max(1e-6, float(delta.abs().max()))
        cells += [
            crisp.figure(
                seen.x[k : k + 1], f"a {name} square with pixel noise", (f"A {name} square", "new to the network")
            ),
            crisp.figure(
                render.amplified(delta, gain),
                f"the change to it, {gain:.0f} times amplified",
                (f"The change, ε = {SMALL}", f"{gain:.0f} times amplified"),
            ),
            crisp.figure(
                seen.x_adv[k : k + 1],
                f"the square after it; the network says {said}",
                (f"The network says {said}", "after the change"),
            ),
        ]
    grid = "grid-template-columns: repeat(auto-fit, minmax(150px, 1fr))"
    st.html(f'{crisp.STYLE}<div class="crisp" style="{grid}">{"".join(cells)}</div>')


def over_eps(seen: Learnt) -> go.Figure:
    """Draw accuracy under attack over eps: the network's, and the linear rule's."""
    x = [max(eps, LEAST) for eps in seen.eps]
    drawn = go.Figure()
    for name, rates, colour, dash in (
        ("the network", seen.network, ORANGE, "solid"),
        ("the sum of all pixels", seen.linear, BLUE, "dash"),
    ):
        _line(drawn, x, rates, name, colour, dash)
    drawn.update_xaxes(
        type="log",
        title="ε (black and white are 2 apart)",
        tickvals=x[::2],
        ticktext=[f"{eps:g}" for eps in seen.eps[::2]],
    )
    return _laid(drawn, "new squares that stay right, %")


def over_rounds(seen: Learnt) -> go.Figure:
    """Draw what the network can after each round."""
    x = list(range(len(seen.rounds)))
    drawn = go.Figure()
    _line(drawn, x, [r.trained for r in seen.rounds], "its own labels, learnt", GREY, "dot")
    _line(drawn, x, [r.tested for r in seen.rounds], "new squares", BLUE, "dash")
    _line(drawn, x, [r.attacked for r in seen.rounds], f"new squares within ε = {SMALL}", ORANGE, "solid")
    drawn.update_xaxes(title="rounds of training")
    return _laid(drawn, "right, %")


def _line(drawn: go.Figure, x: Sequence[float], rates: Sequence[Rate], name: str, colour: str, dash: str) -> None:
    low, high = ([100 * r.interval[k] for r in rates] for k in (0, 1))
    fill = f"rgba({int(colour[1:3], 16)}, {int(colour[3:5], 16)}, {int(colour[5:7], 16)}, 0.15)"
    drawn.add_scatter(
        x=[*x, *reversed(x)],
        y=[*high, *reversed(low)],
        fill="toself",
        fillcolor=fill,
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    drawn.add_scatter(
        x=list(x),
        y=[100 * r.value for r in rates],
        name=name,
        mode="lines+markers",
        line={"color": colour, "dash": dash, "width": 2.5},
        text=[str(r) for r in rates],
        hovertemplate="%{text}<extra>" + name + "</extra>",
    )


def _laid(drawn: go.Figure, y: str) -> go.Figure:
    drawn.update_yaxes(title=y, range=[-4, 104])
    drawn.update_layout(
        height=380,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return drawn


def _alt(seen: Learnt) -> str:
    pairs = zip(seen.eps, seen.network, seen.linear, strict=True)
    return "Squares that stay right, network and linear rule: " + "; ".join(
        f"ε {eps:g}: {100 * a.value:.0f} and {100 * b.value:.0f} per cent" for eps, a, b in pairs
    )


def _alt_rounds(seen: Learnt) -> str:
    return "Labels learnt, and squares right under attack, after each round: " + "; ".join(
        f"{k}: {100 * r.trained.value:.0f} and {100 * r.attacked.value:.0f} per cent" for k, r in enumerate(seen.rounds)
    )


def files(recipe: BugsRecipe, seen: Learnt) -> list[Download]:
    """List the downloads."""
    out = Bundle(replace(recipe, view="squares"))
    out.slide(
        "Slide",
        "squares.png",
        lambda: [list(render.to_uint8(x)) for x in (seen.x, seen.x_adv)],
        heads=CLASSES,
        sides=("new", f"ε = {SMALL}"),
        caption=(
            f"Above: new squares. Below: after an attack within ε = {SMALL}; the network says"
            f" {' and '.join(CLASSES[int(k)] for k in seen.said)}."
        ),
    )
    out.table(
        "Curve",
        "squares.csv",
        lambda: {
            "eps": list(seen.eps),
            "network_right": [r.hits for r in seen.network],
            "linear_right": [r.hits for r in seen.linear],
            "n": [r.n for r in seen.network],
        },
    )
    return out.files
