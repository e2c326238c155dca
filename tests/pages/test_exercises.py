"""The Exercises page: what is handed in is recomputed, and the report holds what was handed in."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from core.exercises import exercises
from pages.ui.store import forget
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    forget()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "exercises" / "page.py"), default_timeout=120)
    app.session_state["navigated"] = True
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


def hand_in(app: AppTest, name: str, text: str) -> AppTest:
    app.text_input(key=f"answer-{name}").set_value(text)
    press = next(b for b in app.button if b.label == "Check it")
    return ran(press.click())


def test_it_opens_with_the_first_task_and_all_ten_in_sight():
    app = opened()
    first = next(iter(exercises().values()))
    assert first.task in said(app)
    assert sum(b.key.startswith("exercise-") and b.key != "exercise-open" for b in app.button if b.key) == 10


def test_a_solution_is_solved_and_counted():
    app = hand_in(opened(exercise="align"), "align", "http://localhost:8501/gaussian?eps=5")
    assert "Solved." in app.success[0].value
    assert "8.0°" in app.success[0].value
    assert "1 of 10 solved" in said(app)


def test_a_wrong_answer_says_what_is_missing_and_can_be_mended():
    app = hand_in(opened(exercise="align"), "align", "/gaussian?eps=1")
    assert "Not yet." in app.warning[0].value
    app = hand_in(app, "align", "/gaussian?eps=5")
    assert "1 of 10 solved" in said(app)
    app = hand_in(app, "align", "/gaussian?eps=1")
    assert "1 of 10 solved" in said(app), "what was solved stays solved"


def test_what_is_no_answer_is_told_in_a_sentence():
    app = hand_in(opened(exercise="align"), "align", "no address")
    assert "on the page gaussian" in app.error[0].value


@pytest.mark.parametrize("name", exercises())
def test_every_exercise_opens(name: str):
    app = opened(exercise=name)
    assert exercises()[name].task in said(app)
    assert not app.error


def test_a_link_to_an_exercise_that_is_not_there_opens_the_first():
    assert next(iter(exercises().values())).task in said(opened(exercise="zzz"))


def test_a_task_opens_with_its_picture_and_what_its_models_say(checkpoint):
    page = html(opened(exercise="fool-one"))
    assert page.count("<figure") == 1
    assert all(re.search(rf"{name}: \w+ \d+ %|{name}: \w+ 99\.\d %", page) for name in ("VGG", "ResNet-9"))
    assert html(opened(exercise="early-layer")).count("<figure") == 2


def test_a_task_without_pictures_says_where_it_starts():
    assert "As it opens: At ε = 1 the robust gradient stands 39.8°" in said(opened(exercise="align"))
