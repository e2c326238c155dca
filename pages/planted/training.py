"""The two networks of the page: those that ship, those trained before, or a button that trains them live."""

import contextlib
import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

import plotly.graph_objects as go
import streamlit as st

from core.models import Classifier, checkpoints
from core.planted import networks
from core.planted.networks import SIDES
from core.planted.recipe import PlantedRecipe
from core.train.report import Progress
from pages.planted.words import COLOURS, DASHES, TITLES, styled
from pages.ui import work
from pages.ui.charts import show_chart
from pages.ui.exports import Bundle
from pages.ui.store import results

T = TypeVar("T")
Curve = list[tuple[float, float]]  # epochs done, mean loss of the epoch so far


MOST_RUNS = 16  # interrupted ones, of one network each, that wait to be resumed


def run_folder(recipe: PlantedRecipe, side: str) -> Path:
    """Return where an interrupted run of these settings waits to be resumed, on this computer only."""
    name = hashlib.sha256(repr(recipe.trained).encode()).hexdigest()[:16]
    return runs() / f"{name}-{side}"


def runs() -> Path:
    """Return the folder of all interrupted runs."""
    return Path(tempfile.gettempdir()) / "robust-frog-planted"


def make_room(most: int = MOST_RUNS) -> None:
    """Delete the interrupted runs that were left longest ago, but for so many."""
    with contextlib.suppress(OSError):  # no folder, or somebody else deletes, too
        found = sorted(runs().iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in found[most:]:
            shutil.rmtree(folder, ignore_errors=True)


def kept(recipe: PlantedRecipe) -> dict[str, Classifier] | None:
    """Return the pair if it ships or somebody has trained it since the server started."""
    key = ("planted pair", recipe.trained)
    found = results().get(key)
    if found is None and (name := networks.shipped(recipe)):
        found = results().put(key, networks.load(name))
    return found


def box(recipe: PlantedRecipe) -> dict[str, Classifier] | None:
    """Say which networks are here, or train them when asked; return the pair if there is one."""
    found = kept(recipe)
    curves: dict[str, Curve] = results().get(("planted curves", recipe.trained)) or {}
    if found is not None:
        parameters = sum(p.numel() for p in found["standard"].parameters())
        whence = "They ship with the project" if networks.shipped(recipe) else "Trained here"
        st.caption(
            f"Two networks of {parameters:,} parameters, alike but for the adversary (L2 {recipe.train_eps:g}) in the"
            f" training of one. {whence}; {recipe.pictures:,} pictures, {recipe.epochs} epochs. Change a slider and"
            " train your own."
        )
        if curves:
            show_chart(chart(curves), key="planted-curve", alt=curve_alt(curves))
        return found
    waiting = any(run_folder(recipe, side).is_dir() for side in SIDES)
    with st.container(horizontal=True, vertical_alignment="center"):
        asked = st.button(
            "Go on training" if waiting else "Train both networks in this world",
            type="primary",
            key="planted-train",
            icon=":material/play_arrow:",
            width="content",
        )
        st.caption("About ten seconds each on an idle core. The view below needs them.", width="content")
    if curves:
        st.caption("Stopped; it goes on from its last full epoch.")
        show_chart(chart(curves), key="planted-curve", alt=curve_alt(curves))
    if asked:
        _train(recipe)
        st.rerun()
    return None


def _train(recipe: PlantedRecipe) -> None:
    def job(side: str) -> Callable[[work.Step], Classifier]:
        def run(on_step: work.Step) -> Classifier:
            curve: Curve = []

            def watch(p: Progress) -> bool:
                curve.append((p.epoch + (p.step + 1) / p.steps, p.loss))
                return on_step(p.epoch * p.steps + p.step, curve)

            return networks.train(recipe, side, run=run_folder(recipe, side), on_progress=watch)

        return run

    steps = recipe.epochs * (recipe.pictures // 64)
    keys = {side: ("planted network", recipe.trained, side) for side in SIDES}
    place_of_curves, place = ("planted curves", recipe.trained), st.empty()

    def draw(states: Mapping[Hashable, Curve]) -> None:
        before: dict[str, Curve] = results().get(place_of_curves) or {}
        curves = {side: states.get(keys[side], before.get(side, [])) for side in SIDES}
        results().put(place_of_curves, curves)
        if seen := sum(map(len, curves.values())):
            show_chart(
                chart(curves),
                key=f"planted-live-{seen}-{time.monotonic_ns()}",
                alt=curve_alt(curves),
                name="planted-curve",
                place=place,
            )

    make_room(MOST_RUNS - len(SIDES))
    work.desk().go_on()
    pieces = [work.Piece(keys[side], job(side), steps) for side in SIDES]
    group = ("planted training", recipe.trained)
    outcomes = work.ask(pieces, group=group, text="Training both networks…", show=_now_and_then(draw))
    pair = {side: one.value for side, one in zip(SIDES, outcomes, strict=True) if one.stopped is None and one.value}
    if len(pair) == len(SIDES):
        results().put(("planted pair", recipe.trained), pair)
        for side in SIDES:  # nothing is left to be resumed
            shutil.rmtree(run_folder(recipe, side), ignore_errors=True)


def _now_and_then(draw: Callable[[T], None], every: int = 4) -> Callable[[T], None]:
    count = 0

    def show(states: T) -> None:
        nonlocal count
        count += 1
        if count % every == 1:
            draw(states)

    return show


def offer_weights(recipe: PlantedRecipe, out: Bundle) -> None:
    """Offer both networks as checkpoints of this world."""

    def make(side: str) -> bytes:
        pair = kept(recipe)
        assert pair is not None
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "weights.safetensors"
            checkpoints.save(path, pair[side].state_dict(), networks.header(recipe, side))
            return path.read_bytes()

    note = "fp16, with the world and the training in its header"
    for side in SIDES:
        name = f"planted-{side}.safetensors"
        out.file(f"Weights, {side}", name, "application/octet-stream", partial(make, side), note)


def chart(curves: dict[str, Curve]) -> go.Figure:
    """Draw the falling losses."""
    figure = go.Figure()
    for side, points in curves.items():
        shown = points[:: max(1, len(points) // 200)]
        figure.add_scatter(
            x=[x for x, _ in shown],
            y=[y for _, y in shown],
            name=TITLES.get(side, side),
            mode="lines",
            line={"color": COLOURS.get(side), "dash": DASHES.get(side, "solid"), "width": 3},
        )
    return styled(figure, "epochs", "loss on what it trains on", height=230)


def curve_alt(curves: dict[str, Curve]) -> str:
    """Say where the losses began and where they are."""
    ends = [f"{side} from {points[0][1]:.2f} to {points[-1][1]:.2f}" for side, points in curves.items() if points]
    return f"Training loss: {'; '.join(ends)}."
