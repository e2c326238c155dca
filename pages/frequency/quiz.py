"""The quiz: the visitor labels filtered pictures, beside a student that has seen nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import streamlit as st
import torch

from core.data import pictures
from core.data.pictures import Picture
from core.frequency.filters import as_picture, for_the_eye
from core.frequency.recipe import FrequencyRecipe
from core.frequency.views import students
from core.rates import Rate
from pages.ui import crisp
from pages.ui.store import model
from pages.ui.world import current

ROUNDS = 8
HARDEST = {"high": max, "low": min}


@dataclass
class Quiz:
    """A visitor's answers to one set of pictures."""

    of: tuple[str, float, int]
    answers: list[int] = field(default_factory=list)


def show(recipe: FrequencyRecipe, found: Mapping[str, Any]) -> None:
    """Show one picture after the other with ten answers, then the score beside the student's."""
    there = students(recipe.kind)
    if not there:
        return
    cut = HARDEST[recipe.kind](there)
    of = (recipe.kind, cut, recipe.seed)
    state: Quiz = st.session_state.setdefault("frequency-quiz", Quiz(of))
    if state.of != of:
        state = st.session_state["frequency-quiz"] = Quiz(of)
    keeps = "finer" if recipe.kind == "high" else "coarser"
    st.markdown(f"### Your turn: only what is {keeps} than {cut:g} cycles is left")
    asked, chosen = len(state.answers), drawn(recipe.seed)
    if asked == ROUNDS:
        score(state, chosen, there[cut], found)
        return
    seen = as_picture(chosen[asked].x, recipe.kind, cut)
    st.html(crisp.STYLE + "<style>.asked { max-width: 34rem; grid-template-columns: 1fr 1fr; }</style>")
    figures = crisp.figure(seen, f"Picture {asked + 1}, filtered", ("as the student sees it",))
    figures += crisp.figure(for_the_eye(seen), f"Picture {asked + 1}, stretched", ("stretched for the eye",))
    st.html(f'<div class="crisp asked">{figures}</div>')
    st.markdown(f"**Picture {asked + 1} of {ROUNDS}.** What is on it?")
    with st.container(horizontal=True):
        for k, name in enumerate(current().classes):
            st.button(name, key=f"frequency-answer-{k}", on_click=state.answers.append, args=(k,), width="content")


def drawn(seed: int) -> list[Picture]:
    """Draw labelled pictures for the quiz: of CIFAR-10, or of the gallery where that is not here."""
    kind = "cifar10" if "cifar10" in pictures.available() else "gallery"
    ids = pictures.ids(kind)
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed + 1)).tolist()
    found = (pictures.get(ids[i]) for i in order)
    return list(islice((picture for picture in found if picture.label is not None), ROUNDS))


def score(state: Quiz, chosen: list[Picture], student: str, found: Mapping[str, Any]) -> None:
    """Compare the visitor with chance and with the student, on the same pictures and on many."""
    kind, cut, _ = state.of
    labels = [picture.label for picture in chosen]
    seen = torch.cat([as_picture(picture.x, kind, cut) for picture in chosen])
    with torch.no_grad():
        said = model(student)(seen).argmax(1).tolist()
    yours = Rate(sum(a == b for a, b in zip(state.answers, labels, strict=True)), ROUNDS)
    theirs = Rate(sum(a == b for a, b in zip(said, labels, strict=True)), ROUNDS)
    st.markdown(
        f"**You: {yours.hits} of {ROUNDS}; the student: {theirs.hits} of {ROUNDS};** guessing gives "
        f"{ROUNDS / len(current().classes):.1g}. Your interval: {yours}."
    )
    known = found.get("students", {}).get(f"{kind}-{cut:g}", {}).get(student)
    if known:
        st.markdown(f"On test pictures filtered like these the student is right on **{Rate.from_json(known)}**.")
    figures = "".join(
        crisp.figure(
            picture.x,
            f"A {current().classes[label]}",
            (current().classes[label], f"you: {current().classes[a]}", f"student: {current().classes[b]}"),
        )
        for picture, label, a, b in zip(chosen, labels, state.answers, said, strict=True)
        if label is not None
    )
    st.html(
        f"{crisp.STYLE}<style>.shown {{ grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); }}</style>"
        f'<div class="crisp shown">{figures}</div>'
    )
    st.button("Again", key="frequency-again", on_click=state.answers.clear)
