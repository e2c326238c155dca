"""One method on several pictures."""

import streamlit as st

from core.data import pictures
from core.saliency import METHODS, rows, views
from core.saliency.recipe import SaliencyRecipe
from pages.saliency import measured, work
from pages.saliency.cards import STYLE, legend, named, notes, predicted, row
from pages.saliency.exports import Line, files
from pages.ui import crisp
from pages.ui.exports import downloads
from pages.ui.store import lesson


def show(recipe: SaliencyRecipe) -> None:
    """Show one method on several pictures."""
    meaning, _, misleads = lesson("saliency")[recipe.method].partition("\n")
    st.markdown(f"**{METHODS[recipe.method].title}.** {meaning} *Where it misleads:* {misleads}")
    st.html(f"{STYLE}{measured.warning(recipe.method)}{legend(recipe)}")
    working, slot = st.container(), st.empty()
    lines: list[Line] = []
    cards: list[str] = []
    chosen = [pictures.get(id) for id in views.several(recipe)]
    arriving = work.explanations(recipe, [(recipe.method, picture) for picture in chosen])
    for picture in chosen:
        with working:
            found = next(arriving, None)
        if found is None:  # stopped
            break
        line = Line.of(recipe, picture.caption, picture, found)
        first = crisp.figure(picture.x, picture.caption, named(picture))
        said = notes(found, picture, lambda one: f"predicts {predicted(one.logits)}")
        cards.append(f'<section class="map">{row(line.row, recipe, said, first)}</section>')
        lines.append(line)
        slot.html(f'<div class="maps wide">{"".join(cards)}</div>')
    if lines:
        downloads(files(recipe, lines), key="saliency-pictures", script=rows.script(recipe))
