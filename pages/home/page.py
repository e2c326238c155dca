"""Home: epsilon breathes, two models change their minds about one frog, and three doors lead on."""

import streamlit as st

from core.data import pictures
from core.files.playable import ASSETS
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from core.recipes import to_query
from core.words import a
from pages.home.doors import doors
from pages.perturb.columns import axis_of, columns
from pages.perturb.work import Job
from pages.ui import shell
from pages.ui.scrubber import scrubber
from pages.ui.world import current

# A generated picture shows features that robust models see; it takes more to talk them out of it.
REACH = {"cifar10": ""}
STILL = ASSETS / "screenshots" / "perturb.png"


def opening() -> tuple[PerturbRecipe, pictures.Picture]:
    """Return the view that the home page shows and links to."""
    picture = pictures.get(pictures.default_id())
    reach = REACH.get(picture.id.partition("/")[0], "5")
    return PerturbRecipe(picture=picture.id, target="truck", reach=reach), picture


def breathing(recipe: PerturbRecipe, picture: pictures.Picture) -> bool:
    """Show both models at an epsilon that comes and goes, as far as it is computed; return whether more is to come.

    It is the work of the Perturb page, which then opens with all of it ready.
    """
    job = Job(recipe, picture)
    stage, working = st.container(), st.empty()
    left, right = job.known(recipe.standard), job.known(recipe.robust)
    if left is None or right is None:
        with working.container():
            job.more()
        left, right = job.known(recipe.standard), job.known(recipe.robust)
    if left is None or right is None:
        return True
    frames = min(len(left.x_adv), len(right.x_adv))
    axis = axis_of(recipe, frames)
    with stage:
        scrubber(
            columns(job, left, right, axis, control=False),
            axis,
            key="home-scrubber",
            own=picture.private,
            frame=recipe.frame,
            breathe=True,
        )
    with working.container():
        return job.more(frames)


recipe, picture = opening()
shell.header("Robust Frog", "Adversarial examples are not bugs, they are features.")
if {recipe.standard, recipe.robust} <= set(checkpoints.names()):
    named = "a picture" if picture.label is None else a(current().classes[picture.label])
    st.markdown(
        "Networks see patterns in pictures that people do not, and these patterns are real: they predict the right"
        f" answer. A change of these alone, too small to see, turns {named} into {a(recipe.target)} for the left"
        " network; for the right one, trained to be *robust*, the picture itself has to change."
    )
    with shell.user_errors():
        if breathing(recipe, picture):
            st.rerun()
else:
    st.warning("The trained models are not in checkpoints/. Make them with: make zoo")
    if STILL.is_file():
        st.image(
            str(STILL),
            output_format="PNG",
            caption="With them it looks like this.",
            alt="The Perturb page with both models",
        )
doors(to_query(recipe))
st.caption(
    "After Ilyas, Santurkar, Tsipras, Engstrom, Tran and Mądry (NeurIPS 2019), [arXiv"
    " 1905.02175](https://arxiv.org/abs/1905.02175). What moves here is computed on this machine, on small networks"
    " that this project trained itself; tables say when and on what they were measured."
)
