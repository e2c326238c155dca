"""The feature view of the Robust frog page: what excites one coordinate of the representation."""

import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from core.attacks.rules import State
from core.data import pictures
from core.data.pictures import Picture
from core.files import render
from core.inversion import feature, views
from core.inversion.feature import BATCH, CLIMB, SEEN, Feature
from core.inversion.recipe import InvertRecipe
from core.inversion.starts import source_of
from core.inversion.views import cache_key
from core.models import Classifier
from core.models.titles import title, titles
from pages.ui import crisp, work
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.store import results, stamp
from pages.ui.work import Step
from pages.ui.world import current

STYLE = """<style>
.feature { grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 0.5rem; }
.feature .large { grid-column: 1 / span 4; max-width: 17rem; }
</style>"""
SOURCES = {"cifar10": "test pictures", "gallery": "generated pictures", "photo": "photographs"}


def number() -> int:
    """Show the control of the view; return the coordinate, or -1 for the picture's own."""
    chosen = st.number_input(
        "Feature",
        0,
        4095,
        None,
        key="feature",
        bind="query-params",
        width=330,
        placeholder="most active for this picture",
        help=(
            "A coordinate of the representation. Empty: the one in which the picture stands out most from all others, "
            "in standard deviations; each model has its own."
        ),
    )
    return -1 if chosen is None else int(chosen)


def show(recipe: InvertRecipe, picture: Picture) -> None:
    """Show for each model the picture that maximises the feature, and those of the source that excite it most."""
    st.html(STYLE + crisp.STYLE)
    source = source_of(recipe)
    batches = -(-min(SEEN, len(pictures.ids(source))) // BATCH)

    def look(name: str, ready: Classifier, on_step: Step) -> Feature:
        key = ("activity", source, name, stamp(name))
        g, stopped = results().get(key), False

        def on_batch(i: int) -> bool:
            nonlocal stopped
            stopped = bool(on_step(i))
            return stopped

        if g is None:
            g = feature.activity(source, name, model=ready, on_batch=on_batch)
            if not stopped:
                results().put(key, g)
        return feature.feature(
            recipe, name, picture=picture, model=ready, g=g, on_step=lambda i, state: on_step(batches + i, state)
        )

    live = st.empty()
    left, right = work.both(
        recipe,
        look,
        steps=batches + CLIMB,
        show=lambda states: _so_far(live, states),
        key=cache_key(recipe),
        own=picture.private,
    )
    live.empty()
    called = titles(recipe.standard, recipe.robust)
    sides = list(zip(called, (recipe.standard, recipe.robust), (left, right), strict=True))
    sides = sides[: len({recipe.standard, recipe.robust})]
    for column, (head, name, found) in zip(st.columns(2, gap="large"), sides, strict=False):
        with column:
            panel(head, name, found, SOURCES.get(source, "pictures"))
    downloads(files(recipe, left, right), key="frog-feature", script=views.script(recipe))


def panel(head: str, name: str, found: Feature, kind: str) -> None:
    """Show one model's side."""
    order = found.votes.argsort(descending=True).tolist()
    best, worst = current().classes[order[0]], current().classes[order[-1]]
    st.markdown(f"### {head}: feature {found.index}")
    made = crisp.figure(
        found.made,
        f"{head}, the picture made to maximise feature {found.index}: {found.made_value:.2f}",
        (f"made to excite it: {found.made_value:.2f}",),
        "large",
    )
    top = "".join(
        crisp.figure(x[None], f"{pictures.get(id).caption}, activation {value:.2f}", (f"{value:.2f}",))
        for id, x, value in zip(found.ids, found.x, found.values.tolist(), strict=True)
    )
    st.html(f'<div class="crisp feature">{made}{top}</div>')
    st.caption(
        f"{title(name)}, {found.dimensions} features. Small: the {len(found.ids)} of {found.seen:,} {kind} that excite"
        f" it most. It speaks most for *{best}* and most against *{worst}*. This picture: **{found.value:.2f}**; all"
        f" {found.seen:,}: {found.mean:.2f} on average, deviation {found.deviation:.2f}."
    )


def files(recipe: InvertRecipe, left: Feature, right: Feature) -> list[Download]:
    """List the downloads."""
    made = {recipe.standard: left, recipe.robust: right}
    out = Bundle(recipe)
    out.slide(
        "Sheet",
        "feature.png",
        lambda: [list(render.to_uint8(torch.cat([f.made, f.x.to(f.made.device)]))) for f in made.values()],
        sides=[f"{title(n)}, feature {f.index}" for n, f in made.items()],
        caption="First the picture made to maximise the feature, then the pictures of the source that excite it most.",
    )
    whats = ("made", "start", "x", "values", "votes")
    out.arrays("feature.npz", lambda: {f"{n}_{w}": getattr(f, w) for n, f in made.items() for w in whats})
    return out.files


def _so_far(slot: DeltaGenerator, states: dict[str, State]) -> None:
    now = [render.upscaled(render.to_uint8(state.x)[0], 8) for state in states.values()]
    if now:
        alt = ["The picture that maximises the feature, so far"] * len(now)
        slot.image(now, width=256, output_format="PNG", caption=["so far"] * len(now), alt=alt)
