"""The Sandbox page: it opens with what ships, a moved slider asks for training, every question has an answer."""

import csv
import io
import os
import tempfile
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.files import render
from core.models import build, checkpoints
from core.planted import networks
from core.planted.recipe import VIEWS, PlantedRecipe
from core.recipes import from_json
from pages.planted import training
from pages.ui import store
from tests.app_process import ROOT
from tests.helpers import run_alone
from tests.pages.tools import ran, said

PAGE = str(ROOT / "pages" / "planted" / "page.py")
SMALL = {"pictures": 200, "epochs": 1, "width": 2}


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """Neither CIFAR-10 nor a gallery; few pictures for live answers."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")
    monkeypatch.setattr("pages.planted.features.LIVE", 24)
    monkeypatch.setattr("pages.planted.preferred.LIVE", 24)
    monkeypatch.setattr("pages.planted.usefulness.PICTURES", 200)
    monkeypatch.setattr("core.planted.superposition.STEPS", 50)


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the downloads."""
    seen = SimpleNamespace(files={}, script=None)

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr("pages.ui.exports.downloads", offer)
    return seen


def opened(**query: object) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=300)
    app.session_state["navigated"] = True
    for name, value in query.items():
        app.query_params[name] = str(value)
    return ran(app)


def put_pair(**changes: object) -> PlantedRecipe:
    """Lay two small untrained networks where trained ones are kept."""
    recipe = replace(PlantedRecipe(), **SMALL, **changes)
    pair = {side: build("patchnet", width=2, classes=recipe.classes).eval() for side in networks.SIDES}
    store.results().put(("planted pair", recipe.trained), pair)
    return recipe


@pytest.mark.parametrize("view", VIEWS)
def test_every_question_has_an_answer_offline(view, shown):
    """No exception, no error, and a table of numbers to take away."""
    put_pair()
    app = opened(view=view, **SMALL)
    assert not app.error
    numbers = list(csv.reader(io.StringIO(shown.files["planted.csv"].make()))) if "planted.csv" in shown.files else []
    assert len(numbers) > 1 or view == "datasets"


def test_it_opens_with_the_pair_that_ships():
    """No button to train, an answer on screen."""
    app = opened()
    assert "They ship with the project" in said(app)
    assert "planted-train" not in [button.key for button in app.button]


def test_another_world_wants_to_be_trained_in():
    """A moved slider is a world in which nobody has trained."""
    app = ran(opened().slider(key="faint").set_value(0.6))
    assert "planted-train" in [button.key for button in app.button]
    assert "weave" in said(app)


def test_training_in_front_of_the_visitor_makes_a_pair(tmp_path, monkeypatch):
    """One small world from nothing to answers; a second visitor finds the pair, and no run waits to be resumed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    trained = []
    train = networks.train
    monkeypatch.setattr(networks, "train", lambda *a, run, **more: (train(*a, run=run, **more), trained.append(run))[0])
    query = {**SMALL, "weave": 7, "view": "transfer"}
    app = opened(**query)
    app = ran(app.button(key="planted-train").click())
    assert "Trained here" in said(app)
    assert "Trained here" in said(opened(**query))
    assert len(trained) == 2 and {run.parent for run in trained} == {training.runs()}
    assert list(training.runs().iterdir()) == []


def test_of_interrupted_runs_those_left_longest_ago_give_way(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    training.make_room()  # before there is any
    for age in range(training.MOST_RUNS + 4):
        folder = training.runs() / f"run-{age}"
        folder.mkdir(parents=True)
        (folder / "state.pt").write_bytes(b"x")
        os.utime(folder, (10**9 - age, 10**9 - age))
    training.make_room()
    left = {folder.name for folder in training.runs().iterdir()}
    assert left == {f"run-{age}" for age in range(training.MOST_RUNS)}


def test_presets_set_the_world_and_reset_sets_it_back(shown):
    """Each preset is a whole recipe."""
    app = opened()
    for i in range(5):
        app = ran(app.button(key=f"planted-preset-{i}").click())
        assert not app.error
    app = ran(app.button(key="planted-preset-5").click())
    assert from_json(PlantedRecipe, shown.files["recipe.json"].make()).world == PlantedRecipe().world


def test_the_sheet_carries_its_recipe(shown):
    """A lossless picture with the recipe inside."""
    put_pair(weave=3)
    opened(weave=3, **SMALL)
    png = shown.files["planted.png"].make()
    assert from_json(PlantedRecipe, render.png_text(png)["recipe"]).weave == 3


def test_weights_leave_as_checkpoints_of_this_world(shown, tmp_path):
    """They load again, with the classes of the world in their header."""
    put_pair()
    opened(**SMALL)
    path = checkpoints.path_of("mine", tmp_path)
    path.write_bytes(shown.files["planted-robust.safetensors"].make())
    model, about = checkpoints.read(path)
    assert about.classes == PlantedRecipe().names
    assert model(torch.rand(1, 3, 32, 32)).shape == (1, 4)


def test_values_that_are_no_world_fall_back(shown):
    """An address of nonsense opens the page."""
    assert not opened(faint="NaN", classes=99, eps="x", view="nothing", made="?").error


def test_the_script_runs(shown, tmp_path):
    """What the page offers for copying prints whom each network follows."""
    put_pair()
    opened(**SMALL)
    printed = run_alone(shown.script, tmp_path)
    assert "standard: shape" in printed
    assert "cosine of the perturbation" in printed
