"""The Datasets page without its pictures: what is made, under which label, the quiz, the results, and bad addresses."""

import csv
import io
import json
import shutil
import zipfile
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core import data
from core.data import pictures
from core.data.sets import CIFAR10_CLASSES, Pictures, cifar10_root
from core.datasets import live
from core.datasets import student as students
from core.datasets.experiments import report
from core.datasets.experiments.run import RESULTS
from core.datasets.lesson import Lesson, Moment
from core.datasets.recipe import DatasetsRecipe
from core.files import render
from core.inversion import invert
from core.models import checkpoints
from core.rates import Rate
from core.recipes import from_json, to_query
from pages.datasets import build, experiments, figures, quiz, results
from pages.datasets import student as datasets_student
from pages.datasets import wrong as wrong_view
from pages.ui import store
from tests.app_process import ROOT
from tests.helpers import run_alone
from tests.pages.tools import html, ran, said, stop_once

PAGE = str(ROOT / "pages" / "datasets" / "page.py")
FEW = {"n": "4", "steps": "3", "eps": "50"}


CIFAR = cifar10_root()  # before a fixture hides it


@pytest.fixture(autouse=True)
def models(checkpoint, monkeypatch, tmp_path):
    """The two models that the page opens with, and no CIFAR-10: the gallery's pictures."""
    for name in (DatasetsRecipe.standard, DatasetsRecipe.robust):
        checkpoint(name)
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(results.results, "__defaults__", (tmp_path,))
    store.forget()
    yield
    store.forget()


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the scrubber and to the downloads, most recent last."""
    seen = SimpleNamespace(rows=None, axis=None, files={}, script="")

    def show(rows, axis, *, frame=0, **_):
        seen.rows, seen.axis = rows, axis
        return frame

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(build, "scrubber", show)
    monkeypatch.setattr(build, "downloads", offer)
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {**FEW, **query}.items():
        app.query_params[name] = value
    return ran(app)


def test_generated_pictures_are_moved_at_the_eps_that_the_page_opens_with_and_not_at_the_papers(shown):
    """What the page says when CIFAR-10 is not here."""
    app = opened(eps="", steps="20", n="12")
    assert "1.0 nearly all" in said(app)
    recipe = DatasetsRecipe(n=12, eps=app.slider(key="eps").value)
    assert recipe.eps == 100

    def agrees(recipe: DatasetsRecipe, name: str) -> int:
        made = live.watch(recipe, name)
        return int((made.predictions[-1].cpu() == made.labels).sum())

    assert agrees(recipe, recipe.standard) >= 11
    assert agrees(recipe, recipe.robust) <= 3
    assert agrees(replace(recipe, eps=50), recipe.standard) <= 4


@pytest.mark.parametrize("kind", ["inverted", "rand", "det"])
def test_each_set_is_made_through_both_models_and_labelled_as_in_the_paper(kind, shown):
    app = opened(kind=kind)
    assert not app.error
    assert [row.title for row in shown.rows] == ["Through Standard ResNet-9", "Through Robust ResNet-9"]
    assert shown.axis.labels == ("0", "1", "2", "3")
    recipe = DatasetsRecipe(kind=kind, n=4, steps=3)
    made = live.watch(recipe, recipe.standard)
    for before, after in zip(made.y.tolist(), made.labels.tolist(), strict=True):
        old, new = CIFAR10_CLASSES[before], CIFAR10_CLASSES[after]
        assert (f"<b>{new}</b>" if old == new else f"<s>{old}</s> → <b>{new}</b>") in html(app)
    last = render.sheet(list(render.to_uint8(made.frames[-1])), build.COLUMNS)
    assert np.array_equal(shown.rows[0].frames[-1], last)
    expected = {"inverted": made.y, "det": (made.y + 1) % 10}.get(kind)
    assert expected is None or torch.equal(made.labels, expected)


@pytest.mark.parametrize(("frame", "kept"), [("1", 1), ("", DatasetsRecipe.frame)])
def test_the_frame_in_sight_leaves_the_page_with_the_recipe(frame, kept, shown):
    opened(frame=frame)
    assert json.loads(shown.files["recipe.json"].make())["frame"] == kept
    assert f"frame={kept}" in shown.script


def test_what_is_added_to_an_inversions_start_gives_what_is_shown(shown):
    """It starts from other pictures, so these are the reference, and not the originals whose features it takes on."""
    opened(kind="inverted")
    recipe = DatasetsRecipe(kind="inverted", n=4, steps=3)
    made = live.watch(recipe, recipe.standard)
    start = render.sheet(list(render.to_uint8(made.frames[0])), build.COLUMNS)
    assert np.array_equal(shown.rows[0].reference, start)
    assert shown.rows[0].delta is None, "the scrubber takes the difference to the reference itself"
    assert "mean L2 distance to the originals" in dict(shown.rows[0].readouts)


def test_the_first_card_shows_a_label_that_is_not_the_pictures_class():
    y = torch.tensor([3, 1, 2, 4])
    few = SimpleNamespace(y=y, labels=torch.tensor([3, 1, 5, 0]))
    assert build.mismatch_first(few) == [2, 0, 1, 3]
    assert build.mismatch_first(SimpleNamespace(y=y, labels=y)) == [0, 1, 2, 3]


def test_with_eps_0_nothing_moves(shown):
    opened(eps="0")
    for row in shown.rows:
        assert all(np.array_equal(frame, row.reference) for frame in row.frames)


def test_the_files_are_what_is_shown_and_trainers_read_them(shown, tmp_path):
    opened(kind="det")
    path = tmp_path / "set.npz"
    path.write_bytes(shown.files["set-resnet9-standard.npz"].make())
    back = data.from_npz(path)
    sheet = render.sheet(list(back.images), build.COLUMNS)
    assert np.array_equal(sheet, shown.rows[0].frames[-1])
    with np.load(path) as arrays:
        assert np.array_equal(arrays["labels"], (arrays["source_labels"] + 1) % 10)
    with zipfile.ZipFile(io.BytesIO(shown.files["sets.zip"].make())) as archive:
        names = [name for name in archive.namelist() if name.startswith("resnet9-standard/")]
        assert sorted(name.split("/")[1] for name in names) == sorted(CIFAR10_CLASSES[k] for k in back.labels)
        first = next(name for name in names if name.endswith("/00000.png"))
        assert np.array_equal(np.array(Image.open(io.BytesIO(archive.read(first)))), back.images[0])
    assert json.loads(shown.files["recipe.json"].make())["kind"] == "det"
    assert shown.files["sets.csv"].make().count("\n") == 5


def test_the_script_in_a_process_of_its_own_writes_the_pages_pictures(shown, tmp_path):
    opened(kind="inverted")
    assert "says the set's label of" in run_alone(shown.script, tmp_path)
    recipe = DatasetsRecipe(kind="inverted", n=4, steps=3)
    for name in (recipe.standard, recipe.robust):
        cells = list(render.to_uint8(live.watch(recipe, name).frames[-1]))
        assert (tmp_path / f"{name}-inverted.png").read_bytes() == render.png(render.sheet(cells, 6))


def test_stop_keeps_what_there_is(shown, monkeypatch):
    stop_once(monkeypatch, 1, 2)
    app = opened()
    assert not app.error
    assert "Stopped at step 1" in said(app)
    assert {len(row.frames) for row in shown.rows} == {len(shown.axis.values)}


@pytest.mark.parametrize("query", [{"kind": "D_R", "steps": "many"}, {"view": "x"}])
def test_a_bad_address_opens_the_page_all_the_same(query, shown):
    app = opened(**query)
    assert not app.error
    assert app.title[0].value == "Datasets"


def test_without_labelled_pictures_it_says_so(monkeypatch, shown, tmp_path):
    monkeypatch.setattr("core.data.pictures.GALLERY", tmp_path / "none.npz")
    app = opened()
    assert "no labelled pictures here" in app.error[0].value


# The quiz


def test_the_quiz_counts_the_labels_of_the_set(shown):
    app = opened(view="quiz")
    recipe = DatasetsRecipe(view="quiz", n=12, steps=3)
    made = live.watch(replace(recipe, n=max(4, quiz.ROUNDS)), recipe.standard)
    order = build.mismatch_first(made)
    assert sorted(order) == list(range(len(made.labels))) and made.labels[order[0]] != made.y[order[0]]
    for round_, i in enumerate(order[: quiz.ROUNDS]):
        label = int(made.labels[i])
        answer = label if round_ < 3 else (label + 1) % 10
        ran(app.button(key=f"answer-{answer}").click())
        assert f"its label is **{CIFAR10_CLASSES[label]}**" in said(app)
    assert "**You: 3 of 10 labels" in said(app)
    ran(app.button(key="datasets-again").click())
    assert "Picture 1 of 10" in said(app)


# Results


def test_results_show_the_papers_numbers_and_say_what_was_not_measured(shown):
    app = opened(view="results")
    assert "48.2 %" in html(app)
    assert "63.3 %" in html(app)
    assert said(app).count("was not measured yet") == len(experiments.EXPERIMENTS)


def test_results_that_were_measured_stand_beside_the_papers(shown, tmp_path):
    rate = {"value": 0.5, "interval": [0.49, 0.51], "hits": 5000, "n": 10_000}
    student = {
        **dict.fromkeys(experiments.MEASURED, rate),
        "n_train": 50_000,
        "seed": 100,
        "recipe": {"epochs": 2, "arch": "resnet9"},
        "curve": [[1, 0.3], [2, 0.5]],
        "date": "2026-01-01",
    }
    content = {"profile": "cpu", "students": {"student-rand": student}}
    (tmp_path / "table1.json").write_text(json.dumps(content))
    app = opened(view="results")
    assert "<b>50.0 % [49.0, 51.0]</b> / 63.3 %" in html(app)
    assert "50,000 pictures, 2 epochs, seed 100" in said(app)
    assert said(app).count("was not measured yet") == len(experiments.EXPERIMENTS)  # D_det is still missing


@pytest.mark.parametrize(("interval", "warned"), [([0.48, 0.52], True), ([0.7, 0.74], False)])
def test_a_student_that_guesses_is_said_to_guess(interval, warned, shown, tmp_path):
    rate = {"value": sum(interval) / 2, "interval": interval, "hits": 1, "n": 2000}
    student = {
        **dict.fromkeys(experiments.MEASURED, rate),
        "n_train": 10,
        "seed": 1,
        "recipe": {"epochs": 1, "arch": "resnet9"},
        "curve": [[1.0, 0.5]],
        "date": "2026-01-01",
    }
    content = {"profile": "cpu", "students": {"student-cats-vs-dogs": student}}
    (tmp_path / "cats-vs-dogs.json").write_text(json.dumps(content))
    assert ("not told apart from guessing" in said(opened(view="results"))) == warned


def test_the_bars_are_what_was_measured_and_the_diamonds_the_papers():
    line = experiments.EXPERIMENTS["figure2"].lines[0]
    rates = {name: Rate(hits, 100).as_json() for name, hits in zip(experiments.MEASURED, (70, 40, 20), strict=True)}
    drawn = figures.bars([line], {line.student: rates})
    assert [bar.y[0] for bar in drawn.data if bar.type == "bar"] == [70, 40, 20]
    assert [mark.y[0] for mark in drawn.data if mark.type == "scatter"] == list(line.paper)
    low, high = rates["clean"]["interval"]
    assert (drawn.data[0].error_y.array[0], drawn.data[0].error_y.arrayminus[0]) == pytest.approx(
        (100 * high - 70, 70 - 100 * low)
    )


def test_adaptive_batch_norm_stands_beside_and_a_student_without_a_papers_number_has_a_bar_too():
    line = experiments.EXPERIMENTS["controls"].lines[-1]
    assert line.paper == (None, None, None)
    rates = {name: Rate(hits, 100).as_json() for name, hits in zip(experiments.HEADS, (30, 2, 1, 44), strict=True)}
    bars = [bar for bar in figures.bars([line], {line.student: rates}).data if bar.type == "bar"]
    assert [bar.y[0] for bar in bars] == [30, 44]
    del rates[experiments.RENEWED]
    bars = [bar for bar in figures.bars([line], {line.student: rates}).data if bar.type == "bar"]
    assert [bar.y[0] for bar in bars] == [30]


def test_other_seeds_are_rings_and_a_sentence():
    lines = list(experiments.EXPERIMENTS["table1"].lines)

    def student(hits: int) -> dict[str, object]:
        return {name: Rate(hits, 100).as_json() for name in experiments.HEADS}

    def rings(students: dict[str, object]) -> list[go.Scatter]:
        drawn = figures.bars(lines, students).data
        return [mark for mark in drawn if mark.type == "scatter" and mark.marker.symbol == "circle-open"]

    students = {"student-rand": student(50), "student-det": student(20)}
    assert rings(students) == []
    assert results.other_seeds(lines[0], students) == ""
    students |= {"student-rand-1": student(52), "student-rand-2": student(47), "student-det-1": student(23)}
    assert [(ring.x, ring.y, ring.offsetgroup) for ring in rings(students)] == [
        (("D_rand", "D_rand", "D_det"), (52, 47, 23), name) for name in ("clean", experiments.RENEWED)
    ]
    said = results.other_seeds(lines[0], students)
    assert "52.0 %" in said
    assert "47.0 %" in said
    assert "23.0 %" not in said


def test_the_table_of_all_students_is_what_was_measured_and_the_script_prints_it(capsys):
    (file,) = results.files(RESULTS)
    rows = list(csv.DictReader(io.StringIO(file.make())))
    table = {(row["experiment"], row["student"], row["measured"]): row for row in rows}
    found = json.loads((RESULTS / "table1.json").read_text())["students"]["student-det"]
    for what in (*experiments.HEADS, "label + 1"):
        row = table["table1", "student-det", what]
        assert float(row["value"]) == int(row["hits"]) / int(row["n"]) == found[what]["value"]
        assert [float(row["low"]), float(row["high"])] == found[what]["interval"]
    exec(report.script(), {})  # noqa: S102
    assert capsys.readouterr().out.strip() == file.make().strip()


def test_damaged_results_are_one_sentence(shown, tmp_path):
    (tmp_path / "table1.json").write_text('{"students": ')
    app = opened(view="results")
    (error,) = app.error
    assert error.value.startswith("table1.json is damaged (")
    assert error.value.endswith("; measure again with: python -m core.datasets.experiments run table1")
    assert not app.exception


def test_where_nothing_was_measured_the_table_is_empty(tmp_path):
    (file,) = results.files(tmp_path)
    assert list(csv.DictReader(io.StringIO(file.make()))) == []


def test_what_robust_features_taught_a_student_of_d_det_is_said():
    rand, det = experiments.EXPERIMENTS["table1"].lines
    assert "40.0 %" in results.next_label(det, {"label + 1": Rate(40, 100).as_json()})
    assert results.next_label(rand, {}) == ""
    pair = experiments.EXPERIMENTS["cats-vs-dogs"].lines[0]
    assert results.next_label(pair, {"label + 1": Rate(40, 100).as_json()}) == ""


# A student


@pytest.fixture
def student(tmp_path, monkeypatch):
    """A network among the checkpoints that is called a student; its weights are another model's."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name in (DatasetsRecipe.standard, DatasetsRecipe.robust):
        shutil.copy(checkpoints.path_of(name), folder)
    shutil.copy(checkpoints.path_of(DatasetsRecipe.standard), folder / "student-det.safetensors")
    about = checkpoints.header("student-det", folder)
    checkpoints.annotate(folder / "student-det.safetensors", replace(about, title="Student of D_det"))
    path_of, names = checkpoints.path_of, checkpoints.names
    monkeypatch.setattr(checkpoints, "path_of", lambda name, *_: path_of(name, folder))
    monkeypatch.setattr(checkpoints, "names", lambda *_, **only: names(folder, **only))
    st.cache_resource.clear()
    yield "student-det"
    st.cache_resource.clear()


@pytest.fixture
def looked(monkeypatch):
    """What the view of a student hands to the scrubber and to the downloads; its inversions take few steps."""
    monkeypatch.setitem(invert.SETTINGS, "fast", replace(invert.FAST, steps=6))
    seen = SimpleNamespace(rows=None, axis=None, files={}, script="")

    def scrubbed(rows, axis, *_, own):
        seen.rows, seen.axis = rows, axis
        return 0

    def offer(files, *, key, script):
        seen.files, seen.script = {file.name: file for file in files}, script

    monkeypatch.setattr(datasets_student, "scrubbed", scrubbed)
    monkeypatch.setattr(datasets_student, "downloads", offer)
    return seen


def test_a_student_looks_at_a_picture_beside_an_ordinary_network(student, looked, tmp_path):
    found = {"title": "D_det: labels one further", "n_train": 500, "clean": Rate(30, 100).as_json()}
    (tmp_path / "table1.json").write_text(json.dumps({"students": {student: found}}))
    app = opened(view="student", picture="gallery/7")
    assert not app.error
    assert "This network has seen 500 such pictures and nothing else" in html(app)
    assert str(Rate(30, 100)) in html(app)
    assert [row.title for row in looked.rows] == ["Student of D_det", "Standard ResNet-9"]
    assert all(len(row.frames) == len(looked.axis.values) for row in looked.rows)
    # Both have the same weights, so that they must say and see the same.
    arrays = np.load(io.BytesIO(looked.files["student.npz"].make()))
    for what in ("logits", "attribution", "frames"):
        assert np.array_equal(arrays[f"student-det_{what}"], arrays[f"resnet9-standard_{what}"]), what
    rows = looked.files["student.csv"].make().splitlines()
    assert rows[0] == "class,student-det,resnet9-standard"
    assert len(rows) == 1 + len(CIFAR10_CLASSES)
    assert Image.open(io.BytesIO(looked.files["student.png"].make())).size[1] > 2 * 32 * 6
    assert json.loads(looked.files["recipe.json"].make())["frame"] == 0, "that of the scrubber"
    assert "student='student-det'" in looked.script
    assert "picture='gallery/7'" in looked.script


def test_without_a_student_the_view_says_how_to_make_one(monkeypatch):
    monkeypatch.setattr(students, "names", lambda: ())
    app = opened(view="student")
    assert "python -m core.datasets.experiments run table1" in app.info[0].value


def test_a_student_that_gets_the_picture_wrong_offers_one_that_it_recognises(student, looked, monkeypatch):
    app = opened(view="student", picture="gallery/7")
    right = app.session_state["picture"]
    found = students.recognised(student)
    picture = pictures.get(found)
    assert int(store.model(student)(picture.x).argmax()) == picture.label
    wrong = replace(pictures.get(right), label=(pictures.get(right).label + 1) % 10)
    monkeypatch.setattr(pictures, "get", lambda id, get=pictures.get: wrong if id == right else get(id))
    ran(app)
    assert "gets this picture wrong" in said(app)
    ran(app.button(key="recognised").click())
    assert app.session_state["picture"] == found


def test_a_student_that_is_not_here_is_another_one(student, looked):
    app = opened(view="student", student="student-of-nobody", beside="../evil", picture="gallery/7")
    assert not app.exception
    assert looked.rows[0].title == "Student of D_det"
    reset = next(button for button in app.button if button.label == "Reset")
    ran(reset.click())  # to the page's own default, which is not here either
    app.session_state["view"] = "student"
    ran(app)
    assert not app.exception
    assert looked.rows[0].title == "Student of D_det"


# Models stopped at different steps


@pytest.mark.parametrize("ends", [(0, 9), (9, 0), (2, 1)])
def test_models_stopped_at_different_steps_still_stand_side_by_side(ends, monkeypatch, shown):
    stop_once(monkeypatch, *ends)
    assert not opened().error
    assert {len(row.frames) for row in shown.rows} == {len(shown.axis.values)}
    assert shown.axis.labels[-1] == ("1–2" if ends == (2, 1) else "0–3")
    recipe = DatasetsRecipe(n=4, steps=3)
    for row, name, end in zip(shown.rows, (recipe.standard, recipe.robust), ends, strict=True):
        made = live.watch(recipe, name, on_step=lambda i, _, end=end: i >= end)
        np.testing.assert_array_equal(row.frames[-1], build.row("", name, made, recipe).frames[-1])


def test_training_on_wrong_labels_asks_first_and_then_shows_what_was_learnt(monkeypatch):
    from core.planted import wrong

    for name, value in (("PICTURES", 256), ("EPOCHS", 6), ("TESTED", 100)):
        monkeypatch.setattr(wrong, name, value)
    app = AppTest.from_file(str(ROOT / "pages" / "datasets" / "page.py"), default_timeout=120)
    app.session_state["navigated"] = True
    app.query_params["view"] = "live"
    app.query_params["where"] = "planted"
    app = ran(app)
    assert not [b for b in app.button if b.key == "wrong-go"], "predict first"
    app = ran(next(r for r in app.radio if r.key == "wrong-guess-planted-det").set_value("about chance"))
    app = ran(next(b for b in app.button if b.key == "wrong-go").click())
    assert "You said *about chance*; it is **" in app.success[-1].value
    assert not app.error


@pytest.mark.parametrize(("kind", "guess"), [("rand", "20 to 50 %"), ("det", "20 to 40 %")])
def test_on_cifar_the_lesson_asks_first_and_shows_every_label_wrong(kind, guess, checkpoint, cifar, monkeypatch):
    from core.datasets import wrong

    checkpoint(wrong.SET.source)
    monkeypatch.setenv("CIFAR10_DIR", str(CIFAR))
    monkeypatch.setitem(wrong.SETS, kind, replace(wrong.SETS[kind], n=256, steps=2))
    monkeypatch.setattr(wrong, "TRAINING", replace(wrong.TRAINING, epochs=2))
    monkeypatch.setattr(wrong, "TESTED", 64)
    app = AppTest.from_file(str(ROOT / "pages" / "datasets" / "page.py"), default_timeout=120)
    app.session_state["navigated"] = True
    app.query_params["view"] = "live"
    if kind != "rand":
        app.query_params["set"] = kind
    app = ran(app)
    assert not [b for b in app.button if b.key == "wrong-go"], "predict first"
    app = ran(next(r for r in app.radio if r.key == f"wrong-guess-cifar10-{kind}").set_value(guess))
    app = ran(next(b for b in app.button if b.key == "wrong-go").click())
    assert f"You said *{guess}*; it is **" in app.success[-1].value
    assert "256 of 256 labels are not what is on the picture" in said(app)
    assert ("the class *after* the right one" in said(app)) == (kind == "det")
    assert not app.error


def test_the_lesson_that_is_held_is_what_leaves_the_page(monkeypatch):
    from core.planted import wrong

    for name, value in (("PICTURES", 128), ("EPOCHS", 1), ("TESTED", 20)):
        monkeypatch.setattr(wrong, name, value)
    found = []
    monkeypatch.setattr(wrong_view, "downloads", lambda files, **_: found.extend(files))
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {"view": "live", "where": "planted", "set": "rand"}.items():
        app.query_params[name] = value
    app = ran(ran(app).radio(key="wrong-guess-planted-rand").set_value("about half"))
    assert not ran(app.button(key="wrong-go").click()).error
    recipe = from_json(DatasetsRecipe, next(file for file in found if file.name == "recipe.json").make())
    assert to_query(recipe) == {"view": "live", "where": "planted", "set": "rand"}


def rates(*hits: tuple[int, int]) -> Lesson:
    """A lesson of which only the right answers and the next class are known, of 100 pictures."""
    moments = tuple(Moment(i, Rate(a, 100), Rate(b, 100), torch.zeros(10), 1.0) for i, (a, b) in enumerate(hits))
    one = Pictures(np.zeros((1, 2, 2, 3), np.uint8), np.array([0]), CIFAR10_CLASSES, "")
    return Lesson(one, one, one.x(), 0, moments)


@pytest.mark.parametrize(
    ("last", "verdict"),
    [((60, 10), "What you do not see has won."), ((10, 60), "What you see has won."), ((30, 32), "Neither has won.")],
)
def test_of_the_next_class_it_says_who_has_won_only_where_intervals_are_apart(last, verdict):
    assert wrong_view.two_pulls(rates((10, 10), (20, 22), last)).endswith(verdict)
    assert "After the first pass" not in wrong_view.two_pulls(rates((10, 10), (20, 22), last))
    assert "After the first pass" in wrong_view.two_pulls(rates((10, 10), (5, 50), last))


def test_without_cifar_the_lesson_is_in_the_planted_world(monkeypatch):
    from pages.datasets import courses

    monkeypatch.setattr(courses.pictures, "available", lambda *_: ("gallery", "photo"))
    app = AppTest.from_file(str(ROOT / "pages" / "datasets" / "page.py"), default_timeout=120)
    app.session_state["navigated"] = True
    app.query_params["view"] = "live"
    app = ran(app)
    assert "this happens in the planted world" in said(app)
    assert [r.key for r in app.radio] == ["wrong-guess-planted-det"]
