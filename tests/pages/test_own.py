"""The pages in a world of somebody's own.

They work in it, or say in a sentence why not, and speak of its classes alone.
"""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from core import worlds
from core.attacks.rules import steepest
from core.data import own
from core.inversion import emergence, starts
from core.inversion.invert import UNLIMITED, Setting
from core.models import checkpoints
from pages.datasets import build
from pages.inversion import emergence as emergence_page
from pages.saliency import classes as saliency_classes
from pages.saliency import methods as saliency_methods
from pages.saliency import pictures as saliency_pictures
from pages.style import transfer as style_page
from pages.synthesis import morph, studio
from pages.ui import exports, scrubber, store
from tests.app_process import ROOT
from tests.helpers import tiny
from tests.own_world import as_folders
from tests.pages.tools import html, ran, said

ORDER = ("ring", "disc", "square", "cross")
ELSEWHERE = re.compile(r"\b(frog|truck|airplane)", re.IGNORECASE)


@pytest.fixture(autouse=True)
def shapes(tmp_path, monkeypatch):
    """A world of four grey classes; there are no networks but those that a test writes into its folder."""
    as_folders(tmp_path, each=10)
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    names, path_of, load, header = checkpoints.names, checkpoints.path_of, checkpoints.load, checkpoints.header
    stamp = checkpoints.stamp
    monkeypatch.setattr(checkpoints, "stamp", lambda name, *_: stamp(name, folder))
    monkeypatch.setattr(checkpoints, "names", lambda *_, **more: names(folder, **more))
    monkeypatch.setattr(checkpoints, "path_of", lambda name, *_: path_of(name, folder))
    monkeypatch.setattr(checkpoints, "load", lambda name, device="cpu", *_: load(name, device, folder))
    monkeypatch.setattr(checkpoints, "header", lambda name, *_: header(name, folder))
    store.forget()
    yield folder
    store.forget()


@pytest.fixture
def network(shapes) -> str:
    about = checkpoints.Header(
        "resnet9", {"width": 4, "classes": 4}, "ResNet-9, standard training", classes=ORDER, world="shapes"
    )
    checkpoints.save(shapes / "mine.safetensors", tiny(classes=4).state_dict(), about)
    return "mine"


@pytest.fixture
def shown(monkeypatch) -> SimpleNamespace:
    seen = SimpleNamespace(rows=[])

    def show(rows, axis, *, key, frame=0, **more):
        seen.rows = rows
        return frame if more.get("report") else None

    def scrubbed(rows, axis, key, default, *, own):
        seen.rows = rows
        return default

    monkeypatch.setattr(scrubber, "scrubber", show)
    monkeypatch.setattr(emergence_page, "scrubbed", scrubbed)
    for module in (exports, saliency_classes, saliency_methods, saliency_pictures, emergence_page):
        monkeypatch.setattr(module, "downloads", lambda *_, **__: None)
    return seen


def opened(page: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / page / "page.py"), default_timeout=300)
    for name, value in {"world": "shapes", **query}.items():
        app.query_params[name] = value
    return ran(app)


def words(app: AppTest) -> str:
    return re.sub(r'src="[^"]*"', "", html(app)) + said(app)


def test_perturb(network, shown):
    app = opened("perturb", attack="FGSM")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [row.title for row in shown.rows] == ["Standard ResNet-9", "Random noise"]
    assert shown.rows[0].classes == ORDER and shown.rows[0].frames.shape[1:] == (64, 64, 3)
    assert worlds.get("shapes").robust_how in said(app)
    assert app.selectbox(key="target").options[-4:] == list(ORDER)


@pytest.mark.parametrize("view", ["methods", "pictures", "classes"])
def test_saliency(view, network, shown):
    app = opened("saliency", view=view, samples="1", window="32")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert "<figure" in html(app)


def test_inversion(network, shown, monkeypatch):
    for module in (starts, emergence):
        monkeypatch.setattr(module, "setting_of", lambda _: Setting(2, lambda: steepest(UNLIMITED, 1.0)))
    app = opened("inversion")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [row.title for row in shown.rows] == ["Standard ResNet-9", "Wanted"]


def test_style_is_painted_by_one_network_although_no_judge_is_here(network, shown, monkeypatch):
    monkeypatch.setattr(style_page, "scrubbed", lambda rows, *_, own: vars(shown).update(rows=rows) or 0)
    monkeypatch.setattr(style_page, "downloads", lambda *_, **__: None)
    app = opened("style", steps="10", side="32")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [row.title for row in shown.rows] == ["Standard ResNet-9", "Style"]
    assert shown.rows[0].curve[-1] < shown.rows[0].curve[0], "its own objective, where nobody judges"
    assert "No judge is here" in said(app) and worlds.get("shapes").robust_how in said(app)


def test_synthesis_paints_out_of_smooth_noise(network, shown, monkeypatch):
    monkeypatch.setattr(studio, "scrubbed", lambda rows, *_, own: vars(shown).update(rows=rows) or 0)
    monkeypatch.setattr(studio, "downloads", lambda *_, **__: None)
    app = opened("synthesis", view="studio", steps="10")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [row.title for row in shown.rows] == ["Standard ResNet-9"]
    assert "from smooth noise" in said(app) and worlds.get("shapes").robust_how in said(app)


def test_a_canvas_has_the_classes_and_the_side_of_its_world(network, monkeypatch):
    seen = SimpleNamespace()
    monkeypatch.setattr(morph, "canvas", lambda live, **more: vars(seen).update(live=live, **more))
    app = opened("synthesis", holds="disc:2")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert seen.live.classes == ORDER and seen.live.board.pictures.shape == (1, 3, 64, 64)
    assert [label for _, label, _ in seen.starts] == ["blank", "picture", "blur 1", "blur 2", "blur 3", "blur 4"]


@pytest.mark.parametrize(
    "page", ["perturb", "saliency", "inversion", "synthesis", "style", "usefulness", "datasets", "models"]
)
def test_without_a_network_a_page_says_how_to_train_one(page):
    app = opened(page)
    assert "python -m core.train --world shapes" in "".join(warning.value for warning in app.warning)
    assert not app.error and not app.exception


def test_transfer_between_one_network_and_nobody_says_how_to_train_another(network):
    app = opened("transfer")
    said = [info.value for info in app.info if "has nothing to show of Shapes yet.** It needs" in info.value]
    assert said and worlds.get("shapes").robust_how in said[0]


def test_transfer_without_a_network_says_how_to_train_one():
    app = opened("transfer")
    assert [info.value for info in app.info if worlds.get("shapes").how in info.value]


def test_a_set_is_built_of_its_pictures(network, shown, monkeypatch):
    monkeypatch.setattr(build, "scrubber", lambda rows, *_, **__: vars(shown).update(rows=rows) or 0)
    monkeypatch.setattr(build, "downloads", lambda *_, **__: None)
    app = opened("datasets", steps="2", n="4")
    assert not app.error and not ELSEWHERE.search(words(app))
    assert [row.title for row in shown.rows] == ["Through Standard ResNet-9"], "one network, one column"
    assert app.slider(key="eps").value == 100, "twice as much as at 32 pixels"
    assert list(app.segmented_control(key="view").options) == ["Build a set", "Label it yourself"]


def test_a_network_of_other_classes_is_refused_with_both_lists(network, shapes):
    about = replace(checkpoints.header(network), classes=("ring", "disc", "square", "star"))
    checkpoints.save(shapes / "mine.safetensors", tiny(classes=4).state_dict(), about)
    app = opened("perturb", attack="FGSM")
    assert [
        e.value for e in app.error if "ring, disc, square, star" in e.value and "ring, disc, square, cross" in e.value
    ]


def test_models_lists_its_networks(network):
    app = opened("models")
    assert "ResNet-9, standard training" in str([box.options for box in app.selectbox])


@pytest.fixture
def hostile(tmp_path, shapes) -> str:
    """A world, classes and a network with tags for names."""
    tag = "<img src=x onerror=alert(1)>"
    root = tmp_path / "shapes"
    (root / "ring").rename(root / f"ring{tag}")
    (root / "cross").rename(root / f"{tag}cross")
    names = (f"ring{tag}", "disc", "square", f"{tag}cross")
    (root / "world.toml").write_text(f'title = "{tag}"\nclasses = {list(names)}\nside = 64\n', encoding="utf-8")
    for name in ("mine", "other"):
        about = checkpoints.Header(
            "resnet9", {"width": 4, "classes": 4}, f"{tag} {name}", classes=names, world="shapes"
        )
        checkpoints.save(shapes / f"{name}.safetensors", tiny(classes=4).state_dict(), about)
    return tag


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("models", {}),
        ("saliency", {"view": "classes", "samples": "1", "window": "32"}),
        ("saliency", {"view": "methods", "samples": "1", "window": "32"}),
        ("datasets", {"steps": "2", "n": "4"}),
        ("transfer", {}),
        ("usefulness", {}),
    ],
)
def test_names_with_tags_are_shown_as_they_stand(page, query, hostile, shown, monkeypatch):
    monkeypatch.setattr(build, "scrubber", lambda *_, **__: 0)
    monkeypatch.setattr(build, "downloads", lambda *_, **__: None)
    app = opened(page, **query)
    assert not app.error and html(app) and hostile not in html(app)
