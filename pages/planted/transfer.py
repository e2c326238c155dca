"""Does it transfer? Between networks of this world, and to networks of a world with other weaves."""

import streamlit as st

from core.data.planted.scenes import render
from core.models import Classifier
from core.planted import probes
from core.planted.networks import SIDES, fresh
from core.planted.recipe import PlantedRecipe
from core.planted.results import Results
from core.rates import Rate
from pages.planted.words import TITLES
from pages.ui.store import results
from pages.ui.tables import table

LIVE = 100
READERS = {
    "itself": "the attacked network itself",
    "seed": "another standard network of the same world (other seed, other pictures)",
    "weave": "a standard network of a world with other weaves, same shapes",
    "robust": "the robust network of the same world",
}


def show(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, list[object]]:
    """Show the measured transfer, and both ways between the two networks on the page."""
    found = Results()
    if "transfer/seed" in found:
        st.markdown("### A standard network is attacked. Who else says the target?")
        rows = [
            [text, found.of(f"transfer/{who}").per_cent(), found.of(f"transfer/{who}/before").per_cent()]
            for who, text in READERS.items()
        ]
        table(["Shown to", "says the target", "said it before"], rows, label="Transfer, measured")
        st.caption(
            f"Default world, ε = 0.5, toward the next class. {found.source('transfer')}; {found.about['attacked']}"
            " pictures for each seed."
        )
    with st.spinner("Attacking both networks…"):
        rates = results().of(("planted transfer", recipe.trained, recipe.eps), lambda: _live(recipe, pair))
    st.markdown("### Between the two networks on this page, now")
    rows = [[f"made for the {source}", *(str(rate) for rate in row)] for source, row in zip(SIDES, rates, strict=True)]
    table(["", *(f"{TITLES[s]} says the target" for s in SIDES)], rows, label="Transfer between both networks")
    return {
        "made for": list(SIDES),
        **{f"fools {s}": [row[i].value for row in rates] for i, s in enumerate(SIDES)},
        "n": [LIVE] * 2,
    }


def _live(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> list[list[Rate]]:
    drawn = fresh(recipe, LIVE)
    x, target = render(recipe.world, drawn), (drawn.y + 1) % recipe.classes
    both = [pair[side] for side in SIDES]
    return probes.transfer(both, both, x, target, recipe.eps)
