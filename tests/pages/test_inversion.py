"""The Robust frog page without its pictures: views, controls and address, stops, the quiz, and what is said."""

import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.data.sets import CIFAR10_CLASSES
from core.files import render
from core.inversion import between as between_view
from core.inversion import emergence, invert
from core.inversion import feature as feature_view
from core.inversion import gallery as gallery_view
from core.inversion.between import between
from core.inversion.emergence import emerge
from core.inversion.feature import feature
from core.inversion.gallery import gallery
from core.inversion.invert import FAST, Setting
from core.inversion.recipe import InvertRecipe
from core.inversion.views import cache_key
from core.models import checkpoints
from core.models import judge as core_judge
from core.recipes import to_query
from pages.inversion import between as frog_between
from pages.inversion import emergence as frog_emergence
from pages.inversion import feature as frog_feature
from pages.inversion import gallery as frog_gallery
from pages.inversion import measured
from pages.ui import judge, store
from pages.ui.scrubber import mount
from tests.app_process import ROOT
from tests.pages.tools import computes_nothing, html, ran, said, stop_once

PAGE = str(ROOT / "pages" / "inversion" / "page.py")
STEPS = 6
PHOTO = InvertRecipe(picture="photo/chelsea")


@pytest.fixture(autouse=True)
def models(checkpoint, monkeypatch):
    """The two models that the page opens with, and few steps with them; nothing is left in the store."""
    for name in (PHOTO.standard, PHOTO.robust):
        checkpoint(name)
    monkeypatch.setitem(invert.SETTINGS, "fast", Setting(STEPS, FAST.make_rule))
    monkeypatch.setattr(feature_view, "CLIMB", 4)
    monkeypatch.setattr(feature_view, "SEEN", 100)
    monkeypatch.setattr(judge, "JUDGE", "none")
    monkeypatch.setattr(core_judge, "JUDGE", "none")
    monkeypatch.setattr(measured.measured, "__defaults__", (ROOT / "nowhere.json",))
    store.forget()
    yield
    store.forget()


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the scrubber and to the downloads, most recent last."""
    seen = SimpleNamespace(rows=None, wanted=None, axis=None, frame=None, files={}, script=None)

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis, seen.frame = [row for row in rows if not row.plain], axis, frame
        seen.wanted = [row for row in rows if row.plain]
        return frame if more.get("report") else None

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(mount, "scrubber", show)
    for module in (frog_emergence, frog_between, frog_feature, frog_gallery):
        monkeypatch.setattr(module, "downloads", offer)
    return seen


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {"picture": "photo/chelsea", **query}.items():
        app.query_params[name] = value
    return ran(app)


def recipe_of(shown) -> InvertRecipe:
    """The recipe of the view, out of the script that the page offers."""
    text = shown.script
    return eval(text[text.index("InvertRecipe(\n") : text.index("\n)\n") + 2], {"InvertRecipe": InvertRecipe})


# Each view


def test_it_opens_with_both_models_and_the_wanted_picture(shown):
    app = opened()
    assert app.title[0].value == "Robust frog"
    assert [row.title for row in shown.rows] == ["Standard ResNet-9", "Robust ResNet-9"]
    assert [(row.title, row.subtitle) for row in shown.wanted] == [("Wanted", "cat Chelsea, a photograph")]
    assert not app.error
    assert shown.frame == len(shown.rows[0].frames) - 1, "it opens with the result"
    assert "frame" not in app.query_params


def test_rows_are_what_the_core_computes(shown):
    opened()
    for row, name in zip(shown.rows, (PHOTO.standard, PHOTO.robust), strict=True):
        made = emerge(PHOTO, name)
        np.testing.assert_array_equal(row.frames, render.to_uint8(made.frames))
        np.testing.assert_array_equal(row.reference, render.to_uint8(made.x0)[0])
        torch.testing.assert_close(row.delta, made.frames - made.x0)
        torch.testing.assert_close(row.probabilities, made.logits.softmax(1))
        assert shown.axis.labels == tuple(map(str, made.steps))


@pytest.mark.parametrize("view", ["emergence", "gallery", "feature", "between"])
@pytest.mark.parametrize("quiz", ["", "true"])
def test_every_view_opens_without_cifar10(view, quiz, offline):
    """With the real scrubber and the real downloads."""
    app = opened(view=view, **({"quiz": quiz} if quiz else {}))
    assert not app.error
    assert app.segmented_control(key="view").value == view


@pytest.mark.parametrize("view", ["emergence", "gallery", "feature", "between"])
def test_every_view_opens_with_cifar10(view, cifar, shown):
    app = opened(view=view, picture="cifar10/7")
    assert not app.error
    assert recipe_of(shown).view == view


def test_only_the_chosen_view_computes(monkeypatch, shown):
    def never(*_, **__):
        raise AssertionError("computed")

    for name, module in (("gallery", gallery_view), ("feature", feature_view), ("between", between_view)):
        monkeypatch.setattr(module, name, never)
    opened()
    monkeypatch.setattr(emergence, "emerge", never)
    monkeypatch.setattr(between_view, "between", between)
    opened(view="between")


def test_what_is_in_the_store_is_not_computed_again(monkeypatch, shown):
    app = opened()
    computes_nothing(monkeypatch)
    ran(app.toggle(key="present").set_value(True))


@pytest.mark.parametrize("view", ["emergence", "feature"])
def test_exchanged_models_take_their_titles_with_them(view, offline, shown):
    """Columns, what is said in them, and the names in the files are those of the models, not of the sides."""
    app = opened(view=view, standard="resnet9-l2", robust="resnet9-standard")
    if view == "feature":
        heads = [text.value for text in app.markdown if "feature " in text.value and "ResNet" in text.value]
        assert "Robust ResNet-9" in heads[0] and "Standard ResNet-9" in heads[1]
        return
    robust, standard = shown.rows
    assert (robust.title, standard.title) == ("Robust ResNet-9", "Standard ResNet-9")
    made = emerge(replace(PHOTO, standard="resnet9-l2", robust="resnet9-standard"), "resnet9-l2")
    np.testing.assert_array_equal(robust.frames, render.to_uint8(made.frames))
    assert "Standard ResNet-9 predicts" in dict(robust.readouts) and "Robust ResNet-9 predicts" in dict(
        standard.readouts
    )
    with np.load(io.BytesIO(shown.files["inversion.npz"].make())) as arrays:
        np.testing.assert_array_equal(arrays["resnet9-l2_frames"], made.frames.numpy())
    assert "resnet9-l2_prediction" in shown.files["inversion.csv"].make().partition("\n")[0]


# Gallery and quiz


def test_the_gallery_shows_every_picture_three_times_and_opens_one(offline, shown):
    app = opened(view="gallery")
    text = html(app)
    for id in pictures.ids("photo"):
        assert text.count("<figure") == 4 * len(pictures.ids("photo"))
        assert app.button(key=f"open-{id}").label == "Watch it emerge"
    assert text.count("alt=") == text.count("<img")
    ran(app.button(key="open-photo/rocket").click())
    assert app.segmented_control(key="view").value == "emergence"
    assert recipe_of(shown) == InvertRecipe(picture="photo/rocket", frame=recipe_of(shown).frame)


def test_the_class_filter_is_in_the_recipe(cifar, shown):
    app = opened(view="gallery", picture="cifar10/7", only="cat")
    assert recipe_of(shown).only == "cat"
    assert html(app).count("<b>cat</b>") == 10


def test_the_judge_is_heard_of_every_picture(cifar, shown, monkeypatch):
    """Any model can stand in for it."""
    monkeypatch.setattr(judge, "JUDGE", PHOTO.robust)
    monkeypatch.setattr(core_judge, "JUDGE", PHOTO.robust)
    app = opened(view="gallery", picture="cifar10/7")
    grid = gallery(InvertRecipe(view="gallery", picture="cifar10/"), PHOTO.standard)
    with torch.no_grad():
        right = int((store.model(PHOTO.robust)(grid.made).argmax(1) == torch.arange(10)).sum())
    assert f"({right} of 10" in said(app) or f"**{10 * right}.0 % [" in said(app)
    assert html(app).count(" itself: ") >= 20


def test_the_quiz_counts_and_reveals_only_after_the_answer(offline, shown):
    app = opened(view="gallery", quiz="true")
    total = len(pictures.ids("photo"))
    draws = torch.Generator().manual_seed(0)
    torch.randperm(total, generator=draws)
    robust_is_left = (torch.rand(total, generator=draws) < 0.5).tolist()
    assert "through Robust" not in html(app)
    for k in range(total):
        assert f"**Pair {k + 1} of {total}.**" in said(app)
        letter = "A" if robust_is_left[k] != (k == 1) else "B"  # the second answer is wrong
        ran(app.button(key=f"quiz-{letter}").click())
        assert f"**Score: {k + 1 - (k >= 1)} of {k + 1}.**" in said(app)
        assert "through Standard ResNet-9" in html(app)
    assert f"{total - 1} of {total}; guessing gives {total / 2:g}" in said(app)
    ran(app.button(key="quiz-again").click())
    assert f"**Pair 1 of {total}.**" in said(app)


# Feature


def test_the_feature_view_prints_what_the_core_finds(offline, shown):
    app = opened(view="feature", feature="5")
    for name in (PHOTO.standard, PHOTO.robust):
        found = feature(replace(PHOTO, view="feature", feature=5), name)
        assert f"made to excite it: {found.made_value:.2f}" in html(app)
        assert f"This picture: **{found.value:.2f}**" in said(app)
    assert recipe_of(shown).feature == 5


def test_a_feature_beyond_the_last_is_one_sentence(offline, shown):
    app = opened(view="feature", feature="4000")
    (error,) = app.error  # of the model that says so first
    assert error.value in {f"{name} has features 0 to 255, and no 4000" for name in (PHOTO.standard, PHOTO.robust)}


# Between


def test_between_shows_both_ways_and_the_cross_fade(offline, shown):
    app = opened(view="between")
    assert shown.axis.labels == tuple(f"{i / 10:.1f}" for i in range(11))
    assert shown.frame == 5
    way = between(replace(PHOTO, view="between"), PHOTO.robust)
    np.testing.assert_array_equal(shown.rows[1].frames, render.to_uint8(way.made))
    assert html(app).count("<figure") == 2 + 3 * 11


# Address


@pytest.mark.parametrize(
    "recipe",
    [
        InvertRecipe(start="noise", seed=7, frame=3, block="stem"),
        InvertRecipe(start="grey", standard="resnet9-l2", robust="resnet9-standard", frame=2),
        InvertRecipe(view="gallery", start="noise", seed=2, only="frog"),
        InvertRecipe(view="feature", feature=12, canvas="grey", seed=4),
        InvertRecipe(view="between", canvas="fade", seed=1, frame=4),
    ],
    ids=["emergence", "models exchanged", "gallery", "feature", "between"],
)
def test_every_control_comes_back_from_its_address(recipe, shown):
    recipe = replace(recipe, picture="photo/chelsea")
    opened(**to_query(recipe))
    found = recipe_of(shown)
    assert replace(found, frame=0) == replace(recipe, frame=0)
    if recipe.view in ("emergence", "between"):
        assert found.frame == recipe.frame


@pytest.mark.parametrize(
    ("name", "value"),
    [("view", "all"), ("frame", "999")],
)
def test_a_bad_value_in_the_address_falls_back(name, value, shown):
    app = opened(**{name: value})
    assert not app.error
    assert cache_key(recipe_of(shown)) == cache_key(PHOTO)


def test_a_preset_sets_the_controls_and_says_what_to_look_for(shown):
    app = opened(view="between")
    ran(app.button(key="frog-preset-1").click())
    assert (recipe_of(shown).view, recipe_of(shown).start) == ("emergence", "noise")
    assert "put there by the representation" in said(app)


# Stop


@pytest.fixture
def stopped_at_first(monkeypatch):
    """Somebody presses Stop in the first run: its loops end in step 3. Later runs compute to their end."""
    return stop_once(monkeypatch, 3)


def test_stop_keeps_the_best_marks_it_and_does_not_start_again(stopped_at_first, shown):
    app = opened()
    assert "Stopped at step 3" in said(app)
    assert shown.axis.labels[-1] == "3"
    assert all(row.curve[-1] == min(row.curve) for row in shown.rows)
    ran(app.toggle(key="present").set_value(True))
    assert stopped_at_first.runs == 1, "another run of the page must not start it again"


@pytest.mark.parametrize("ends", [(0, 0), (0, 5), (4, 2)])
def test_models_stopped_at_different_steps_still_stand_side_by_side(ends, monkeypatch, shown):
    stop_once(monkeypatch, *ends)
    app = opened()
    assert not app.error
    assert f"Stopped at step {ends[0]}" in said(app)
    assert {len(row.frames) for row in shown.rows} == {len(shown.axis.values)}
    assert shown.axis.labels[-1] == {(0, 0): "0", (0, 5): "0–5", (4, 2): "2–4"}[ends]
    assert shown.axis.values[-1] == max(ends)
    assert all(row.curve[-1] == min(row.curve) for row in shown.rows)


def test_what_one_visitor_stopped_is_not_shown_to_another(stopped_at_first, shown):
    opened()
    other = opened()
    assert stopped_at_first.runs == 2
    assert "Stopped" not in said(other)
    assert shown.axis.labels[-1] == str(STEPS)


def test_after_a_stop_all_of_it_can_be_had(stopped_at_first, shown):
    app = opened()
    ran(app.button(key="go-on").click())
    assert stopped_at_first.runs == 2
    assert "Stopped" not in said(app)
    assert shown.axis.labels[-1] == str(STEPS)


@pytest.mark.parametrize("view", ["gallery", "feature", "between"])
def test_the_other_views_keep_the_best_too(view, stopped_at_first, offline, shown):
    app = opened(view=view)
    assert "Stopped at step" in said(app)
    assert not app.error


# Words


def test_a_picture_that_a_model_gets_wrong_is_said(shown, monkeypatch):
    picture = pictures.get("photo/chelsea")
    said_of_it = int(store.model(PHOTO.standard)(picture.x).argmax())
    wrong = replace(picture, label=(said_of_it + 1) % 10)
    monkeypatch.setattr(pictures, "get", lambda id, get=pictures.get: wrong if id == wrong.id else get(id))
    app = opened()
    assert any("takes the wanted picture itself for something else" in w.value for w in app.warning)
    assert CIFAR10_CLASSES[said_of_it] in said(app)


def test_an_upload_can_be_wanted(offline, shown):
    app = opened()
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    ran(app.segmented_control(key="picture-source").set_value("upload"))
    ran(app.file_uploader(key="picture-file").set_value(("mine.png", buffer.getvalue(), "image/png")))
    assert recipe_of(shown).picture.startswith("upload/")
    assert shown.wanted[0].subtitle.startswith("mine.png")
    assert "picture" not in app.query_params


def test_what_was_measured_is_shown_with_n_and_intervals(shown, monkeypatch, tmp_path):
    numbers = {
        "distance_mean": 0.031,
        "distance_interval": [0.03, 0.032],
        "pixel_distance_mean": 9.0,
        "moved_mean": 3.0,
        "sees_wanted": {"vgg": {"value": 0.85, "interval": [0.79, 0.89], "hits": 170, "n": 200}},
        "sees_start": {"vgg": {"value": 0.1, "interval": [0.07, 0.15], "hits": 20, "n": 200}},
        "seconds_per_picture": 0.42,
    }
    about = {"judge": "vgg", "n": 200, "seed": 0, "date": "2026-01-02", "how": "batches of 50"}
    path = tmp_path / "inversion.json"
    path.write_text(json.dumps({**about, "settings": {"fast": {"resnet9-l2": numbers}}}))
    monkeypatch.setattr(measured.measured, "__defaults__", (path,))
    app = opened()
    text = said(app) + html(app)
    assert "<b>85 %</b> [79, 89] / <b>10 %</b> [7, 15]" in text
    assert "3.1 % [3.0, 3.2]" in text
    assert "0.42" in text
    assert checkpoints.header("resnet9-l2").title in text


def test_nothing_is_said_of_measurements_that_are_not_there(shown):
    assert "Measured" not in said(opened())


# Files


@pytest.mark.parametrize("view", ["emergence", "gallery", "feature", "between"])
def test_every_file_can_be_made_and_carries_the_recipe(view, offline, shown):
    opened(view=view)
    for name, file in shown.files.items():
        data = file.make()
        assert len(data) > 100
        if name.endswith(".png"):
            assert json.loads(render.png_text(data)["recipe"])["view"] == view
        if name.endswith(".npz"):
            assert view in str(np.load(io.BytesIO(data))["recipe_json"])
