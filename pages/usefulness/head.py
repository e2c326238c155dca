"""The head view of the Usefulness page: switch features off and see what is left, clean and attacked."""

from pathlib import Path
from typing import Any

import streamlit as st
import torch
from plotly.subplots import make_subplots

from core.rates import Estimate, Rate
from core.results import read
from core.train.evaluate import RobustAccuracy
from core.usefulness import choice, views
from core.usefulness.choice import SIDES
from core.usefulness.heads import AGAIN, RESULTS
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import called, scene
from core.usefulness.views import ATTACK_STEPS, ATTACKED
from pages.ui import work
from pages.ui.address import choose
from pages.ui.charts import of_rates, show_chart
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.stale import say_stale
from pages.ui.store import loaded, model

KEEP = {
    "all": "all features",
    "robust": "robust ones (γ > 0)",
    "brittle": "non-robust ones (γ ≤ 0)",
    "without": "all but the brushed",
    "only": "only the brushed",
}
HEADS = {"masked": "the model's own", "refit": "fitted anew"}
COLOURS = {"clean": "#0072b2", "attacked": "#d98a00"}


def controls() -> dict[str, str]:
    """Show what stays on, and which head weighs it; return these fields of the recipe."""
    with st.container(horizontal=True):
        keep = choose(
            "Leave on",
            KEEP,
            key="keep",
            default="all",
            help=(
                "Robust and non-robust at the ε of the slider and for the task. Brushed are the features that you drag"
                " over in a panel; the other panel's model then stays whole."
            ),
        )
        head = choose(
            "Head",
            HEADS,
            key="head",
            default="masked",
            help="The model's own, with what is off held at its mean; or the least-squares head on what is on.",
        )
    return {"keep": keep, "head": head}


def show(recipe: UsefulnessRecipe) -> None:
    """Show clean accuracy at once and attacked accuracy as soon as it is measured."""
    source = choice.source_of(recipe)
    eps = choice.radius(choice.atlas_of(recipe, "standard"), recipe.frame)
    heads, clean, slots = called(recipe), {}, {}
    for column, side in zip(st.columns(2, gap="large"), SIDES, strict=True):
        name = choice.atlas_of(recipe, side).name
        on = choice.switched_on(recipe, side)
        _, _, clean[side] = views.left_over(recipe, side, model=model(name))
        with column:
            st.markdown(f"### {heads[side]}: {int(on.sum())} of {len(on)} features on")
            first, second = st.columns(2)
            first.metric("Clean accuracy", _percent(clean[side]), border=True)
            first.caption(_interval(clean[side]))
            slots[side] = second.empty()
    below = st.container()
    found = _attacked(recipe, eps, clean, slots, source)
    with below:
        if source == "photo":
            st.caption("The attack needs pictures with labels: CIFAR-10, or the gallery that ships with the app.")
        elif eps > 0:
            what = (
                "test pictures"
                if source == choice.atlas_of(recipe, "standard").source
                else "pictures of the gallery, which a robust model painted and which are easier than CIFAR-10"
            )
            st.caption(
                f"Clean: the first {clean['standard'].n:,} test pictures, from their features. Attacked: {ATTACKED}"
                f" {what}; PGD-{ATTACK_STEPS} on log-odds, then on the margin, knowing the re-weighted head; L2, ε ="
                f" {eps:g}. In brackets: 95 % intervals."
            )
    curves(recipe, eps)
    downloads(files(recipe, clean, found), key="usefulness-head", script=views.script(recipe))


def _attacked(
    recipe: UsefulnessRecipe, eps: float, clean: dict[str, Rate], slots: dict[str, Any], source: str
) -> dict[str, RobustAccuracy]:
    if eps == 0 or source == "photo":
        for side in SIDES:
            _put(slots[side], clean[side] if eps == 0 else None, "at ε = 0 there is no attack" if eps == 0 else "")
        return {}
    pieces = {side: _piece(recipe, side, source) for side in SIDES}
    for side in SIDES:
        if (known := work.known(pieces[side])) is None:
            _put(slots[side], None, "being attacked…")
        else:
            _answer(slots[side], known)
    outcomes = work.ask(
        list(pieces.values()),
        group=tuple(one.key for one in pieces.values()),
        text="Attacking the re-weighted models…",
    )
    if any(one.stopped is not None for one in outcomes):
        work.say_stopped("Stopped; the accuracies are of the pictures attacked until then.")
    found = {side: one.value for side, one in zip(SIDES, outcomes, strict=True) if one.value is not None}
    for side in SIDES:
        if side in found:
            _answer(slots[side], found[side])
        else:
            _put(slots[side], None, "stopped before there was anything to count")
    return found if len(found) == len(SIDES) else {}


def _piece(recipe: UsefulnessRecipe, side: str, source: str) -> work.Piece[RobustAccuracy | None]:
    atlas, on = choice.atlas_of(recipe, side), choice.switched_on(recipe, side)
    one, eps = loaded(atlas.name), choice.radius(atlas, recipe.frame)
    asked = (recipe.head, bytes(on.to(torch.uint8).tolist()), eps, source)

    def make(on_step: work.Step) -> RobustAccuracy | None:
        found = views.attacked(recipe, side, model=one.model, on_step=on_step)
        return found if found.rate.n else None

    return work.Piece(("attacked", one.name, one.stamp, str(atlas.about), asked), make, views.ATTACK_STEPS_IN_ALL)


def _answer(slot: Any, found: RobustAccuracy) -> None:
    note = f"{_interval(found.rate)}; the same pictures unattacked: {_percent(found.clean)}"
    _put(slot, found.rate, " Not to be trusted: ".join([note, *found.doubts]))


def _put(slot: Any, rate: Rate | None, note: str) -> None:
    with slot.container():
        st.metric("Attacked accuracy", "…" if rate is None else _percent(rate), border=True)
        st.caption(note or "not measured")


def curves(recipe: UsefulnessRecipe, eps: float, path: Path = RESULTS) -> None:
    """Show what was measured of heads that keep the most or the least robustly useful features."""
    found = read(path, AGAIN)
    if found is None:
        return
    names, heads = {"standard": recipe.standard, "robust": recipe.robust}, called(recipe)
    there = [side for side in SIDES if names[side] in found["models"]]
    if not there:
        return
    attacks = sorted({key for lines in found["models"].values() for key in lines[0] if key.startswith("L2 ")})
    attack = min(attacks, key=lambda key: abs(float(key[3:]) - eps))
    figure = make_subplots(1, len(there), shared_yaxes=True, subplot_titles=[heads[side] for side in there])
    for column, side in enumerate(there, 1):
        lines = [line for line in found["models"][names[side]] if line["head"] == recipe.head]
        whole = [line for line in lines if line["keep"] == "most" and line["kept"] == max(x["kept"] for x in lines)]
        for keep, dash, words in (("most", "solid", "most robust kept"), ("least", "dot", "least robust kept")):
            shown = sorted([x for x in lines if x["keep"] == keep] + (whole if keep == "least" else []), key=_kept)
            for what, key in (("clean", "clean"), ("attacked", attack)):
                rates = [Estimate.from_json(line[key]) for line in shown]
                figure.add_scatter(
                    x=[line["kept"] for line in shown],
                    y=[100 * rate.value for rate in rates],
                    error_y=of_rates(rates),
                    line={"color": COLOURS[what], "dash": dash},
                    name=f"{what}, {words}",
                    legendgroup=f"{what}{keep}",
                    showlegend=column == 1,
                    row=1,
                    col=column,
                )
        figure.update_xaxes(type="log", dtick=0.30103, title="features kept", row=1, col=column)
    figure.update_yaxes(range=[0, 100], ticksuffix=" %")
    figure.update_layout(
        height=380, margin={"l": 10, "r": 10, "t": 40, "b": 10}, legend={"orientation": "h", "y": -0.25}
    )
    st.markdown(f"### Measured: a head that keeps only some features, attacked at ε = {attack[3:]}")
    show_chart(
        figure,
        key="usefulness-curves",
        alt="Accuracy, clean and attacked, against the number of features kept, for both models",
        name="usefulness-heads",
    )
    st.markdown(
        "\n".join(f"- {verdict(heads[side], found['models'][names[side]], recipe.head, attack)}" for side in there)
    )
    st.caption(
        f"Ranked by γ at ε = {found['ranked_at']:g} for each feature's best class. n = {found['n']} attacked, seed"
        f" {found['seed']}, {found['date']}; {found['how']}. Bars and brackets: 95 % intervals. Switching features off"
        " does not change how the others are computed."
    )
    say_stale(found, AGAIN)


def verdict(title: str, lines: list[dict[str, Any]], head: str, attack: str) -> str:
    """Say in one sentence what keeping the more, or the less, robust half did to the attacked accuracy."""
    own = [line for line in lines if line["head"] == head]
    whole = max(own, key=_kept)
    part = max(line["kept"] for line in own if line["kept"] < whole["kept"])
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


def _percent(rate: Rate) -> str:
    return f"{100 * rate.value:.1f} %"


def _interval(rate: Rate) -> str:
    return f"[{rate.per_cent(0).partition('[')[2]}, n = {rate.n:,}"


def files(recipe: UsefulnessRecipe, clean: dict[str, Rate], found: dict[str, RobustAccuracy]) -> list[Download]:
    """List the downloads."""

    def table() -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {
            "model": [choice.atlas_of(recipe, side).name for side in SIDES],
            "features_on": [int(choice.switched_on(recipe, side).sum()) for side in SIDES],
            "clean": [clean[side].value for side in SIDES],
            "clean_n": [clean[side].n for side in SIDES],
        }
        if found:
            columns["attacked"] = [found[side].rate.value for side in SIDES]
            columns["attacked_n"] = [found[side].rate.n for side in SIDES]
        return columns

    def arrays() -> dict[str, torch.Tensor]:
        tensors: dict[str, torch.Tensor] = {}
        for side in SIDES:
            name = choice.atlas_of(recipe, side).name
            _, head, _ = views.left_over(recipe, side, model=model(name))
            tensors |= {f"{name}_weight": head.weight, f"{name}_bias": head.bias}
            tensors[f"{name}_on"] = choice.switched_on(recipe, side)
        return tensors

    out = Bundle(recipe)
    out.playable("usefulness", lambda: scene(recipe))
    out.table("Accuracies", "heads.csv", table)
    out.arrays("heads.npz", arrays)
    return out.files
