"""The home page: both models under a breathing epsilon, three doors, whatever is missing."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from pages.ui import rooms, scrubber
from pages.ui.duel import STUDENTS
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said

NAMES = {PerturbRecipe().standard, PerturbRecipe().robust}


def opened(file: str = "app.py") -> AppTest:
    return ran(AppTest.from_file(str(ROOT / file), default_timeout=120))


@pytest.fixture
def without_cifar10(tmp_path, monkeypatch):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")


@pytest.fixture
def shown(monkeypatch) -> SimpleNamespace:
    """What the page gives to the scrubber."""
    state = SimpleNamespace()

    def record(rows, axis, **more):
        state.rows, state.axis, state.more = rows, axis, more

    monkeypatch.setattr(scrubber, "scrubber", record)
    return state


def breathes(shown: SimpleNamespace) -> None:
    """Both models stand there over the whole sweep, the standard one gives in first, the other one too in the end."""
    assert [row.title for row in shown.rows] == ["Standard ResNet-9", "Robust ResNet-9"]
    assert shown.more["breathe"]
    assert all(len(row.frames) == len(shown.axis.labels) == shown.axis.total for row in shown.rows)
    first, second = (row.threshold for row in shown.rows)
    assert 0 < first < second, "both verdicts are to change"


def test_it_opens_with_two_models_and_an_epsilon_that_breathes(cifar, checkpoint, shown):
    for name in NAMES:
        checkpoint(name)
    app = opened()
    assert app.title[0].value == "Robust Frog"
    assert not app.error
    assert not app.warning
    assert "turns a frog into a truck for the left network" in said(app)
    assert "these patterns are real: they predict the right answer" in said(app), "why they are called features"
    breathes(shown)


def test_without_cifar10_the_generated_frog_breathes(tmp_path, monkeypatch, checkpoint, shown):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    for name in NAMES:
        checkpoint(name)
    assert not opened().error
    breathes(shown)


def test_without_any_picture_but_photographs_it_still_opens(without_cifar10, checkpoint):
    """With the real scrubber."""
    for name in NAMES:
        checkpoint(name)
    app = opened()
    assert not app.error


def test_the_doors_lead_to_the_view_in_sight_and_to_the_students(cifar, checkpoint, shown):
    for name in (*NAMES, *STUDENTS.values()):
        checkpoint(name)
    labels = [button.label for button in opened().button]
    assert labels[:2] == ["Fool a model yourself", "Attack two students under one slider"]


def test_without_checkpoints_it_says_how_to_make_them(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = opened()
    assert [warning.value for warning in app.warning] == [
        "The trained models are not in checkpoints/. Make them with: make zoo"
    ]
    assert [place.value for place in app.markdown if place.value.startswith("### ")] == [
        "### See it",
        "### Do it",
        "### Argue about it",
    ]


def test_damaged_checkpoints_are_one_sentence(without_cifar10, monkeypatch, tmp_path):
    from pages.ui import store

    for name in NAMES:
        (tmp_path / f"{name}.safetensors").write_bytes(b"no")
    names, load = checkpoints.names, checkpoints.load
    monkeypatch.setattr(checkpoints, "names", lambda **only: names(tmp_path, **only))
    monkeypatch.setattr(checkpoints, "load", lambda name: load(name, folder=tmp_path))
    store.forget()
    assert len(opened().error) == 1


def test_a_link_opens_in_presenter_mode_at_once(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["present"] = "true"
    assert "font-size: 20px" in html(ran(app))


def test_presenter_mode_stays_in_the_address_over_a_change_of_page(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.query_params["present"] = "true"
    ran(app)
    app.query_params.clear()  # as a link in the navigation does
    ran(app)
    assert app.query_params["present"] == "true"
    assert app.toggle(key="present").value
    ran(app.toggle(key="present").set_value(False))
    assert "present" not in app.query_params
    assert "font-size: 20px" not in html(ran(app))


def test_presenter_mode_enlarges(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = opened()
    assert "font-size: 20px" not in html(app)
    ran(app.toggle(key="present").set_value(True))
    assert "font-size: 20px" in html(app)


def test_every_page_is_behind_a_door(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    links = {link.proto.page for link in opened().get("page_link")}
    assert links == {room.name for room in rooms.ROOMS}
