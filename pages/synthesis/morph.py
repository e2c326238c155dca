"""Hold to morph, as a view of the Synthesis page: the canvas, and what leaves it."""

from dataclasses import replace

import numpy as np
import streamlit as st
from torch import Tensor

from core.compute import pool
from core.data.decode import PictureError
from core.data.pictures import Picture
from core.data.sets import CIFAR10_CLASSES
from core.files import arrays as exports
from core.files import render
from core.models import checkpoints
from core.recipes import to_json, to_query
from core.synthesis import morph
from core.synthesis.morph import Board
from core.synthesis.recipe import SynthesisRecipe
from pages.synthesis.board import Live
from pages.synthesis.canvas import canvas
from pages.ui.exports import Download, downloads
from pages.ui.judge import JUDGE
from pages.ui.store import model, results
from pages.ui.titles import title, titles

PAGE = "synthesis"
ADDRESS = ("start", "holds", "reach")  # what the canvas writes into the address
FILM_AT_MOST = 240  # frames of an exported film


def show(recipe: SynthesisRecipe, picture: Picture) -> None:
    """Show the canvas with the recipe's board, or with what this visitor has made of it."""
    live = _live(recipe, picture)
    _board(recipe, live, picture)


def _live(recipe: SynthesisRecipe, picture: Picture) -> Live:
    """Return the visitor's board; a link that says something new, or a newly picked picture, begins another."""
    names = (recipe.standard, recipe.robust)
    asked = (names, *(st.query_params.get(name) for name in ADDRESS))
    live: Live | None = st.session_state.get("morph-live")
    if live is None or asked != st.session_state.get("morph-asked"):
        models = tuple(model(name) for name in names)
        judge = model(JUDGE) if JUDGE in checkpoints.names() else None
        key = ("morph", names, recipe.start, recipe.holds, recipe.reach)
        # Boards change; the store keeps one that nobody has touched.
        ready: Board = results().of(key, lambda: pool().submit(morph.opened, recipe, models).result())
        live = st.session_state["morph-live"] = Live(ready.copy(), models, judge)
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


@st.fragment
def _board(recipe: SynthesisRecipe, live: Live, picture: Picture) -> None:
    board, names = live.board, (recipe.standard, recipe.robust)
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
    _write_address(recipe, linked)
    if linked is None:
        st.caption(
            "A link cannot carry brush strokes, uploads or changed settings; the files below, the script among them, do."
        )
    downloads(files(recipe, board), key="morph", script=morph.script(board, names))


def ask(recipe: SynthesisRecipe) -> None:
    """Have the canvas open with the recipe's board, as a link to it would."""
    query = to_query(recipe)
    for name in ADDRESS:
        if name in query:
            st.query_params[name] = query[name]
        else:
            st.query_params.pop(name, None)
    st.session_state.pop("morph-asked", None)


def _write_address(recipe: SynthesisRecipe, linked: SynthesisRecipe | None) -> None:
    query = to_query(linked) if linked is not None else {}
    for name in ADDRESS:
        if name in query:
            st.query_params[name] = query[name]
        else:
            st.query_params.pop(name, None)
    st.session_state["morph-asked"] = (
        (recipe.standard, recipe.robust),
        *(st.query_params.get(name) for name in ADDRESS),
    )


def starts(recipe: SynthesisRecipe, picture: Picture) -> list[tuple[str, str, Tensor]]:
    """List what the canvas offers to start from: nothing, the picked picture, and a seed of each class."""
    found = [("blank", "blank"), (picture.id, "picture")]
    found += [(f"sketch/{name}", name) for name in morph.SKETCHES]
    found += [(f"seed/{name}/{recipe.seed}", f"{name} blur") for name in CIFAR10_CLASSES]
    listed = []
    for name, label in found:
        try:
            x = picture.x if name == picture.id else morph.start(name)
        except (PictureError, ValueError):
            continue
        listed.append((name, label, x))
    return listed


def files(recipe: SynthesisRecipe, board: Board) -> list[Download]:
    """List the downloads; each is made of the board as it is when the button is pressed."""
    about = {"Software": "Robust Frog", "recipe": to_json(morph.described(board, recipe) or replace(recipe, holds=()))}
    names = (recipe.standard, recipe.robust)

    def picture(k: int) -> bytes:
        return render.png(render.to_uint8(board.pictures)[k], about)

    def film(kind: str) -> bytes:
        every = -(-len(board.film) // FILM_AT_MOST)
        frames = [*board.film[:-1:every], board.film[-1]]
        strips = [render.upscaled(render.sheet(list(frame), 2), 6) for frame in frames]
        return render.animation(np.stack(strips), kind, 50, about)

    def sheet() -> bytes:
        cells = [*board.film[0], *board.film[-1]]
        return render.png(render.sheet([render.upscaled(c, 6) for c in cells], 2, gap=12), about)

    def arrays() -> bytes:
        given = {
            "pictures": board.pictures,
            "anchor": board.anchor,
            "film": np.stack(board.film),
            "origin": board.origin,
        }
        acts = np.array([[a.target, a.steps, a.eps, a.step_size] for a in board.acts]).reshape(-1, 4)
        return exports.npz({**given, "acts": acts}, about["recipe"])

    return [
        *(Download(f"Picture, {head}", f"morph-{k + 1}-{name}.png", "image/png", lambda k=k: picture(k)) for k, (head, name) in enumerate(zip(titles(*names), names, strict=True))),
        Download("Before and after", "morph-sheet.png", "image/png", sheet, "First and last frame, a column a model"),
        Download("Film, APNG", "morph-film.png", "image/apng", lambda: film("apng"), "Lossless"),
        Download("Film, WebP", "morph.webp", "image/webp", lambda: film("webp"), "Lossless"),
        Download("Arrays, npz", "morph.npz", "application/octet-stream", arrays, "float32 pictures, 8-bit film, the holds"),
        Download("Recipe, JSON", "recipe.json", "application/json", lambda: about["recipe"]),
    ]  # fmt: skip
