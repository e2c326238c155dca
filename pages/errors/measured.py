"""The views of the Errors page that show what was measured: pictures, leakage, and where perturbations point."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.debate.measured import Number, measured
from core.debate.views import reading
from core.errors import views
from core.errors.recipe import ErrorsRecipe
from core.errors.wrong import LABELS
from core.files import render
from core.rates import Estimate
from pages.errors.exports import bundle
from pages.ui.bars import bars
from pages.ui.charts import of_rates, show_chart
from pages.ui.exports import Download
from pages.ui.stale import say_stale
from pages.ui.world import current

COLOURS = {"errors": "#0072b2", "random": "#8c8c8c", "shuffled": "#e69f00"}
DIRECTIONS = {
    "other": ("ways to another picture", "#cc79a7", "dot"),
    "resnet9-l2": ("perturbations of the robust network", "#0072b2", "solid"),
    "resnet9-standard": ("perturbations of the standard network", "#e69f00", "solid"),
    "random": ("random directions", "#8c8c8c", "dash"),
}


def pictures(recipe: ErrorsRecipe) -> list[Download]:
    """Show the students of wrong labels as their epochs pass."""
    found = views.results("pictures")
    if found is None:
        st.info(f"Not measured yet. Measure it with: {views.again('pictures')}")
        return bundle("pictures", recipe).files
    figure = go.Figure()
    for name, student in found["students"].items():
        kind = student["labels"]
        figure.add_scatter(
            x=[0, *(point[0] for point in student["curve"])],
            y=[10, *(100 * point[1] for point in student["curve"])],
            mode="lines+markers",
            name=LABELS[kind] if name.endswith("-0") else f"{LABELS[kind]}, seed {name.rpartition('-')[2]}",
            line={"color": COLOURS[kind], "width": 3, "dash": "solid" if name.endswith("-0") else "dot"},
        )
    figure.add_hline(y=10, line={"dash": "dash", "color": "#8c8c8c"}, annotation_text="chance")
    figure.add_hline(
        y=49.7, line={"dash": "dot", "color": "#d98a00"}, annotation_text="Wallace: 49.7 % (ResNet-18, 50 epochs)"
    )
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": -0.2},
        xaxis={"title": "epochs over the wrong labels", "dtick": 1},
        yaxis={"title": "right on test pictures, %", "range": [0, 80]},
    )
    numbers = measured("wallace")
    text = reading("wallace", numbers) if numbers else ""
    show_chart(figure, key="errors-curve", alt=f"Accuracy as epochs pass. {text}", name="wrong-labels")
    st.markdown(text)
    st.html(bars(_students(found)))
    teacher = found["teacher"]
    st.caption(
        f"The teacher: a ResNet-9 of width {teacher['recipe']['args']['width']}, {teacher['recipe']['epochs']} epochs"
        f" on {teacher['train']['n']:,} pictures, {100 * teacher['train']['value']:.1f} % right on them and"
        f" {100 * teacher['test']['value']:.1f} % on {teacher['test']['n']:,} test pictures; its {found['errors']:,}"
        " errors are the lessons. Wallace's teacher, a ResNet-18: 63.1 %, 18,768 errors. The curve is of the first"
        " 2,000 test pictures, the bars of all. Intervals are of the pictures; other seeds are their own bars. Profile"
        f" {found['profile']}, {found['date']}."
    )
    say_stale(found, views.again("pictures"))
    return bundle("pictures", recipe).files


def _students(found: dict[str, Any]) -> list[Number]:
    numbers = []
    for name, student in found["students"].items():
        rate, seed = Estimate.from_json(student["clean"]), name.rpartition("-")[2]
        theirs = 0.497 if student["labels"] == "errors" else None
        numbers.append(Number.labelled(f"{LABELS[student['labels']]}, seed {seed}", rate, theirs))
    return numbers


def leakage(recipe: ErrorsRecipe) -> list[Download]:
    """Show the ten robust features, and what they alone learn."""
    found, weights = views.results("leakage"), views.weight_pictures()
    out = bundle("leakage", recipe)
    if weights is not None:
        frames = render.to_uint8(weights)
        st.markdown("**Ten robust features.** Each is one sum over the pixels, with these weights; grey is 0.")
        columns = st.columns(5)
        for i, frame in enumerate(frames):
            with columns[i % 5]:
                st.image(
                    render.upscaled(frame, 6),
                    caption=current().classes[i],
                    output_format="PNG",
                    width="stretch",
                    alt=f"Weights of the robust linear classifier for {current().classes[i]}",
                )
        out.pixels(
            "Weights, PNG",
            "robust-linear.png",
            lambda: render.sheet([render.upscaled(f, 4) for f in frames], 5),
        )
    if found is None:
        st.info(f"Not measured yet. Measure it with: {views.again('leakage')}")
        return out.files
    numbers = measured("goh-leakage")
    st.html(bars(numbers))
    st.markdown(reading("goh-leakage", numbers))
    robust, sets = found["robust"], found["sets"]
    st.caption(
        f"The classifier behind the ten features: {_percent(robust['clean'])} of {robust['clean']['n']:,} test pictures"
        f" right, {_percent(robust['certified'])} right for certain within L2 {found['eps']:g},"
        f" {_percent(robust['constant'])} with a prediction that nothing within it changes (Goh asks for 80 %). With"
        f" true labels the same ten numbers reach {_percent(sets['original'])}. The sets here are of"
        f" {sets['rand']['n_train']:,} pictures each (10 steps of 0.2, L2 0.5), too few to"
        f" show a leak: a set that leaks by construction gives {_percent(sets['leak'])}. Goh's"
        f" text compares with 88 % and 44 %; the paper's own number for D_rand is 63.3 %. Seed {found['seed']}, profile"
        f" {found['profile']}, {found['date']}."
    )
    say_stale(found, views.again("leakage"))
    return out.files


def manifold(recipe: ErrorsRecipe) -> list[Download]:
    """Show how much of a perturbation lies along the data."""
    found = views.results("manifold")
    if found is None:
        st.info(f"Not measured yet. Measure it with: {views.again('manifold')}")
        return bundle("manifold", recipe).files
    figure, at = go.Figure(), found["directions"]
    for key, (title, colour, dash) in DIRECTIONS.items():
        shares = [Estimate.from_json(found["shares"][key][str(d)]) for d in at]
        figure.add_scatter(
            x=at,
            y=[100 * share.value for share in shares],
            mode="lines+markers",
            name=title,
            line={"color": colour, "width": 3, "dash": dash},
            error_y=of_rates(shares),
        )
    figure.update_layout(
        height=420,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        legend={"orientation": "h", "y": -0.2},
        xaxis={"title": "directions of the data around the picture", "type": "log", "tickvals": at},
        yaxis={"title": "share of the squared length, % (log)", "type": "log"},
    )
    numbers = measured("shamir")
    text = reading("shamir", numbers)
    show_chart(figure, key="errors-manifold", alt=f"Share along the data. {text}", name="manifold")
    st.markdown(text)
    st.caption(
        f"n = {found['n']} test pictures, {found['attack']}, away from what each network says; the directions are the"
        f" principal axes of the {found['neighbours']} nearest training pictures, of {found['pixels']:,} dimensions."
        f" Bars: 95 % intervals of the mean. Seed {found['seed']}, profile {found['profile']}, {found['date']}."
    )
    say_stale(found, views.again("manifold"))
    return bundle("manifold", recipe).files


def _percent(rate: dict[str, Any]) -> str:
    return Estimate.from_json(rate).per_cent()
