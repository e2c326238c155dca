"""The matrix view of the Transfer page: who is fooled by whom, measured or live, and the pictures of one cell."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from core import worlds
from core.files import render
from core.files.playable import Scene
from core.files.render import RGB
from core.models import checkpoints
from core.transfer import scene, views
from core.transfer.names import in_sight, robust, title
from core.transfer.outcome import Cell, Transfer
from core.transfer.recipe import TransferRecipe
from core.transfer.results import Measured, setting_of
from pages.transfer import cell as transfer_cell
from pages.transfer import work
from pages.transfer.heat import Grid, heat
from pages.transfer.heat_png import heat_picture
from pages.transfer.predict import predict_first
from pages.ui.duel import duel
from pages.ui.exports import Bundle, Download, downloads
from pages.ui.model_box import model_box
from pages.ui.shell import user_errors
from pages.ui.world import current

Cells = Mapping[tuple[str, str], Cell]


def show(recipe: TransferRecipe, measured: Measured | None) -> None:
    """Show the matrix and, below it, the chosen cell."""
    rows: list[Transfer] = []
    if recipe.numbers == "live" or measured is None:
        slot = st.empty()
        rows = work.matrix(recipe, lambda so_far: _so_far(slot, recipe, so_far))
        slot.empty()  # what it showed is in the matrix below
        cells: Cells = {pair: cell for row in rows for pair, cell in row.cells.items()}
        origin = f"computed here: {recipe.n} pictures at most, steps: {recipe.steps}, seed {recipe.seed}"
    else:
        cells = measured.matrix(setting_of(recipe))
        origin = source_line(measured)
    if not cells:
        st.caption("There are no numbers for this yet.")
        return
    grid = grid_of(recipe, cells, measured)
    top, below = st.container(), st.container()
    with below:  # first, because the boxes know what the address says
        recipe = replace(recipe, **pair_boxes(recipe, grid))
    with top:
        asked = cells.get((recipe.source, recipe.target))
        names = (grid.titles[recipe.source], grid.titles[recipe.target])
        if asked is not None and not predict_first(recipe, asked.rate("attack", "both", recipe.goal), *names):
            return
        left, right = st.columns([3, 2] if len(grid.targets) < 6 else [2, 1], gap="large")
        with left:
            heat(grid, (recipe.source, recipe.target), pick, key="transfer-heat")
        with right:
            reading(recipe, grid, measured)
        st.caption(f"{pairs_line(recipe, cells)} {origin}")
    with below:
        found = cell(recipe, cells, measured)
        if current() == worlds.get():  # of which the two students are
            duel("transfer-duel")

        def played() -> Scene:
            return scene.lived(recipe, cells) if rows or measured is None else scene.played(recipe, measured)

        downloads(files(recipe, grid, cells, rows, found, played), key="transfer", script=views.script(recipe))


def pick(source: str, target: str) -> None:
    """Choose a cell: the two boxes below the matrix follow."""
    st.session_state["source"], st.session_state["target"] = source, target


def grid_of(recipe: TransferRecipe, cells: Cells, measured: Measured | None) -> Grid:
    """Lay the cells out for the heat map."""
    sources = in_sight({source for source, _ in cells}, measured)
    targets = in_sight({target for _, target in cells}, measured)
    says = {"untargeted": "the target is wrong", "targeted": "the target predicts the wanted class"}[recipe.goal]
    if recipe.show == "noise":
        says += " about mere noise of the same size" if recipe.goal == "untargeted" else " for mere noise of that size"
    return Grid(
        rates={pair: cell.rate(recipe.show, recipe.of, recipe.goal) for pair, cell in cells.items()},
        sources=sources,
        targets=targets,
        titles={name: title(name, measured) for name in {*sources, *targets}},
        says=says,
    )


def reading(recipe: TransferRecipe, grid: Grid, measured: Measured | None) -> None:
    """Say in a few sentences what the matrix shows."""
    if recipe.show == "noise":
        st.markdown(
            "**The control.** Each picture carries random noise of exactly the length that the attack used. What is"
            " left of the numbers is what size alone does."
        )
        return
    st.markdown(
        "**How to read it.** A row is the network that the perturbations were made for, a column the network that they"
        " are shown to. On the diagonal the attacker knows the network (the *white-box* rate); everywhere else it does"
        " not, and the perturbation travels or does not."
    )
    if any(views.JOIN in source for source in grid.sources):
        st.markdown("The last row attacks an ensemble; the attacker knows all of its members.")
    others = {pair: rate for pair, rate in grid.rates.items() if pair[1] not in pair[0].split(views.JOIN) and rate.n}
    if not others:
        return
    (source, target), most = max(others.items(), key=lambda found: found[1].value)
    st.markdown(
        f"Off the diagonal the most is **{most}**: made for {grid.titles[source]}, shown to {grid.titles[target]}."
    )
    onto = {(s, t): r for (s, t), r in others.items() if robust(t, measured) and not robust(s, measured)}
    if onto:
        (source, target), most = max(onto.items(), key=lambda found: found[1].value)
        st.markdown(
            f"From a standard network to a robust one the most is **{most}**, from {grid.titles[source]} to "
            f"{grid.titles[target]}."
        )
    back = {(s, t): r for (s, t), r in others.items() if robust(s, measured) and not robust(t, measured)}
    if back:
        (source, target), most = max(back.items(), key=lambda found: found[1].value)
        own = grid.rates.get((source, source))
        beside = f"; on {grid.titles[source]} itself it is {own}" if own else ""
        st.markdown(
            f"From a robust network to a standard one the most is **{most}**, to {grid.titles[target]}{beside}."
        )


def pair_boxes(recipe: TransferRecipe, grid: Grid) -> dict[str, Any]:
    """Show the choice of one cell; return its source and target."""
    st.markdown("### One cell")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        return {
            "source": model_box("Made for", recipe.source, "source", grid.sources, 260, called=title),
            "target": model_box("Shown to", recipe.target, "target", grid.targets, 260, called=title),
        }


def cell(recipe: TransferRecipe, cells: Cells, measured: Measured | None) -> views.Examples | None:
    """Show the chosen cell; return its pictures where they could be made."""
    pair = (recipe.source, recipe.target)
    if pair not in cells:
        st.caption("This pair is not computed.")
        return None
    st.markdown(transfer_cell.sentence(recipe, cells[pair], measured))
    missing = sorted(
        {member for name in pair for member in name.split(views.JOIN)} - set(checkpoints.names(world=recipe.world))
    )
    if missing:
        st.caption(f"The weights of {', '.join(missing)} are not here, so there are no pictures of this cell.")
        return None
    with user_errors():
        return transfer_cell.pictures(recipe, measured)


def pairs_line(recipe: TransferRecipe, cells: Cells) -> str:
    """Say what the denominators are."""
    counted = [cell.rate(recipe.show, recipe.of, recipe.goal).n for cell in cells.values()]
    which = "that source and target both get right without attack" if recipe.of == "both" else "drawn, right or not"
    n = f"{min(counted):,}" if min(counted) == max(counted) else f"{min(counted):,} to {max(counted):,}"
    return f"Counted: the pictures {which}, {n} a cell;"


def source_line(measured: Measured) -> str:
    """Say where measured numbers come from."""
    about = measured.about
    return f"n = {about['n']:,} drawn, {about['steps']} steps, seed {about['seed']}, {measured.circumstances}."


def files(
    recipe: TransferRecipe,
    grid: Grid,
    cells: Cells,
    rows: list[Transfer],
    found: views.Examples | None,
    played: Callable[[], Scene],
) -> list[Download]:
    """List the downloads."""
    out = Bundle(recipe)
    out.file("Matrix, PNG", "transfer.png", "image/png", lambda: out.encoded(heat_picture(grid)), "With 95 % intervals")
    out.playable("transfer", played)
    if found is not None:
        out.slide(
            "Pictures of the cell, PNG",
            "transfer-cell.png",
            lambda: _pictures(found),
            heads=("clean", "attacked"),
            caption=(
                f"Made for {grid.titles[recipe.source]}, shown to {grid.titles[recipe.target]}: "
                f"{recipe.norm} ε = {recipe.radius[0]}, {recipe.goal}."
            ),
        )
    out.table("Rates", "transfer.csv", lambda: _rates(cells), "All rates of all pairs, with intervals")
    out.arrays("transfer.npz", lambda: _arrays(grid, rows, found), "Counts, predictions, example pictures")
    return out.files


def _pictures(found: views.Examples) -> list[list[RGB]]:
    return [list(pair) for pair in zip(render.to_uint8(found.x), render.to_uint8(found.x_adv), strict=True)]


def _rates(cells: Cells) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {
        name: [] for name in ("source", "target", "rate", "value", "low", "high", "hits", "n")
    }
    for (source, target), cell in cells.items():
        for name, rate in cell.as_json().items():
            values = (source, target, name, rate["value"], *rate["interval"], rate["hits"], rate["n"])
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return columns


def _arrays(grid: Grid, rows: list[Transfer], found: views.Examples | None) -> dict[str, Tensor | np.ndarray]:
    pairs = [[grid.rates.get((s, t)) for t in grid.targets] for s in grid.sources]
    named: dict[str, Tensor | np.ndarray] = {
        "sources": np.array(grid.sources),
        "targets": np.array(grid.targets),
        "hits": np.array([[r.hits if r else -1 for r in row] for row in pairs]),
        "n": np.array([[r.n if r else 0 for r in row] for row in pairs]),
    }
    if rows:
        whole = Transfer.join(rows)
        named |= {"y": whole.y, "right": whole.correct, "clean": whole.clean, "norm": whole.norm}
        named |= {"said": whole.predictions, "said_of_noise": whole.noise_predictions}
    if found is not None:
        kept = ("x", "y", "x_adv", "x_noisy", "of_source", "of_target", "noise_of_target")
        named |= {f"example_{k}": getattr(found, k) for k in kept}
    return named


def _so_far(slot: DeltaGenerator, recipe: TransferRecipe, rows: list[Transfer]) -> None:
    cells = {pair: cell for row in rows for pair, cell in row.cells.items()}
    if cells:
        drawn = heat_picture(grid_of(recipe, cells, None))
        slot.image(drawn, output_format="PNG", alt="The rows so far")
