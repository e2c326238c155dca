"""Transfer: perturbations made for one network, shown to others."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.data import labelled, pictures
from core.models import checkpoints
from core.transfer import results
from core.transfer.names import in_sight
from core.transfer.recipe import DEFAULT_RADIUS, RADII, TransferRecipe
from core.transfer.results import Measured, Setting
from core.worlds import World
from pages.transfer import curve, figure3, matrix, similarity
from pages.ui import shell
from pages.ui.address import choose
from pages.ui.dial import under_the_dial
from pages.ui.store import lesson
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
PRESETS = [
    shell.Preset(
        "It travels",
        "ResNet-9's perturbations, shown to a VGG that took no part: compare its column with the noise. Nobody told the"
        " two networks what to look at; both learned it from the same data.",
        {"source": "resnet9-standard", "target": "vgg-standard"},
    ),
    shell.Preset(
        "Noise does not",
        "The same lengths, random directions. The matrix goes dark: what fools the other networks is the direction.",
        {"show": "noise"},
    ),
    shell.Preset(
        "It even names the class",
        "Now the attack wants one particular wrong class. That the *other* network says this very class is what a bug"
        " of one network could not explain.",
        {"goal": "targeted", "eps": "1"},
    ),
    shell.Preset(
        "One way only",
        "Compare the robust network's row with its column. What is made for it fools the standard networks, more often"
        " than itself; what is made for them hardly reaches it. It uses features that they use as well, but not the"
        " other way round.",
        {"eps": "1", "source": "resnet9-l2", "target": "resnet9-standard"},
    ),
]
# The gallery's pictures were painted by a robust model, and networks are surer of them than of photographs.
GENERATED = pictures.available()[0] == "gallery"
SURE_RADIUS = "1"
DEFAULTS = TransferRecipe(eps=SURE_RADIUS) if GENERATED else TransferRecipe()


HERE = {  # what each world tries first; presets of other worlds name models that this one has not
    "cifar10": PRESETS,
    "planted": [
        shell.Preset(
            "It travels",
            "Two standard networks that differ in their seed alone read the same weave, so what is written for one is"
            " read by the other. Compare with the noise.",
            {"source": "planted-features-standard", "target": "planted-seed-standard"},
        ),
        PRESETS[1],
        shell.Preset(
            "Not to who reads the shape",
            "The robust network hardly looks at the weave: what is made for the others does not reach it.",
            {"source": "planted-features-standard", "target": "planted-features-robust"},
        ),
    ],
}
LIVE = ("matrix", "curve")  # the views that are computed here and now, in worlds of which nothing was measured


def opening() -> TransferRecipe:
    """Return the recipe with which this world opens."""
    world = current()
    if world == worlds.get():
        return DEFAULTS
    there = in_sight(checkpoints.names(world=world.name))
    return TransferRecipe(world=world.name, numbers="live", source=there[0], target=there[min(1, len(there) - 1)])


def served(world: World) -> bool:
    """Tell whether a world has labelled pictures and more than one network that knows their classes."""
    return labelled.has(world.name) and len(checkpoints.names(world=world.name)) > 1


def controls(view: str, measured: Measured | None) -> TransferRecipe:
    """Show the controls that the view has and return the recipe they make (without the pair)."""
    if view == "figure3":
        st.caption("This view has no controls: its points are fixed.")
        return TransferRecipe(view=view)
    found: dict[str, object] = {}
    if measured is None:
        found["numbers"] = "live"
    elif view != "similarity":
        found["numbers"] = choice(
            "Numbers",
            ["measured", "live"],
            "numbers",
            help="Measured on many pictures, or computed here and now on a few.",
        )
    live = found.get("numbers") == "live"
    found["goal"] = choice(
        "Goal of the attack",
        ["untargeted", "targeted"],
        "goal",
        help="Any wrong class, or one that is drawn for each picture.",
    )
    norm = found["norm"] = choice("Norm", list(RADII), "norm")
    if view != "curve":
        labels = list(RADII[norm]) if live or measured is None else radii(measured, norm, str(found["goal"]))
        wanted = replace(opening(), norm=norm).radius[0]
        default = wanted if wanted in labels else labels[0]
        if st.session_state.get("eps", default) not in labels:  # of another norm, or not measured
            st.session_state["eps"] = default
        eps = st.select_slider("ε", labels, value=default, key="eps", bind="query-params", disabled=len(labels) < 2)
        found["eps"] = "" if eps == DEFAULT_RADIUS[norm] else eps
    found["of"] = choice(
        "Pictures that count",
        ["both", "all"],
        "of",
        help="Those that source and target both get right without attack, or all of them.",
    )
    if view == "matrix":
        found["show"] = choice(
            "Show", ["attack", "noise"], "show", help="The attack, or random noise of the same size."
        )
        st.toggle("Predict first", key="predict", bind="query-params", help="Ask the room before showing the matrix.")
    if view == "similarity":
        return TransferRecipe(view=view, **found)  # type: ignore[arg-type]
    with st.expander("More", expanded=live):
        steps = st.slider(
            "Steps",
            1,
            50,
            DEFAULTS.steps,
            key="steps",
            bind="query-params",
            help="Of live attacks, and of the pictures shown.",
        )
        found["steps"] = int(steps)
        found["seed"] = int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params"))
        if live:
            found["n"] = int(
                st.select_slider(
                    "Pictures", [16, 32, 64, 128, 256, 512], value=DEFAULTS.n, key="n", bind="query-params"
                )
            )
        if live and view == "matrix":
            names = in_sight(checkpoints.names(world=current().name))
            found["models"] = tuple(
                st.multiselect("Models", names, key="models", bind="query-params", placeholder="all")
            )
            found["ensemble"] = st.toggle("Also attack all of them at once", key="ensemble", bind="query-params")
    first = opening()
    return TransferRecipe(view=view, world=first.world, source=first.source, target=first.target, **found)  # type: ignore[arg-type]


def choice(label: str, options: list[str], key: str, **more: Any) -> str:
    """Show a choice among a few words of the recipe."""
    words = {word: word[:1].upper() + word[1:] for word in options}
    return choose(label, words, key=key, default=getattr(DEFAULTS, key), **more)


def radii(measured: Measured, norm: str, goal: str) -> list[str]:
    """List the measured radii of a norm and a goal."""
    return [label for label in RADII[norm] if measured.complete(Setting(norm, label, goal).name)] or list(RADII[norm])


shell.header(
    "Transfer",
    "Perturbations made for one network fool others, because they learnt the same non-robust features.",
    needs="several networks, and labelled test pictures",
    served=served,
)
first = opening()
shell.presets(
    HERE.get(current().name, PRESETS[1:2]),
    key="transfer",
    defaults={
        "view": "matrix",
        "eps": first.radius[0],
        "models": [],
        **{
            name: getattr(first, name)
            for name in ("numbers", "goal", "norm", "of", "show", "steps", "seed", "n", "ensemble", "source", "target")
        },
    },
)
if not has_models():
    st.stop()
home = current() == worlds.get()  # of whose networks it was measured
claims = CLAIMS if home else {view: CLAIMS[view] for view in LIVE}
view = shell.views(claims, first.view, VIEWS)
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
shell.glossary("transfer", WORDS[view])
with st.expander("The mathematics"):
    st.markdown(lesson("transfer")["mathematics"])
