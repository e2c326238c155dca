"""Which feature did each network use? Take one away, or exchange it."""

import streamlit as st

from core.models import Classifier
from core.planted import probes
from core.planted.networks import fresh, shipped
from core.planted.recipe import PlantedRecipe
from core.planted.results import Results
from core.rates import Estimate
from pages.planted.words import TITLES, lines
from pages.ui.charts import show_chart
from pages.ui.store import results
from pages.ui.tables import table

LIVE = 200  # pictures of a live answer
ASKED = ("standard", "robust", "bayes")
NAMES = {"faint": "weave", "visible": "shape"}


def answers(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, Estimate]:
    """Return the measured answers where these networks are the default ones, else ask them now."""
    measured = Results()
    if shipped(recipe) == "features" and "follows/bayes/shape" in measured:
        return {name: measured.of(name) for name in measured.numbers if name.startswith(("knockout/", "follows/"))}
    return results().of(("planted answers", recipe.trained), lambda: _asked(recipe, pair))


def _asked(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, Estimate]:
    world, drawn = recipe.world, fresh(recipe, LIVE)
    asked = probes.rules(world, pair)
    found: dict[str, Estimate] = {
        f"knockout/{feature}/{name}/{strength:g}": rate
        for feature, curves in probes.knockout(world, drawn, asked).items()
        for name, rates in curves.items()
        for strength, rate in zip(probes.STRENGTHS, rates, strict=True)
    }
    for name, rates in probes.follows(world, drawn, asked).items():
        found |= {f"follows/{name}/{feature}": rate for feature, rate in rates.items()}
    return found


def show(recipe: PlantedRecipe, pair: dict[str, Classifier]) -> dict[str, list[object]]:
    """Show accuracy against the strength of each feature, and whom each follows when the two disagree."""
    with st.spinner("Asking both networks and the Bayes rule…"):
        found = answers(recipe, pair)
    rows = [
        [TITLES[name], found[f"follows/{name}/shape"].per_cent(), found[f"follows/{name}/weave"].per_cent()]
        for name in ASKED
    ]
    st.markdown("### The shape of one class, the weave of another: whom does it follow?")
    table(["Who", "says the shape's class", "says the weave's class"], rows, label="Whom each follows in conflict")
    columns = st.columns(2, gap="large")
    for feature, column in zip(("faint", "visible"), columns, strict=True):
        curves = {name: [found[f"knockout/{feature}/{name}/{s:g}"] for s in probes.STRENGTHS] for name in ASKED}
        with column:
            st.markdown(f"### Weaken the {NAMES[feature]}, leave all else")
            show_chart(
                lines(
                    list(probes.STRENGTHS), curves, f"strength of the {NAMES[feature]}, 1 as in training", "accuracy"
                ),
                key=f"planted-knockout-{feature}",
                alt=f"Accuracy against the strength of the {NAMES[feature]}: at none "
                + ", ".join(f"{TITLES[name]} {curve[0].per_cent()}" for name, curve in curves.items()),
            )
    st.caption(source(recipe))
    return {
        "name": list(found),
        "value": [n.value for n in found.values()],
        "low": [n.low for n in found.values()],
        "high": [n.high for n in found.values()],
        "n": [n.n for n in found.values()],
    }


def source(recipe: PlantedRecipe) -> str:
    """Say where the numbers come from."""
    measured = Results()
    if shipped(recipe) == "features" and "follows/bayes/shape" in measured:
        return f"{measured.source('knockout')}; {measured.about['tested']:,} fresh pictures for each seed."
    return f"Of these two networks, on {LIVE} fresh pictures, with Wilson 95 % intervals."
