"""The controls of Just bugs?, and the recipe they make."""

import streamlit as st

from core.bugs import ensemble
from core.bugs.recipe import NEXT, BugsRecipe
from pages.ui.address import choose, same
from pages.ui.model_box import model_box
from pages.ui.world import current

DEFAULTS = BugsRecipe()
# The cat, a photograph that is always there: a feature of another class fools most networks on it.
PICTURE = "photo/chelsea"


def of_pair() -> BugsRecipe:
    """Show the controls of the two perturbations and return the recipe they make (without picture and frame)."""
    norm = choose("Norm", same(["L2", "Linf"]), key="norm", default=DEFAULTS.norm)
    target = st.selectbox(
        "Make it predict",
        (NEXT, *current().classes),
        key="target",
        bind="query-params",
        help="“next” is the class after its own.",
    )
    members = st.slider(
        "Networks that the bug spares",
        0,
        len(ensemble.MEMBERS),
        DEFAULTS.members,
        key="members",
        bind="query-params",
        help="Small ones: a ResNet-9, a VGG, another ResNet-9, a ConvMixer, in this order.",
    )
    victim = model_box("Network that is fooled", DEFAULTS.victim, "victim", (ensemble.VICTIM, ensemble.WIDE))
    steps = st.slider("Steps", 1, 50, DEFAULTS.steps, key="steps", bind="query-params")
    st.toggle("Predict first", key="predict", bind="query-params", help="Ask the room before showing the answer.")
    return BugsRecipe(norm=norm, target=target, members=int(members), victim=victim, steps=int(steps))


def of_squares() -> BugsRecipe:
    """Show the controls of the squares and return the recipe they make."""

    def slider(label: str, name: str, low: float, high: float, step: float, words: str) -> float:
        return st.slider(label, low, high, getattr(DEFAULTS, name), step, key=name, bind="query-params", help=words)

    return BugsRecipe(
        view="squares",
        pixel_noise=float(
            slider(
                "Pixel noise", "pixel_noise", 0.0, 0.5, 0.05, "Largest change of a pixel; black and white are 2 apart."
            )
        ),
        label_noise=float(slider("Label noise", "label_noise", 0.0, 0.4, 0.05, "Chance that a label is wrong.")),
        n=int(slider("Squares", "n", 100, 2000, 100, "To learn from.")),
        rounds=int(
            slider(
                "Rounds of training", "rounds", 1, 30, 1, "Five quasi-Newton steps each. Few of them: early stopping."
            )
        ),
        seed=int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params")),
    )


def defaults() -> dict[str, object]:
    """Return what each control shows before anybody has touched it, by the widget's key."""
    fields = {name: value for name, value in vars(DEFAULTS).items() if name != "frame"}
    return {**fields, "picture": PICTURE}
