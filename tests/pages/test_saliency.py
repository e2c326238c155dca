"""The Saliency page without its pictures: views, controls and address, warnings and measurements, files."""

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.files import render
from core.models import checkpoints
from core.recipes import to_query
from core.saliency import METHODS, classes, views
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import cache_key, explain
from pages.saliency import attack, methods
from pages.saliency import classes as classes_view
from pages.saliency import measured as saliency_measured
from pages.saliency import pictures as pictures_view
from pages.saliency import work as saliency_work
from pages.ui import store
from tests.app_process import ROOT
from tests.pages.tools import computes_nothing, html, ran, rows, said, stop_once

# Captum announces its hooks at each call; the program silences that where it imports captum.
PAGE = str(ROOT / "pages" / "saliency" / "page.py")
PHOTO = SaliencyRecipe(picture="photo/chelsea")
QUICK = {"samples": "2", "window": "16"}
VIEWS = ("methods", "pictures", "attack", "classes")


@pytest.fixture(autouse=True)
def models(checkpoint, monkeypatch, tmp_path):
    """The two models that the page opens with; nothing is left in the store, and nothing has been measured."""
    for name in (PHOTO.standard, PHOTO.robust):
        checkpoint(name)
    monkeypatch.setattr(classes, "AVERAGED", 2)
    monkeypatch.setattr(saliency_measured.results, "__defaults__", (tmp_path / "none.json",))
    store.forget()
    yield
    store.forget()


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the scrubber and to the downloads, most recent last."""
    seen = SimpleNamespace(rows=None, axis=None, frame=None, files={}, script="")

    def show(rows, axis, *, key, frame=0, **_):
        seen.rows, seen.axis, seen.frame = rows, axis, frame
        return frame

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(attack, "scrubber", show)
    for module in (attack, classes_view, methods, pictures_view):
        monkeypatch.setattr(module, "downloads", offer)
    return seen


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {"picture": "photo/chelsea", **QUICK, **query}.items():
        app.query_params[name] = value
    return ran(app)


def recipe_of(shown) -> SaliencyRecipe:
    """The recipe of the view, out of the script that the page offers."""
    text = shown.script
    return eval(text[text.index("SaliencyRecipe(\n") : text.index("\n)\n") + 2], {"SaliencyRecipe": SaliencyRecipe})


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens_without_cifar10(view, offline):
    """With the real scrubber and the real downloads."""
    app = opened(view=view)
    assert not app.error
    text = html(app)
    assert text.count("alt=") == text.count("<img")
    assert "Colour scale" in text or view == "attack"


def test_every_method_is_shown_on_both_models_with_what_it_means_and_where_it_misleads(offline, shown):
    text = html(opened())
    for about in METHODS.values():
        assert f"<h3>{about.title}</h3>" in text
    assert text.count("Where it misleads") == len(METHODS)
    assert text.count("<figure") == 1 + 2 * len(METHODS)
    made = explain(replace(PHOTO, samples=2), PHOTO.robust, "integrated_gradients")
    assert f"of {made.gap:.2f}" in text, "what the shares should add up to"


def test_maps_are_what_the_core_computes(offline, shown):
    opened(view="pictures", method="input_x_gradient", channel="red")
    arrays = np.load(io.BytesIO(shown.files["saliency.npz"].make()))
    for row, id in enumerate(pictures.ids("photo")):
        wanted = explain(replace(PHOTO, picture=id), PHOTO.robust, "input_x_gradient").attribution
        torch.testing.assert_close(torch.from_numpy(arrays[f"{row:02d}_{PHOTO.robust}"]), wanted)


def test_another_look_computes_nothing_again(monkeypatch, offline, shown):
    app = opened()
    computes_nothing(monkeypatch)
    before = html(app)
    ran(app.segmented_control(key="scale").set_value("common"))
    ran(app.toggle(key="absolute").set_value(True))
    assert html(app) != before


def test_a_third_model_gets_a_column(checkpoint, offline, shown):
    checkpoint("vgg-standard")
    text = html(opened(third="vgg-standard"))
    assert text.count("<figure") == 1 + 3 * len(METHODS)
    assert text.count("<b>Standard VGG</b>") == len(METHODS)


def test_the_attack_is_scrubbed_with_a_gradient_at_each_step(offline, shown):
    opened(view="attack", frame="4")
    assert [row.title for row in shown.rows] == ["Standard ResNet-9", "Robust ResNet-9"]
    assert shown.frame == 4
    assert recipe_of(shown).frame == 4
    made = views.along(PHOTO, PHOTO.standard)
    assert shown.rows[0].curve == pytest.approx(made.gradients.flatten(1).norm(dim=1).tolist(), rel=1e-3)
    assert all(len(row.alt) == PHOTO.attack.steps + 1 for row in shown.rows)


def test_the_class_that_nobody_chose_is_named(offline, shown):
    app = opened(view="classes")
    assert app.selectbox(key="away").placeholder == "truck (for a truck: frog)"
    assert classes.usual(("cat", "dog")) == "dog"
    assert classes.usual(("cat", "dog"), "dog") == "cat"


def test_two_equal_classes_are_one_sentence(offline, shown):
    app = opened(view="classes", towards="truck", away="truck")
    assert [error.value for error in app.error] == ["choose two different classes, not truck twice"]


def test_without_weights_it_says_how_to_make_them(offline, shown, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = opened()
    assert [warning.value for warning in app.warning] == [
        "There are no trained models in checkpoints/. Make them with: make zoo"
    ]


# Address


@pytest.mark.parametrize(
    "recipe",
    [
        SaliencyRecipe(target="truck", samples=3, noise=30, baseline="white", window=16, seed=4, opacity=50),
        SaliencyRecipe("pictures", method="deep_lift", channel="colour", absolute=True, scale="common"),
        SaliencyRecipe("attack", norm="Linf", at="4/255", frame=3, standard="resnet9-l2", robust="resnet9-standard"),
        SaliencyRecipe("classes", towards="dog", away="ship", channel="blue"),
    ],
    ids=VIEWS,
)
def test_every_control_comes_back_from_its_address(recipe, offline, shown):
    recipe = replace(recipe, picture="photo/chelsea")
    quick = {} if recipe.view == "methods" else {"samples": "32", "window": "6"}
    opened(**quick, **to_query(recipe))
    assert recipe_of(shown) == recipe


def test_bad_values_in_the_address_fall_back(offline, shown, monkeypatch):
    monkeypatch.setattr(methods, "METHODS", {"gradient": METHODS["gradient"]})
    bad = {
        "view": "all",
        "target": "pig",
        "samples": "0",
        "noise": "x",
        "channel": "alpha",
        "opacity": "900",
        "window": "99",
        "standard": "../x",
        "third": "none",
        "baseline": "pink",
        "seed": "-1",
        "frame": "x",
        "measure": "taste",
    }
    app = opened(**bad)
    assert not app.error
    assert recipe_of(shown) == PHOTO


def test_a_preset_sets_the_controls_and_says_what_to_look_for(offline, shown):
    app = opened(view="classes", away="dog")
    ran(app.button(key="saliency-preset-2").click())
    assert (recipe_of(shown).view, recipe_of(shown).away) == ("attack", "")
    assert "read *cosine with step 0*" in said(app)


# Measurements


def measured(rho: float) -> dict:
    """Results of two models, with rank correlations of that size in the randomisation check."""

    def value(mean: float) -> dict:
        return {"mean": mean, "interval": [mean - 0.01, mean + 0.01], "n": 500}

    def model(shift: float) -> dict:
        rows = {m: {"coherence": value(0.1 + shift), "randomised": value(0.1)} for m in METHODS}
        rows["deep_lift"]["randomised"] = value(rho)
        rows["occlusion"]["coherence"] = value(0.1)
        rows["gradient"]["class_alignment"] = value(0.02 + shift)
        return {**rows, "noise": {"coherence": value(0.0)}}

    models = {PHOTO.robust: model(0.3), PHOTO.standard: model(0.0)}
    differences = {
        m: {k: value(v["mean"] - models[PHOTO.standard][m][k]["mean"]) for k, v in of.items()}
        for m, of in models[PHOTO.robust].items()
    }
    about = {"n": 500, "seed": 0, "date": "2026-01-02", "how": "batches of 50"}
    return {**about, "models": models, "differences": {PHOTO.robust: differences}}


@pytest.fixture
def results(monkeypatch, tmp_path):
    def write(rho: float) -> None:
        path = tmp_path / f"saliency-{rho}.json"
        path.write_text(json.dumps(measured(rho)))
        monkeypatch.setattr(saliency_measured.results, "__defaults__", (path,))

    return write


def test_what_was_measured_is_shown_with_n_and_intervals_and_where_the_claim_fails(results, offline, shown):
    results(0.2)
    app = opened(view="classes", measure="coherence")
    app.session_state["saliency-numbers"] = True
    text = said(ran(app))
    assert "**0.320** [0.310, 0.330]" in text, "the quantity of theorem 3"
    assert "n = 500 test pictures" in text
    assert "the claim does not hold for: Occlusion" in text
    assert ["Log-odds gradient", "Robust ResNet-9", "<b>0.320</b> [0.310, 0.330]"] in [row[:3] for row in rows(app)]


def test_every_model_of_the_results_has_its_points():
    row = {"coherence": {"mean": 0.1, "interval": [0.0, 0.2], "n": 500}}
    models = {f"model-{i}": {"gradient": row} for i in range(5)}
    figure = saliency_measured.chart({"models": models}, "coherence")
    assert [trace.name for trace in figure.data] == list(models)


def test_a_method_that_survives_shuffled_weights_is_marked(results, offline, shown):
    results(0.8)
    text = html(opened())
    assert text.count("Fails the randomisation check") == 1
    assert "all weights shuffled: 0.80 [0.79, 0.81]" in text
    results(0.2)
    assert "Fails the randomisation check" not in html(opened())


def test_methods_no_better_than_a_random_order_are_named():
    def row(deletion: float) -> dict:
        return {"deletion": {"mean": deletion, "interval": [deletion - 0.01, deletion + 0.01], "n": 500}}

    of = {"gradient": row(0.3), "occlusion": row(0.1), "deep_lift": row(0.24), "noise": row(0.25)}
    found = {"n": 500, "models": {PHOTO.standard: of}, "differences": {PHOTO.robust: {"gradient": row(0.0)}}}
    text = saliency_measured.sentence(found, "deletion")
    assert "(judged by the intervals) in Standard ResNet-9: Log-odds gradient, DeepLift." in text


def test_nothing_is_said_of_measurements_that_are_not_there(offline, shown):
    assert "Measured" not in said(opened(view="classes"))


# Files


@pytest.mark.parametrize("view", VIEWS)
def test_every_file_can_be_made_and_carries_the_recipe(view, offline, shown):
    opened(view=view)
    for name, file in shown.files.items():
        made = file.make()
        assert len(made) > 100
        if name.endswith(".png") and file.mime == "image/png":
            assert json.loads(render.png_text(made)["recipe"])["view"] == view
        if name.endswith(".npz"):
            assert view in str(np.load(io.BytesIO(made))["recipe_json"])


def test_what_two_settings_share_is_computed_once():
    other = replace(PHOTO, view="pictures", noise=50)
    assert cache_key(other, "gradient") == cache_key(PHOTO, "gradient")


# Stopped


@pytest.mark.parametrize("view", ["methods", "pictures"])
def test_maps_stopped_before_the_first_are_no_fault(view, monkeypatch, offline):
    monkeypatch.setattr(saliency_work, "explanations", lambda *_: iter(()))
    assert "<figure" not in html(opened(view=view))


@pytest.mark.parametrize("ends", [(0, 99), (99, 0), (5, 2)])
def test_attacks_stopped_at_different_steps_still_stand_side_by_side(ends, monkeypatch, offline, shown):
    """The columns are equally long, each ends with its own result; they are compared with the clean picture."""

    names = (PHOTO.standard, PHOTO.robust)
    opened(view="attack")
    whole = shown.rows
    stop_once(monkeypatch, *ends)
    store.forget()
    assert not opened(view="attack", frame="9").error
    assert {len(row.frames) for row in shown.rows} == {len(shown.axis.values)}
    for row, before, name, end in zip(shown.rows, whole, names, ends, strict=True):
        made = views.along(PHOTO, name, on_step=lambda i, _, end=end: i >= end)
        assert row.curve[-1] == pytest.approx(float(made.gradients[-1].norm()), rel=1e-3)
        # To one level of 255: fewer frames are a smaller batch, whose sums round differently.
        np.testing.assert_allclose(row.reference.astype(int), before.reference.astype(int), atol=1)
        last = before.frames[min(end, len(before.frames) - 1)]
        np.testing.assert_allclose(row.frames[-1].astype(int), last.astype(int), atol=1)
    film = render.Image.open(io.BytesIO(shown.files["gradients-film.png"].make()))
    assert getattr(film, "n_frames", 1) == len(shown.axis.values)
    table = shown.files["gradients.csv"].make().splitlines()
    assert table[0].startswith(",".join(f"{name}_step" for name in names))
    assert len(table) == 1 + len(shown.axis.values)
