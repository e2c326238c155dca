"""The home page: a fooled model in sight, one click from doing it oneself, whatever is missing."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from core.data import pictures
from core.models import checkpoints
from core.perturb.recipe import PerturbRecipe
from pages.ui import rooms
from tests.app_process import ROOT
from tests.pages.tools import html, ran

NAMES = {PerturbRecipe().standard, PerturbRecipe().robust}


def opened(file: str = "app.py") -> AppTest:
    return ran(AppTest.from_file(str(ROOT / file), default_timeout=120))


@pytest.fixture
def without_cifar10(tmp_path, monkeypatch):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")


def shows_an_equation(app: AppTest) -> None:
    text = html(app)
    assert text.count('src="data:image/png;base64,') == 3, "clean, change and result, all lossless"
    alts = re.findall(r'<img [^>]*alt="([^"]*)"', text)
    assert len(alts) == 3
    assert all(alts)
    said = re.findall(r"(Standard|Robust) model: <b>(\w+)</b> ([\d.]+) %", text)
    assert [who for who, _, _ in said] == ["Standard", "Robust"] * 2
    before, after = ({who: what for who, what, _ in part} for part in (said[:2], said[2:]))
    assert after["Standard"] != before["Standard"], "the picture on the front page fools nobody"


def test_it_opens_with_a_fooled_model(cifar, checkpoint):
    for name in NAMES:
        checkpoint(name)
    app = opened()
    assert app.title[0].value == "Robust Frog"
    assert app.button[0].label == "Fool a model yourself"
    assert not app.error
    assert not app.warning
    shows_an_equation(app)


def test_without_cifar10_the_photograph_is_fooled(without_cifar10, checkpoint):
    for name in NAMES:
        checkpoint(name)
    app = opened()
    assert not app.error
    shows_an_equation(app)


def test_without_checkpoints_it_says_how_to_make_them(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = opened()
    assert [warning.value for warning in app.warning] == ["The trained models are not in checkpoints/. Make them with: make zoo"]  # fmt: skip
    assert app.button[0].label == "Fool a model yourself"


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


def test_presenter_mode_enlarges(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = opened()
    assert "font-size: 20px" not in html(app)
    ran(app.toggle(key="present").set_value(True))
    assert "font-size: 20px" in html(app)


def test_every_page_has_its_card(without_cifar10, monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    links = {link.proto.page for link in opened().get("page_link")}
    assert links == {room.name for room in rooms.ROOMS}


def test_cards_need_not_fill_their_rows(without_cifar10, monkeypatch):
    """Who adds a page has nine; here seven stand in for it."""
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    monkeypatch.setattr(rooms, "ROOMS", rooms.ROOMS[:7])
    app = opened()
    assert not app.exception
    assert len(app.get("page_link")) == 7
