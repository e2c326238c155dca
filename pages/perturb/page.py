"""Perturb: drag epsilon and watch what each model says."""

from dataclasses import replace
from functools import partial

import streamlit as st

from core import perturb
from core.perturb.recipe import PerturbRecipe
from pages.perturb import duel, planted
from pages.perturb.answer import predict_first, shown_columns, summary
from pages.perturb.columns import axis_of
from pages.perturb.controls import controls, defaults, opening
from pages.perturb.exports import files, still_fools
from pages.perturb.presets import offered
from pages.perturb.work import Job
from pages.ui import shell, work
from pages.ui.address import choose
from pages.ui.exports import downloads
from pages.ui.picker import pick_picture
from pages.ui.scrubber import frame_in_sight, scrubber
from pages.ui.world import current, has_models, pair

FIRST = PerturbRecipe()
FIRST_FRAME = FIRST.frame

shell.header(
    "Perturb",
    "A change too small to see makes a standard model see something else. To fool a robust model, the picture itself"
    " has to change.",
    needs="",
    alone="A change too small to see makes a network see something else.",
)
shell.presets(
    offered(current().name), key="perturb", defaults=defaults(), address={"frame": "", "look": "", "gain": ""}
)
if not has_models():
    st.stop()
if not pair().robust:
    st.caption(current().robust_how)
with st.sidebar:
    view = choose("View", {"sweep": "One picture", "duel": "The webcam duel"}, key="view", default=FIRST.view)
if view == "duel":
    with shell.user_errors():
        duel.show(opening())
    st.stop()
stage = st.container()
# The bar and Stop: a click on Stop takes them away before anything else is drawn; between two parts they stay.
working = st.empty() if st.session_state.get("stop") else st.container()
below = st.container()
with st.sidebar, shell.user_errors():
    picture = pick_picture(key="picture")
    recipe = replace(controls(), picture=picture.id)
    st.toggle("Predict first", key="predict", bind="query-params", help="Ask the room before showing the answer.")
frame = frame_in_sight("perturb-scrubber", FIRST_FRAME)
with shell.user_errors():
    job = Job(recipe, picture)
    left, right = job.known(recipe.standard), job.known(recipe.robust)
    if left is None or right is None:
        if work.is_stopped(job.group):
            with stage:
                work.say_stopped("Stopped before there was anything to show.", "Compute")
            st.stop()
        with working:
            job.more()
        left, right = job.known(recipe.standard), job.known(recipe.robust)
    if left is None or right is None:
        st.rerun()
frames = min(len(left.x_adv), len(right.x_adv))
axis = axis_of(recipe, frames)
rows = job.kept(("rows", recipe.seed), frames, partial(shown_columns, job, left, right, axis))
with stage:
    shown = predict_first(job, left, right, axis)
    if shown:
        scrubber(rows, axis, key="perturb-scrubber", own=picture.private, frame=frame, report=True)
if shown:
    recipe_in_sight = replace(recipe, frame=frame)
    with working, shell.user_errors():
        unfinished = job.more(frames)
    if unfinished:
        st.rerun()
    with below:
        if not job.complete:
            work.say_stopped(f"Stopped after {frames} of {axis.total} frames; what was computed is kept.")
        summary(job, left, right)
        planted.strip(recipe_in_sight, left, right)
        still_fools(job, recipe_in_sight, left, right)
        downloads(files(recipe_in_sight, rows, left, right), key="perturb", script=perturb.script(recipe_in_sight))
with below:
    shell.glossary("perturb", ["useful", "robustly useful", "useful, non-robust", "ε", "PGD"])
    shell.mathematics("perturb")
