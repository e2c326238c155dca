"""Lectures on the pages: every step's link opens its page with that very view."""

import json
from dataclasses import fields

import pytest
from streamlit.testing.v1 import AppTest

from core.lectures import shelf
from core.lectures.links import HOME
from core.models import checkpoints
from pages.ui import exports
from pages.ui.rooms import ROOMS
from tests.app_process import ROOT
from tests.pages.tools import ran

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


@pytest.mark.slow
@pytest.mark.parametrize("link", list(LINKS))
def test_the_link_of_a_step_opens_that_very_view(link, left, monkeypatch, tmp_path):
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
