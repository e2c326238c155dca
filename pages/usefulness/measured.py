"""What was measured for the Usefulness page, in a table, and how far it can be trusted."""

import streamlit as st

from core.models.titles import title
from core.usefulness.atlas import lookup
from core.usefulness.choice import Have, atlas_of, sides
from core.usefulness.recipe import UsefulnessRecipe
from pages.ui.escaped import Html
from pages.ui.tables import table


def measured(recipe: UsefulnessRecipe, have: Have = None) -> None:
    """Show how many features are robustly useful by radius, in both models, and what the attack may have missed."""
    atlases = {side: atlas_of(recipe, side, have) for side in sides(recipe)}
    found = {side: lookup(atlas, recipe.task, recipe.against)[0] for side, atlas in atlases.items()}
    radii = atlases["standard"].radii
    st.markdown("### Measured: features with γ > 0, and how many of them surely")
    rows = []
    for side, atlas in atlases.items():
        u = found[side]
        counts = [
            Html(f"<b>{int((gamma > 0).sum())}</b> ({int((gamma - half > 0).sum())})")
            for gamma, half in zip(u.gamma, u.gamma_half, strict=True)
        ]
        rows.append([f"{title(atlas.name)}, of {int(u.searched.sum())}", f"{float(u.rho.mean()):.2f}", *counts])
    table(["Model", "mean ρ", *(f"ε = {r:g}" for r in radii)], rows, label="Robustly useful features at each radius")
    about = atlases["standard"].about
    every = "" if about.get("live") else "all "
    checks = "; ".join(
        f"{title(atlas.name)} "
        + ", ".join(f"{100 * part:.0f} % at ε = {eps}" for eps, part in atlas.about["check"]["push_reached"].items())
        for atlas in atlases.values()
        if "check" in atlas.about
    )
    check = next((atlas.about["check"] for atlas in atlases.values() if "check" in atlas.about), None)
    st.caption(
        f"In brackets: those whose 95 % interval lies above 0. ρ from {every}{about['n']:,} test pictures, how far a"
        f" feature can be pushed from {about['n_pushed']} of them, as many of each class, seed {about['seed']},"
        f" {about['date']}; {about['how']}. An attack finds a bound: the true γ may be lower, never higher."
        + (
            f" Against {check['steps']} steps of PGD at one radius (on {check['pictures']} pictures,"
            f" {check['features']} features) the walk reached this part of the push: {checks}."
            if check
            else ""
        )
    )
