"""The controls of Transfer, and the recipe they make."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.data import pictures
from core.models import checkpoints
from core.transfer.names import in_sight
from core.transfer.recipe import DEFAULT_RADIUS, RADII, TransferRecipe
from core.transfer.results import Measured, Setting
from pages.ui.address import choose
from pages.ui.world import current

# The gallery's pictures were painted by a robust model, and networks are surer of them than of photographs.
SURE_RADIUS = "1"


def opening() -> TransferRecipe:
    """Return the recipe with which this world opens."""
    world = current()
    if world == worlds.get():
        return TransferRecipe(eps=SURE_RADIUS) if pictures.available()[0] == "gallery" else TransferRecipe()
    there = in_sight(checkpoints.names(world=world.name))
    return TransferRecipe(world=world.name, numbers="live", source=there[0], target=there[min(1, len(there) - 1)])


def controls(view: str, measured: Measured | None) -> TransferRecipe:
    """Show the controls that the view has and return the recipe they make (without the pair)."""
    if view == "figure3":
        st.caption("This view has no controls: its points are fixed.")
        return TransferRecipe(view=view)
    found: dict[str, Any] = {}
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
    found["norm"] = choice("Norm", list(RADII), "norm")
    if view != "curve":
        found["eps"] = radius(found["norm"], None if live else measured, found["goal"])
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
        return TransferRecipe(view=view, **found)
    first = opening()
    return TransferRecipe(
        view=view, world=first.world, source=first.source, target=first.target, **found, **more(view, live=live)
    )


def radius(norm: str, measured: Measured | None, goal: str) -> str:
    """Show the choice of a radius of that norm, among those measured for the goal if it is of measured numbers.

    Returns:
        Its label as in the recipe, where "" is the norm's own.
    """
    labels = list(RADII[norm]) if measured is None else radii(measured, norm, goal)
    wanted = replace(opening(), norm=norm).radius[0]
    default = wanted if wanted in labels else labels[0]
    if st.session_state.get("eps", default) not in labels:  # of another norm, or not measured
        st.session_state["eps"] = default
    eps = st.select_slider("ε", labels, value=default, key="eps", bind="query-params", disabled=len(labels) < 2)
    return "" if eps == DEFAULT_RADIUS[norm] else eps


def more(view: str, *, live: bool) -> dict[str, Any]:
    """Show what is seldom changed: how attacks are made, and of live numbers, on what."""
    found: dict[str, Any] = {}
    with st.expander("More", expanded=live):
        steps = st.slider(
            "Steps",
            1,
            50,
            TransferRecipe().steps,
            key="steps",
            bind="query-params",
            help="Of live attacks, and of the pictures shown.",
        )
        found["steps"] = int(steps)
        found["seed"] = int(st.number_input("Seed", 0, 2**31 - 1, 0, key="seed", bind="query-params"))
        if live:
            sizes = [16, 32, 64, 128, 256, 512]
            found["n"] = int(
                st.select_slider("Pictures", sizes, value=TransferRecipe().n, key="n", bind="query-params")
            )
        if live and view == "matrix":
            names = in_sight(checkpoints.names(world=current().name))
            found["models"] = tuple(
                st.multiselect("Models", names, key="models", bind="query-params", placeholder="all")
            )
            found["ensemble"] = st.toggle("Also attack all of them at once", key="ensemble", bind="query-params")
    return found


def choice(label: str, options: list[str], key: str, **more: Any) -> str:
    """Show a choice among a few words of the recipe."""
    words = {word: word[:1].upper() + word[1:] for word in options}
    return choose(label, words, key=key, default=getattr(TransferRecipe(), key), **more)


def radii(measured: Measured, norm: str, goal: str) -> list[str]:
    """List the measured radii of a norm and a goal."""
    return [label for label in RADII[norm] if measured.complete(Setting(norm, label, goal).name)] or list(RADII[norm])


def defaults() -> dict[str, object]:
    """Return what each control shows before anybody has touched it, by the widget's key."""
    first = opening()
    plain = ("numbers", "goal", "norm", "of", "show", "steps", "seed", "n", "ensemble", "source", "target")
    return {
        **{name: getattr(first, name) for name in plain},
        "view": "matrix",
        "eps": first.radius[0],
        "models": [],
    }
