"""Usefulness in a world of somebody's own: a button measures its networks' features, and then all of the page works."""

import io
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.models import checkpoints
from core.usefulness import atlas as atlases
from core.usefulness import feature, live, views
from pages.usefulness import features, head, scatter
from tests.helpers import tiny
from tests.pages.test_own import ELSEWHERE, ORDER, opened, shapes, words  # noqa: F401 - a fixture
from tests.pages.tools import html, ran, said, stop_once


@pytest.fixture(autouse=True)
def quick(shapes, monkeypatch):  # noqa: F811 - a fixture
    """A standard and a robust network, time for six features of each, and few steps of whatever is attacked."""
    for name, how, seed in (("mine", "standard", 0), ("robust", "adversarial", 1)):
        title = f"ResNet-9, {how} training" + (" (L2 1)" if seed else "")
        args = {"width": 4, "classes": 4}
        about = checkpoints.Header("resnet9", args, title, classes=ORDER, world="shapes")
        checkpoints.save(shapes / f"{name}.safetensors", tiny(classes=4, seed=seed).state_dict(), about)
    for place, name, value in (
        (live, "FEWEST", 6),
        (live, "OPERATIONS", 0),
        (feature, "CLIMB", 2),
        (feature, "PUSH", 2),
        (views, "ATTACK_STEPS", 1),
    ):
        monkeypatch.setattr(place, name, value)


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to its component and to the downloads."""
    seen = SimpleNamespace(atlas=None, files={}, script="")

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(scatter, "_mount", lambda **given: setattr(seen, "atlas", given["data"]))
    for module in (features, head):
        monkeypatch.setattr(module, "downloads", offer)
    return seen


def measured(**query: str) -> AppTest:
    return ran(opened("usefulness", **query).button(key="usefulness-measure").click())


def results() -> list[str]:
    return sorted(path.name for path in atlases.ASSETS.glob("**/*") if path.is_file())


def test_a_button_measures_what_no_command_has(shown):
    before = results()
    app = opened("usefulness")
    assert not app.error and shown.atlas is None
    assert "of all 32 features from 8 labelled test pictures, and γ of 6 of them from 8 of these pictures" in said(app)
    assert "python -m core.usefulness measure --world shapes" in said(app)
    ran(app.button(key="usefulness-measure").click())
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [panel["title"] for panel in shown.atlas["panels"]] == ["Standard ResNet-9", "Robust ResNet-9"]
    assert [sum(g is not None for g in panel["gamma"][0]) for panel in shown.atlas["panels"]] == [6, 6]
    assert html(app).count("<figure") == 2 * (4 + 8)
    assert "Measured on this page, on a part" in said(app) and "of 6" in html(app)
    assert results() == before, "nothing is written"


def test_what_is_measured_is_kept_for_the_next_visitor(shown, monkeypatch):
    measured()
    monkeypatch.setattr(live, "measure", lambda *_, **__: pytest.fail("measured again"))
    shown.atlas = None
    opened("usefulness")
    assert shown.atlas is not None


def test_of_one_network_there_is_one_panel(shown):
    app = measured(robust="mine")
    assert not app.error and len(shown.atlas["panels"]) == 1
    assert html(app).count("<figure") == 4 + 8


def test_a_measurement_that_was_stopped_is_shown_and_can_be_gone_on_with(shown, monkeypatch):
    monkeypatch.setattr(live, "ROWS", 64)  # one feature at a time
    stop_once(monkeypatch, 3)
    app = measured()
    assert not app.error
    assert [sum(g is not None for g in panel["gamma"][0]) for panel in shown.atlas["panels"]] == [2, 2]
    ran(app.button(key="usefulness-rest").click())
    assert [sum(g is not None for g in panel["gamma"][0]) for panel in shown.atlas["panels"]] == [6, 6]
    assert "usefulness-rest" not in [button.key for button in app.button]


@pytest.mark.filterwarnings("ignore::core.train.evaluate.SuspiciousAttack")
def test_heads_and_their_curves(shown):
    app = measured(view="head", keep="robust", frame="4")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert f"Attacked: 8 test pictures; PGD-{views.ATTACK_STEPS}" in said(app)
    assert len(app.get("plotly_chart")) == 1 and "- **" not in said(app)
    ran(app.button(key="usefulness-curves-attack").click())
    assert not app.error
    lines = [line for line in said(app).splitlines() if line.startswith("- **")]
    assert len(lines) == 2 and all(
        "with all 32" in line and "with the 3 most robustly useful" in line for line in lines
    )
    assert "usefulness-curves-attack" not in [button.key for button in app.button]


@pytest.mark.parametrize("view", ["features", "head"])
def test_files_and_script(view, shown, tmp_path, monkeypatch, capsys):
    app = measured(view=view)
    for name, file in shown.files.items():
        data = file.make()
        assert len(data) > 60
        if name.endswith(".npz"):
            assert view in str(np.load(io.BytesIO(data))["recipe_json"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "made.py").write_text(shown.script)
    with torch.random.fork_rng():
        runpy.run_path("made.py")
    printed = capsys.readouterr().out
    if view == "head":
        assert all(metric.value in printed for metric in app.metric)
    else:
        assert "standard, feature" in printed
