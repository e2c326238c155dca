"""Every method on one picture: the Saliency page's first view."""

import html

import streamlit as st

from core.data.pictures import Picture
from core.saliency import METHODS, rows
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import Explanation
from pages.saliency import measured, work
from pages.saliency.cards import STYLE, card, legend, named, notes, predicted, row
from pages.saliency.exports import Line, files
from pages.ui import crisp
from pages.ui.dial import under_the_dial
from pages.ui.exports import downloads
from pages.ui.store import lesson
from pages.ui.world import current, pair


def show(recipe: SaliencyRecipe, picture: Picture) -> None:
    """Show every method on one picture, the cheap ones first as they arrive."""
    working = st.container()
    top, slot = st.empty(), st.empty()
    texts = lesson("saliency")
    cards: list[str] = []
    lines: list[Line] = []
    arriving = work.explanations(recipe, [(method, picture) for method in METHODS])
    for method, about in METHODS.items():
        with working:
            found = next(arriving, None)
        if found is None:  # stopped
            break
        line = Line.of(recipe, about.title, picture, found)
        meaning, _, misleads = texts[method].partition("\n")
        below = (
            f"<p>{html.escape(meaning)}</p>{measured.warning(method)}"
            f"<details><summary>Where it misleads</summary>{html.escape(misleads)}</details>"
        )
        if not lines:  # one method leads, large, beside the picture
            there = crisp.figure(picture.x, picture.caption, named(picture))
            body = row(line.row, recipe, notes(found, picture, _asked), there, _lacking(recipe))
            top.html(f'{STYLE}<div class="lead">{card(about.title, body, below)}</div>{legend(recipe)}')
        else:
            cards.append(card(about.title, row(line.row, recipe, notes(found, picture, _sums)), below))
            slot.html(f'<div class="maps">{"".join(cards)}</div>')
        lines.append(line)
    if lines:
        downloads(files(recipe, lines), key="saliency", script=rows.script(recipe))
    under_the_dial("saliency-dial", picture, view="gradient")


def _asked(made: Explanation) -> str:
    """Say what a model says, and which class is explained."""
    return f"predicts {predicted(made.logits)}, explained for {current().classes[made.target]}"


def _sums(made: Explanation) -> str:
    """Say what the shares add up to, where they should add up to something."""
    return f"adds up to {float(made.attribution.sum()):.2f} of {made.gap:.2f}" if made.gap is not None else ""


def _lacking(recipe: SaliencyRecipe) -> str:
    """Say that there is no robust network to stand on the right, where one looks for it."""
    alone = len(rows.names_of(recipe)) == 1 and not pair().robust
    return current().robust_how if alone else ""
