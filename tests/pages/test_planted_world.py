"""The pages in the planted world: they work in it without any data set, and speak of its classes alone."""

import re
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core import worlds
from core.attacks.rules import steepest
from core.data import sets
from core.data.planted import drawn
from core.data.planted.features import closed_form
from core.inversion import emergence, starts
from core.inversion.invert import UNLIMITED, Setting
from core.usefulness import feature
from core.usefulness import views as useful_views
from pages.datasets import build as datasets_build
from pages.inversion import emergence as emergence_page
from pages.saliency import classes as saliency_classes
from pages.saliency import methods as saliency_methods
from pages.saliency import pictures as saliency_pictures
from pages.synthesis import morph as synthesis_morph
from pages.synthesis import studio as synthesis_studio
from pages.transfer import matrix as transfer_matrix
from pages.ui import exports, scrubber
from pages.usefulness import features as usefulness_features
from pages.usefulness import head as usefulness_head
from pages.usefulness import scatter as usefulness_scatter
from tests.app_process import ROOT
from tests.pages.tools import html, ran, said

WORLD = worlds.get("planted")
ELSEWHERE = re.compile(rf"\b({'|'.join(worlds.get().classes)})\b", re.IGNORECASE)


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

    def scrubbed(rows, axis, key, default, *, own):
        seen.rows, seen.axis = rows, axis
        return default

    monkeypatch.setattr(emergence_page, "scrubbed", scrubbed)
    for module in (exports, saliency_classes, saliency_methods, saliency_pictures, emergence_page):
        monkeypatch.setattr(module, "downloads", take)
    return seen


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / page / "page.py"), default_timeout=300)
    for name, value in {"world": "planted", **query}.items():
        app.query_params[name] = value
    return ran(app)


def words(app: AppTest) -> str:
    return re.sub(r"src=\"[^\"]*\"|<style>.*?</style>", "", html(app), flags=re.DOTALL) + said(app)


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


def test_saliency_says_how_much_of_a_map_lies_on_each_feature(shown):
    """The standard network's gradient is on the weaves, the robust one's on the shape."""
    app = opened("saliency", samples="1", window="16")
    assert not app.error and not ELSEWHERE.search(words(app))
    lead = html(app).partition("Input")[0]
    inside = [float(part) for part in re.findall(r"in the shape ([\d.]+) % \(area 16 %\)", lead)]
    woven = [float(part) for part in re.findall(r"on the weaves ([\d.]+) % \(chance 0.13 %\)", lead)]
    assert inside[0] < 16 < inside[-1] and woven[0] > 60 > 4 * woven[-1]
    assert "Measured, not only shown" not in said(app)


@pytest.mark.parametrize("view", ["pictures", "classes"])
def test_the_other_views_of_saliency(view, shown):
    app = opened("saliency", view=view)
    assert not app.error and not ELSEWHERE.search(words(app))
    assert "on the weaves" in html(app)


def test_inversion_says_how_much_was_written_into_the_weaves(shown, monkeypatch):
    for module in (starts, emergence):
        monkeypatch.setattr(module, "setting_of", lambda _: Setting(2, lambda: steepest(UNLIMITED, 1.0)))
    app = opened("inversion")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [title.value for title in app.title] == ["Inversion"]
    assert [row.title for row in shown.rows] == ["Standard PatchNet", "Robust PatchNet", "Wanted"]
    assert all("on the weaves" in dict(row.readouts) for row in shown.rows[:2])


@pytest.mark.parametrize("view", ["gallery", "feature", "between"])
def test_the_other_views_of_inversion(view, shown, monkeypatch):
    for module in (starts, emergence):
        monkeypatch.setattr(module, "setting_of", lambda _: Setting(2, lambda: steepest(UNLIMITED, 1.0)))
    app = opened("inversion", view=view)
    assert not app.error and not ELSEWHERE.search(words(app))


def test_synthesis_begins_with_a_picture_in_which_nothing_was_planted(shown, monkeypatch):
    seen = SimpleNamespace()
    monkeypatch.setattr(synthesis_morph, "canvas", lambda live, **more: vars(seen).update(live=live, **more))
    app = opened("synthesis", holds="cross:3")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert seen.live.classes == WORLD.classes
    assert [head for head, _ in seen.titles] == ["Standard PatchNet", "Robust PatchNet"]
    assert [label for _, label, _ in seen.starts][:3] == ["blank", "picture", "empty 1"]
    assert seen.live.board.name == "seed/disc/0" and [act.target for act in seen.live.board.acts] == [1]
    assert seen.judge == "", "nobody else knows these classes"
    told = seen.live.verdicts()
    assert {name for name, _ in told[0]["says"]} <= set(WORLD.classes)


def test_the_studio_says_how_much_of_what_was_painted_is_weave(shown, monkeypatch):
    monkeypatch.setattr(synthesis_studio, "scrubbed", lambda rows, *_, own: vars(shown).update(rows=rows) or 30)
    monkeypatch.setattr(synthesis_studio, "downloads", lambda *_, script, **__: vars(shown).update(script=script))
    app = opened("synthesis", view="studio", steps="10")
    assert not app.error and not ELSEWHERE.search(words(app))
    standard, robust = (dict(row.readouts)["on the weaves, mean"] for row in shown.rows)
    assert float(standard[-1].removesuffix(" %")) > 50 > float(robust[-1].removesuffix(" %"))
    assert "pictures in which nothing was planted" in said(app)
    assert "world='planted'" in shown.script


def test_models_has_both_cards(shown):
    app = opened("models")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert len(app.selectbox(key="model").options) >= 2
    ran(app.button(key="models-preset-1").click())
    assert app.session_state["model"] == WORLD.standard and "none at a change of 0.5" in said(app)
    assert "PGD 0.0 % [0.0, 0.4]" in html(app)


def test_transfer_is_computed_here_and_now(shown, monkeypatch):
    """What is written for a standard network is read by another seed's, and not by the robust one."""
    seen = SimpleNamespace()
    monkeypatch.setattr(transfer_matrix, "heat", lambda grid, *_, **__: vars(seen).update(grid=grid))
    monkeypatch.setattr(transfer_matrix, "downloads", lambda *_, script, **__: vars(shown).update(script=script))
    app = opened("transfer", n="16", steps="10")
    assert not app.error and not ELSEWHERE.search(words(app))
    one, other, robust = "planted-features-standard", "planted-seed-standard", "planted-features-robust"
    assert set(seen.grid.sources) == {one, other, robust}
    assert seen.grid.rates[one, other].value > 0.8
    assert seen.grid.rates[one, robust].value < 0.2
    assert list(app.segmented_control(key="view").options) == ["Who fools whom", "Larger and larger"]
    assert "world='planted'" in shown.script


def test_usefulness_marks_what_was_planted_among_what_the_networks_compute(shown, monkeypatch):
    """Weaves lose all of it to a perturbation of 0.5, shapes little; the atlas has the closed form's numbers."""
    seen = SimpleNamespace()
    monkeypatch.setattr(usefulness_scatter, "_mount", lambda **given: vars(seen).update(given["data"]))
    monkeypatch.setattr(usefulness_features, "downloads", lambda *_, script, **__: vars(shown).update(script=script))
    monkeypatch.setattr(feature, "CLIMB", 3)
    monkeypatch.setattr(feature, "PUSH", 2)
    app = opened("usefulness", frame="6")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [panel["title"] for panel in seen.panels] == ["Standard PatchNet", "Robust PatchNet"]
    assert seen.labels[6] == "0.5"
    marks = seen.marks
    assert marks["name"][:2] == ["the weave of “disc”", "the weave of “cross”"] and len(marks["rho"]) == 8
    rho, gamma = closed_form(drawn.WORLD, (0.5,))
    assert marks["rho"][:4] == pytest.approx(rho.tolist(), abs=0.06)
    assert marks["gamma"][6][:4] == pytest.approx(gamma[0].tolist(), abs=0.1)
    assert max(marks["gamma"][6][:4]) < 0 < min(marks["gamma"][6][4:])
    assert list(app.segmented_control(key="view").options) == ["Every feature", "Switch features off"]
    assert "world='planted'" in shown.script and html(app).count("<figure") == 2 * (4 + 8)


def test_features_are_switched_off_and_the_attack_takes_this_worlds_pictures(shown, monkeypatch):
    monkeypatch.setattr(usefulness_scatter, "_mount", lambda **_: None)
    monkeypatch.setattr(usefulness_head, "downloads", lambda *_, **__: None)
    monkeypatch.setattr(useful_views, "ATTACKED", 12)
    monkeypatch.setattr(useful_views, "ATTACK_STEPS", 2)
    app = opened("usefulness", view="head", keep="brittle", frame="6")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert "n = 12;" in said(app) and "test pictures; PGD" in said(app) and len(app.metric) == 4


@pytest.mark.parametrize("kind", ["rand", "inverted"])
def test_a_set_is_built_through_the_planted_pair(kind, shown, monkeypatch):
    """The standard network is moved to nearly every new label, the robust one within the same eps to few."""
    monkeypatch.setattr(datasets_build, "scrubber", lambda rows, *_, **__: vars(shown).update(rows=rows) or 0)
    monkeypatch.setattr(datasets_build, "downloads", lambda *_, script, **__: vars(shown).update(script=script))
    app = opened("datasets", kind=kind, steps="10")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [row.title for row in shown.rows] == ["Through Standard PatchNet", "Through Robust PatchNet"]
    said_so = [dict(row.readouts)["predictions that agree with the set's label"][-1] for row in shown.rows]
    agrees = [int(text.split()[0]) for text in said_so]
    assert agrees[0] >= 10
    assert kind == "inverted" or agrees[1] <= 6
    assert "one in 4 it is its own" in said(app) or kind == "inverted"
    assert "*What networks learnt* and *Meet a student* are of CIFAR-10" in said(app)
    assert "world='planted'" in shown.script and "core.datasets.construct" not in shown.script


def test_its_other_views_ask_of_this_world_alone(shown):
    app = opened("datasets", view="quiz", steps="3")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [button.label for button in app.button if str(button.key).startswith("answer-")] == list(WORLD.classes)
    app = opened("datasets", view="live")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert "where" not in [control.key for control in app.segmented_control]
    app = opened("datasets", view="results")
    assert app.segmented_control(key="view").value == "build"


def test_where_cifar10_is_missing_this_world_is_a_button_away(shown):
    app = opened("perturb", world="cifar10", attack="FGSM")
    ran(app.button(key="picture-drawn").click())
    assert app.session_state["picture"] == WORLD.picture and app.selectbox(key="world-box").value == "planted"
    assert "picture-drawn" not in [button.key for button in app.button]
