"""The Style page: what is painted and by whom, pictures of one's own, Stop, layers, and what it lets out."""

import json
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.files import playable
from core.recipes import to_json
from core.style import scene, views
from core.style.recipe import StyleRecipe
from pages.style import controls, layers, transfer
from pages.ui import store
from pages.ui.scrubber import mount
from tests.app_process import ROOT
from tests.helpers import run_alone
from tests.pages.tools import ran, said, stop_once

PAGE = str(ROOT / "pages" / "style" / "page.py")
FEW = {"side": "32", "steps": "10"}


@pytest.fixture(autouse=True)
def networks(checkpoint):
    for name in ("resnet9-standard", "resnet9-l2", "vgg-standard", "vgg-l2"):
        checkpoint(name)
    store.forget()
    yield
    store.forget()


@pytest.fixture
def mounted(monkeypatch):
    """What the scrubber was given."""
    seen = []
    monkeypatch.setattr(mount, "scrubber", lambda rows, axis, **more: seen.append((rows, axis, more)))
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {**FEW, **query}.items():
        app.query_params[name] = value
    return ran(app)


def test_it_opens_with_both_paintings_beside_the_style(mounted):
    app = opened()
    rows, axis, _ = mounted[-1]
    assert [row.title for row in rows] == ["Standard ResNet-9", "Robust ResNet-9", "Style"]
    assert rows[2].plain
    assert len(rows[0].frames) == len(rows[1].frames) == len(axis.values)
    assert (rows[0].frames[0] == rows[1].frames[0]).all(), "both begin with the content"
    assert (rows[0].frames[-1] != rows[1].frames[-1]).any()
    assert rows[1].curve[0] == pytest.approx(1) and rows[1].curve[-1] < 0.8
    assert len(rows[0].readouts) == 3, "two judges, and how far it moved"
    assert "in the eyes of" in said(app)
    assert "It depends on who looks" in said(app)
    assert not app.error


@pytest.mark.parametrize(("name", "value"), [("style", "tiles"), ("content", "coffee"), ("strength", "3.0")])
def test_every_control_changes_what_is_painted(mounted, name, value):
    opened()
    opened(**{name: value})
    (before, *_), (after, *_) = mounted[0], mounted[-1]
    assert (before[1].frames[-1] != after[1].frames[-1]).any()


def test_a_preset_sets_everything_and_reset_sets_it_back(mounted):
    app = opened(strength="3.0")
    app = ran(app.button(key="style-preset-0").click())
    assert (app.session_state["content"], app.session_state["style"]) == ("astronaut", "grass")
    assert app.session_state["strength"] == 1.0
    app = ran(app.button(key="style-preset-2").click())
    assert app.session_state["view"] == "layers"


def test_one_model_on_both_sides_is_one_column(mounted):
    opened(standard="resnet9-l2")
    assert len(mounted[-1][0]) == 2


def test_a_pair_that_tells_little_is_said_to_be_one():
    assert "hardly tells the two apart" in said(opened(side="64", steps="100", content="chelsea", style="waves"))
    assert "hardly tells" not in said(opened(side="64", steps="100"))


def test_stop_keeps_what_was_painted(mounted, monkeypatch):
    stop_once(monkeypatch, 4)
    app = opened()
    assert "what you see is the best so far" in said(app)
    assert mounted[-1][1].values[-1] == 4


def test_a_picture_of_ones_own_is_painted_and_stays_in_the_session(mounted, monkeypatch):
    photo = (ROOT / "assets" / "screenshots" / "perturb.png").read_bytes()
    kept = []
    monkeypatch.setattr(
        transfer.work, "both", lambda *a, _real=transfer.work.both, **k: kept.append(k) or _real(*a, **k)
    )
    app = opened(content="upload")
    assert "Until a picture of yours comes" in said(app)
    assert kept[-1]["own"] is False
    app.session_state["style-content-upload"] = photo
    ran(app)
    assert kept[-1]["own"] is True
    assert kept[-1]["key"] != kept[0]["key"]
    assert (mounted[-1][0][0].frames[0] != mounted[0][0][0].frames[0]).any()


def test_what_is_no_picture_is_refused_in_a_sentence(monkeypatch):
    state = {"style-style-file": SimpleNamespace(getvalue=lambda: b"no picture", name="x.png")}
    monkeypatch.setattr(controls.st, "session_state", state)
    controls._receive("style")
    assert "style-style-upload" not in state
    assert state["style-style-error"]


def test_a_public_host_takes_no_pictures(monkeypatch, mounted):
    monkeypatch.setenv("ROBUST_FROG_READ_ONLY", "1")
    app = opened(content="upload")
    assert app.session_state["content"] == StyleRecipe.content
    assert "upload" not in app.selectbox(key="style").options


def test_the_layers_are_those_of_the_file_in_the_networks_order():
    app = opened(view="layers")
    assert "moves the representation of the standard networks" in said(app)
    found = views.layers(views.results("layers"))
    assert list(found["resnet9-l2"]) == ["stem", "conv1", "res1", "conv2", "conv3", "res3", "pool"]
    assert list(found["densenet-standard"])[:3] == ["stem", "dense1", "halve1"]
    assert all(list(blocks)[-1] == "pool" for blocks in found.values())
    assert len(layers.chart(found).data) == len(found)
    assert views.table().count("\n") > 40


@pytest.mark.parametrize("view", ["transfer", "layers"])
def test_without_results_it_says_how_to_measure(view, monkeypatch, tmp_path, mounted):
    monkeypatch.setattr(views, "RESULTS", tmp_path / "style.json")
    assert "python -m core.style measure" in said(opened(view=view))


@pytest.mark.parametrize("view", ["transfer", "layers"])
def test_the_script_runs_and_so_does_the_recipe(view, tmp_path):
    recipe = StyleRecipe(view=view, side=32, steps=10)
    told = run_alone(views.script(recipe), tmp_path)
    assert "resnet9-l2" in told
    if view == "transfer":
        assert len(list(tmp_path.glob("*.png"))) == 2
        assert len(playable.page(scene.scene(recipe), to_json(recipe))) <= playable.LARGEST


def test_downloads_are_of_the_frame_in_sight(mounted, monkeypatch):
    given = {}
    monkeypatch.setattr(transfer, "downloads", lambda files, **more: given.update({one.name: one for one in files}))
    opened(frame="3")
    assert json.loads(given["recipe.json"].make())["frame"] == 3
    assert {"style.png", "style-film.png", "style.webp", "style.npz", "style.csv", "style.html"} <= given.keys()
    for one in given.values():
        assert len(one.make()) > 100
    assert "style_left_vgg-l2" in given["style.csv"].make()
