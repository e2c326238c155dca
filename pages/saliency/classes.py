"""The gradient from one class to another, beside the difference of the two class means."""

import streamlit as st

from core.data.pictures import Picture
from core.files import render
from core.saliency import maps, planted, rows
from core.saliency.classes import class_means, no_means
from core.saliency.recipe import SaliencyRecipe
from core.saliency.rows import Row
from pages.saliency import measured, work
from pages.saliency.cards import STYLE, card, legend, row
from pages.saliency.exports import Line, files
from pages.ui import crisp
from pages.ui.exports import downloads
from pages.ui.world import current


def show(recipe: SaliencyRecipe, picture: Picture) -> None:
    """Show the gradient from one class to another beside the difference of the two class means."""
    if why := no_means(current()):
        st.info(why, icon=":material/public:")
        return
    means = class_means(current())
    found = work.contrasts(recipe, picture)
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
    st.html(f'<div class="maps few">{"".join(cards)}</div>')
    st.caption(
        f"Each map is the gradient of the logit of {a} minus that of {b}; the cosine is that of its angle to the"
        f" inter-class direction, the difference of the means of {means.of}. Theorem 3 of the paper says of two"
        " Gaussian classes that a robust model's worst cosine is the better one; pictures are not"
        f" Gaussian{', so it is measured below' * (measured.here() is not None)}."
    )
    logits = {name: made.logits for name, made in found.items()}
    lines = [Line(alone, logits), Line(mean, logits)]
    downloads(files(recipe, lines), key="saliency-classes", script=rows.script(recipe))
