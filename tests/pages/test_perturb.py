"""The Perturb page without its pictures: controls and address make a recipe, the recipe makes rows, files and words."""

import io
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import perturb
from core.data import pictures
from core.data.sets import CIFAR10_CLASSES
from core.files import render
from core.models import checkpoints, ready
from core.perturb import scene
from core.perturb.recipe import PerturbRecipe
from core.recipes import from_json, to_query
from pages.perturb import work as perturb_work
from pages.perturb.work import Job
from pages.ui import exports, scrubber, work
from tests.app_process import ROOT
from tests.pages.tools import question, ran, said

PAGE = str(ROOT / "pages" / "perturb" / "page.py")
QUICK = {"attack": "FGSM", "picture": "photo/chelsea", "target": "truck"}  # one step, and no need of CIFAR-10


@pytest.fixture(autouse=True)
def models(checkpoint):
    """The two models that the page opens with; without them its tests are skipped."""
    for name in (PerturbRecipe().standard, PerturbRecipe().robust):
        checkpoint(name)


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the scrubber and to the downloads, most recent last."""
    seen = SimpleNamespace(rows=None, axis=None, frame=None, files={}, script=None)

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis, seen.frame = rows, axis, frame
        return frame if more.get("report") else None

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(scrubber, "scrubber", show)
    monkeypatch.setattr(exports, "downloads", offer)
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


def recipe_of(shown) -> PerturbRecipe:
    """The recipe of the view, out of the script that the page offers."""
    text = shown.script
    return eval(text[text.index("PerturbRecipe(\n") : text.index("\n)\n") + 2], {"PerturbRecipe": PerturbRecipe})


# Opening


@pytest.mark.parametrize("view", ["sweep", "duel"])
def test_an_address_that_names_no_norm_has_the_usual_one(view, shown):
    app = opened(**QUICK, view=view, norm="")
    assert app.segmented_control(key="norm").value == "L2"


def test_it_opens_with_the_scrubber_and_says_how_little_it_takes():
    """With the real scrubber and the real downloads."""
    app = opened(**QUICK)
    assert app.title[0].value == "Perturb"
    text = said(app)
    assert "**Standard ResNet-9: " in text and "**Robust ResNet-9: " in text
    assert "Read back: the saved 8-bit picture" in text
    assert [button.label for button in app.button if (button.key or "").startswith("perturb-preset")] == [
        "A frog, or a truck?",
        "The robust model changes the picture instead",
        "Noise does nothing",
        "Step by step",
        "Two students",
        "The webcam duel",
        "Reset",
    ]
    assert not app.error


def test_three_rows_over_the_whole_sweep(shown):
    opened(**QUICK)
    recipe = recipe_of(shown)
    assert [row.title for row in shown.rows] == ["Standard ResNet-9", "Robust ResNet-9", "Random noise"]
    assert [row.minor for row in shown.rows] == [False, False, True]
    assert all(len(row.frames) == len(recipe.eps_values) == 21 for row in shown.rows)
    assert shown.axis.labels == recipe.eps_labels
    assert shown.axis.total == 21


def test_rows_are_what_the_core_computes(shown):
    """Frames, perturbation, probabilities and flags, against a second computation under the same recipe."""
    opened(**QUICK)
    recipe = recipe_of(shown)
    for row, name in zip(shown.rows, (recipe.standard, recipe.robust), strict=False):
        found = perturb.attack(recipe, name)
        np.testing.assert_array_equal(row.frames, render.to_uint8(found.x_adv))
        torch.testing.assert_close(row.delta, found.x_adv - found.x)
        torch.testing.assert_close(row.probabilities, found.probabilities)
        assert row.threshold == found.threshold
        assert (row.truth, row.target) == (found.y, found.target)
    control = shown.rows[2]
    left = perturb.attack(recipe, recipe.standard)
    expected = perturb.noise(recipe, recipe.standard, left)
    np.testing.assert_array_equal(control.frames, render.to_uint8(expected.x_adv))


def test_columns_are_built_once_for_all_runs_and_visitors(shown, monkeypatch):
    opened(**QUICK)
    monkeypatch.setattr(scene, "rows", lambda *_: pytest.fail("built again"))
    before = shown.rows
    opened(**QUICK, frame="3")
    assert shown.rows is before


def test_columns_of_another_seed_are_others(shown):
    opened(**QUICK)
    before = shown.rows[2].frames
    opened(**QUICK, seed="1")
    assert not np.array_equal(shown.rows[2].frames, before), "noise is drawn from the seed"


def test_every_frame_has_a_sentence_with_the_numbers_in_it(shown):
    opened(**QUICK)
    for row in shown.rows:
        for label, text in zip(shown.axis.labels, row.alt, strict=True):
            assert text.startswith(f"{row.title}: cat at {label}; the model says ")
            assert "measured size" in text and " of " in text


def test_each_picture_is_shown_to_the_other_model_too(shown):
    opened(**QUICK)
    names = [dict(row.readouts).keys() for row in shown.rows]
    assert [sorted(name) for name in names] == [
        ["Robust ResNet-9 predicts", "‖δ‖ measured"],
        ["Standard ResNet-9 predicts", "‖δ‖ measured"],
        ["Robust ResNet-9 predicts", "‖δ‖ measured"],
    ]


def test_the_words_agree_with_the_search(shown):
    """ "0.123 is enough" is what `closest` finds."""
    app = opened(**QUICK)
    recipe = recipe_of(shown)
    distance = perturb.closest(recipe, recipe.standard, steps=perturb_work.CLOSEST_STEPS)[1]
    assert f"**Standard ResNet-9: {distance:.3f} is enough**" in said(app)


def test_the_saved_picture_is_read_back_and_asked_again(shown):
    app = opened(**QUICK, frame="20")
    recipe = recipe_of(shown)
    assert recipe.frame == 20
    model = ready.load(recipe.standard)
    saved = np.array(Image.open(io.BytesIO(shown.files["resnet9-standard-20.png"].make())))
    with torch.no_grad():
        answer = CIFAR10_CLASSES[int(model(render.from_uint8(saved[None])).argmax())]
    mark = "still fools" if answer == "truck" else "does not fool"
    assert f"the saved 8-bit picture {mark} Standard ResNet-9 ({answer}, " in said(app)


# Without this and that


def test_without_cifar10_it_opens_with_the_photograph(tmp_path, monkeypatch, shown):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")
    app = opened(attack="FGSM")
    assert recipe_of(shown).picture == "photo/chelsea"
    assert "CIFAR-10 is not on this computer" in said(app)
    assert not app.error


def test_without_cifar10_a_link_to_a_test_picture_is_one_sentence(tmp_path, monkeypatch, shown):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")
    app = opened(attack="FGSM", picture="cifar10/12")
    assert len(app.error) == 1
    assert "CIFAR10_DIR" in app.error[0].value
    assert recipe_of(shown).picture == "photo/chelsea"


def test_with_cifar10_it_opens_with_a_frog(cifar, shown):
    app = opened(attack="FGSM")
    assert pictures.get(recipe_of(shown).picture).label == CIFAR10_CLASSES.index("frog")
    assert "CIFAR-10 is not" not in said(app)


def test_without_checkpoints_it_says_how_to_make_them(monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = opened()
    assert [warning.value for warning in app.warning] == [
        "There are no trained models in checkpoints/. Make them with: make zoo"
    ]


def test_one_model_has_one_column_beside_the_noise(monkeypatch, shown):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ("resnet9-l2",))
    app = opened(**QUICK)
    recipe = recipe_of(shown)
    assert said(app).count("**Robust ResNet-9: ") == 1
    assert recipe.standard == recipe.robust == "resnet9-l2"
    assert len(shown.rows) == 2


def test_a_damaged_checkpoint_is_one_sentence(monkeypatch, tmp_path):
    from pages.ui import store

    for name in ("resnet9-standard", "resnet9-l2"):
        (tmp_path / f"{name}.safetensors").write_bytes(b"no")
    names, load, header = checkpoints.names, checkpoints.load, checkpoints.header
    monkeypatch.setattr(checkpoints, "names", lambda **only: names(tmp_path, **only))
    monkeypatch.setattr(checkpoints, "load", lambda name: load(name, folder=tmp_path))
    monkeypatch.setattr(checkpoints, "header", lambda name: header(name, tmp_path))
    store.forget()
    app = opened(**QUICK)
    assert len(app.error) == 1
    assert "resnet9" in app.error[0].value
    store.forget()


# Address


@pytest.mark.parametrize(
    "recipe",
    [
        PerturbRecipe(norm="Linf", reach="8/255", attack="FGSM", target="ship", seed=7, frame=3),
        PerturbRecipe(reach="0.5", steps=1, target="second", random_start=True, frame=9),
        PerturbRecipe(norm="Linf", steps=2, axis="steps", at="10/255", target="least", frame=1),
        PerturbRecipe(standard="resnet9-l2", robust="resnet9-standard", attack="FGSM", frame=20),
    ],
    ids=["fgsm", "random start", "steps", "models exchanged"],
)
def test_every_control_comes_back_from_its_address(recipe, shown):
    recipe = replace(recipe, picture="photo/chelsea")
    opened(**to_query(recipe))
    assert recipe_of(shown) == recipe


BAD = {
    "norm": ("L1", "linf"),
    "reach": ("8/255", "nan", "1e9"),  # the first is of the other norm
    "steps": ("0", "999999", "x"),
    "target": ("pig", "<script>"),
    "frame": ("-1", "1e9", "x", "201"),
    "axis": ("eps2",),
    "seed": ("-1", "x", str(2**40)),
    "at": ("17/255", "x"),
    "random_start": ("2",),
    "attack": ("CW",),
    "standard": ("../../etc/passwd", "vgg-none"),
    "robust": ("",),
    "predict": ("x",),
}


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.parametrize("half", [0, 1])
def test_bad_values_in_the_address_fall_back_and_good_ones_beside_them_stay(turn, half, shown):
    """Every other field is bad, each in its turn with each of its values."""
    good = {"picture": "photo/chelsea", "reach": "0.5", "attack": "FGSM", "target": "ship", "frame": "6"}
    bad = {name: values[turn % len(values)] for name, values in list(BAD.items())[half::2]}
    app = opened(**good | bad)
    fallen = {name: getattr(PerturbRecipe(), name) for name in bad if name != "predict"}
    assert recipe_of(shown) == replace(PerturbRecipe(**good | {"frame": 6}), **fallen)
    assert not app.error


@pytest.mark.parametrize("picture", ["", "photo/nobody", "cifar10/99999999", "upload/abc", "../x", "🐸"])
def test_a_bad_picture_in_the_address_is_one_sentence_at_most(picture, shown):
    app = opened(attack="FGSM", picture=picture)
    assert pictures.get(recipe_of(shown).picture)
    assert len(app.error) <= 1


def test_a_frame_beyond_the_last_shows_the_last(shown):
    opened(**QUICK, axis="steps", frame="150")
    assert "resnet9-standard-1.png" in shown.files


def test_the_pictures_own_class_as_target_is_one_sentence():
    app = opened(**{**QUICK, "target": "cat"})
    assert [error.value for error in app.error] == ["the picture is a cat already; choose another target"]


# Controls


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("segmented_control", "norm", "Linf"),
        ("segmented_control", "axis", "steps"),
        ("selectbox", "target", "bird"),
        ("slider", "steps", 3),
        ("toggle", "random_start", True),
        ("segmented_control", "schedule", "constant"),
        ("segmented_control", "precision", "fp32"),
        ("number_input", "seed", 5),
        ("select_slider", "reach", "5"),
        ("selectbox", "standard", "resnet9-l2"),
    ],
)
def test_moving_a_control_changes_its_field_of_the_recipe_alone(kind, key, value, shown):
    app = opened(**{**QUICK, "attack": "PGD", "steps": "1"})
    before = recipe_of(shown)
    ran(getattr(app, kind)(key=key).set_value(value))
    # The radius of the steps view stays what it was, which need not be the default of another reach.
    assert recipe_of(shown) == replace(before, **{key: value}, at=recipe_of(shown).at)
    assert recipe_of(shown).at in ("", before.eps_labels[before.at_index])


def test_the_other_norm_brings_its_own_radii(shown):
    app = opened(**QUICK, reach="5")
    ran(app.segmented_control(key="norm").set_value("Linf"))
    assert recipe_of(shown).eps_labels[-1] == "20/255"
    assert shown.axis.labels[-1] == "20/255"
    ran(app.segmented_control(key="norm").set_value("L2"))
    assert recipe_of(shown).norm == "L2"


def test_a_preset_sets_the_controls_and_says_what_to_look_for_and_reset_sets_them_back(shown):
    app = opened(**{**QUICK, "seed": "3"})
    ran(app.button(key="perturb-preset-2").click())
    assert (recipe_of(shown).norm, recipe_of(shown).attack) == ("Linf", "PGD")
    assert recipe_of(shown).target == "any", "what the preset does not name is at its default"
    assert recipe_of(shown).seed == 0
    assert "random noise of exactly the same size" in app.info[0].value
    ran(next(button for button in app.button if button.label == "Reset").click())
    assert replace(recipe_of(shown), frame=PerturbRecipe().frame) == PerturbRecipe(picture=pictures.default_id())
    assert not app.info


def test_presets_only_set_what_the_controls_accept(shown):
    """A value that a widget does not have would be dropped silently, and the text would lie."""
    app = opened(**QUICK)
    for i, expected in enumerate(
        [{"target": "truck"}, {"reach": "5", "target": "truck", "steps": 40}, {"norm": "Linf"}, {"axis": "steps"}]
    ):
        ran(app.button(key=f"perturb-preset-{i}").click())
        for name, value in expected.items():
            assert getattr(recipe_of(shown), name) == value, (i, name)


# Predict, then reveal


def test_the_answer_is_shown_only_after_the_prediction(shown):
    app = opened(**QUICK, predict="true")
    assert shown.rows is None
    assert "Choose, and the slider appears." in said(app)
    assert "is enough" not in said(app)
    ran(question(app).set_value("Robust ResNet-9"))
    assert shown.rows is not None
    recipe = recipe_of(shown)
    at = [perturb.attack(recipe, name).threshold for name in (recipe.standard, recipe.robust)]
    left, right = (10**6 if t is None else t for t in at)
    truth = (
        "neither"
        if min(left, right) == 10**6
        else "both at the same ε"
        if left == right
        else "Standard ResNet-9"
        if left < right
        else "Robust ResNet-9"
    )
    assert app.success[0].value.startswith(f"You said *Robust ResNet-9*; it is **{truth}**. Standard ResNet-9: ")
    app.session_state["picture"] = "photo/rocket"
    assert question(ran(app)).value is None and not app.success, "an answer is for its question"


# Uploads


def upload(app: AppTest, data: bytes, name: str) -> AppTest:
    ran(app.segmented_control(key="picture-source").set_value("upload"))
    return ran(app.file_uploader(key="picture-file").set_value((name, data, "image/png")))


def test_an_uploaded_picture_is_attacked_as_what_the_model_takes_it_for(shown):
    app = opened(**{**QUICK, "target": "second"})
    image = Image.effect_noise((40, 40), 90).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    upload(app, buffer.getvalue(), "mine.png")
    assert recipe_of(shown).picture.startswith("upload/")
    assert shown.rows[0].flags[0] is None, "right by definition without a change"
    assert not app.error


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"x" * 100], ids=["empty", "text", "cut"]
)
def test_an_upload_that_is_no_picture_is_one_sentence_and_the_page_goes_on(data, shown):
    app = opened(**QUICK)
    upload(app, data, "x.png")
    assert len(app.error) == 1
    assert recipe_of(shown).picture == "photo/chelsea"


# Files


def test_saved_pictures_hold_the_frame_in_sight_and_the_recipe(shown):
    opened(**QUICK, frame="8")
    recipe = recipe_of(shown)
    for checkpoint in (recipe.standard, recipe.robust):
        data = shown.files[f"{checkpoint}-8.png"].make()
        found = perturb.attack(recipe, checkpoint)
        np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(data))), render.to_uint8(found.x_adv[8:9])[0])
        assert from_json(PerturbRecipe, render.png_text(data)["recipe"]) == recipe
        delta = np.array(Image.open(io.BytesIO(shown.files[f"{checkpoint}-8-delta.png"].make())))
        expected = render.to_uint8(render.amplified(found.x_adv[8:9] - found.x, 10.0))[0]
        np.testing.assert_array_equal(delta, expected)


def test_the_other_files_hold_every_frame(shown):
    opened(**QUICK)
    recipe = recipe_of(shown)
    found = perturb.attack(recipe, recipe.robust)
    with np.load(io.BytesIO(shown.files["perturb.npz"].make()), allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["resnet9-l2_x_adv"], found.x_adv.numpy())
        assert arrays["x"].dtype == np.float32
        assert from_json(PerturbRecipe, str(arrays["recipe_json"])) == recipe
        np.testing.assert_allclose(arrays["positions"], recipe.eps_values, rtol=1e-6)
    lines = shown.files["curve.csv"].make().splitlines()
    assert len(lines) == 1 + 21
    assert lines[0].startswith(
        ",".join(
            [
                "position",
                *(f"resnet9-standard_{c}" for c in ("norm", "p_true", "prediction", "success")),
                "resnet9-l2_norm",
            ]
        )
    )
    assert from_json(PerturbRecipe, shown.files["recipe.json"].make()) == recipe
    for name in ("perturb-film.png", "perturb.webp"):
        with Image.open(io.BytesIO(shown.files[name].make())) as film:
            assert film.n_frames == 21
    assert json.loads(render.png_text(shown.files["perturb-film.png"].make())["recipe"])["kind"] == "PerturbRecipe"
    sheet = np.array(Image.open(io.BytesIO(shown.files["sheet.png"].make())))
    assert sheet.shape[1] > 768


def test_a_vanished_gradient_is_said_on_the_page(monkeypatch, shown):
    """With an attack whose gradient was zero somewhere."""
    honest = perturb.attack
    monkeypatch.setattr(perturb, "attack", lambda *a, **k: replace(honest(*a, **k), grad_vanished=True))
    from pages.ui import store

    store.forget()
    app = opened(**QUICK)
    assert any("The gradient vanished" in warning.value for warning in app.warning)
    store.forget()


def test_columns_are_called_after_the_models_that_are_in_them(shown):
    app = opened(**QUICK, standard="student-nonrobust", robust="student-robust")
    assert [row.title for row in shown.rows[:2]] == ["Student of D_NR", "Student of D_R"]
    assert "**Student of D_NR: " in said(app) and "ResNet-9: " not in said(app)


def test_a_preset_sets_the_models_and_the_frame_and_reset_sets_them_back(shown):
    app = opened(**QUICK, frame="5")
    by_label = {button.label: button for button in app.button}
    ran(by_label["Two students"].click())
    assert shown.rows[0].title == "Student of D_NR"
    assert shown.frame == 0
    ran({button.label: button for button in app.button}["Reset"].click())
    assert shown.rows[0].title == "Standard ResNet-9"
    assert shown.frame == PerturbRecipe().frame


def test_a_clean_mistake_is_marked_as_such(shown):
    """A picture that the standard model gets wrong: said in words, and on the row."""
    model = ready.load(PerturbRecipe().standard)
    if "cifar10" not in pictures.available():
        pytest.skip("a picture that the model gets wrong is among CIFAR-10's")
    wrong = next(
        id for id in pictures.ids("cifar10") if int(model(pictures.get(id).x).argmax()) != pictures.get(id).label
    )
    app = opened(attack="FGSM", picture=wrong)
    assert "Standard ResNet-9: wrong without any change." in said(app)
    assert shown.rows[0].flags[0] == "wrong from the start"


def test_what_was_finished_while_the_page_drew_is_shown_too(monkeypatch):
    """All is there at the end of a run that began with 14 of 21 frames: the page runs once more, and then rests."""

    class Done(Job):
        parts: ClassVar[dict] = {}
        nearest: ClassVar[dict] = {}

        def known(self, name):
            return SimpleNamespace(x_adv=torch.zeros(21, 1))

    job = Done(PerturbRecipe(), pictures.get("gallery/0"))
    monkeypatch.setattr(work, "is_stopped", lambda group: False)
    assert job.more(14)
    assert not job.more(21)
