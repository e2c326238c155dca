"""The head view of the Usefulness page: switch features off and see what is left, clean and attacked."""

from typing import Any

import streamlit as st
import torch

from core.rates import Rate
from core.train.evaluate import RobustAccuracy
from core.usefulness import choice, views
from core.usefulness.choice import Have
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import called, scene
from core.usefulness.views import ATTACK_STEPS, ATTACKED
from pages.ui import work
from pages.ui.address import choose
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.store import loaded, model
from pages.usefulness import here
from pages.usefulness.curves import curves

KEEP = {
    "all": "all features",
    "robust": "robust ones (γ > 0)",
    "brittle": "non-robust ones (γ ≤ 0)",
    "without": "all but the brushed",
    "only": "only the brushed",
}
HEADS = {"masked": "the model's own", "refit": "fitted anew"}


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


def show(recipe: UsefulnessRecipe, have: Have = None) -> None:
    """Show clean accuracy at once and attacked accuracy as soon as it is measured."""
    source = choice.source_of(recipe)
    eps = choice.radius(choice.atlas_of(recipe, "standard", have), recipe.frame)
    heads, clean, slots = called(recipe), {}, {}
    for column, side in zip(st.columns(2, gap="large"), choice.sides(recipe), strict=False):
        name = choice.atlas_of(recipe, side, have).name
        on = choice.switched_on(recipe, side, have)
        _, _, clean[side] = views.left_over(recipe, side, model=model(name), have=have)
        with column:
            st.markdown(f"### {heads[side]}: {int(on.sum())} of {len(on)} features on")
            first, second = st.columns(2)
            first.metric("Clean accuracy", _percent(clean[side]), border=True)
            first.caption(_interval(clean[side]))
            slots[side] = second.empty()
    below = st.container()
    found = _attacked(recipe, eps, clean, slots, source, have)
    with below:
        if source == "photo":
            st.caption("The attack needs pictures with labels: CIFAR-10, or the gallery that ships with the app.")
        elif eps > 0:
            atlas = choice.atlas_of(recipe, "standard", have)
            part = "" if here.possible() else "the first "
            n = views.attacked_of(atlas) if source == atlas.source else ATTACKED
            what = (
                "test pictures"
                if source == atlas.source
                else "pictures of the gallery, which a robust model painted and which are easier than CIFAR-10"
            )
            st.caption(
                f"Clean: {part}{clean['standard'].n:,} test pictures, from their features. Attacked: {n}"
                f" {what}; PGD-{ATTACK_STEPS} on log-odds, then on the margin, knowing the re-weighted head; L2, ε ="
                f" {eps:g}. In brackets: 95 % intervals."
            )
    curves(recipe, eps, have)
    downloads(files(recipe, clean, found, have), key="usefulness-head", script=views.script(recipe, live=bool(have)))


def _attacked(
    recipe: UsefulnessRecipe, eps: float, clean: dict[str, Rate], slots: dict[str, Any], source: str, have: Have
) -> dict[str, RobustAccuracy]:
    if eps == 0 or source == "photo":
        for side in choice.sides(recipe):
            _put(slots[side], clean[side] if eps == 0 else None, "at ε = 0 there is no attack" if eps == 0 else "")
        return {}
    pieces = {side: _piece(recipe, side, source, have) for side in choice.sides(recipe)}
    for side in choice.sides(recipe):
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
    found = {side: one.value for side, one in zip(choice.sides(recipe), outcomes, strict=True) if one.value is not None}
    for side in choice.sides(recipe):
        if side in found:
            _answer(slots[side], found[side])
        else:
            _put(slots[side], None, "stopped before there was anything to count")
    return found if len(found) == len(pieces) else {}


def _piece(recipe: UsefulnessRecipe, side: str, source: str, have: Have) -> work.Piece[RobustAccuracy | None]:
    atlas, on = choice.atlas_of(recipe, side, have), choice.switched_on(recipe, side, have)
    one, eps = loaded(atlas.name), choice.radius(atlas, recipe.frame)
    asked = (recipe.head, bytes(on.to(torch.uint8).tolist()), eps, source)

    def make(on_step: work.Step) -> RobustAccuracy | None:
        found = views.attacked(recipe, side, model=one.model, have=have, on_step=on_step)
        return found if found.rate.n else None

    steps = views.attack_steps(recipe, views.attacked_of(atlas) if source == atlas.source else ATTACKED)
    return work.Piece(("attacked", one.name, one.stamp, str(atlas.about), asked), make, steps)


def _answer(slot: Any, found: RobustAccuracy) -> None:
    note = f"{_interval(found.rate)}; the same pictures unattacked: {_percent(found.clean)}"
    _put(slot, found.rate, " Not to be trusted: ".join([note, *found.warnings]))


def _put(slot: Any, rate: Rate | None, note: str) -> None:
    with slot.container():
        st.metric("Attacked accuracy", "…" if rate is None else _percent(rate), border=True)
        st.caption(note or "not measured")


def _percent(rate: Rate) -> str:
    return f"{100 * rate.value:.1f} %"


def _interval(rate: Rate) -> str:
    return f"[{rate.per_cent(0).partition('[')[2]}, n = {rate.n:,}"


def files(
    recipe: UsefulnessRecipe, clean: dict[str, Rate], found: dict[str, RobustAccuracy], have: Have = None
) -> list[Download]:
    """List the downloads."""

    def table() -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {
            "model": [choice.atlas_of(recipe, side, have).name for side in choice.sides(recipe)],
            "features_on": [int(choice.switched_on(recipe, side, have).sum()) for side in choice.sides(recipe)],
            "clean": [clean[side].value for side in choice.sides(recipe)],
            "clean_n": [clean[side].n for side in choice.sides(recipe)],
        }
        if found:
            columns["attacked"] = [found[side].rate.value for side in choice.sides(recipe)]
            columns["attacked_n"] = [found[side].rate.n for side in choice.sides(recipe)]
        return columns

    def arrays() -> dict[str, torch.Tensor]:
        tensors: dict[str, torch.Tensor] = {}
        for side in choice.sides(recipe):
            name = choice.atlas_of(recipe, side, have).name
            _, head, _ = views.left_over(recipe, side, model=model(name), have=have)
            tensors |= {f"{name}_weight": head.weight, f"{name}_bias": head.bias}
            tensors[f"{name}_on"] = choice.switched_on(recipe, side, have)
        return tensors

    out = Bundle(recipe)
    out.playable("usefulness", lambda: scene(recipe, have))
    out.table("Accuracies", "heads.csv", table)
    out.arrays("heads.npz", arrays)
    return out.files
