"""The features view of the Usefulness page.

What a feature of each model looks like, and how little it takes to lower it.
"""

import math
from typing import Any

import streamlit as st
import torch

from core.data import pictures
from core.files import render
from core.usefulness import choice, feature, views
from core.usefulness.atlas import lookup
from core.usefulness.choice import Have
from core.usefulness.feature import CLIMB, PUSH, Look
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.scene import called, scene
from pages.ui import crisp, work
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.store import loaded
from pages.ui.world import current

STYLE = """<style>
.looks { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.6rem; max-width: 34rem; }
.tops { grid-template-columns: repeat(8, minmax(0, 1fr)); gap: 0.4rem; max-width: 34rem; margin-top: 0.7rem; }
@media (max-width: 700px) { .tops { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
</style>"""
SOURCES = {"gallery": "generated pictures", "photo": "photographs"}  # all others are test pictures


def show(recipe: UsefulnessRecipe, have: Have = None) -> None:
    """Show one feature of each model, computing what is missing side by side."""
    st.html(STYLE + crisp.STYLE)
    sides = choice.sides(recipe)
    made = work.wanted([_piece(recipe, side, have) for side in sides], text="Looking at one feature of each model…")
    found = dict(zip(sides, made, strict=True))
    for column, side in zip(st.columns(2, gap="large"), sides, strict=False):
        with column:
            panel(recipe, side, found[side], have)
    downloads(files(recipe, found, have), key="usefulness", script=views.script(recipe, live=bool(have)))


def panel(recipe: UsefulnessRecipe, side: str, seen: Look, have: Have = None) -> None:
    """Show one model's feature."""
    name, head = current().classes[seen.label], called(recipe)[side]
    turned = "−" if seen.sign < 0 else ""
    pair = recipe.task != "best" and recipe.against != "rest"
    question = f"for “{name}” against “{recipe.against}”" if pair else f"for “{name}”"
    st.markdown(f"### {head}: feature {turned}{seen.index}, {question}")
    what = f"a typical {name}" if pictures.get(seen.typical_id).label == seen.label else "a picture"
    cells = [
        crisp.figure(
            seen.made,
            f"{head}: the picture made to excite feature {seen.index}, value {seen.made_value:.1f}",
            ("made to excite it", f"f = {_value(seen.made_value)}"),
        ),
        crisp.figure(
            seen.typical,
            f"{what}: {pictures.get(seen.typical_id).caption}, value {seen.typical_value:.1f}",
            (what, f"f = {_value(seen.typical_value)}"),
        ),
        crisp.figure(
            seen.moved,
            f"The same picture, moved by {seen.eps:g} so as to lower the feature: value {seen.moved_value:.1f}",
            (f"moved by {seen.eps:g}", f"f = {_value(seen.moved_value)}"),
        ),
        crisp.figure(
            _shown(seen.gradient), "Gradient of the feature at that picture", ("gradient of f", "at the typical one")
        ),
    ]
    st.html(f'<div class="crisp looks">{"".join(cells)}</div>')
    tops = "".join(
        crisp.figure(x[None], f"{pictures.get(id).caption}, value {value:.1f}", (f"{value:.1f}",))
        for id, x, value in zip(seen.ids, seen.x, seen.values.tolist(), strict=True)
    )
    st.html(f'<div class="crisp tops">{tops}</div>')
    kind = "robustly useful" if seen.gamma > 0 else "useful, but not robustly"
    known = f"γ = {seen.gamma:.2f} at ε = {seen.eps:g}: {kind} {question}"
    if math.isnan(seen.gamma):
        known = f"γ was not measured; useful {question}"
    of = SOURCES.get(choice.source_of(recipe), "test pictures")
    chosen = int(choice.chosen(recipe, side, have).sum())
    among = f" One of the {chosen} that the brush holds." if chosen else ""
    st.caption(
        f"ρ = {seen.rho:.2f}, {known}. f is in standard deviations."
        f" Small: the {len(seen.ids)} of {seen.seen:,} {of} that excite it most.{among}"
    )


def files(recipe: UsefulnessRecipe, found: dict[str, Look], have: Have = None) -> list[Download]:
    """List the downloads: the table of all features, the sheet, the arrays."""
    names = {side: choice.atlas_of(recipe, side, have).name for side in found}
    out = Bundle(recipe)
    out.playable("usefulness", lambda: scene(recipe, have))
    out.table("Table of all features", "usefulness.csv", lambda: table(recipe, have))
    out.slide(
        "Sheet",
        "features.png",
        lambda: [
            list(render.to_uint8(torch.cat([f.made, f.typical, f.moved, _shown(f.gradient), f.x])))
            for f in found.values()
        ],
        sides=[f"{called(recipe)[side]}, feature {f.index}" for side, f in found.items()],
        caption=(
            "Made to excite the feature; a typical picture; that one moved to lower it; the gradient; what excites it"
            " most."
        ),
    )
    whats = ("made", "typical", "moved", "gradient", "x", "values")
    out.arrays("features.npz", lambda: {f"{names[s]}_{w}": getattr(f, w) for s, f in found.items() for w in whats})
    return out.files


def table(recipe: UsefulnessRecipe, have: Have = None) -> dict[str, list[Any]]:
    """List rho and gamma of every feature of both models, with their intervals."""
    columns: dict[str, list[Any]] = {name: [] for name in ("model", "feature", "class", "turned", "rho", "rho_half")}
    for side in choice.sides(recipe):
        atlas = choice.atlas_of(recipe, side, have)
        found, labels = lookup(atlas, recipe.task, recipe.against)
        d = len(labels)
        columns["model"] += [atlas.name] * d
        columns["feature"] += list(range(d))
        columns["class"] += [current().classes[k] for k in labels]
        columns["turned"] += [int(s < 0) for s in found.sign.tolist()]
        columns["rho"] += _rounded(found.rho)
        columns["rho_half"] += _rounded(found.rho_half)
        for e, eps in enumerate(found.radii):
            columns.setdefault(f"gamma_{eps:g}", []).extend(_rounded(found.gamma[e]))
            columns.setdefault(f"gamma_{eps:g}_half", []).extend(_rounded(found.gamma_half[e]))
    return columns


def _rounded(values: torch.Tensor) -> list[float]:
    return [round(v, 5) for v in values.tolist()]


def _value(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def _shown(gradient: torch.Tensor) -> torch.Tensor:
    """Show a gradient around mid-grey, its largest entries at the ends of the range."""
    scale = gradient.abs().flatten(1).quantile(0.995, dim=1).clamp_min(1e-12)
    return (0.5 + 0.5 * gradient / scale.reshape(-1, 1, 1, 1)).clamp(0, 1)


def _piece(recipe: UsefulnessRecipe, side: str, have: Have) -> work.Piece[Look]:
    atlas = choice.atlas_of(recipe, side, have)
    one, k = loaded(atlas.name), choice.feature_of(recipe, side, have)
    asked = (recipe.task, recipe.against, recipe.frame, k, choice.source_of(recipe))
    return work.Piece(
        ("look", one.name, one.stamp, str(atlas.about), asked),
        lambda on_step: feature.look(recipe, side, model=one.model, have=have, on_step=on_step),
        CLIMB + PUSH,
    )
