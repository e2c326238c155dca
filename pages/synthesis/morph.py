"""Hold to morph, as a view of the Synthesis page: the canvas, and what leaves it."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st
from torch import Tensor

from core import worlds
from core.data.decode import PictureError
from core.data.pictures import Picture
from core.files import render
from core.files.render import RGB
from core.models.titles import title, titles
from core.recipes import from_query, to_query
from core.synthesis import morph
from core.synthesis.morph import Board
from core.synthesis.recipe import SynthesisRecipe
from core.worlds import World
from pages.synthesis.board import Live
from pages.synthesis.canvas import canvas
from pages.ui import shell, work
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.judge import JUDGE, knows
from pages.ui.store import Loaded, loaded, model
from pages.ui.world import current

PAGE = "synthesis"
ADDRESS = ("start", "holds", "reach")  # what the canvas writes into the address
FILM_AT_MOST = 240  # frames of an exported film
KEYS, LARGEST = 20, 96  # classes with a button, and pixels a side, of the canvas


def serves(world: World) -> bool:
    """Tell whether a canvas can have this world's pictures, sent at every step, and a button for each class."""
    return world.side <= LARGEST and len(world.classes) <= KEYS


def names_of(recipe: SynthesisRecipe) -> tuple[str, ...]:
    """List the models that paint, each once."""
    return tuple(dict.fromkeys((recipe.standard, recipe.robust)))


def show(recipe: SynthesisRecipe, picture: Picture) -> None:
    """Show the canvas with the recipe's board, or with what this visitor has made of it."""
    recipe = _of_address(recipe)
    _board(recipe, _live(recipe, picture), picture)


def _live(recipe: SynthesisRecipe, picture: Picture) -> Live:
    """Return the visitor's board; a link that says something new, or a newly picked picture, begins another."""
    names = names_of(recipe)
    asked = _asked(names)
    live: Live | None = st.session_state.get("morph-live")
    if live is None or asked != st.session_state.get("morph-asked"):
        both = [loaded(name) for name in names]
        models = tuple(one.model for one in both)
        judge = model(JUDGE) if knows(JUDGE, current().classes) else None
        # Boards change; what is kept is one that nobody has touched.
        ready = _opened(recipe, both).copy()
        live = st.session_state["morph-live"] = Live(ready, models, judge, work.desk().account, current().classes)
        st.session_state["morph-asked"] = asked
        st.session_state["morph-picture"] = picture.id
        st.session_state["morph-version"] = 0
    elif picture.id != st.session_state.get("morph-picture"):
        live.board.start(picture.x, picture.id)
        st.session_state["morph-picture"] = picture.id
        st.session_state["morph-version"] += 1
    if (by_hand := st.session_state.pop("morph-next", None)) is not None:  # from the studio's shelf
        live.board.start(render.from_uint8(by_hand[None]))
        st.session_state["morph-version"] += 1
    return live


def _opened(recipe: SynthesisRecipe, models: list[Loaded]) -> Board:
    """Make the recipe's board; as far as it came, if it was stopped."""
    key = (
        "morph",
        recipe.world,
        tuple((one.name, one.stamp) for one in models),
        recipe.start,
        recipe.holds,
        recipe.reach,
    )
    steps = sum(act.steps for act in morph.acts_of(recipe))

    def make(on_step: work.Step) -> Board:
        return morph.opened(recipe, [one.model for one in models], on_step=lambda i: bool(on_step(i)))

    (outcome,) = work.ask([work.Piece(key, make, max(1, steps))], group=key, text="Holding the buttons of the link…")
    return outcome.value or morph.opened(replace(recipe, holds=()), [one.model for one in models])


@st.fragment
@shell.guarded()
def _board(recipe: SynthesisRecipe, live: Live, picture: Picture) -> None:
    board, names = live.board, names_of(recipe)
    canvas(
        live,
        key="morph-canvas",
        page=PAGE,
        titles=list(zip(titles(*names), map(title, names), strict=True)),
        starts=starts(recipe, picture),
        judge=titles(JUDGE)[0] if live.judge is not None else "",
        eps=recipe.reach,
        step=morph.STEP,
        version=st.session_state["morph-version"],
    )
    linked = morph.described(board, recipe)
    _write_address(linked)
    st.session_state["morph-asked"] = _asked(names)
    if linked is None:
        st.caption(
            "A link cannot carry brush strokes, uploads or changed settings; the files below, the script among"
            " them, do."
        )
    downloads(files(recipe, board), key="morph", script=morph.script(board, names, recipe.world))


def follow_preset(recipe: SynthesisRecipe) -> None:
    """Have the canvas open with what a preset has just asked of it, as a link would: that is no widget's value."""
    asked = {name: st.session_state.pop(f"morph-{name}", None) for name in ("start", "holds")}
    if asked["start"] is not None and st.session_state["view"] == "morph":  # the studio's leave the canvas alone
        _write_address(replace(recipe, **asked))
        st.session_state.pop("morph-asked", None)


def _of_address(recipe: SynthesisRecipe) -> SynthesisRecipe:
    """Return the recipe with what the address says of the canvas."""
    asked, _ = from_query(SynthesisRecipe, st.query_params.to_dict())
    return replace(recipe, **{name: getattr(asked, name) for name in ADDRESS if name in st.query_params})


def _write_address(linked: SynthesisRecipe | None) -> None:
    """Have the address say what the canvas shows; nothing, where a link cannot carry it."""
    query = to_query(linked) if linked is not None else {}
    for name in ADDRESS:
        if name in query:
            st.query_params[name] = query[name]
        else:
            st.query_params.pop(name, None)


def _asked(names: tuple[str, ...]) -> tuple[object, ...]:
    """Return what the canvas was asked for: its painters, and what the address says of it."""
    return (names, *(st.query_params.get(name) for name in ADDRESS))


def starts(recipe: SynthesisRecipe, picture: Picture) -> list[tuple[str, str, Tensor]]:
    """List what the canvas offers to start from: nothing, the picked picture, sketches, seeds."""
    found = [("blank", "blank"), (picture.id, "picture")]
    if current() == worlds.get():
        found += [(f"sketch/{name}", name) for name in morph.SKETCHES]
        found += [(f"seed/{name}/{recipe.seed}", f"{name} blur") for name in current().classes]
    else:
        first, called = current().classes[0], "empty" if current().name == "planted" else "blur"
        found += [(f"seed/{first}/{recipe.seed + i}", f"{called} {i + 1}") for i in range(4)]
    listed = []
    for name, label in found:
        try:
            x = picture.x if name == picture.id else morph.start(name, recipe.world)
        except (PictureError, ValueError):
            continue
        listed.append((name, label, x))
    return listed


def files(recipe: SynthesisRecipe, board: Board) -> list[Download]:
    """List the downloads; each is made of the board as it is when the button is pressed."""
    names, side = names_of(recipe), board.pictures.shape[-1]
    out = Bundle(morph.described(board, recipe) or replace(recipe, holds=()))

    def shown(k: int) -> RGB:
        return render.to_uint8(board.pictures)[k]

    for k, (head, name) in enumerate(zip(titles(*names), names, strict=True)):
        out.pixels(
            f"Picture, {head}",
            f"morph-{k + 1}-{name}.png",
            partial(shown, k),
            f"{side} × {side}, pixel for pixel",
        )
    out.slide(
        "Before and after",
        "morph-sheet.png",
        lambda: [list(board.film[0]), list(board.film[-1])],
        heads=titles(*names),
        sides=("First frame", "Last frame"),
        caption=_held(board),
    )

    def strips() -> list[np.ndarray]:
        every = -(-len(board.film) // FILM_AT_MOST)
        film = np.stack([*board.film[:-1:every], board.film[-1]])
        return list(film.swapaxes(0, 1))

    out.film("morph", strips, ms=50)

    def arrays() -> dict[str, Tensor | np.ndarray]:
        acts = np.array([[a.target, a.steps, a.eps, a.step_size] for a in board.acts]).reshape(-1, 4)
        film = np.stack(board.film)
        return {"pictures": board.pictures, "anchor": board.anchor, "film": film, "origin": board.origin, "acts": acts}

    out.arrays("morph.npz", arrays, "float32 pictures, 8-bit film, the holds")
    return out.files


def _held(board: Board) -> str:
    """Say what was held, for the caption of a picture."""
    holds = ", then ".join(f"{current().classes[act.target]} for {act.steps} steps" for act in board.acts)
    return f"Held: {holds}." if holds else "Nothing was held."
