"""Synthesis: painting with a classifier."""

import streamlit as st

from core import checkpoints
from core.recipes import SynthesisRecipe
from core.recipes.base import from_query
from pages.ui import shell, synthesis_morph
from pages.ui.picker import pick_picture

DEFAULTS = SynthesisRecipe()

shell.header(
    "Synthesis",
    "Hold a class and watch the picture become it: a robust classifier can paint, because its features are ones you see.",
)
if not {DEFAULTS.standard, DEFAULTS.robust} <= set(checkpoints.names()):
    st.warning("There are no trained models in checkpoints/. Make them with: make zoo")
    st.stop()
with st.sidebar, shell.told():
    picture = pick_picture(key="picture")
recipe, _ = from_query(SynthesisRecipe, st.query_params.to_dict())
with shell.told():
    synthesis_morph.show(recipe, picture)
