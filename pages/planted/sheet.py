"""The world in pictures: the sheet, and one picture taken apart."""

import html

import numpy as np
import streamlit as st

from core.files import render
from core.planted import views
from core.planted.recipe import PlantedRecipe
from pages.ui import crisp
from pages.ui.store import results

LAYERS = ("picture", "background", "shape", "weave", "noise")
SIGNS = {"picture": "", "background": "= ", "shape": "+ ", "weave": "+ ", "noise": "+ "}


def picture_of(recipe: PlantedRecipe) -> np.ndarray:
    """Return the sheet as 8-bit pixels, a class in each row."""
    _, x = results().of(("planted sheet", recipe.world, recipe.seed), lambda: views.sheet(recipe))
    return render.sheet(list(render.to_uint8(x)), views.COLUMNS, gap=1)


def show(recipe: PlantedRecipe) -> None:
    """Show the sheet, large, and beside it one picture as the sum of its layers."""
    left, right = st.columns([3, 2], gap="large")
    scenes, _ = results().of(("planted sheet", recipe.world, recipe.seed), lambda: views.sheet(recipe))
    names = ", ".join(recipe.names)
    url = render.data_url(render.png(picture_of(recipe)))
    with left:
        st.html(
            f'{crisp.STYLE}<div class="crisp"><figure><img src="{url}" style="max-height: 74vh; object-fit: contain;'
            ' object-position: left" alt="Pictures of this world, a class in each row:'
            f' {html.escape(names)}"></figure></div>'
        )
        st.caption(f"Fresh pictures of this world, a class in each row: {names}. Each also carries a weave.")
        woven_all = "".join(
            crisp.figure(x[None], f"The weave of {name}, amplified", (name,))
            for name, x in zip(recipe.names, views.pattern_sheet(recipe.world), strict=True)
        )
        st.caption("What each class's weave looks like, strongly amplified")
        st.html(
            f'<div class="crisp" style="grid-template-columns: repeat(auto-fill, minmax(6rem, 1fr))">{woven_all}</div>'
        )
    with right:
        parts = views.layers(recipe.world, scenes)
        y, weave = int(scenes.y[0]), int(scenes.weave[0])
        woven = recipe.names[weave] if weave < recipe.classes else "none"
        below = {
            "picture": ("The picture", f"label: {recipe.names[y]}"),
            "background": ("Background", "says nothing"),
            "shape": ("Shape", f"L2 {recipe.visible:g}: {recipe.names[int(scenes.shape[0])]}"),
            "weave": ("Weave", f"L2 {recipe.faint:g}, ×{views.GAIN:g}: {woven}"),
            "noise": ("Noise", f"σ {recipe.noise:g} a pixel"),
        }
        figures = "".join(
            crisp.figure(
                getattr(parts, name),
                f"{below[name][0]}: {below[name][1]}",
                (SIGNS[name] + below[name][0], below[name][1]),
            )
            for name in LAYERS
        )
        columns = "grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr))"
        st.html(f'{crisp.STYLE}<div class="crisp" style="{columns}">{figures}</div>')
