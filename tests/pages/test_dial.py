"""The page Dial without its pictures: views, address, missing networks, prediction, stop, trends, files."""

import io
import json
import runpy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.dial import networks, results, views
from core.dial.networks import RADII, name_of
from core.dial.recipe import TRENDS, DialRecipe
from core.dial.views import position
from core.files import render
from core.inversion.invert import SETTINGS, SMOOTH, Setting
from core.models import checkpoints
from core.recipes import to_query
from pages.dial import stage, trends
from pages.dial.work import Job
from pages.ui import store
from tests.app_process import ROOT
from tests.pages.tools import computes_nothing, html, question, ran, said, stop_once

PAGE = str(ROOT / "pages" / "dial" / "page.py")
PHOTO = DialRecipe(picture="photo/chelsea")
HERE = (0.25, 0.5)  # the networks that these tests turn the dial through


@pytest.fixture(autouse=True)
def models(checkpoint, monkeypatch, tmp_path):
    """Two networks and few steps; no CIFAR-10, no judge, nothing measured; nothing is left in the store."""
    for eps in HERE:
        checkpoint(name_of(eps))
    monkeypatch.setattr(networks, "RADII", HERE)
    monkeypatch.setattr(networks, "JUDGES", ("resnet9-l2",))
    monkeypatch.setitem(SETTINGS, "smooth", Setting(6, SMOOTH.make_rule))
    monkeypatch.setattr(views, "PAINT_STEPS", 6)
    monkeypatch.setattr(results, "RESULTS", tmp_path / "none.json")
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    store.forget()
    yield
    store.forget()


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the scrubber and to the downloads."""
    seen = SimpleNamespace(rows=None, axis=None, frame=None, files={}, script=None)

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis, seen.frame = rows, axis, frame
        return frame

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(stage, "scrubber", show)
    for module in (stage, trends):
        monkeypatch.setattr(module, "downloads", offer)
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {"picture": "photo/chelsea", **query}.items():
        app.query_params[name] = value
    return ran(app)


def recipe_of(shown) -> DialRecipe:
    """The recipe of the view, out of the script that the page offers."""
    text = shown.script
    return eval(text[text.index("DialRecipe(\n") : text.index("\n)\n") + 2], {"DialRecipe": DialRecipe})


@pytest.mark.parametrize("view", ["inversion", "gradient", "paint"])
def test_the_dial_turns_through_what_the_core_computes(view, shown):
    app = opened(view=view)
    assert app.title[0].value == "The dial"
    assert not app.error
    assert shown.axis.labels == ("0.25", "0.5") and shown.axis.length == 2
    moving, still = shown.rows
    made = [position(replace(PHOTO, view=view), name_of(eps)) for eps in HERE]
    np.testing.assert_array_equal(moving.frames, np.concatenate([render.to_uint8(one.made) for one in made]))
    assert still.plain
    assert recipe_of(shown).view == view


@pytest.mark.parametrize("view", ["inversion", "gradient", "paint", "measured"])
def test_every_view_opens_with_the_real_scrubber(view):
    app = opened(view=view)
    assert not app.error
    assert app.segmented_control(key="view").value == view


def test_all_positions_stand_below_with_their_sentences(shown):
    app = opened()
    assert html(app).count("<figure") == len(HERE)
    assert html(app).count("alt=") == len(HERE)
    assert "trained at ε = 0.25 says" in html(app)


def test_what_is_in_the_store_is_not_computed_again(monkeypatch, shown):
    app = opened()
    computes_nothing(monkeypatch)
    ran(app.toggle(key="present").set_value(True))


def test_without_its_networks_the_page_is_one_sentence(monkeypatch):
    monkeypatch.setattr(networks, "RADII", (0.7, 0.8))
    app = opened()
    assert "python -m core.train.zoo build dial/l2-0.7 dial/l2-0.8" in said(app)
    assert not app.error


@pytest.mark.parametrize(
    "recipe",
    [
        DialRecipe(start="grey", seed=7, frame=1),
        DialRecipe(view="gradient", method="grad_cam", frame=0),
        DialRecipe(view="paint", target="cat", canvas="seed", eps="2", seed=3, frame=1),
    ],
    ids=lambda recipe: recipe.view,
)
def test_every_control_comes_back_from_its_address(recipe, shown):
    recipe = replace(recipe, picture="photo/chelsea")
    opened(**to_query(recipe))
    assert recipe_of(shown) == recipe


@pytest.mark.parametrize(
    ("name", "value"), [("view", "all"), ("frame", "99"), ("start", "middle"), ("target", "unicorn")]
)
def test_a_bad_value_in_the_address_falls_back(name, value, shown):
    app = opened(**{name: value})
    assert not app.error
    assert not app.exception


def test_a_preset_turns_the_dial_to_its_start(shown):
    app = opened()
    ran(app.button(key="dial-preset-2").click())
    assert shown.frame == 0
    assert recipe_of(shown).view == "paint"
    assert "the picture itself has changed" in said(app)


def test_prediction_comes_before_the_dial(shown):
    app = opened(predict="true")
    assert shown.rows is None
    assert "Predict" in said(app)
    ran(question(app).set_value("never"))
    assert shown.rows is not None
    assert "You said *never*" in said(app)
    app.session_state["picture"] = "gallery/2"
    assert question(ran(app)).value is None, "an answer is for its question"


def test_a_stopped_dial_keeps_what_there_is(monkeypatch, shown):
    stop_once(monkeypatch, 2)
    app = opened()
    assert "Stopped after 2 of 2 networks" in said(app)
    assert app.button(key="go-on")
    ran(app.button(key="go-on").click())
    assert "Stopped" not in said(app)


@pytest.mark.parametrize("view", ["inversion", "gradient", "paint"])
def test_every_file_can_be_made_and_carries_the_recipe(view, shown):
    opened(view=view)
    for name, file in shown.files.items():
        data = file.make()
        assert len(data) > 100
        if name.endswith(".png") and "film" not in name:
            assert json.loads(render.png_text(data)["recipe"])["view"] == view
        if name.endswith(".npz"):
            with np.load(io.BytesIO(data)) as arrays:
                assert arrays["eps"].tolist() == list(HERE)
    assert shown.files["dial.csv"].make().splitlines()[0].startswith("trained_at_eps,network_says")


def test_the_script_runs(shown, tmp_path, monkeypatch, capsys):
    opened(view="gradient")
    path = tmp_path / "view.py"
    path.write_text(shown.script)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(path), run_name="__main__")
    assert "trained at 0.5: " in capsys.readouterr().out
    assert (tmp_path / "dial-0.5.png").is_file()


# Trends


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """A results file in which accuracy falls, and the middle of the dial is the best source."""
    path = tmp_path / "dial.json"
    monkeypatch.setattr(results, "RESULTS", path)
    about = {"n": 100, "seed": 0, "date": "2026-01-01", "how": "made up."}
    curves = {
        "accuracy": ("clean", (0.9, 0.85, 0.8, 0.75, 0.6)),
        "transfer": ("targeted, ε 1", (0.1, 0.3, 0.2, 0.15, 0.1)),
    }
    for part, (label, values) in curves.items():
        for eps, value in zip(RADII, values, strict=True):
            one = {"value": value, "interval": [value - 0.02, value + 0.02], "n": 100}
            stamps = {"resnet9-l2": checkpoints.stamp("resnet9-l2")}
            results.keep(part, name_of(eps), {label: one}, about, stamps)


def test_a_trend_is_said_in_a_sentence_and_a_table(measured, shown):
    app = opened(view="measured")
    assert "**clean**: 90 % at ε = 0, 60 % at ε = 1." in said(app)
    assert "80.0 % [78.0, 82.0], 100" in html(app)
    assert "made up." in said(app)
    assert "weights that have changed" not in said(app)
    assert shown.files["dial-accuracy.csv"].make().count("\n") == 1 + len(RADII)


def test_the_best_source_is_named_where_the_intervals_tell(measured, shown):
    app = opened(view="measured", trend="transfer")
    assert "highest at ε = 0.1 with 30 %, above both ends" in said(app)
    assert recipe_of(shown).trend == "transfer"


@pytest.mark.parametrize("trend", TRENDS)
def test_a_trend_that_was_not_measured_says_how_to_measure_it(trend, measured):
    app = opened(view="measured", trend=trend)
    assert ("python -m core.dial measure" in said(app)) == (trend not in ("accuracy", "transfer"))


def test_old_weights_are_told(measured, monkeypatch, shown):
    monkeypatch.setattr(checkpoints, "stamp", lambda *_: "another")
    assert "Measured on weights that have changed since: resnet9-l2" in said(opened(view="measured"))


# The way here from other pages


@pytest.mark.parametrize(
    ("folder", "button", "query"),
    [
        ("inversion", "frog-dial", {}),
        ("saliency", "saliency-dial", {"view": "gradient"}),
        ("transfer", "transfer-dial", {"view": "measured", "trend": "transfer"}),
    ],
)
def test_other_pages_offer_the_same_under_the_dial(folder, button, query, monkeypatch, checkpoint):
    for name in ("resnet9-standard", "resnet9-l2"):
        checkpoint(name)
    went = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: went.append((page, query_params)))
    app = AppTest.from_file(str(ROOT / "pages" / folder / "page.py"), default_timeout=180)
    app.query_params["picture"] = "photo/chelsea"
    ran(ran(app).button(key=button).click())
    shown = {"picture": "photo/chelsea"} if folder != "transfer" else {}
    assert went == [
        ("pages/dial/page.py", {**({"start": "picture"} if folder == "inversion" else {}), **query, **shown})
    ]


def test_beyond_the_ball_shows_fog_along_the_dial(measured, checkpoint):
    for name in ("resnet9-standard", "resnet9-l2"):
        checkpoint(name)
    about = {"n": 100, "seed": 0, "date": "2026-01-01", "how": "made up."}
    for eps, at in zip(RADII, (0.6, 0.5, 0.4, 0.3, 0.2), strict=True):
        one = {"value": at, "interval": [at - 0.02, at + 0.02], "n": 100}
        results.keep("weather", name_of(eps), {"fog": one}, about, {})
    app = AppTest.from_file(str(ROOT / "pages" / "frequency" / "page.py"), default_timeout=180)
    app.query_params["view"] = "trades"
    assert "**fog**: 60 % at ε = 0, 20 % at ε = 1." in said(ran(app))


def test_a_network_that_is_done_while_the_page_is_drawn_is_shown(monkeypatch, shown):
    """Its part is there by then, so that nothing is missing; the page must not stand at one network fewer."""
    opened(view="gradient")
    known, calls = Job.known, []

    def late(self):
        calls.append(1)
        return known(self)[: 1 if len(calls) == 1 else None]

    monkeypatch.setattr(Job, "known", late)
    opened(view="gradient")
    assert len(shown.rows[0].frames) == len(HERE)
