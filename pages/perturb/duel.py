"""The duel, a view of Perturb: a camera's picture, or one that moves, and both models attacked on it without end."""

from dataclasses import replace
from typing import Any

import streamlit as st

from core import worlds
from core.data.pictures import Picture
from core.files.render import to_uint8
from core.models.titles import title
from core.perturb.recipe import PerturbRecipe
from pages.perturb.columns import called
from pages.perturb.live import Arena
from pages.ui import work
from pages.ui.address import choose, keep, same
from pages.ui.component import component
from pages.ui.hosting import read_only
from pages.ui.live import packed
from pages.ui.model_box import model_box
from pages.ui.picker import pick_picture
from pages.ui.store import loaded
from pages.ui.world import current, pair

KEY = "perturb-duel"
CLAIM = (
    "Hold something up to the camera, press one key, and both models are attacked on the live picture, frame by frame."
    " Without a camera, a picture that moves does."
)
MISLEADS = (
    "Three steps of the attack a frame, each frame's from where the last one's ended: while the picture moves fast, the"
    " attack lags behind. *Fooled* is measured against the model's own answer to the same frame without the attack, for"
    " nobody has said what is on it. Whatever is held up, the models name one of their classes, and they see no"
    " finer than the large pictures are."
)
_mount = component("perturb")


def controls(opening: PerturbRecipe) -> PerturbRecipe:
    """Show what the sidebar has for the duel and return the recipe it makes (without picture)."""
    world = current()
    norm = choose("Norm", same(world.reaches), key="norm", default=opening.norm)
    reach = st.select_slider(
        "Largest ε", list(world.reaches[norm]), value=world.reach[norm], key="reach", bind="query-params"
    )
    left = model_box("Left model", opening.standard, "standard")
    right = model_box("Right model", pair().robust or left, "robust")
    recipe = replace(
        opening, view="duel", norm=norm, reach="" if reach == world.reach[norm] else reach, standard=left, robust=right
    )
    labels = recipe.eps_labels
    usual = labels[recipe.at_index]
    at = keep("at", usual, labels.__contains__)
    return replace(
        recipe, at="" if at == usual else at, target=keep("target", "any", ("any", *world.classes).__contains__)
    )


def show(opening: PerturbRecipe) -> None:
    """Show the view."""
    st.markdown(CLAIM)
    with st.sidebar:
        picture = pick_picture(key="picture")
        recipe = replace(controls(opening), picture=picture.id)
    arena = _arena(recipe)
    _mount(key=KEY, data=payload(recipe, picture, arena.token), on_set_change=_set)
    st.caption(MISLEADS)


def payload(recipe: PerturbRecipe, picture: Picture, token: str) -> dict[str, Any]:
    """Return what the component is sent."""
    world, names = worlds.of(recipe), list(dict.fromkeys((recipe.standard, recipe.robust)))
    heads = called(recipe)[: len(names)]
    return {
        "token": token,
        "page": "perturb",
        "models": [{"title": head, "subtitle": title(name)} for head, name in zip(heads, names, strict=True)],
        "classes": list(world.classes),
        "side": world.side,
        "labels": list(recipe.eps_labels),
        "unit": "ℓ₂, pixels in [0, 1]" if recipe.norm == "L2" else "ℓ∞, grey levels of 255",
        "at": recipe.at_index,
        "target": -1 if recipe.target == "any" else world.classes.index(recipe.target),
        "picture": packed(to_uint8(picture.x)[0]),
        "caption": picture.caption,
        "camera": not read_only(),
    }


def _arena(recipe: PerturbRecipe) -> Arena:
    """Return the visitor's arena, between the models of the recipe."""
    ones = [loaded(name) for name in dict.fromkeys((recipe.standard, recipe.robust))]
    stamps = tuple((one.name, one.stamp) for one in ones)
    arena: Arena | None = st.session_state.get("duel-arena")
    if arena is None:
        arena = st.session_state["duel-arena"] = Arena(recipe, (), work.desk().account)
    if st.session_state.get("duel-models") != stamps:
        arena.models = tuple(one.model for one in ones)
        st.session_state["duel-models"] = stamps
    arena.recipe = recipe
    return arena


def _set() -> None:
    """Take over what was chosen in the component."""
    said = st.session_state[KEY].get("set") or {}
    world = current()
    at, target = said.get("at"), said.get("target")
    recipe = PerturbRecipe(
        norm=st.session_state.get("norm") or world.norm,
        reach=str(st.session_state.get("reach") or ""),
        world=world.name,
    )
    if isinstance(at, int) and 0 <= at < len(recipe.eps_labels):
        st.session_state["at"] = recipe.eps_labels[at]
    if isinstance(target, int) and -1 <= target < len(world.classes):
        st.session_state["target"] = "any" if target < 0 else world.classes[target]
