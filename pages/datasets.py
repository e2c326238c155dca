"""The paper's datasets: make a few pictures of each, label them yourself, see what networks learn from them."""

from dataclasses import replace

import streamlit as st

from core import checkpoints
from core.construct import live
from core.recipes import DatasetsRecipe
from pages.ui import datasets_build, datasets_quiz, datasets_results, shell
from pages.ui.store import lesson

CLAIMS = {
    "build": "Make a few pictures of each set as the paper does. What do you see, and what is the label that a network is given?",
    "quiz": "Label the pictures of D_rand yourself. The network that was trained on them had nothing else to go by.",
    "results": "What networks learnt from each set, on ordinary test pictures: ours beside the paper's.",
}
KINDS = {
    "inverted": "**D_NR and D_R.** Each picture is replaced by another that the model represents alike. The label stays.",
    "rand": "**D_rand.** Each picture is moved, within ε, toward a class drawn at random; that class becomes its label.",
    "det": "**D_det.** Each picture is moved, within ε, toward the *next* class; that class becomes its label.",
}
PRESETS = [
    shell.Preset(
        "Labels that look wrong",
        "Through the standard model nothing visible changes, and yet that model agrees with every new label. A network trained "
        "on such pictures recognises clean ones.",
        {"kind": "rand"},
    ),
    shell.Preset(
        "Only robust features",
        "Right: what a robust model keeps of each picture, D_R. Left: what a standard model keeps, D_NR; the start pictures"
        " hardly change. Both sets have the right labels.",
        {"kind": "inverted", "steps": 40},
    ),
    shell.Preset(
        "A robust model as the source",
        "Within a large ε the robust model (right) cannot be moved without visible change: its perturbations look like the new class.",
        {"kind": "det", "eps": 300},
    ),
]
DEFAULTS = DatasetsRecipe()


def controls(view: str) -> DatasetsRecipe:
    """Show the controls that the view has and return the recipe they make."""
    kind = "rand"
    if view == "build":
        kind = st.segmented_control(
            "Set", list(KINDS), default=DEFAULTS.kind, key="kind", bind="query-params", required=True
        )
    n = st.slider("Pictures", 4, 48, DEFAULTS.n, 4, key="n", bind="query-params")
    steps = st.number_input(
        "Steps", 1, 200, DEFAULTS.steps, key="steps", bind="query-params", help="The paper: 100, and 1000 for D_R."
    )
    eps = DEFAULTS.eps
    if kind != "inverted":
        eps = st.slider(
            "ε in hundredths (ℓ₂)", 0, 500, DEFAULTS.eps, 10, key="eps", bind="query-params", help="The paper's is 50."
        )
    seed = st.number_input("Seed of pictures and labels", 0, 2**31 - 1, DEFAULTS.seed, key="seed", bind="query-params")
    names, found = checkpoints.names(), {}
    with st.expander("More"):
        for label, key in (("Left source", "standard"), ("Right source", "robust")):
            default = getattr(DEFAULTS, key)
            index = names.index(default) if default in names else 0
            found[key] = st.selectbox(label, names, index=index, key=key, bind="query-params")
    return DatasetsRecipe(kind=kind, n=int(n), eps=int(eps), steps=int(steps), seed=int(seed), **found)


shell.header(
    "Datasets",
    "Robustness is a property of the data: from pictures whose labels look wrong, networks learn to be right.",
)
shell.presets(
    PRESETS,
    key="datasets",
    defaults={name: getattr(DEFAULTS, name) for name in ("view", "kind", "n", "eps", "steps", "seed")},
)
view = st.segmented_control(
    "View",
    list(CLAIMS),
    default=DEFAULTS.view,
    key="view",
    bind="query-params",
    required=True,
    label_visibility="collapsed",
    on_change=lambda: st.query_params.pop("frame", None),
)
st.markdown(CLAIMS[view])
if view == "results":
    datasets_results.show()
elif not checkpoints.names():
    st.warning("There are no trained models in checkpoints/. Make them with: make zoo")
else:
    with st.sidebar:
        recipe = replace(controls(view), view=view)
    with shell.told():
        if view == "quiz":
            datasets_quiz.show(replace(recipe, n=max(recipe.n, datasets_quiz.ROUNDS)))
        else:
            st.markdown(KINDS[recipe.kind])
            datasets_build.show(recipe, live.script)
shell.glossary("datasets", ["D_R and D_NR", "D_rand and D_det", "robust features", "leakage", "student"])
with st.expander("The mathematics"):
    st.markdown(lesson("datasets")["mathematics"])
