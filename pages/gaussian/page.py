"""Gaussian: where adversarial examples come from, in two dimensions and by hand."""

from dataclasses import fields

import streamlit as st

from core.gaussian import views
from core.gaussian.recipe import EPS_MOST, VARIANCE_LEAST, VARIANCE_MOST, GaussianRecipe
from pages.gaussian import below
from pages.gaussian.stage import stage
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.exports import downloads

PRESETS = [
    shell.Preset(
        "Figure 4, ε = 0",
        "The model's unit ball is flat, the adversary's is round: straight up is cheap for the adversary and far for"
        " the model. Press *Attack all points*, then play ε, and watch the right line turn until its gradient points to"
        " the other class.",
        {"eps": 0.0},
    ),
    shell.Preset(
        "Figure 4, ε = 1",
        "A small budget is enough to change what is learned: the gradient's angle to the line between the classes falls"
        " from 73° to 40°.",
        {"eps": 1.0},
    ),
    shell.Preset(
        "Figure 4, ε = 10",
        "With a large budget the robust metric is nearly the adversary's own, a round ball, and the gradient points"
        " from class to class (4°). The price: clean accuracy falls from 99.3 % to 97.9 %.",
        {"eps": 10.0},
    ),
    shell.Preset(
        "Figure 14: perfect robustness",
        "The second feature tells the classes apart, but its gap is only ε/2. Maximum likelihood uses it all the same."
        " The robust line leans on the first feature, whose gap is wide enough: no point can be moved across.",
        {"mu1": 10.0, "mu2": 2.4, "var1": 6.25, "var2": 0.04, "eps": 4.0, "shape": "ellipse", "view": "paper"},
    ),
    shell.Preset(
        "Nothing to align",
        "Round classes: both metrics agree, the gradient already points to the other class, and robust training changes"
        " no line.",
        {"var1": 4.0, "var2": 4.0, "eps": 3.0},
    ),
]
DEFAULTS = GaussianRecipe()
VIEWS = {"experiment": "The plane", "dimensions": "Many dimensions", "paper": "The paper's figures"}
CLAIMS = {
    "experiment": (
        "Drag the classes and ε. Below the plane: the robust model again, learned by sampling and gradient descent,"
        " without any formula."
    ),
    "dimensions": (
        "The theorems are about any number of dimensions; the plane is the smallest case, and not the clearest."
    ),
    "paper": "What the paper draws, as measured in its vector graphics, beside what comes out here.",
}


def number(label: str, name: str, low: float, high: float, *, step: float, help: str | None = None) -> float:  # noqa: A002
    """Show one number of the recipe."""
    default = getattr(DEFAULTS, name)
    return float(
        st.number_input(label, low, high, default, step, format="%g", key=name, bind="query-params", help=help)
    )


def controls() -> GaussianRecipe:
    """Show the exact values and return the recipe they make (without its view)."""
    st.caption("What you drag, in numbers")
    eps = number("ε", "eps", 0.0, EPS_MOST, step=0.5)
    left, right = st.columns(2)
    with left:
        mu1 = number("Mean, x₁", "mu1", -20.0, 20.0, step=0.5)
        var1 = number("Variance, axis 1", "var1", VARIANCE_LEAST, VARIANCE_MOST, step=0.5)
    with right:
        mu2 = number("Mean, x₂", "mu2", -10.0, 10.0, step=0.5)
        var2 = number("Variance, axis 2", "var2", VARIANCE_LEAST, VARIANCE_MOST, step=0.1)
    angle = number("Angle of axis 1, degrees", "angle", -180.0, 180.0, step=5.0)
    shape = choose(
        "Classes",
        {"gaussian": "Gaussian", "ellipse": "Uniform on an ellipse"},
        key="shape",
        default=DEFAULTS.shape,
        help="The ellipse has the same mean and covariance, as in figure 14.",
    )
    budget = choose(
        "Budget of the moves",
        {"each": "ε for each point", "average": "ε on average"},
        key="budget",
        default=DEFAULTS.budget,
        help="Each point moves by at most ε, or linearly by ε in root mean square, as in theorem 2.",
    )
    with st.expander("More"):
        probe1 = number("Probe, x₁", "probe1", -20.0, 20.0, step=0.5)
        probe2 = number("Probe, x₂", "probe2", -10.0, 10.0, step=0.5)
        seed = st.number_input("Seed of the points", 0, 2**31 - 1, 0, key="seed", bind="query-params")
    return GaussianRecipe(
        mu1=mu1,
        mu2=mu2,
        var1=var1,
        var2=var2,
        angle=angle,
        eps=eps,
        shape=shape or DEFAULTS.shape,  # None where the address says nothing: ?shape=
        budget=budget or DEFAULTS.budget,
        probe1=probe1,
        probe2=probe2,
        seed=int(seed),
    )


def take(values: dict[str, float]) -> None:
    """Write what was dragged into the controls, which keep it in the address."""
    for name, value in values.items():
        st.session_state[name] = value


shell.header(
    "Gaussian",
    "Two metrics that disagree are enough for adversarial examples: a step that is short for the adversary is long for"
    " the model.",
)
shell.presets(PRESETS, key="gaussian", defaults={f.name: f.default for f in fields(GaussianRecipe) if f.name != "dim"})
with st.sidebar:
    recipe = controls()
view = shell.views(CLAIMS, DEFAULTS.view, VIEWS)
asked = st.container()  # what the chosen view adds stands first where it is not the one that the page opens with
with st.container():
    stage(recipe, key="gaussian-stage", on_release=take)
    in_words = st.container()
with shell.user_errors():
    both = views.sides(recipe)
    with in_words:
        below.verdict(recipe, both)
    with st.container() if view == DEFAULTS.view else asked:
        recipe, files = below.show(recipe, both, view)
    downloads(files, key="gaussian", script=views.script(recipe))
shell.glossary(
    "gaussian",
    ["the adversary's metric", "the model's metric", "maximum likelihood", "robust", "input gradient", "budget"],
)
shell.mathematics("gaussian")
