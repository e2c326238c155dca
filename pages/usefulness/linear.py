"""The linear view of the Usefulness page: Goh's two constructions of useful, non-robust features."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
import torch

from core.files import render
from core.files.playable import Scene, scrubbing
from core.rates import Z
from core.usefulness import linear as goh
from core.usefulness import views
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.views import EPS, FIRST_FRAME, Construction, construction
from pages.ui.address import choose, put
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.scrubber import Axis, Row, frame_in_sight, scrubber
from pages.usefulness import plane

KEY = "usefulness-linear"
FEATURES = {"singular": "singular vectors", "ensemble": "a sum of weak ones", "containment": "a hidden robust one"}
CLAIMS = {
    "singular": (
        "Each singular vector of trucks and frogs is a feature. The useful ones are smooth, and robust; the fine ones"
        " are neither useful nor robust."
    ),
    "ensemble": (
        "Sum many weak directions, each with the sign of its usefulness. On the training pictures the sum is useful and"
        " not robust; look at the test pictures before you believe it."
    ),
    "containment": (
        "Hide a little of a robust direction in a non-robust one: as useful as the robust one, on test pictures too,"
        " and as easy to push as the other."
    ),
}
AXES = {
    "singular": ("direction", "counted from the strongest"),
    "ensemble": ("size", "weakest directions in the sum"),
    "containment": ("α", "share of the robust direction"),
}


def controls() -> dict[str, Any]:
    """Show the choice of construction and its parts; return these fields of the recipe."""
    known = goh.load()
    with st.container(horizontal=True):
        linear = choose(
            "Feature",
            FEATURES,
            key="linear",
            default=UsefulnessRecipe().linear,
            on_change=lambda: put("frame", ""),
        )
        found: dict[str, object] = {"linear": linear}
        if linear == "containment":
            blank = UsefulnessRecipe()
            for field, label in (("strong", "Robust direction"), ("weak", "Non-robust direction")):
                default = known.nearest(getattr(blank, field))
                found[field] = st.selectbox(
                    label, known.shown, index=known.shown.index(default), key=field, bind="query-params", width=190
                )
    return found


def show(recipe: UsefulnessRecipe) -> None:
    """Show the construction along its slider, and where it lies among all directions."""
    known = goh.load()
    st.markdown(CLAIMS[recipe.linear])
    made = construction(recipe, known)
    last = len(made.labels) - 1
    default = min(FIRST_FRAME[recipe.linear], last)
    key = f"{KEY}-{recipe.linear}"
    frame = min(frame_in_sight(key, default), last)
    name, unit = AXES[recipe.linear]
    axis = Axis(name, tuple(map(float, range(last + 1))), made.labels, unit)
    shown = rows(recipe, made, known)
    scrubber(shown, axis, key=key, own=False, frame=frame, gain=1, report=True, captions=_captions(recipe))
    st.markdown(sentence(made, frame, known))
    plane.show(made, frame, known)

    def played() -> Scene:
        return scrubbing(
            shown,
            axis,
            frame=frame,
            gain=1,
            captions=_captions(recipe),
            title="Usefulness",
            claim=CLAIMS[recipe.linear],
        )

    downloads(files(recipe, made, frame, known, played), key=KEY, script=views.script(_at(recipe, frame)))


def rows(recipe: UsefulnessRecipe, made: Construction, known: goh.Known) -> list[Row]:
    """Build the scrubber's columns: the same direction, judged on training and on test pictures."""
    pictures = _pictures(made.vectors)
    reference = pictures[0] if recipe.linear == "containment" else np.full_like(pictures[0], 128)
    found = []
    for title, test in ((f"{known.n:,} training pictures", False), (f"{known.n_test:,} test pictures", True)):
        rho = [f.rho_test if test else f.rho for f in made.features]
        deviation = [f.deviation_test if test else f.deviation for f in made.features]
        gamma = [r - EPS / d for r, d in zip(rho, deviation, strict=True)]
        useful = 2 / (known.n_test if test else known.n) ** 0.5  # twice the error of a mean that is nothing
        kind = [
            "robustly useful" if g > 0 else "useful, not robust" if r > useful else "not useful"
            for r, g in zip(rho, gamma, strict=True)
        ]
        found.append(
            Row(
                title=title,
                subtitle=f"{goh.PAIR[0]} against {goh.PAIR[1]}",
                frames=pictures,
                reference=reference,
                curve=tuple(rho),
                curve_name="usefulness ρ",
                readouts=(
                    ("usefulness ρ", tuple(_number(r) for r in rho)),
                    (f"γ at ε = {EPS:g}", tuple(_number(g) for g in gamma)),
                    ("ρ is gone at ε", tuple(f"{max(0.0, r * d):.3g}" for r, d in zip(rho, deviation, strict=True))),
                ),
                flags=tuple(kind),
                alt=tuple(
                    f"{title}, {AXES[recipe.linear][0]} {label}: usefulness {r:.3f}, robust usefulness {g:.3g}; {k}."
                    for label, r, g, k in zip(made.labels, rho, gamma, kind, strict=True)
                ),
            )
        )
    return found


def sentence(made: Construction, frame: int, known: goh.Known) -> str:
    """Say what is in sight, in one sentence with its numbers."""
    f = made.features[frame]
    error = 1 / known.n_test**0.5
    left = "that is, nothing that could be told from chance" if abs(f.rho_test) < 2 * error else f"± {Z * error:.2f}"
    return (
        f"**ρ = {f.rho:.3f} on training pictures, {f.rho_test:.3f} on test pictures** ({left}). An L2 adversary takes"
        f" it away with ε = {max(0.0, f.rho * f.deviation):.3g}; a random direction shows ρ ≈ {known.chance:.3f} on the"
        " training pictures by chance."
    )


def files(
    recipe: UsefulnessRecipe, made: Construction, frame: int, known: goh.Known, played: Callable[[], Scene]
) -> list[Download]:
    """List the downloads for the frame in sight."""
    recipe = _at(recipe, frame)

    def table() -> dict[str, list[Any]]:
        fields = ("rho", "rho_test", "deviation", "deviation_test")
        columns: dict[str, list[Any]] = {AXES[recipe.linear][0]: list(made.labels)}
        columns |= {name: [getattr(f, name) for f in made.features] for name in fields}
        columns[f"gamma_{EPS:g}"] = [f.gamma(EPS) for f in made.features]
        columns[f"gamma_test_{EPS:g}"] = [f.gamma_test(EPS) for f in made.features]
        return columns

    out = Bundle(recipe)
    out.playable("linear", played)
    out.slide(
        "Direction",
        "direction.png",
        lambda: [[_pictures(made.vectors[frame : frame + 1])[0]]],
        caption=(
            f"{AXES[recipe.linear][0]} {made.labels[frame]}: usefulness {made.features[frame].rho:.3f} on training"
            f" pictures, {made.features[frame].rho_test:.3f} on test pictures; {goh.PAIR[0]} against {goh.PAIR[1]}."
        ),
    )
    out.table("All positions of the slider", "linear.csv", table)
    out.arrays(
        "linear.npz",
        lambda: {"vectors": made.vectors, "deviation": known.deviation, "rho": known.rho},
        "float32; vectors are kept with 8 bits a pixel",
    )
    return out.files


def _at(recipe: UsefulnessRecipe, frame: int) -> UsefulnessRecipe:
    return replace(recipe, frame=frame)


def _captions(recipe: UsefulnessRecipe) -> tuple[str, str]:
    return ("non-robust", "what α adds") if recipe.linear == "containment" else ("nothing", "the direction")


def _pictures(vectors: torch.Tensor) -> np.ndarray:
    """Show directions around mid-grey, each as strong as its range allows."""
    largest = vectors.abs().flatten(1).amax(1).clamp_min(1e-12).reshape(-1, 1, 1, 1)
    return render.to_uint8(0.5 + 0.5 * vectors / largest)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.0f}"
