"""The quiz of the Datasets page: the visitor labels pictures of D_rand, and is as good as chance."""

from dataclasses import dataclass, field

import streamlit as st
import torch

from core import worlds
from core.datasets.live import ConstructedBatch
from core.datasets.recipe import DatasetsRecipe
from core.rates import Estimate, Rate
from core.words import a
from pages.datasets import build
from pages.datasets.results import command, results
from pages.ui import crisp
from pages.ui.stale import say_stale
from pages.ui.world import current

ROUNDS = 10


@dataclass
class Quiz:
    """A visitor's answers to one set of pictures."""

    of: DatasetsRecipe
    answers: list[int] = field(default_factory=list)


def show(recipe: DatasetsRecipe) -> None:
    """Show one picture after the other with the classes as answers, then the score beside the network's."""
    made, _ = build.both(recipe)
    order = build.mismatch_first(made)[:ROUNDS]
    state: Quiz = st.session_state.setdefault("datasets-quiz", Quiz(recipe))
    if state.of != recipe:
        state = st.session_state["datasets-quiz"] = Quiz(recipe)
    st.html(crisp.STYLE + "<style>.asked { max-width: min(22rem, 44vh); grid-template-columns: 1fr; }</style>")
    asked = len(state.answers)
    if asked:
        reveal(made, order[asked - 1], state.answers[-1])
    if asked == ROUNDS:
        score(made, state, order)
        return
    st.markdown(f"**Picture {asked + 1} of {ROUNDS}.** What is its label in D_rand?")
    figure = crisp.figure(made.frames[-1][[order[asked]]], f"Picture {asked + 1}, a picture of D_rand")
    st.html(f'<div class="crisp asked">{figure}</div>')
    with st.container(horizontal=True):
        for k, name in enumerate(current().classes):
            st.button(name, key=f"answer-{k}", on_click=state.answers.append, args=(k,), width="content")


def reveal(made: ConstructedBatch, i: int, answer: int) -> None:
    """Say what the label is."""
    label, seen = int(made.labels[i]), current().classes[int(made.y[i])]
    right = "Right" if answer == label else "No"
    figure = crisp.figure(made.frames[-1][[i]], f"The picture before this one, made from {a(seen)}")
    st.html(f'<div class="crisp" style="grid-template-columns: 6rem">{figure}</div>')
    st.info(
        f"{right}: in D_rand its label is **{current().classes[label]}**. You said {current().classes[answer]}; "
        f"the picture was made from {a(seen)}.",
        icon=":material/check:" if answer == label else ":material/close:",
    )


def score(made: ConstructedBatch, state: Quiz, order: list[int]) -> None:
    """Compare the visitor with chance, with the source model and with a student."""
    answers = torch.tensor(state.answers)
    yours = Rate(int((answers == made.labels[order]).sum()), ROUNDS)
    model = Rate(int((made.predictions[-1][order] == made.labels[order]).sum()), ROUNDS)
    chance = ROUNDS / len(current().classes)
    saw = int((answers == made.y[order]).sum())
    st.markdown(
        f"**You: {yours.hits} of {ROUNDS} labels; guessing gives {chance:g}.** The model that the set was made with:"
        f" {model.hits} of {ROUNDS}. You named what the picture was made from {saw} times: you use other features."
    )
    student = results("table1").get("students", {}).get("student-rand")
    if student and current() == worlds.get():
        st.markdown(
            "A network that was trained on pictures and labels like these, and on nothing else, recognises"
            f" **{Estimate.from_json(student['clean']).per_cent()}** of *clean* test pictures."
        )
        say_stale(student, command("table1"))
    st.button("Again", key="datasets-again", on_click=state.answers.clear)
