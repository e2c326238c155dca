"""The gradient along an attack: the scrubber, with a map at each iterate."""

from dataclasses import replace

import streamlit as st

from core.attacks.recording import side_by_side
from core.data.pictures import Picture
from core.saliency import rows, scene
from core.saliency.recipe import SaliencyRecipe
from pages.saliency import work
from pages.saliency.cards import OF_FRAMES, STYLE, legend
from pages.saliency.exports import films
from pages.ui.exports import downloads
from pages.ui.scrubber import frame_in_sight, scrubber

KEY = "saliency-scrubber"


def show(recipe: SaliencyRecipe, picture: Picture) -> None:
    """Show the view; the frame in sight goes into the address."""
    alongs = work.alongs(recipe, picture)
    found = dict(zip(alongs, side_by_side(*alongs.values()), strict=True))
    painted = {name: scene.paint(recipe, made) for name, made in found.items()}
    columns, axis = scene.columns(recipe, found, painted), scene.axis(recipe, found)
    st.html(STYLE + legend(recipe, OF_FRAMES))
    last = len(axis.values) - 1
    frame = min(frame_in_sight(KEY, 0), last)
    scrubber(columns, axis, key=KEY, own=picture.private, frame=frame, captions=scene.CAPTIONS, gain=1, report=True)
    st.caption(
        "In each column: the gradient towards the picture's class at the clean picture, what has changed in it, and the"
        " gradient at this step of the attack. The attack itself moves the picture against the gradient, by ‖δ‖ so far."
    )
    shown = replace(recipe, frame=frame)
    films_of = {name: frames[1:] for name, frames in painted.items()}
    downloads(
        films(shown, found, films_of, lambda: scene.played(shown, columns, axis, list(found))),
        key="saliency-attack",
        script=rows.script(shown),
    )
