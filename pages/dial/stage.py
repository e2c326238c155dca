"""One picture under the dial: the scrubber whose axis is the ε of training, and all of its positions below."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st
from torch import Tensor

from core.data.pictures import Picture
from core.dial import scene
from core.dial.networks import RADII
from core.dial.recipe import DialRecipe
from core.dial.views import Position, script
from core.models.titles import titles
from core.words import verdicts
from pages.dial.exports import files
from pages.dial.work import Job
from pages.ui import crisp, work
from pages.ui.escaped import plain
from pages.ui.exports import downloads
from pages.ui.guess import predicted
from pages.ui.scrubber import frame_in_sight, scrubber
from pages.ui.world import current

KEY = "dial-scrubber"
FIRST = DialRecipe().frame
GUESSES = {f"at {eps:g}": eps for eps in RADII[1:]} | {"never": float("inf")}


def show(recipe: DialRecipe, picture: Picture) -> None:
    """Show the view; where the dial stands goes into the address."""
    stage, working, below = st.container(), st.container(), st.container()
    job = Job(recipe, picture)
    made = job.known()
    if not made:
        if work.is_stopped(job.group):
            work.say_stopped("Stopped before there was anything to show.", "Compute")
            st.stop()
        with working:
            job.more()
        st.rerun()
    seen = job.seen(made)
    axis = scene.axis(made, len(job.pieces))
    rows = scene.columns(recipe, made, picture, seen)
    with stage:
        if not predict_first(job, made, seen, scene.truth_of(recipe, picture)):
            return
        frame = frame_in_sight(KEY, FIRST)
        captions = scene.captions(recipe, made)
        scrubber(rows, axis, key=KEY, own=picture.private, frame=frame, captions=captions, gain=1, report=True)
    with working:
        if job.more() or len(job.known()) > len(made):  # what came while this was drawn counts, too
            st.rerun()
    with below:
        if work.is_stopped(job.group):
            work.say_stopped(f"Stopped after {len(made)} of {len(job.pieces)} networks; what was computed is kept.")
        strip(recipe, made, seen)
        shown = replace(recipe, frame=frame)
        downloads(files(shown, made, picture, seen, rows, axis), key="dial", script=script(shown))


def strip(recipe: DialRecipe, made: list[Position], seen: Mapping[str, Tensor]) -> None:
    """Show all positions side by side, each with what the judges see in it."""
    called = titles(*seen)
    said = {name: verdicts(of, current().classes) for name, of in zip(called, seen.values(), strict=True)}
    own = verdicts(scene.joined(made, "logits"), current().classes)
    figures = "".join(
        crisp.figure(
            one.made,
            scene.sentence(recipe, one, own[i], {name: of[i] for name, of in said.items()}),
            (f"ε = {one.eps:g}", *(f"{name}: {of[i]}" for name, of in said.items())),
        )
        for i, one in enumerate(made)
    )
    st.markdown("### All at once")
    columns = "grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); max-width: 60rem"
    st.html(f'{crisp.STYLE}<div class="crisp" style="{columns}">{figures}</div>')


def answer(made: list[Position], seen: Mapping[str, Tensor], truth: int) -> str:
    """Return the guess that is right: the first ε from which on the last judge always sees the wanted class."""
    logits = list(seen.values())[-1]
    right = (logits.argmax(1) == truth).tolist()
    first = next((one.eps for i, one in enumerate(made) if all(right[i:])), float("inf"))
    return next((words for words, eps in GUESSES.items() if eps >= first), "never")


def predict_first(job: Job, made: list[Position], seen: Mapping[str, Tensor], truth: int | None) -> bool:
    """Ask before showing, where that is switched on and somebody can say what is right; return whether to show."""
    if not st.session_state.get("predict") or not seen or truth is None:
        return True
    name, wanted = titles(*seen)[-1], current().classes[truth]
    question = f"trained at which ε does a network make a picture in which {plain(name)} sees the {plain(wanted)}?"
    guess = predicted(question, list(GUESSES), about=(job.group, job.picture.id), then="the dial appears")
    if guess is None:
        return False
    truth_word = answer(made, seen, truth)
    (st.success if guess == truth_word else st.info)(
        f"You said *{guess}*; from **{truth_word}** on it does."
        if truth_word != "never"
        else f"You said *{guess}*; it **never** does here."
    )
    return True
