"""Curves of the head view: what a head can do with the most, or the least, robustly useful features.

For the first world they were measured by a command; in other worlds the clean ones are computed at once, from the
features that the atlas holds, and a button attacks these heads, too.
"""

from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from core import worlds
from core.rates import Estimate
from core.results import read
from core.train.evaluate import RobustAccuracy
from core.usefulness import choice, views
from core.usefulness.choice import Have
from core.usefulness.heads import AGAIN, RESULTS, Cut
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import called
from pages.ui import work
from pages.ui.charts import of_rates, show_chart
from pages.ui.stale import say_stale
from pages.ui.store import loaded, model

COLOURS = {"clean": "#0072b2", "attacked": "#d98a00"}
ASKED = "usefulness-curves-asked"  # in the session: the heads that are attacked
ALT = "Accuracy, clean and attacked, against the number of features kept, for each model"
Lines = dict[str, list[dict[str, Any]]]


def curves(recipe: UsefulnessRecipe, eps: float, have: Have = None, path: Path = RESULTS) -> None:
    """Show heads that keep the most or the least robustly useful features: as measured, or here and now."""
    if worlds.of(recipe) != worlds.get():
        _here(recipe, eps, have)
        return
    found = read(path, AGAIN)
    if found is None:
        return
    names, heads = {"standard": recipe.standard, "robust": recipe.robust}, called(recipe)
    lines: Lines = {
        heads[side]: [line for line in found["models"][names[side]] if line["head"] == recipe.head]
        for side in choice.sides(recipe)
        if names[side] in found["models"]
    }
    if not lines:
        return
    attacks = sorted({key for some in lines.values() for key in some[0] if key.startswith("L2 ")})
    attack = min(attacks, key=lambda key: abs(float(key[3:]) - eps))
    st.markdown(f"### Measured: a head that keeps only some features, attacked at ε = {attack[3:]}")
    show_chart(figure(lines, attack), key="usefulness-curves", alt=ALT, name="usefulness-heads")
    st.markdown("\n".join(f"- {verdict(head, some, attack)}" for head, some in lines.items()))
    st.caption(
        f"Ranked by γ at ε = {found['ranked_at']:g} for each feature's best class. n = {found['n']} attacked, seed"
        f" {found['seed']}, {found['date']}; {found['how']}. Bars and brackets: 95 % intervals. Switching features off"
        " does not change how the others are computed."
    )
    say_stale(found, AGAIN)


def _here(recipe: UsefulnessRecipe, eps: float, have: Have) -> None:
    """Show the clean curves at once, and the attacked ones once they are asked for."""
    attack, heads, sides = f"L2 {eps:g}", called(recipe), choice.sides(recipe)
    atlases = {side: choice.atlas_of(recipe, side, have) for side in sides}
    cut = {side: views.curve(recipe, side, model=model(atlases[side].name), have=have) for side in sides}
    pieces = [(line, _piece(recipe, side, one, have)) for side in sides for one, line in cut[side]] if eps > 0 else []
    group = (ASKED, *(piece.key for _, piece in pieces))
    if st.session_state.get(ASKED) == group and not work.is_stopped(group):
        text = f"Attacking {len(pieces)} heads…"
        if any(one.stopped is not None for one in work.ask([piece for _, piece in pieces], group=group, text=text)):
            st.session_state.pop(ASKED)
    for line, piece in pieces:
        if (known := work.known(piece)) is not None:
            line[attack] = known.rate.as_json() | {"doubts": list(known.warnings)}
    lines = {heads[side]: [line for _, line in cut[side]] for side in sides}
    missing = sum(attack not in line for line, _ in pieces)
    st.markdown("### Here and now: a head that keeps only some features")
    show_chart(figure(lines, attack), key="usefulness-curves", alt=ALT, name="usefulness-heads")
    if pieces and not missing:
        st.markdown("\n".join(f"- {verdict(head, some, attack)}" for head, some in lines.items()))
    elif pieces:
        label = f"Attack these heads, too, at ε = {eps:g}"
        st.button(
            label if missing == len(pieces) else f"Attack the {missing} others, too",
            key="usefulness-curves-attack",
            on_click=_want,
            args=(group,),
        )
    reasons = dict.fromkeys(reason for line, _ in pieces for reason in line.get(attack, {}).get("doubts", ()))
    n = {side: views.attacked_of(atlas, views.OF_A_CURVE) for side, atlas in atlases.items()}
    searched = "" if not any(atlas.about.get("live") for atlas in atlases.values()) else " that were searched"
    st.caption(
        f"Features{searched} ranked by γ at ε = {views.ranked_at(recipe):g} for each feature's best class; the last"
        f" point has all of them on. Clean: {len(atlases[sides[0]].y):,} test pictures, from their features. Attacked:"
        f" {max(n.values())} of them, PGD-{views.ATTACK_STEPS} on log-odds, then on the margin, knowing the head. Bars"
        " and brackets: 95 % intervals. Switching features off does not change how the others are computed."
        + (f" Not to be trusted everywhere: {'; '.join(reasons)}." if reasons else "")
    )


def _want(group: object) -> None:
    st.session_state[ASKED] = group
    work.desk().go_on()


def _piece(recipe: UsefulnessRecipe, side: str, cut: Cut, have: Have) -> work.Piece[RobustAccuracy | None]:
    atlas = choice.atlas_of(recipe, side, have)
    one, n = loaded(atlas.name), views.attacked_of(atlas, views.OF_A_CURVE)
    asked = (recipe.head, bytes(cut.on.tolist()), choice.radius(atlas, recipe.frame), n)

    def make(on_step: work.Step) -> RobustAccuracy | None:
        found = views.attacked_cut(recipe, side, cut, model=one.model, have=have, on_step=on_step)
        return found if found.rate.n else None

    key = ("attacked head", one.name, one.stamp, str(atlas.about), asked)
    return work.Piece(key, make, views.attack_steps(recipe, n))


def figure(of: Lines, attack: str) -> go.Figure:
    """Draw accuracy over the number of features kept, a panel a model; what was not attacked is left out."""
    drawn = make_subplots(1, len(of), shared_yaxes=True, subplot_titles=list(of))
    for column, lines in enumerate(of.values(), 1):
        whole = [line for line in lines if line["keep"] == "most" and line["kept"] == max(x["kept"] for x in lines)]
        for keep, dash, words in (("most", "solid", "most robust kept"), ("least", "dot", "least robust kept")):
            shown = sorted([x for x in lines if x["keep"] == keep] + (whole if keep == "least" else []), key=_kept)
            for what, key in (("clean", "clean"), ("attacked", attack)):
                there = [line for line in shown if key in line]
                if not there:
                    continue
                rates = [Estimate.from_json(line[key]) for line in there]
                drawn.add_scatter(
                    x=[line["kept"] for line in there],
                    y=[100 * rate.value for rate in rates],
                    error_y=of_rates(rates),
                    line={"color": COLOURS[what], "dash": dash},
                    name=f"{what}, {words}",
                    legendgroup=f"{what}{keep}",
                    showlegend=column == 1,
                    row=1,
                    col=column,
                )
        drawn.update_xaxes(type="log", dtick=0.30103, title="features kept", row=1, col=column)
    drawn.update_yaxes(range=[0, 100], ticksuffix=" %")
    drawn.update_layout(
        height=380, margin={"l": 10, "r": 10, "t": 40, "b": 10}, legend={"orientation": "h", "y": -0.25}
    )
    return drawn


def verdict(title: str, own: list[dict[str, Any]], attack: str) -> str:
    """Say in a sentence what keeping the more, or the less, robust half did to the attacked accuracy."""
    whole = max(own, key=_kept)
    part = max(line["kept"] for line in own if line["keep"] == "least")
    most, least = (next(x for x in own if x["keep"] == keep and x["kept"] == part) for keep in ("most", "least"))
    rates = [Estimate.from_json(line[attack]) for line in (whole, most, least)]
    said = [rate.per_cent(0) for rate in rates]
    gained = rates[1].above(rates[0])
    outcome = (
        "choosing the robust ones made it more robust"
        if gained
        else "no gain from choosing the robust ones that this many pictures could show"
    )
    return (
        f"**{title}**, attacked: {said[0]} with all {whole['kept']}, {said[1]} with the {part} most robustly useful,"
        f" {said[2]} with the {part} least: {outcome}."
    )


def _kept(line: dict[str, Any]) -> int:
    return int(line["kept"])
