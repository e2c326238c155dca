"""The Usefulness page without its component.

Views and address, brush and feature, heads, what is said, files, script.
"""

import io
import json
import runpy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.rates import Rate
from core.recipes import to_query
from core.train.evaluate import RobustAccuracy
from core.usefulness import atlas as atlases
from core.usefulness import choice, feature, views
from core.usefulness import linear as goh
from core.usefulness.choice import SIDES, Brush, switched_on
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.views import construction
from pages.ui import store
from pages.usefulness import features, head, scatter
from pages.usefulness import linear as usefulness_linear
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said

PAGE = str(ROOT / "pages" / "usefulness" / "page.py")
BLANK = UsefulnessRecipe()
LOW = Brush("standard", (0.0, 2.0, -9.0, 0.0), 4)  # all that is not robustly useful at eps 0.25


@pytest.fixture(autouse=True)
def models(checkpoint, monkeypatch):
    """The two models that the page opens with and their atlases; few steps; nothing is left in the store."""
    for name in (BLANK.standard, BLANK.robust):
        checkpoint(name)
        if name not in atlases.names():
            pytest.skip(f"the atlas of {name} is not here; make it with: python -m core.usefulness measure {name}")
    monkeypatch.setattr(feature, "CLIMB", 3)
    monkeypatch.setattr(feature, "PUSH", 2)
    monkeypatch.setattr(views, "ATTACKED", 10)
    monkeypatch.setattr(views, "ATTACK_STEPS", 2)
    store.forget()
    yield
    store.forget()


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to its component, to the scrubber and to the downloads, most recent last."""
    seen = SimpleNamespace(atlas=None, rows=None, axis=None, files={}, script=None)

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis = rows, axis
        return frame

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(scatter, "_mount", lambda **given: setattr(seen, "atlas", given["data"]))
    monkeypatch.setattr(usefulness_linear, "scrubber", show)
    for module in (features, head, usefulness_linear):
        monkeypatch.setattr(module, "downloads", offer)
    return seen


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No CIFAR-10: the gallery's pictures are there in every checkout."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=180)
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


def recipe_of(shown) -> UsefulnessRecipe:
    """The recipe of the view, out of the script that the page offers."""
    text = shown.script
    return eval(
        text[text.index("UsefulnessRecipe(\n") : text.index("\n)\n") + 2], {"UsefulnessRecipe": UsefulnessRecipe}
    )


# Views


def test_it_opens_with_both_clouds_and_one_feature_of_each(shown):
    app = opened()
    assert app.title[0].value == "Usefulness"
    assert [panel["title"] for panel in shown.atlas["panels"]] == ["Standard ResNet-9", "Robust ResNet-9"]
    assert not app.error
    assert html(app).count("<figure") == 2 * (4 + 8)
    assert html(app).count("alt=") == html(app).count("<img")
    assert "In brackets: those whose 95 % interval" in said(app)


def test_the_points_are_what_was_measured(shown):
    opened(task="frog")
    assert shown.atlas["labels"] == ["0", *(f"{r:g}" for r in atlases.load(BLANK.standard).radii)]
    for panel, name in zip(shown.atlas["panels"], (BLANK.standard, BLANK.robust), strict=True):
        found, _ = atlases.lookup(atlases.load(name), "frog")
        np.testing.assert_allclose(panel["rho"], found.rho, atol=1e-4)
        np.testing.assert_allclose(panel["gamma"][0], found.rho, atol=1e-4)
        np.testing.assert_allclose(panel["gamma"][1:], found.gamma, atol=1e-4)
        assert set(panel["label"]) == {"frog"}


@pytest.mark.parametrize("linear", ["singular", "ensemble", "containment"])
def test_the_linear_view_shows_what_the_core_computes(linear, shown):
    app = opened(view="linear", linear=linear)
    path = construction(replace(BLANK, view="linear", linear=linear), goh.load())
    assert shown.axis.labels == path.labels
    for row, test in zip(shown.rows, (False, True), strict=True):
        assert row.curve == tuple(f.rho_test if test else f.rho for f in path.features)
    f = path.features[recipe_of(shown).frame]
    assert f"ρ = {f.rho:.3f} on training pictures, {f.rho_test:.3f} on test pictures" in said(app)
    assert not app.error


def test_only_the_view_in_sight_computes(monkeypatch, shown):
    def never(*_, **__):
        raise AssertionError("computed")

    monkeypatch.setattr(feature, "look", never)
    monkeypatch.setattr(views, "attacked", never)
    opened(view="linear")
    opened(view="head", frame="0")


def test_what_is_in_the_store_is_not_computed_again(monkeypatch, shown):
    app = opened()
    monkeypatch.setattr(feature, "look", lambda *_, **__: pytest.fail("computed again"))
    ran(app.toggle(key="present").set_value(True))


# Address


@pytest.mark.parametrize(
    "recipe",
    [
        UsefulnessRecipe(task="frog", against="truck", frame=2, feature=7, side="robust"),
        UsefulnessRecipe(brush=str(LOW), frame=4),
        UsefulnessRecipe(standard="resnet9-l2", robust="resnet9-standard"),
        UsefulnessRecipe(view="head", keep="robust", head="refit", frame=3),
        UsefulnessRecipe(view="linear", linear="containment", strong=1, frame=5),
    ],
    ids=["feature", "brush", "models exchanged", "head", "linear"],
)
def test_every_control_comes_back_from_its_address(recipe, shown):
    opened(**to_query(recipe))
    assert recipe_of(shown) == recipe


@pytest.mark.parametrize(
    "query",
    [
        {
            "view": "all",
            "task": "pig",
            "against": "pig",
            "frame": "x",
            "brush": "1,2",
            "feature": "x",
            "side": "left",
            "source": "web",
        },
        {"standard": "../x", "frame": "-1", "brush": "left,0,1,0,1,3", "feature": "-7"},
    ],
    ids=["first", "second"],
)
def test_bad_values_in_the_address_fall_back(query, shown):
    app = opened(**query)
    assert not app.error
    assert recipe_of(shown) == BLANK


def test_a_feature_beyond_the_last_is_one_sentence(shown):
    app = opened(feature="4000")
    assert [error.value for error in app.error] == [f"{BLANK.standard} has features 0 to 255, and no 4000"]


def test_a_class_against_itself_is_one_sentence(shown):
    app = opened(task="frog", against="frog")
    assert [error.value for error in app.error] == ["frog against frog is no task; choose two different classes"]


def test_a_preset_sets_the_controls_and_says_what_to_look_for(shown):
    app = opened(brush=str(LOW))
    ran(app.button(key="usefulness-preset-1").click())
    assert recipe_of(shown) == UsefulnessRecipe(view="head", keep="robust", frame=3)
    assert "half of the standard model's features" in said(app)
    ran(app.button(key="usefulness-preset-4").click())
    assert recipe_of(shown) == BLANK


# Brush and feature


def test_a_brush_chooses_and_the_most_useful_of_the_chosen_is_looked_at(shown):
    opened(brush=str(LOW))
    atlas = atlases.load(BLANK.standard)
    found, _ = atlases.lookup(atlas, "best")
    inside = found.gamma[3] <= 0
    held = shown.atlas["brush"]
    assert held["features"] == inside.nonzero()[:, 0].tolist()
    assert shown.atlas["panels"][0]["shown"] == int(torch.where(inside, found.rho, -1).argmax())


def test_what_is_picked_in_the_browser_becomes_brush_or_feature():
    st.session_state.clear()
    scatter.apply({"panel": 1, "box": [0.5, 1.0, -99, 0.25], "frame": 6})
    assert st.session_state["useful-brush"] == "robust,0.5,1,-99,0.25,6"
    assert (st.session_state["feature"], st.session_state["side"]) == (None, "robust")
    scatter.apply({"panel": 0, "feature": 12})
    assert (st.session_state["feature"], st.session_state["side"]) == (12, "standard")
    scatter.apply({"panel": 0, "box": None})
    assert (st.session_state["useful-brush"], st.session_state["feature"]) == ("", None)
    st.session_state.clear()


# Heads


@pytest.mark.parametrize("keep", ["all", "robust", "brittle", "without", "only"])
def test_what_is_on_follows_from_gamma_or_the_brush(keep):
    recipe = UsefulnessRecipe(view="head", keep=keep, brush=str(LOW), frame=4)
    for side in SIDES:
        atlas = choice.atlas_of(recipe, side)
        gamma = atlases.lookup(atlas, "best")[0].gamma[3]
        here = side == LOW.side
        wanted = {
            "all": torch.ones(256).bool(),
            "robust": gamma > 0,
            "brittle": gamma <= 0,
            "without": gamma > 0 if here else torch.ones(256).bool(),
            "only": gamma <= 0 if here else torch.ones(256).bool(),
        }[keep]
        assert torch.equal(switched_on(recipe, side), wanted), side


def test_the_head_view_shows_clean_and_attacked_with_n_and_intervals(shown, monkeypatch):
    answer = RobustAccuracy(Rate(3, 10), Rate(9, 10), 0.1, ("a made-up doubt",))
    monkeypatch.setattr(views, "attacked", lambda *_, **__: answer)
    app = opened(view="head", keep="robust", frame="3")
    values = [metric.value for metric in app.metric]
    for side in SIDES:
        recipe = recipe_of(shown)
        _, _, clean = views.left_over(recipe, side)
        assert f"{100 * clean.value:.1f} %" in values
        assert f"{int(switched_on(recipe, side).sum())} of 256 features on" in said(app)
    assert values.count("30.0 %") == 2
    assert "[11, 60], n = 10" in said(app)
    assert "unattacked: 90.0 % Not to be trusted: a made-up doubt" in said(app)
    assert "pictures of the gallery" in said(app)


def test_at_no_radius_nothing_is_attacked(shown):
    app = opened(view="head", frame="0")
    values = [metric.value for metric in app.metric]
    assert values[0] == values[1] and values[2] == values[3]


def test_the_attack_knows_the_new_head():
    """All features off: the answer is the same for every picture, and no attack changes it."""
    recipe = UsefulnessRecipe(
        view="head", keep="only", brush=str(Brush("standard", (5.0, 6.0, 5.0, 6.0), 4)), frame=4, source="gallery"
    )
    found = views.attacked(recipe, "standard")
    assert found.rate.n == 10
    assert found.rate == found.clean


@pytest.fixture
def heads(monkeypatch, tmp_path):
    """Made-up heads: keeping the robust ones helps the standard model, and does nothing for the robust one."""

    def lines(most: int) -> list[dict]:
        return [
            {"head": h, "keep": k, "kept": n, "clean": Rate(90, 100).as_json()}
            | {key: Rate(most if (k, n) == ("most", 64) else 20, 100).as_json() for key in ("L2 0.1", "L2 0.25")}
            for h in ("masked", "refit")
            for k, n in (("most", 8), ("most", 64), ("most", 256), ("least", 8), ("least", 64))
        ]

    about = {"n": 100, "seed": 0, "date": "2026-01-02", "ranked_at": 0.25, "how": "made up"}
    path = tmp_path / "heads.json"
    path.write_text(json.dumps({**about, "models": {BLANK.standard: lines(80), BLANK.robust: lines(22)}}))
    monkeypatch.setattr(head.curves, "__defaults__", (None, path))


def test_curves_are_drawn_and_said_where_they_were_measured(shown, heads):
    app = opened(view="head", frame="0")
    assert len(app.get("plotly_chart")) == 1
    assert "attacked at ε = 0.1" in said(app)
    assert "2026-01-02" in said(app)
    standard, robust = (line for line in said(app).splitlines() if line.startswith("- **"))
    assert "20 % [13, 29] with all 256, 80 % [71, 87] with the 64 most" in standard
    assert "made it more robust" in standard
    assert "no gain" in robust


# What is missing


def test_without_an_atlas_there_is_one_sentence(shown, monkeypatch):
    monkeypatch.setattr(atlases, "names", lambda **_: ())
    app = opened()
    assert [w.value for w in app.warning] == [
        "No features have been measured. Measure them with: python -m core.usefulness measure"
    ]
    assert not app.error


def test_with_neither_cifar10_nor_gallery_the_photographs_are_shown(shown, monkeypatch, tmp_path):
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")
    app = opened()
    assert "of 4 photographs" in said(app)
    app = opened(view="head", frame="4")
    assert "The attack needs pictures with labels" in said(app)


# Files and script


@pytest.mark.parametrize("view", ["features", "head", "linear"])
def test_every_file_can_be_made_and_carries_the_recipe(view, shown):
    opened(view=view)
    assert {name.rpartition(".")[2] for name in shown.files} >= {"csv", "npz", "json"}
    for name, file in shown.files.items():
        data = file.make()
        assert len(data) > 60
        if name.endswith(".npz"):
            assert view in str(np.load(io.BytesIO(data))["recipe_json"])
        if name == "usefulness.csv":
            assert data.count("\n") == 1 + 2 * 256


@pytest.mark.parametrize("view", ["features", "head", "linear"])
def test_the_script_runs_and_prints_what_the_page_says(view, shown, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    app = opened(view=view, frame="2")
    (tmp_path / "made.py").write_text(shown.script)
    runpy.run_path("made.py")
    printed = capsys.readouterr().out
    match view:
        case "features":
            recipe = recipe_of(shown)
            for side in SIDES:
                k = choice.feature_of(recipe, side)
                assert f"{side}, feature {k}: rho = " in printed
                assert (tmp_path / f"{side}-feature-{k}.png").is_file()
        case "head":
            for metric in app.metric:
                assert metric.value in printed
        case _:
            assert str(construction(recipe_of(shown)).features[2]) in printed
            assert (tmp_path / "direction.png").is_file()
