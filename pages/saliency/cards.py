"""Maps on the Saliency page: cards of a picture's maps, all models beside one another, on one scale with its bar."""

import html
import re
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from core.data.pictures import Picture
from core.files import render
from core.models.titles import title, titles
from core.saliency import maps, planted
from core.saliency.recipe import SaliencyRecipe
from core.saliency.rows import Row
from core.saliency.views import Explanation
from core.words import verdicts
from pages.ui import crisp
from pages.ui.escaped import html_of
from pages.ui.world import current

CODE = re.compile(r"`([^`]+)`")
STYLE = f"""{crisp.STYLE}<style>
.maps {{ display: grid; gap: 2rem 1.9rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 16.5rem), 1fr)); }}
.maps.wide {{ grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }}
.maps.few {{ grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }}
.lead {{ max-width: 78rem; margin-bottom: 0.8rem; }}
.lead h3 {{ font-size: 1.3rem !important; }}
.lead p {{ max-width: 60rem; }}
@media (max-width: 640px) {{
  .lead .crisp {{ grid-template-columns: repeat(2, minmax(0, 1fr)) !important; }}
  .lead .crisp figure:first-child {{ grid-column: 1 / -1; width: 50%; }}
}}
.map h3 {{ margin: 0 0 0.1rem; padding: 0; font-size: 1.02rem; }}
.map p {{ margin: 0.45rem 0 0; font-size: 0.88rem; line-height: 1.45; }}
.map .head {{ min-height: 1.6rem; margin-bottom: 0.35rem; }}
.map details {{ font-size: 0.88rem; line-height: 1.45; margin-top: 0.3rem; }}
.map summary {{ cursor: pointer; opacity: 0.8; }}
.map .fails {{ border-left: 3px solid #b35806; padding: 0.1rem 0 0.1rem 0.6rem; }}
.map .crisp {{ gap: 0.55rem; }}
.map .lack {{ align-self: center; margin: 0; padding: 0.9rem 1.1rem; border: 1px dashed rgb(128 128 128 / 0.5);
  border-radius: 0.3rem; }}
.legend {{ display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 1.6rem; margin: 0.4rem 0 1.3rem;
  font-size: 0.86rem; }}
.legend .bar {{ width: min(20rem, 80vw); }}
.legend .bar i {{ display: block; height: 0.8rem; border-radius: 0.2rem; border: 1px solid rgb(128 128 128 / 0.4); }}
.legend .bar span {{ display: flex; justify-content: space-between; }}
</style>"""


def row(
    shown: Row,
    recipe: SaliencyRecipe,
    notes: Mapping[str, Sequence[str]] | None = None,
    first: str = "",
    beside: str = "",
) -> str:
    """Return the maps of all models beside one another, each with its strength and a note.

    Args:
        shown: The row.
        recipe: How maps are drawn.
        notes: Of each model, further lines.
        first: A figure on the left.
        beside: What stands on the right instead of a map that there is not: a sentence in which `this` is code.
    """
    figures = []
    for head, (name, attribution) in zip(titles(*shown.attributions), shown.attributions.items(), strict=True):
        strength = float(maps.strength(attribution, recipe.channel))
        lines = [head, f"strength {strength:.2g}", *(notes or {}).get(name, ())]
        alt = f"{shown.title}, {title(name)}: " + "; ".join(lines[1:])
        figures.append(crisp.figure(render.from_uint8(shown.painted(recipe, name)), alt, tuple(lines)))
    if beside:
        said = CODE.sub(r"<code>\1</code>", html.escape(beside))
        figures.append(f'<p class="lack">{said}</p>')
    columns = len(figures) + bool(first)
    return (
        f'<div class="crisp" style="grid-template-columns: repeat({columns}, minmax(0, 1fr))">'
        f"{first}{''.join(figures)}</div>"
    )


def card(title: str, body: str, below: str = "", above: str = "") -> str:
    """Return a titled card."""
    head = f'<div class="head"><h3>{html.escape(title)}</h3>{above}</div>'
    return f'<section class="map">{head}{body}{below}</section>'


OF_MAPS = {
    "relative": "times the map's own strength (its root mean square, printed below each map)",
    "common": "times the strength of the strongest map in the row: the same colour is the same value",
}
OF_FRAMES = {
    "relative": "times each gradient's own root mean square",
    "common": "times the root mean square of the same model's gradient at step 0",
}


def legend(recipe: SaliencyRecipe, units: Mapping[str, str] = OF_MAPS, of: str = "the class") -> str:
    """Return the colour bar, and what a unit of it is.

    Args:
        recipe: How maps are drawn.
        units: What a unit is, for each scale.
        of: What orange means more of, such as a class.
    """
    of = html_of(of)
    if recipe.channel == "colour":
        what = "sizes" if recipe.absolute else f"three channels at once: brighter than grey speaks for {of}"
        return f'<div class="legend"><span>Colour view, {what}.</span></div>'
    ends = ("0", f"{maps.REACH:.0f}") if recipe.absolute else (f"−{maps.REACH:.0f}", "0", f"+{maps.REACH:.0f}")
    sides = "how strongly" if recipe.absolute else f"purple: against {of} · orange: for it"
    unit = units[recipe.scale]
    bar = f'<i style="background: {maps.css_gradient(absolute=recipe.absolute)}"></i>'
    marks = "".join(f"<span>{end}</span>" for end in ends)
    return (
        f'<div class="legend" role="img" aria-label="Colour scale from {ends[0]} to {ends[-1]} {unit}; {sides}">'
        f'<div class="bar">{bar}<span>{marks}</span></div><div>{sides}<br>{unit}</div></div>'
    )


def predicted(logits: Tensor) -> str:
    """Say what a model says of one picture."""
    return verdicts(logits, current().classes)[0]


def notes(
    found: Mapping[str, Explanation], picture: Picture, say: Callable[[Explanation], str]
) -> dict[str, tuple[str, ...]]:
    """Write the lines below each model's map: what is said of it, and how much of it lies on planted features."""
    said = {name: ((say(made),) if say(made) else ()) for name, made in found.items()}
    return {name: (*lines, *planted.shares(found[name].attribution, picture.id)) for name, lines in said.items()}


def named(picture: Picture) -> tuple[str, str]:
    """Name the picture in two lines: what is on it, and where it is from."""
    what, _, where = picture.caption.partition(", ")
    return (what if picture.label is None else current().classes[picture.label]), where
