"""Training on wrong labels, before the audience.

Predict, build the set, train on it, and examine the student meanwhile: on CIFAR-10 where it is, and everywhere in the
planted world, which draws its own pictures.
"""

import time

import plotly.graph_objects as go
import streamlit as st
import torch

from core.data.planted import drawn
from core.datasets import measure
from core.datasets.lesson import Lesson
from core.datasets.recipe import DatasetsRecipe
from core.words import a, percent
from pages.datasets import courses
from pages.datasets.courses import Course
from pages.ui import crisp, work
from pages.ui.address import choose
from pages.ui.charts import of_rates, show_chart
from pages.ui.escaped import html_of
from pages.ui.exports import Bundle, downloads
from pages.ui.stale import say_stale
from pages.ui.world import current

SHOWN = 12
STYLE = """<style>
.stream { grid-template-columns: repeat(6, minmax(3.2rem, 6.5rem)); gap: 0.6rem; }
.stream s { opacity: 0.75; }
@media (max-width: 700px) { .stream { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
</style>"""


def show() -> None:
    """Show the view."""
    course = chosen()
    stage = st.container()  # what is to be seen stands above what was asked
    st.markdown(
        f"A trained network perturbs {course.pictures:,} pictures {course.moved}, and they get *that class* as their"
        " label. A fresh network sees these and nothing else. Of pictures that nobody changed, **how many will it get"
        " right?**"
    )
    words = [word for word, _ in course.guesses]
    guess = st.radio(
        "Your prediction", words, index=None, horizontal=True, key=f"wrong-guess-{course.at}-{course.kind}"
    )
    if guess is None:
        st.caption(f"Choose, and the training can begin. It takes {course.takes}.")
        return
    key = ("wrong labels", *course.key)
    made: Lesson | None = work.desk().get(key)
    if made is None:
        go = st.empty()
        if not go.button("Build the set and train on it", key="wrong-go", type="primary", icon=":material/play_arrow:"):
            return
        go.empty()
        with stage:
            made = watched(course, key)
        if made is None:
            work.say_stopped("Stopped.", "Begin again")
            return
    with stage:
        story(course, made)
    verdict(course, made, guess)
    out = Bundle(DatasetsRecipe(view="live", where=course.at, set=course.kind, world=current().name))
    out.table("Accuracy, pass by pass", "wrong-labels.csv", lambda: table(made))
    downloads(out.files, key="wrong", script=course.program())


def chosen() -> Course:
    """Show the choice of pictures and of the set."""
    where = {"cifar10": "CIFAR-10", "planted": "The planted world"}
    if current().name == drawn.NAME:
        where.pop("cifar10")
    elif not courses.has_cifar():
        where.pop("cifar10")
        st.caption("CIFAR-10 is not on this computer, so this happens in the planted world, which draws its pictures.")
    with st.container(horizontal=True):
        at = choose("Pictures", where, key="where", default=next(iter(where))) if len(where) > 1 else "planted"
        sets = courses.SETS[at]
        kind = choose("Set", sets, key="set", default=next(iter(sets)))
    return courses.course(at, kind)


def watched(course: Course, key: tuple[object, ...]) -> Lesson | None:
    """Build and train beside the page, and show how far it is."""
    hold = course.learn()

    def learn(on_step: work.Step) -> Lesson:
        so_far: list[Lesson] = []
        return hold(lambda i, _: on_step(i, so_far), so_far.append)

    place, drawn = st.empty(), -1

    def draw(so_far: list[Lesson]) -> None:
        nonlocal drawn
        if len(so_far) != drawn:
            drawn = len(so_far)
            with place.container():
                if so_far:
                    story(course, so_far[-1])
                else:
                    st.markdown(f"**Building**: {course.pictures:,} pictures, each perturbed step by step…")

    work.desk().go_on()
    piece = work.Piece(key, learn, course.steps)
    text = "Building the set, then training on it…"
    (outcome,) = work.ask([piece], group=key, text=text, show=lambda states: draw(states.get(key, [])))
    place.empty()
    return outcome.value if outcome.value is not None and outcome.value.whole else None


def story(course: Course, made: Lesson) -> None:
    """Show what the student is shown, its accuracy so far, and one picture carried through."""
    left, right = st.columns([3, 2], gap="large")
    at = len(made.moments)
    with left:
        st.html(STYLE + crisp.STYLE + stream(course, made, at + len(made.pictures)))
        st.caption(f"What it is shown: {made.wrong.hits:,} of {made.wrong.n:,} labels are not what is on the picture.")
    with right:
        if not made.moments:
            st.markdown(f"**Building**: {len(made.pictures):,} of {course.pictures:,} pictures, each perturbed.")
            return
        show_chart(
            chart(course, made),
            key=f"wrong-{at}-{time.monotonic_ns()}",
            alt=sentence(course, made),
            name="wrong-labels",
        )
        moment, names = made.moments[-1], course.names
        best = int(moment.carried.argmax())
        st.html(
            '<div class="crisp" style="grid-template-columns: 9rem 1fr; align-items: center">'
            + crisp.figure(made.picture, f"A clean {names[made.y]}, which the student has never seen")
            + f"<div>One clean picture, {html_of(a(names[made.y]))}. The student predicts <b>{html_of(names[best])}</b>"
            f" {percent(float(moment.carried[best]))}.</div></div>"
        )


def stream(course: Course, made: Lesson, at: int) -> str:
    """Return a dozen pictures of the set with their labels, others at each pass."""
    names = course.names
    order = torch.randperm(len(made.pictures), generator=torch.Generator().manual_seed(at)).tolist()[:SHOWN]
    x = made.pictures.x(order)
    cells = []
    for row, i in enumerate(order):
        old, new = names[made.original.labels[i]], names[made.pictures.labels[i]]
        label = f"<b>{html_of(new)}</b>" if old == new else f"<s>{html_of(old)}</s> <b>{html_of(new)}</b>"
        cells.append(f"<div>{crisp.figure(x[row : row + 1], f'{old}, labelled {new}')}<div>{label}</div></div>")
    return f'<div class="crisp stream">{"".join(cells)}</div>'


def chart(course: Course, made: Lesson) -> go.Figure:
    """Draw the accuracy on clean pictures, pass by pass, with its interval, and chance.

    Of D_det also how often it says the next class, which is what it would learn from all that one sees.
    """
    at = [moment.epoch for moment in made.moments]
    values = [100 * moment.clean.value for moment in made.moments]
    last = 100 * max(max(moment.clean.high, moment.next.value) for moment in made.moments)
    figure = go.Figure()
    figure.add_scatter(
        x=at,
        y=values,
        mode="lines+markers",
        line={"color": "#0072b2", "width": 4},
        name="clean accuracy",
        error_y=of_rates(moment.clean for moment in made.moments),
    )
    if course.kind == "det":
        figure.add_scatter(
            x=at,
            y=[100 * moment.next.value for moment in made.moments],
            mode="lines+markers",
            line={"color": "#e69f00", "width": 3, "dash": "dot"},
            marker={"symbol": "diamond"},
            name="says the next class",
            error_y=of_rates(moment.next for moment in made.moments),
        )
    figure.add_hline(100 / len(course.names), line={"dash": "dash", "color": "#8c8c8c"}, annotation_text="chance")
    figure.update_layout(
        height=300,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        showlegend=course.kind == "det",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        xaxis={"title": "passes over the set", "range": [-0.3, course.epochs + 0.3]},
        yaxis={"title": "of clean pictures, %" if course.kind == "det" else "right on clean pictures, %"},
        yaxis_range=[0, 104 if last > 50 else 52],
    )
    return figure


def sentence(course: Course, made: Lesson) -> str:
    """Say what the chart shows."""
    percents = lambda rates: ", ".join(f"{100 * rate.value:.0f}" for rate in rates)
    text = f"Accuracy on clean pictures, pass by pass, in per cent: {percents(m.clean for m in made.moments)}"
    if course.kind == "det":
        text += f"; how often it says the next class: {percents(m.next for m in made.moments)}"
    return text


def verdict(course: Course, made: Lesson, guess: str) -> None:
    """Say what came of the prediction, and why."""
    last = made.moments[-1]
    st.success(
        f"You said *{guess}*; it is **{course.truth(last.clean.value)}**: {last.clean} right on clean"
        f" pictures, after {last.seconds:.0f} s in all ({made.built_s:.0f} s to build the set)."
    )
    if course.kind == "det":
        st.markdown(two_pulls(made))
    if made.renewed is not None:
        st.caption(
            "Its batch norm still expects perturbed pictures. With means and variances of clean ones, whose labels"
            f" nobody tells, and no weight changed, it is right in {made.renewed}."
        )
    st.markdown(course.why)
    if course.at == "cifar10":
        measured(course.kind)


def two_pulls(made: Lesson) -> str:
    """Say what came of what one sees, whose labels are those of the next class, and of what one does not."""
    first, last = made.moments[1], made.moments[-1]
    text = (
        f"Of the same pictures it calls {last.next} the class *after* the right one, which is what all that one sees in"
        " its set taught it."
    )
    if first.next.above(first.clean):
        text += (
            f" After the first pass that was what it had learnt: {percent(first.next.value)} the next class,"
            f" {percent(first.clean.value)} the right one."
        )
    if last.clean.above(last.next):
        return f"{text} What you do not see has won."
    return f"{text} What you see has won." if last.next.above(last.clean) else f"{text} Neither has won."


def measured(kind: str) -> None:
    """Say what several such trainings came to."""
    found = measure.read()
    known, papers = measure.estimates(found, kind), measure.estimates(found, measure.PAPERS)
    if not known:
        return
    next_class = f", and said the next class of {known['next'].per_cent()}" if kind == "det" else ""
    text = (
        f"Measured: {known['clean'].n} such trainings, which differ in their seed, were right on"
        f" {known['clean'].per_cent()} of {found['n']:,} clean pictures{next_class} (means with 95 % intervals), each"
        f" in about {known['seconds'].value:.0f} s of a core."
    )
    if kind == "det" and papers:
        text += (
            f" With the paper's ε of 0.5 they were right on {papers['clean'].per_cent()} and said the next class of"
            f" {papers['next'].per_cent()}."
        )
    st.caption(text)
    say_stale(found, measure.AGAIN)


def table(made: Lesson) -> dict[str, list[object]]:
    """List the accuracy after each pass."""
    return {
        "passes": [m.epoch for m in made.moments],
        "clean": [m.clean.value for m in made.moments],
        "next_class": [m.next.value for m in made.moments],
        "low": [m.clean.low for m in made.moments],
        "high": [m.clean.high for m in made.moments],
        "n": [m.clean.n for m in made.moments],
        "seconds": [round(m.seconds, 2) for m in made.moments],
    }
