"""Lectures on the pages: every step's link opens its page with that very view."""

import json
import re
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
from streamlit.testing.v1 import AppTest

from core.inversion import invert
from core.lectures import read, shelf, write
from core.lectures.links import HOME
from core.models import checkpoints
from core.synthesis import studio
from core.usefulness import views as usefulness
from pages.lectures import bar, choice
from pages.ui import exports, mine, store
from pages.ui.hosting import READ_ONLY_VARIABLE
from pages.ui.rooms import ROOMS
from tests.app_process import ROOT
from tests.pages.tools import ran, rows

LINKS = {step.link: step for name in shelf.names() for step in shelf.get(name).steps}
FILES = {HOME: "app.py", **{room.name: room.file for room in ROOMS}}


@pytest.fixture
def left(monkeypatch) -> list[dict[str, object]]:
    """The recipes that the views let out."""
    out, bundle = [], exports.Bundle.__init__

    def noted(self, recipe):
        bundle(self, recipe)
        out.append(json.loads(self.json))

    monkeypatch.setattr(exports.Bundle, "__init__", noted)
    return out


@pytest.fixture(scope="module")
def few_steps() -> Iterator[None]:
    """What takes seconds and is in no link takes few steps, on few pictures; links share what is computed."""
    with pytest.MonkeyPatch.context() as here:
        here.setitem(invert.SETTINGS, "fast", replace(invert.FAST, steps=6))
        here.setattr(usefulness, "ATTACKED", 10)
        here.setattr(usefulness, "ATTACK_STEPS", 2)
        here.setattr(studio, "BATCH", 4)
        store.forget()
        yield
    store.forget()


@pytest.mark.slow
@pytest.mark.parametrize("link", list(LINKS))
def test_the_link_of_a_step_opens_that_very_view(link, left, few_steps, monkeypatch, tmp_path):
    if not checkpoints.names():
        pytest.skip("there are no trained models here; make them with: make zoo")
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    step = LINKS[link]
    app = AppTest.from_file(str(ROOT / FILES[step.page]), default_timeout=300)
    app.session_state["navigated"] = True
    for name, value in step.query.items():
        app.query_params[name] = value
    ran(app)
    assert [problem.value for problem in app.error] == []
    assert app.title[0].value
    wanted = {f.name: getattr(step.recipe, f.name) for f in fields(step.recipe) if f.name in step.query}
    shown = {name: left[-1].get(name) for name in wanted} if left else {n: app.session_state[n] for n in wanted}
    assert {n: tuple(v) if isinstance(v, list) else v for n, v in shown.items()} == wanted


def opened(path: str = "pages/lectures/page.py", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / path), default_timeout=120)
    app.session_state["navigated"] = True
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


@pytest.mark.parametrize("name", shelf.names())
def test_the_page_lists_the_steps_of_the_lecture(name):
    app = opened(shelf=name)
    listed = rows(app)[1:]
    assert len(listed) == len(shelf.get(name).steps)
    assert re.search(rf'href="[^"]*\blecture={name}&amp;step=1', listed[0][1])
    assert not app.error


def test_a_shelf_that_there_is_not_opens_the_first():
    app = opened(shelf="nothing")
    assert len(rows(app)) == 1 + len(shelf.get("paper").steps)


def test_a_lecture_is_made_ones_own_and_changed_as_text():
    app = opened()
    button(app, "Make it mine").click().run()
    text = next(area for area in app.text_area if area.label == "As text")
    assert text.value == write(shelf.get("paper"))
    text.set_value(text.value.replace("The paper in 15 minutes", "Ours")).run()
    button(app, "Take these changes").click().run()
    assert app.session_state[mine.KEY].title == "Ours"
    text = next(area for area in app.text_area if area.label == "As text")
    text.set_value("title = 'x'").run()
    button(app, "Take these changes").click().run()
    assert [problem.value for problem in app.error] == [
        "a lecture has 1 to 100 steps, \\[\\[step\\]\\] each; this one has 0"
    ]
    assert app.session_state[mine.KEY].title == "Ours"


def test_an_upload_opens_and_a_wrong_one_is_told_why():
    app = opened()
    app.file_uploader[0].set_value(("a.toml", write(shelf.get("bug")).encode(), "application/toml")).run()
    assert app.session_state[mine.KEY] == shelf.get("bug")
    app.file_uploader[0].set_value(("b.toml", b"\xff", "application/toml")).run()
    assert "not text" in app.error[0].value
    assert app.session_state[mine.KEY] == shelf.get("bug")


def test_a_host_that_takes_nothing_offers_no_upload_and_the_text_stays(monkeypatch):
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    app = opened()
    assert not app.file_uploader
    button(app, "Make it mine").click().run()
    assert not app.error and app.text_area


def test_every_view_can_be_added_to_ones_own_lecture():
    app = opened("pages/gaussian/page.py", eps="3.0", view="paper")
    app.session_state["gaussian-exports"] = True
    ran(app)
    button(app, "Add to my lecture").click().run()
    button(app, "Add to my lecture").click().run()
    steps = app.session_state[mine.KEY].steps
    assert len(steps) == 2
    assert (steps[0].page, steps[0].recipe.eps, steps[0].recipe.view) == ("gaussian", 3.0, "paper")
    assert read(write(app.session_state[mine.KEY])).steps == steps


def test_a_view_that_lets_no_recipe_out_is_added_by_its_address():
    app = AppTest.from_file(str(ROOT / "pages/datasets/page.py"), default_timeout=120)
    app.session_state["navigated"] = True
    app.session_state[mine.PAGE] = "datasets"
    app.query_params["view"] = "results"
    app.session_state["results-exports"] = True
    ran(app)
    button(app, "Add to my lecture").click().run()
    (step,) = app.session_state[mine.KEY].steps
    assert (step.page, step.recipe.view) == ("datasets", "results")


def test_a_question_is_asked_before_the_view_and_its_answer_is_not_sent_with_it():
    step = shelf.get("paper").steps[16]
    app = opened("app.py", lecture="paper", step="17")
    sent = "".join(str(element.proto) for element in app.main.children.values())
    assert not app.title
    assert "Where does the gradient of the robust model point" in sent
    assert "Theorem 3" in step.question.because
    assert "Theorem 3" not in sent


def test_a_step_beyond_the_end_is_the_last_and_nonsense_is_the_first():
    assert place("99").step == len(shelf.get("paper").steps)
    assert place("x").step == place("0").step == place("²").step == 1


def place(step: str) -> bar.Place:
    return opened("app.py", lecture="paper", step=step).session_state[bar.AT]


def test_a_lecture_that_there_is_not_is_told_and_the_page_opens():
    app = opened("app.py", lecture="nothing")
    assert "there is no lecture 'nothing'" in app.error[0].value
    assert app.title[0].value == "Robust Frog"


def test_ones_own_lecture_is_only_in_ones_own_tab():
    assert "lives in the tab where you made it" in opened("app.py", lecture="mine").error[0].value


def button(app: AppTest, label: str):
    return next(found for found in app.button if found.label == label)


def test_two_pictures_come_from_the_gallery_where_cifar10_is_not_here(monkeypatch, tmp_path):
    if not checkpoints.names():
        pytest.skip("there are no trained models here; make them with: make zoo")
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    app = AppTest.from_file(str(ROOT / "pages/lectures/page.py"), default_timeout=120)
    app.query_params["view"] = "choice"
    app.query_params["trials"] = "12"
    ran(app)
    names, x = choice.originals(4, seed=1)
    assert all(name.startswith("gallery/") for name in names)
    assert x.shape == (4, 3, 32, 32)
    assert not app.error
