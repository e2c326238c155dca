"""The views of the Saliency page that show maps in cards: every method, several pictures, class to class."""

import html
from collections.abc import Callable
from typing import Any

import streamlit as st

from core.data import pictures
from core.data.pictures import Picture
from core.files import render
from core.saliency import METHODS, maps, planted, rows, views
from core.saliency.classes import class_means, no_means
from core.saliency.recipe import SaliencyRecipe
from core.saliency.rows import Row
from core.saliency.views import Explanation
from pages.saliency import measured
from pages.saliency import work as saliency_work
from pages.saliency.cards import STYLE, card, legend, predicted, row
from pages.saliency.exports import Line, files
from pages.ui import crisp
from pages.ui.exports import downloads
from pages.ui.store import lesson
from pages.ui.world import current, pair


def methods(recipe: SaliencyRecipe, picture: Picture) -> None:
    """Show every method on one picture, the cheap ones first as they arrive."""
    work = st.container()
    top, slot = st.empty(), st.empty()
    texts, cards, lines = lesson("saliency"), list[Any](), list[Any]()
    arriving = saliency_work.explanations(recipe, [(method, picture) for method in METHODS])
    for method, about in METHODS.items():
        with work:
            found = next(arriving, None)
        if found is None:  # stopped
            break
        line = _line(recipe, about.title, picture, found)
        meaning, _, misleads = texts[method].partition("\n")
        below = (
            f"<p>{html.escape(meaning)}</p>{measured.warning(method)}"
            f"<details><summary>Where it misleads</summary>{html.escape(misleads)}</details>"
        )
        if not lines:  # one method leads, large, beside the picture
            there = crisp.figure(picture.x, picture.caption, _named(picture))
            body = row(line.row, recipe, _notes(found, picture, _asked), there, _lacking(recipe))
            top.html(f'{STYLE}<div class="lead">{card(about.title, body, below)}</div>{legend(recipe)}')
        else:
            cards.append(card(about.title, row(line.row, recipe, _notes(found, picture, _sums)), below))
            slot.html(f'<div class="maps">{"".join(cards)}</div>')
        lines.append(line)
    downloads(files(recipe, lines), key="saliency", script=rows.script(recipe))


def several(recipe: SaliencyRecipe) -> None:
    """Show one method on several pictures."""
    meaning, _, misleads = lesson("saliency")[recipe.method].partition("\n")
    st.markdown(f"**{METHODS[recipe.method].title}.** {meaning} *Where it misleads:* {misleads}")
    st.html(f"{STYLE}{measured.warning(recipe.method)}{legend(recipe)}")
    work, slot = st.container(), st.empty()
    lines: list[Line] = []
    cards: list[str] = []
    chosen = [pictures.get(id) for id in views.several(recipe)]
    arriving = saliency_work.explanations(recipe, [(recipe.method, picture) for picture in chosen])
    for picture in chosen:
        with work:
            found = next(arriving, None)
        if found is None:  # stopped
            break
        line = _line(recipe, picture.caption, picture, found)
        first = crisp.figure(picture.x, picture.caption, _named(picture))
        notes = _notes(found, picture, lambda one: f"predicts {predicted(one.logits)}")
        cards.append(f'<section class="map">{row(line.row, recipe, notes, first)}</section>')
        lines.append(line)
        slot.html(f'<div class="maps wide">{"".join(cards)}</div>')
    downloads(files(recipe, lines), key="saliency-pictures", script=rows.script(recipe))


def classes(recipe: SaliencyRecipe, picture: Picture) -> None:
    """Show the gradient from one class to another beside the difference of the two class means."""
    if why := no_means(current()):
        st.info(why, icon=":material/public:")
        return
    means = class_means(current())
    found = saliency_work.contrasts(recipe, picture)
    first = next(iter(found.values()))
    a, b = current().classes[first.towards], current().classes[first.away]
    direction = (means.x[first.towards] - means.x[first.away])[None]
    mean_a, mean_b = means.x[first.towards][None], means.x[first.away][None]
    gap = render.from_uint8(rows.paint(recipe, direction, picture.x, maps.limits(direction, recipe.channel)))
    top = "".join(
        (
            crisp.figure(mean_a, f"Mean picture of class {a}", (f"mean {a}",)),
            crisp.figure(mean_b, f"Mean picture of class {b}", (f"mean {b}",)),
            crisp.figure(gap, f"Mean {a} minus mean {b}", (f"mean {a} − mean {b}", "the inter-class direction")),
        )
    )
    st.html(
        f"{STYLE}{legend(recipe, of=a)}"
        '<div class="crisp" style="grid-template-columns: repeat(3, minmax(0, 11rem)); margin-bottom:'
        f' 1.6rem">{top}</div>'
    )
    at = crisp.figure(picture.x, picture.caption, ("the picture", picture.caption))
    alone = Row.of(recipe, f"From {b} to {a}", picture.x, {name: made.gradient for name, made in found.items()})
    averages = {name: made.average for name, made in found.items()}
    mean = Row.of(recipe, f"From {b} to {a}, averaged", mean_a, averages)
    cos = {
        name: (f"cosine {made.cosine:+.3f}", *planted.shares(made.gradient, picture.id)) for name, made in found.items()
    }
    mean_cos = {name: (f"cosine {made.average_cosine:+.3f}",) for name, made in found.items()}
    other = crisp.figure(mean_a, f"Mean picture of class {a}", (f"{first.averaged} pictures", f"of class {a}"))
    cards = (
        card(f"From {b} to {a}, at this picture", row(alone, recipe, cos, at)),
        card(
            f"From {b} to {a}, averaged over {first.averaged} pictures",
            row(mean, recipe, mean_cos, other),
        ),
    )
    st.html(f'<div class="maps wide">{"".join(cards)}</div>')
    st.caption(
        f"Each map is the gradient of the logit of {a} minus that of {b}; the cosine is that of its angle to the"
        f" inter-class direction, the difference of the means of {means.of}. Theorem 3 of the paper says of two"
        " Gaussian classes that a robust model's worst cosine is the better one; pictures are not"
        f" Gaussian{', so it is measured below' * (measured.here() is not None)}."
    )
    logits = {name: made.logits for name, made in found.items()}
    lines = [Line(alone, logits), Line(mean, logits)]
    downloads(files(recipe, lines), key="saliency-classes", script=rows.script(recipe))


def _line(recipe: SaliencyRecipe, title: str, picture: Picture, found: dict[str, Explanation]) -> Line:
    row = Row.of(recipe, title, picture.x, {name: made.attribution for name, made in found.items()})
    return Line(row, {name: made.logits for name, made in found.items()})


def _notes(
    found: dict[str, Explanation], picture: Picture, say: Callable[[Explanation], str]
) -> dict[str, tuple[str, ...]]:
    """Write the lines below each model's map: what is said of it, and how much of it lies on planted features."""
    said = {name: ((say(made),) if say(made) else ()) for name, made in found.items()}
    return {name: (*lines, *planted.shares(found[name].attribution, picture.id)) for name, lines in said.items()}


def _asked(made: Explanation) -> str:
    """Say what a model says, and which class is explained."""
    return f"predicts {predicted(made.logits)}, explained for {current().classes[made.target]}"


def _named(picture: Picture) -> tuple[str, str]:
    """Name the picture in two lines: what is on it, and where it is from."""
    what, _, where = picture.caption.partition(", ")
    return (what if picture.label is None else current().classes[picture.label]), where


def _lacking(recipe: SaliencyRecipe) -> str:
    """Say that there is no robust network to stand on the right, where one looks for it."""
    alone = len(rows.names_of(recipe)) == 1 and not pair().robust
    return current().robust_how if alone else ""


def _sums(made: Explanation) -> str:
    """Say what the shares add up to, where they should add up to something."""
    return f"adds up to {float(made.attribution.sum()):.2f} of {made.gap:.2f}" if made.gap is not None else ""
