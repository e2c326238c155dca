"""What was planted in the picture: the four patterns, and how much of each perturbation lies on them."""

import streamlit as st
from torch import Tensor

from core import worlds
from core.data.planted import marks
from core.data.planted.marks import fraction
from core.perturb import Trajectory, planted
from core.perturb.recipe import PerturbRecipe
from pages.perturb.columns import called
from pages.ui import crisp


def strip(recipe: PerturbRecipe, left: Trajectory, right: Trajectory) -> None:
    """Show the patterns with the shares of the frame in sight; nothing where this world did not draw the picture."""
    known = planted.here(recipe, left)
    if known is None:
        return
    classes, frame = worlds.of(recipe).classes, min(recipe.frame, len(left.x_adv) - 1, len(right.x_adv) - 1)
    own, other = classes[known.own], classes[known.other]
    names = {
        "shape_own": (f"The shape of {own}", "where it is", known.shapes, " on both shapes"),
        "shape_other": (f"The shape of {other}", "at the same place", known.shapes, " on both shapes"),
        "weave_own": (f"The weave of {own}", f"×{marks.GAIN:.0f}, in the picture", known.weave_own, ""),
        "weave_other": (f"The weave of {other}", f"×{marks.GAIN:.0f}, not in it", known.weave_other, ""),
    }
    sides = dict(zip(called(recipe), (left, right), strict=True))
    deltas = {name: found.x_adv[frame : frame + 1] - found.x for name, found in sides.items()}
    figures = []
    for part, x in known.shown().items():
        head, where, of, on = names[part]
        lines = [f"{name}: {_share(delta, of)}{on}" for name, delta in deltas.items()]
        figures.append(crisp.figure(x, f"{head}, {where}. {'; '.join(lines)}", (head, where, *lines)))
    st.markdown("### Planted in this picture, and how much of each perturbation lies on it")
    grid = 'class="crisp" style="grid-template-columns: repeat(4, minmax(0, 13rem))"'
    st.html(f"{crisp.STYLE}<div {grid}>{''.join(figures)}</div>")
    st.caption(
        "Shares of the perturbation's squared length, at the frame in sight. Of a random direction"
        f" {_chance(known.weave_own)} lies on a weave, and {_chance(known.shapes)} on the two shapes in any colours;"
        " what is on none of them is on nothing that was planted."
    )


def _share(delta: Tensor, of: Tensor) -> str:
    return fraction(float(marks.share(delta, of))) if bool(delta.any()) else "no perturbation"


def _chance(of: Tensor) -> str:
    return f"{100 * marks.by_chance(of):.2f} %"
