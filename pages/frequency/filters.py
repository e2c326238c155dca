"""The filters: a picture without its coarse or its fine part, as it is and stretched for the eye."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.pictures import Picture
from core.frequency.filters import for_the_eye
from core.frequency.networks import CUTS
from core.frequency.recipe import FrequencyRecipe
from core.frequency.views import nearest_student, students
from core.rates import Rate
from core.words import verdicts
from pages.frequency.columns import column, here, offer, seen, stage, title
from pages.ui.escaped import Html, html_of
from pages.ui.scrubber import Axis
from pages.ui.tables import table
from pages.ui.world import current


def show(recipe: FrequencyRecipe, picture: Picture, found: Mapping[str, Any]) -> None:
    """Show both columns, and how often students are right."""
    names = here(recipe)
    there = students(recipe.kind)
    made = seen(recipe, picture, (*names, *there.values()))
    cuts = recipe.positions
    keeps = "finer" if recipe.kind == "high" else "coarser"
    where = tuple(f"what is {keeps} than {cut:g} cycles" for cut in cuts)
    answers = {name: verdicts(made.logits[name], current().classes) for name in made.logits}
    nearest = [nearest_student(recipe.kind, cut) for cut in cuts]
    extra = [(_short(name), answers[name]) for name in names[1:]]
    rows = [
        column(
            names[0],
            made,
            where,
            picture.label,
            called="As it is",
            more=[(_short(names[0]), answers[names[0]]), *extra],
        )
    ]
    own = for_the_eye(made.frames)
    if there:
        pupil = [(title(name), answers[name]) for name in there.values()]
        rows.append(
            column(
                nearest_for(recipe, nearest), made, where, picture.label, frames=own, called="For the eye", more=pupil
            )
        )
    else:
        rows.append(column(names[0], made, where, picture.label, frames=own, called="For the eye"))
    axis = Axis("cut", cuts, tuple(f"{cut:g}" for cut in cuts), "cycles per picture")
    captions = ("the picture", "what was taken away")
    in_sight = stage(recipe, rows, axis, captions, own=picture.private)
    shown = f"The bars below “As it is” are those of {title(names[0])}"
    if there:
        shown += (
            f"; below “For the eye” those of {title(nearest_for(recipe, nearest))}, which sees the picture as it is,"
            " not stretched"
        )
    st.caption(f"{shown}.")
    measured(recipe, found)
    offer(in_sight, made, numbers(found), rows, axis, captions)


def nearest_for(recipe: FrequencyRecipe, nearest: list[str | None]) -> str:
    """Return the student whose bars are shown: the one nearest to the filter in sight."""
    name = nearest[recipe.at]
    assert name is not None
    return name


def measured(recipe: FrequencyRecipe, found: Mapping[str, Any]) -> None:
    """Show how often students and others are right on filtered pictures."""
    known = found.get("students", {})
    rows = []
    for cut in CUTS[recipe.kind]:
        one = known.get(f"{recipe.kind}-{cut:g}")
        if one is None:
            continue
        own = f"frequency/{recipe.kind}-{cut:g}"
        others = [name for name in (recipe.standard, recipe.robust) if name in one]
        ours = Html(f"<b>{html_of(Rate.from_json(one[own]))}</b>")
        rows.append([f"{cut:g} cycles", ours, *(str(Rate.from_json(one[n])) for n in others)])
    if not rows:
        st.caption("No student was measured. Measure them with: python -m core.frequency measure students")
        return
    keeps = "finer" if recipe.kind == "high" else "coarser"
    others = [name for name in (recipe.standard, recipe.robust) if name in next(iter(known.values()))]
    table(
        [f"Only what is {keeps} than", "A student of nothing else", *map(title, others)],
        rows,
        label="Accuracy on filtered test pictures",
    )
    about = found.get("students_about", {})
    st.caption(
        f"Right answers, 95 % intervals; chance is 10 %. {about.get('date', '')}, seed {about.get('seed', 0)};"
        f" {about.get('how', '')}. Students are narrow ResNet-9s after four passes over 50,000 filtered pictures: a"
        " floor of what is there, not a ceiling. Gilmer & Hendrycks report 50 % top-1 on ImageNet-1K for extreme"
        " high-pass pictures, more than 30 % for strong low-pass."
    )


def numbers(found: Mapping[str, Any]) -> dict[str, list[object]]:
    """Lay the accuracies on filtered pictures out as a table."""
    columns: dict[str, list[object]] = {key: [] for key in ("filter", "network", "hits", "n", "low", "high")}
    for kind, one in found.get("students", {}).items():
        for name, value in one.items():
            values = (kind, name, value["hits"], value["n"], *Rate.from_json(value).interval)
            for column_, cell in zip(columns.values(), values, strict=True):
                column_.append(cell)
    return columns


def _short(name: str) -> str:
    return f"{title(name)} says"
