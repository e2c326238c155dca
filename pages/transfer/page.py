"""Transfer: perturbations made for one network, shown to others."""

from dataclasses import replace

import streamlit as st

from core import worlds
from core.data import labelled
from core.models import checkpoints
from core.results import STAMPS
from core.transfer import results
from core.transfer.names import in_sight
from core.transfer.results import Measured
from core.worlds import World
from pages.transfer import curve, figure3, matrix, similarity
from pages.transfer.controls import controls, defaults, opening
from pages.transfer.presets import offered
from pages.ui import shell
from pages.ui.dial import under_the_dial
from pages.ui.stale import say_stale
from pages.ui.world import current, has_models

VIEWS = {
    "matrix": "Who fools whom",
    "curve": "Larger and larger",
    "similarity": "Alike or not",
    "figure3": "The paper's figure 3",
}
CLAIMS = {
    "matrix": "Each row: adversarial examples made for one network. Each column: a network that never saw the attack.",
    "curve": "One pair: the larger the change, the more often it travels; noise of the same size does far less.",
    "similarity": "Do perturbations travel better between networks whose representations are alike?",
    "figure3": (
        "The paper's test: the better an architecture learns from ResNet's non-robust features, the more often "
        "ResNet's adversarial examples fool it."
    ),
}
WORDS = {
    "matrix": ["transfer", "white box", "which pictures count", "noise of the same size", "targeted"],
    "curve": ["transfer", "white box", "noise of the same size"],
    "similarity": ["linear CKA", "transfer"],
    "figure3": ["D_det", "transfer", "correlation"],
}
LIVE = ("matrix", "curve")  # the views that are computed here and now, in worlds of which nothing was measured


def served(world: World) -> bool:
    """Tell whether a world has labelled pictures and more than one network that knows their classes."""
    return labelled.has(world.name) and len(checkpoints.names(world=world.name)) > 1


def how(world: World) -> str:
    """Say how a world comes by labelled pictures, or by a second network."""
    if not labelled.has(world.name):
        return labelled.missing(world.title)
    return world.robust_how if checkpoints.names(world=world.name) else world.how


shell.header(
    "Transfer",
    "Perturbations made for one network fool others, because they learnt the same non-robust features.",
    needs="two networks or more, and test pictures whose classes are known",
    served=served,
    get=how,
)
shell.presets(offered(current().name), key="transfer", defaults=defaults())
if not has_models():
    st.stop()
home = current() == worlds.get()  # of whose networks it was measured
claims = CLAIMS if home else {view: CLAIMS[view] for view in LIVE}
view = shell.views(claims, opening().view, VIEWS)
with shell.user_errors():
    measured = Measured.read(results.RESULTS) if home else None
    with st.sidebar:
        recipe = controls(view, measured)
    match view:
        case "curve":
            names = in_sight(curve.models(recipe, measured), measured)
            source, target = curve.pair_boxes(recipe, names)
            curve.show(replace(recipe, source=source, target=target), measured)
        case "similarity":
            similarity.show(recipe, measured)
        case "figure3":
            figure3.show(recipe)
        case _:
            matrix.show(recipe, measured)
            under_the_dial("transfer-dial", view="measured", trend="transfer")
    if measured is not None and (view == "figure3" or recipe.numbers == "measured"):
        say_stale({STAMPS: {name: model.stamp for name, model in measured.models.items()}}, results.AGAIN)
shell.glossary("transfer", WORDS[view])
shell.mathematics("transfer")
