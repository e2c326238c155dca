"""The Gaussian page without its plane: controls and address, what is said below, presets, bad input, files."""

import csv
import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.files import render
from core.gaussian import views
from core.gaussian.recipe import GaussianRecipe
from core.recipes import from_json, to_query
from pages.gaussian import stage
from pages.ui import store
from tests.app_process import ROOT
from tests.pages.tools import ran, rows

PAGE = str(ROOT / "pages" / "gaussian" / "page.py")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """Nothing here needs pictures or weights."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the plane and to the downloads."""
    seen = SimpleNamespace(recipe=None, release=None, files={}, script=None)

    def show(recipe, *, key, on_release):
        seen.recipe, seen.release = recipe, on_release

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(stage, "stage", show)
    monkeypatch.setattr("pages.ui.exports.downloads", offer)
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


def said(app: AppTest) -> str:
    return "\n".join(
        element.value for kind in ("markdown", "caption", "error", "info") for element in getattr(app, kind)
    )


def recipe_of(shown) -> GaussianRecipe:
    """The recipe of the view, out of the script that the page offers."""
    text = shown.script
    return eval(text[text.index("GaussianRecipe(\n") : text.index("\n)\n") + 2], {"GaussianRecipe": GaussianRecipe})


def test_it_opens_with_formula_and_experiment_and_the_real_plane():
    app = opened()
    assert app.title[0].value == "Gaussian"
    assert not app.error
    robust = views.sides(GaussianRecipe())["robust"]
    fits = store.results().get(
        ("gaussian experiment", replace(GaussianRecipe(), probe1=0.0, probe2=0.0, view="experiment", dim=100))
    )
    angles = next(row for row in rows(app) if row[0].startswith("angle"))
    assert angles[1:] == [
        f"<b>{robust.angle:.3g}</b>",
        *(fits[b].estimates["angles"].plain() for b in ("average", "each")),
    ]


@pytest.mark.parametrize("view", ["dimensions", "paper"])
def test_the_other_views_open(view, shown):
    app = opened(view=view, **({"dim": "7"} if view == "dimensions" else {}))
    assert not app.error
    assert recipe_of(shown) == replace(GaussianRecipe(), view=view, dim=7 if view == "dimensions" else 100)
    if view == "paper":
        assert ["1", "1.514", "0.983"] in [row[:3] for row in rows(app)]
        assert "keeps 0.270 from both classes" in said(app)
    else:
        table = list(csv.reader(io.StringIO(shown.files["vulnerability.csv"].make())))
        assert len(table) == 32
        assert float(table[-1][1]) > float(table[-1][2]), "the robust model loses less"


def test_every_control_comes_back_from_its_address(shown):
    recipe = GaussianRecipe(
        mu1=-3.25,
        mu2=2.0,
        var1=9.0,
        var2=0.07,
        angle=-33.0,
        eps=2.35,
        shape="ellipse",
        budget="average",
        probe1=1.0,
        probe2=-1.5,
        seed=7,
    )
    opened(**to_query(recipe))
    assert shown.recipe == recipe_of(shown) == recipe


@pytest.mark.parametrize(
    "bad",
    [
        {
            "eps": "-1",
            "var1": "0",
            "mu1": "inf",
            "angle": "999",
            "shape": "square",
            "budget": "",
            "view": "all",
            "seed": "-1",
        },
        {"eps": "nan", "var2": "-3", "mu2": "1e9", "shape": "", "view": "", "seed": "x", "probe1": "[]"},
    ],
)
def test_bad_values_in_the_address_fall_back(bad, shown):
    app = opened(**bad)
    assert not app.error
    assert recipe_of(shown) == GaussianRecipe()


@pytest.mark.parametrize(
    ("message", "used"),
    [
        ({"mu1": 4.5, "eps": 2}, {"mu1": 4.5, "eps": 2.0}),
        ({"var2": 1e9, "mu2": -99.0}, {"var2": 100.0, "mu2": -10.0}),
        ({"eps": float("nan"), "angle": "x", "var1": None, "seed": 3, "__class__": 1}, {}),
        (None, {}),
        ([1, 2], {}),
    ],
)
def test_only_numbers_within_bounds_are_taken_from_the_browser(message, used):
    assert stage.accepted(message) == used


def test_two_classes_with_one_mean_are_one_sentence_and_the_plane_stays(shown):
    app = opened(mu1="0", mu2="0")
    assert [error.value for error in app.error] == ["the two classes have the same mean; move one of them"]
    assert shown.recipe.mu1 == shown.recipe.mu2 == 0


def test_presets_set_the_controls_and_reset_sets_them_back(shown):
    app = opened(eps="3", angle="20")
    ran(app.button(key="gaussian-preset-3").click())
    assert (shown.recipe.shape, shown.recipe.eps, shown.recipe.angle) == ("ellipse", 4.0, 0.0)
    assert any(text.value.startswith("**On the plane, ε = 4:**") for text in app.markdown), "which is below, not above"
    assert recipe_of(shown).view == "paper"
    assert "robust line 5.54 from the classes, out of reach" in said(app)
    ran(app.button(key="gaussian-preset-5").click())
    assert recipe_of(shown) == GaussianRecipe()


def test_files_hold_the_numbers_of_the_view(shown):
    opened(eps="2", view="paper")
    recipe = recipe_of(shown)
    both = views.sides(recipe)
    rows = list(csv.DictReader(io.StringIO(shown.files["gaussian.csv"].make())))
    assert [float(row["angle"]) for row in rows] == [side.angle for side in both.values()]
    arrays = np.load(io.BytesIO(shown.files["gaussian.npz"].make()))
    x, y = views.points(recipe)
    np.testing.assert_array_equal(arrays["x"], x)
    moves = views.moves(recipe, both["robust"].variances, x, y)
    np.testing.assert_array_equal(arrays["robust_moves"], moves)
    assert from_json(GaussianRecipe, shown.files["recipe.json"].make()) == recipe
    assert from_json(GaussianRecipe, render.png_text(shown.files["gaussian.png"].make())["recipe"]) == recipe


def test_it_says_where_robust_learning_does_not_help(shown):
    helped = opened(view="paper", eps="2")
    assert "accuracy under attack rises from 78.4 % to 95.0 %" in said(helped)
    not_helped = opened(view="paper", eps="2", angle="20")
    assert "accuracy under attack does not rise: >99.9 % and 99.7 %" in said(not_helped)
    assert "the same" in said(opened(view="paper", eps="0"))
