"""The page "Just bugs?" without a browser."""

import csv
import io

import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.bugs import ensemble, measure, results
from core.bugs.recipe import BugsRecipe
from core.bugs.squares import learn
from core.files import render
from core.models import checkpoints
from core.rates import Rate
from core.results import stale
from pages.bugs import measured, pair, squares, verdict
from tests.app_process import ROOT
from tests.pages.tools import html, question, ran, said

PAGE = str(ROOT / "pages" / "bugs" / "page.py")
QUICK = {"picture": "photo/chelsea", "steps": "2", "members": "1"}


@pytest.fixture
def networks(checkpoint):
    """The networks of the page; without them its tests are skipped."""
    for name in (ensemble.VICTIM, *ensemble.MEMBERS, *ensemble.JUDGES):
        checkpoint(name)


@pytest.fixture
def shown(monkeypatch):
    """What the page hands to the scrubber and to the downloads."""
    seen = {}

    def show(rows, axis, *, key, frame=0, **more):
        seen.update(rows=rows, axis=axis, frame=frame)
        return frame

    monkeypatch.setattr(pair, "scrubber", show)
    monkeypatch.setattr(pair, "downloads", lambda files, **_: seen.update(files={f.name: f for f in files}))
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


def rates(hits: int, n: int = 100) -> dict:
    return Rate(hits, n).as_json()


def numbers() -> dict:
    """A results file as the command writes it."""

    def kind(success: int, hit: int) -> dict:
        judges = {name: {"hit": rates(hit), "fooled": rates(hit)} for name in ensemble.JUDGES}
        return {"success": rates(success), "ensemble": rates(99), "norm": 2.5, "judges": judges}

    both = {"feature": kind(100, 83), "bug": kind(98, 4)}
    student = {
        "success": rates(99),
        "clean": rates(30),
        "next": rates(25),
        "clean renewed": rates(33),
        "next renewed": rates(22),
    }
    worse = {**student, "clean": rates(3), "next": rates(71)}
    how = {"n": 500, "setting": {"label": "2.5"}, "train": {"args": {"width": 8}, "epochs": 3, "seed": 1}}
    stamps = dict.fromkeys((ensemble.VICTIM, *ensemble.MEMBERS), "0" * 12)
    return {
        "about": {"n": 100, "seed": 0, "date": "2026-01-01", "profile": "cpu", "how": "a test"},
        "stamps": stamps,
        "attacks": {"L2 2.5": both},
        "members": {"setting": "L2 2.5", "n": 50, "counts": {"1": kind(99, 20), "4": kind(98, 4)}},
        "wide": {"setting": "L2 2.5", "n": 50, "kinds": both},
        "students": {"how": how, "kinds": {"feature": student, "bug": worse}},
    }


# The pair


def test_it_opens_with_both_pictures_and_counts_whom_they_fool(networks):
    """With the real scrubber and the real downloads."""
    app = opened(**QUICK)
    assert app.title[0].value == "Just bugs?"
    text = said(app)
    assert "Of the networks that took no part" in text
    assert "The cosine between the two changes is" in text
    assert html(app).count("<figure") == 3
    assert "Save and share" in [box.label for box in app.expander]


def test_the_feature_is_left_and_the_bug_right_with_five_others_below_each(networks, shown):
    opened(**QUICK)
    left, right = shown["rows"]
    assert (left.title, right.title) == ("Feature", "Bug")
    for row in (left, right):
        assert len([name for name, _ in row.readouts if name != "‖δ‖ measured"]) == 5
    assert shown["frame"] == len(shown["axis"].values) - 1
    assert not torch.equal(left.delta, right.delta)


def test_the_address_carries_the_radius(networks, shown):
    app = opened(**QUICK, frame="3")
    assert shown["frame"] == 3
    assert "At ε = 0.75" in said(app)


def test_files_hold_what_is_in_sight(networks, shown):
    opened(**QUICK)
    last = len(shown["axis"].values) - 1
    data = shown["files"][f"bug-{last}.png"].make()
    assert Image.open(io.BytesIO(data)).size == (32, 32)
    assert '"members": 1' in render.png_text(data)["recipe"]
    assert all(file.make() for file in shown["files"].values())
    rows = list(csv.reader(io.StringIO(shown["files"]["verdicts.csv"].make())))
    assert len(rows) == len(shown["axis"].values) + 1
    assert f"bug_{ensemble.JUDGES[0]}" in rows[0]


def test_a_target_that_is_the_picture_s_own_is_one_sentence(networks):
    app = opened(**{**QUICK, "target": "cat"})
    assert [error.value for error in app.error] == ["the picture is a cat already; choose another target"]


def test_predicting_first_hides_the_pictures_until_there_is_a_guess(networks, shown):
    app = opened(**QUICK, predict="true")
    assert "rows" not in shown
    app = ran(question(app).set_value(2))
    assert "rows" in shown
    assert "You said 2; it is **" in app.success[0].value
    shown.clear()
    app.session_state["target"] = "ship"
    app = ran(app)
    assert question(app).value is None and "rows" not in shown, "an answer is for its question"


def test_without_the_small_networks_it_says_how_to_make_them(monkeypatch):
    monkeypatch.setattr(ensemble, "missing", lambda: ensemble.MEMBERS[:2])
    app = opened(**QUICK)
    assert "python -m core.train.zoo build small/resnet9-standard-2 small/vgg-standard" in app.warning[0].value


# What was measured


def test_theirs_stand_beside_ours(monkeypatch, tmp_path):
    path = tmp_path / "bugs.json"
    measure.write(path, **numbers())
    monkeypatch.setattr(results, "RESULTS", path)
    monkeypatch.setattr(measured, "say_stale", lambda *_: None)
    app = opened(view="measured")
    tables = html(app)
    for number in ("82.5 %", "1.7 %", "99.3 %", "33.2 %", "70.8 %"):
        assert number in tables
    assert "<b>4.0 %</b> [1.6, 9.8]" in tables
    text = said(app)
    assert "The student of features is right about 30.0 %" in text
    assert "n = 100" in text and "2026-01-01" in text
    assert len(app.get("plotly_chart")) == 3


def test_nothing_measured_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(results, "RESULTS", tmp_path / "none.json")
    app = opened(view="measured")
    assert "Nothing was measured yet" in app.info[0].value
    assert html(app).count("not measured") == 8


def test_intervals_that_touch_are_no_finding():
    """A difference is claimed only where the intervals are apart."""
    learnt = numbers()["students"]["kinds"]
    learnt["bug"]["clean"] = rates(26)
    assert "did not show here" in measured.verdict(learnt)


def test_weights_that_changed_make_the_numbers_stale(networks):
    found = {"stamps": {ensemble.VICTIM: "0" * 12, ensemble.MEMBERS[0]: checkpoints.stamp(ensemble.MEMBERS[0])}}
    assert stale(found) == (ensemble.VICTIM,)


# The squares, and the verdict


def test_files_of_the_squares_can_be_made():
    recipe = BugsRecipe(view="squares", n=100, rounds=1)
    assert all(file.make() for file in squares.files(recipe, learn(recipe)))


def test_squares_are_learnt_on_the_page():
    app = opened(view="squares", n="100", rounds="2")
    assert "Adding up all pixels tells every square up to ε = 0.9" in said(app)
    assert html(app).count("<figure") == 6
    assert len(app.get("plotly_chart")) == 2


def test_a_second_opinion_is_put_beside_the_first():
    app = opened(view="measured")
    app = ran(app.get_by_key(verdict.BEFORE).set_value("features"))
    app = ran(app.get_by_key(verdict.AFTER).set_value("both"))
    assert "You said **features** before, and say **both** now." in [info.value for info in app.info]
    assert verdict.compared("bugs", "bugs") == "You said **bugs** before, and you say so still."
    assert verdict.compared("bugs", None) == ""


def test_what_a_perturbation_depends_on():
    """Members matter to the bug alone, the frame to none."""
    recipe = BugsRecipe(picture="photo/chelsea")
    fewer = BugsRecipe(picture="photo/chelsea", members=2, frame=3)
    assert pair.key(recipe, "feature") == pair.key(fewer, "feature")
    assert pair.key(recipe, "bug") != pair.key(fewer, "bug")
