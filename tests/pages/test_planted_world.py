"""The pages in the planted world: they work in it without any data set, and speak of its classes alone."""

import re
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core import worlds
from core.data import sets
from pages.ui import exports, scrubber
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said

WORLD = worlds.get("planted")
ELSEWHERE = re.compile(r"\b(frog|truck|airplane|CIFAR)", re.IGNORECASE)


@pytest.fixture(autouse=True)
def no_data(tmp_path, monkeypatch) -> None:
    """A computer without CIFAR-10."""
    monkeypatch.setenv(sets.CIFAR10_VARIABLE, str(tmp_path))


@pytest.fixture
def shown(monkeypatch) -> SimpleNamespace:
    """What the page hands to the scrubber and to the downloads."""
    seen = SimpleNamespace(rows=[], script="", files=[])

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows, seen.axis = rows, axis
        return frame if more.get("report") else None

    def take(files, *, key, script):
        seen.files, seen.script = files, script

    monkeypatch.setattr(scrubber, "scrubber", show)
    monkeypatch.setattr(exports, "downloads", take)
    return seen


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / page / "page.py"), default_timeout=300)
    for name, value in {"world": "planted", **query}.items():
        app.query_params[name] = value
    return ran(app)


def words(app: AppTest) -> str:
    return re.sub(r'src="[^"]*"', "", html(app)) + said(app)


def test_perturb_shows_what_was_planted_as_a_fourth_picture(shown):
    app = opened("perturb", attack="FGSM", frame="4")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [row.title for row in shown.rows] == [
        "Standard PatchNet",
        "Robust PatchNet",
        "Random noise",
        *(title for title in [shown.rows[-1].title] if title.startswith("The weave of")),
    ]
    assert shown.rows[0].classes == WORLD.classes
    assert html(app).count("<figure") == 4, "two shapes, two weaves"
    assert "Robust PatchNet: " in html(app) and "on both shapes" in html(app)
    assert app.selectbox(key="target").options[-4:] == list(WORLD.classes)
    assert "world='planted'" in shown.script


def test_of_one_model_there_is_one_column_and_still_its_shares(shown):
    opened("perturb", attack="FGSM", robust=WORLD.standard)
    assert len(shown.rows) == 3
    assert all(any(name.startswith("on the weave") for name, _ in row.readouts) for row in shown.rows)
    assert not any(name.endswith(" predicts") for row in shown.rows for name, _ in row.readouts)
