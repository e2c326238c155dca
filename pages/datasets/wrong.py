"""Training on wrong labels, before the audience.

Predict, build the set, train on it, and examine the student meanwhile.

It happens in the planted world, which draws its own pictures: there it takes seconds. On CIFAR-10 it takes an hour;
what came out there is the view of results.
"""

import time

import plotly.graph_objects as go
import streamlit as st
import torch

from core.attacks import OnStep
from core.planted import networks, wrong
from core.planted.recipe import PlantedRecipe
from core.planted.wrong import EPOCHS, PICTURES, STEPS, TESTED, Lesson
from core.recipes import to_python
from core.words import a, percent
from pages.ui import crisp, work
from pages.ui.exports import Bundle, camera, downloads
from pages.ui.store import results

SHOWN = 12
SETS = {"det": "D_det: every label is the next class", "rand": "D_rand: labels drawn at random"}
GUESSES = ("about chance", "about half", "nearly all")
STYLE = """<style>
.stream { grid-template-columns: repeat(6, minmax(3.2rem, 6.5rem)); gap: 0.6rem; }
.stream s { opacity: 0.6; }
@media (max-width: 700px) { .stream { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
</style>"""


def show() -> None:
    """Show the view."""
    recipe = PlantedRecipe()
    kind = st.segmented_control(
        "Set", list(SETS), default="det", format_func=SETS.__getitem__, key="wrong-kind", required=True
    )
    st.markdown(
        f"{PICTURES:,} pictures are perturbed towards another class by a trained network and get *that class* as their"
        " label. A fresh network sees these and nothing else. Of pictures that nobody changed, **how many will it get"
        " right?**"
    )
    guess = st.radio("Your prediction", GUESSES, index=None, horizontal=True, key="wrong-guess")
    if guess is None:
        st.caption("Choose, and the training can begin.")
        return
    key = ("wrong labels", str(kind), recipe.trained, recipe.eps)
    made: Lesson | None = work.desk().get(key)
    if made is None:
        if not st.button("Build the set and train on it", key="wrong-go", type="primary", icon=":material/play_arrow:"):
            return
        made = watched(recipe, str(kind), key)
        if made is None:
            work.say_stopped("Stopped.", "Begin again")
            return
    story(recipe, made)
    verdict(recipe, made, guess)
    out = Bundle(recipe)
    out.table("Accuracy, pass by pass", "wrong-labels.csv", lambda: table(made))
    downloads(out.files, key="wrong", script=script(recipe, str(kind)))


def watched(recipe: PlantedRecipe, kind: str, key: tuple[object, ...]) -> Lesson | None:
    """Build and train beside the page, and show how far it is."""
    pair = results().of(("planted pair", recipe.trained), lambda: networks.pair(recipe))
    so_far: list[Lesson] = []

    def learn(on_step: OnStep) -> Lesson:
        return wrong.learn(recipe, kind, pair, on_step=on_step, on_moment=so_far.append)

    place, drawn = st.empty(), -1

    def draw() -> None:
        nonlocal drawn
        if len(so_far) != drawn:
            drawn = len(so_far)
            with place.container():
                if so_far:
                    story(recipe, so_far[-1])
                else:
                    st.markdown(f"**Building**: {PICTURES:,} pictures, each perturbed in twenty steps…")

    work.desk().go_on()
    piece = work.Piece(key, learn, STEPS)
    (outcome,) = work.ask([piece], group=key, text="Building the set, then training on it…", show=lambda _: draw())
    place.empty()
    return outcome.value if outcome.value is not None and outcome.value.whole else None


def story(recipe: PlantedRecipe, made: Lesson) -> None:
    """Show what the student is shown, its accuracy so far, and one picture carried through."""
    left, right = st.columns([3, 2], gap="large")
    at = len(made.moments)
    with left:
        st.html(STYLE + crisp.STYLE + stream(recipe, made, at))
        st.caption(f"What it is shown: {made.wrong.hits:,} of {made.wrong.n:,} labels are not what is on the picture.")
    with right:
        st.plotly_chart(
            chart(recipe, made),
            key=f"wrong-{at}-{time.monotonic_ns()}",
            config=camera("wrong-labels"),
            alt=sentence(made),
        )
        moment, names = made.moments[-1], recipe.names
        best = int(moment.carried.argmax())
        st.html(
            '<div class="crisp" style="grid-template-columns: 9rem 1fr; align-items: center">'
            + crisp.figure(made.picture, f"A clean {names[made.y]}, which the student has never seen")
            + f"<div>One clean picture, {a(names[made.y])}. The student predicts <b>{names[best]}</b>"
            f" {percent(float(moment.carried[best]))}.</div></div>"
        )


def stream(recipe: PlantedRecipe, made: Lesson, at: int) -> str:
    """Return a dozen pictures of the set with their labels, others at each pass."""
    built, names = made.built, recipe.names
    order = torch.randperm(len(built.pictures), generator=torch.Generator().manual_seed(at)).tolist()[:SHOWN]
    x = built.pictures.x(order)
    cells = []
    for row, i in enumerate(order):
        old, new = names[built.original.labels[i]], names[built.pictures.labels[i]]
        label = f"<b>{new}</b>" if old == new else f"<s>{old}</s> <b>{new}</b>"
        cells.append(f"<div>{crisp.figure(x[row : row + 1], f'{old}, labelled {new}')}<div>{label}</div></div>")
    return f'<div class="crisp stream">{"".join(cells)}</div>'


def chart(recipe: PlantedRecipe, made: Lesson) -> go.Figure:
    """Draw the accuracy on clean pictures, pass by pass, with its interval, and chance."""
    at = [moment.epoch for moment in made.moments]
    values = [100 * moment.clean.value for moment in made.moments]
    bounds = [moment.clean.interval for moment in made.moments]
    figure = go.Figure()
    figure.add_scatter(
        x=at,
        y=values,
        mode="lines+markers",
        line={"color": "#0072b2", "width": 4},
        name="clean accuracy",
        error_y={
            "array": [100 * h - v for (_, h), v in zip(bounds, values, strict=True)],
            "arrayminus": [v - 100 * low for (low, _), v in zip(bounds, values, strict=True)],
            "symmetric": False,
        },
    )
    figure.add_hline(100 / recipe.classes, line={"dash": "dash", "color": "#8c8c8c"}, annotation_text="chance")
    figure.update_layout(
        height=300,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        showlegend=False,
        xaxis={"title": "passes over the set", "range": [-0.3, EPOCHS + 0.3]},
        yaxis={"title": "right on clean pictures, %", "range": [0, 104]},
    )
    return figure


def sentence(made: Lesson) -> str:
    """Say what the chart shows."""
    return "Accuracy on clean pictures, pass by pass: " + ", ".join(
        f"{100 * moment.clean.value:.0f}" for moment in made.moments
    )


def verdict(recipe: PlantedRecipe, made: Lesson, guess: str) -> None:
    """Say what came of the prediction, and why."""
    last = made.moments[-1]
    share = last.clean.value
    truth = GUESSES[2] if share > 0.85 else GUESSES[1] if share > 1.6 / recipe.classes else GUESSES[0]
    st.success(
        f"You said *{guess}*; it is **{truth}**: {last.clean} of {TESTED} clean pictures, after {last.seconds:.0f} s in"
        f" all ({made.built_s:.0f} s to build the set)."
    )
    st.markdown(
        "The labels look wrong because you look at the shapes. Each perturbation wrote a faint pattern of the new class"
        " into its picture; the labels fit that pattern, it is in clean pictures, too, and that is what the student"
        " learnt. Here the pattern is planted; on CIFAR-10 nobody planted it, and the view of results shows what came"
        " out there."
    )


def table(made: Lesson) -> dict[str, list[object]]:
    """List the accuracy after each pass."""
    return {
        "passes": [m.epoch for m in made.moments],
        "clean": [m.clean.value for m in made.moments],
        "low": [m.clean.interval[0] for m in made.moments],
        "high": [m.clean.interval[1] for m in made.moments],
        "n": [m.clean.n for m in made.moments],
        "seconds": [round(m.seconds, 2) for m in made.moments],
    }


def script(recipe: PlantedRecipe, kind: str) -> str:
    """Write the Python program of the view."""
    return to_python(
        recipe,
        ["from core.planted.networks import pair", "from core.planted.wrong import learn"],
        f"""
        made = learn(recipe, {kind!r}, pair(recipe))
        print(f"wrong labels: {{made.wrong}}")
        for moment in made.moments:
            print(f"after {{moment.epoch}} passes: {{moment.clean}}")
        """,
    )
