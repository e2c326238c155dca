"""The Models page: cards, the plot, the curve, the count of steps, and a model of one's own."""

import json
import os
import re

import pytest
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from core import worlds
from core.models import card, checkpoints, plugins
from core.models.recipe import ModelsRecipe
from core.recipes.python import PLUGINS
from core.train.published import BOARDS, COSTED
from core.train.robustness import BySteps, Rate
from pages.models import cost as costs
from pages.models import curve, plot, upload
from pages.ui import store
from tests.app_process import ROOT
from tests.pages.tools import html, ran, rows, said

ASKED = upload.Asked("mobilenet", "pixels normalised as for CIFAR-10", 0, False, ())


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "models" / "page.py"), default_timeout=300)
    app.session_state["navigated"] = True
    for name, value in query.items():
        app.query_params[name] = value
    return ran(app)


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """No CIFAR-10, no settings of this machine."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    for variable in (upload.KEEP_VARIABLE, upload.MOST_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


def test_it_opens_with_the_plot_the_curve_and_the_card(checkpoint):
    """All of it from files, nothing computed, no pictures needed; every number with its n and interval."""
    checkpoint("resnet9-l2")
    app = opened()
    assert not app.error
    assert "withstands most: 64.3 % [62.2, 66.4] (n = 2,000) at L2 0.5" in said(app)
    cells = {row[0]: row[1] for row in rows(app) if len(row) == 2}
    text = html(app)
    assert checkpoints.stamp("resnet9-l2") in text and "1.65 million parameters" in text
    assert "adversarial training (L2 0.5, 1 step)" in text and "PGD-50 on log-odds" in text
    assert any("86.2 %" in cell for cell in cells.values())


@pytest.mark.parametrize("number", [0, 1, 2])
def test_presets_open_a_model_and_what_they_say_holds(checkpoint, number):
    app = opened()
    ran(app.button(key=f"models-preset-{number}").click())
    name = app.session_state["model"]
    assert name == ("resnet9-l2", "resnet9-standard", "student-robust")[number]
    ours = {point.name: point.robust.value for point in plot.points(checkpoints.names(), "L2")}
    if number == 1:
        assert ours[name] < 0.05
    if number == 2:
        ordinary = [n for n in ours if n not in ("resnet9-l2", "vgg-l2", name)]
        assert all(ours[name] > ours[n] for n in ordinary)
    assert not app.error


def test_the_norm_changes_board_and_curve(checkpoint):
    checkpoint("resnet9-l2")
    app = opened(norm="Linf", model="vgg-standard")
    assert "at Linf 8/255" in said(app) and "Bartoldson 2024" in said(app)


def test_steps_are_counted_when_asked_for(checkpoint, monkeypatch):
    """The link alone asks for it; the verdict follows the numbers."""
    checkpoint("resnet9-l2")
    monkeypatch.setattr("pages.models.curve.by_steps", lambda *_, **__: FALLING)
    store.forget()
    app = opened(check="true", pictures="20")
    assert "It still falls: 20 steps break 4 more of 20 pictures than 10" in said(app)
    store.forget()


FALLING = BySteps((10, 20), (Rate(12, 20), Rate(8, 20)), ())


def test_verdicts_follow_the_numbers():
    assert FALLING.falls
    assert not BySteps((10, 20), (Rate(12, 20), Rate(11, 20)), ()).falls, "one picture is no trend"
    assert "settled" in BySteps((10, 20), (Rate(12, 20), Rate(12, 20)), ()).says


def test_published_points_are_in_per_cent_and_robust_is_below_clean():
    for board in BOARDS.values():
        assert len({(p.who, p.arch) for p in board}) == len(board)
        assert all(0 < point.robust < point.clean < 100 for point in board)


@pytest.mark.parametrize("name", ["resnet9-l2", "student-det", "mobilenet-standard"])
def test_every_card_says_what_is_known(checkpoint, name):
    checkpoint(name)
    found = dict(card.rows(name))
    assert {"Is", "Made", "World", "Accuracy", "Attack", "Size", "Stamp"} <= found.keys()
    assert all(re.search(r"\[.*\] \(n = ", text) for label, text in found.items() if label.startswith(("Acc", "under")))


def reported() -> None:
    """The upload of one file, as the page shows it."""
    import streamlit as st

    from core import worlds
    from pages.models import upload
    from pages.ui import work

    work.desk().begin()
    data, asked = st.session_state["what"]
    upload.result("theirs.safetensors", data, upload.Asked(*asked), worlds.get())


def arrived(tmp_path, checkpoint, **change: object) -> AppTest:
    path = tmp_path / "theirs.safetensors"
    state = checkpoint("mobilenet-standard").state_dict()
    save_file({k: v.clone() for k, v in state.items() if not k.startswith("normalize")}, path)
    app = AppTest.from_function(reported, default_timeout=300)
    app.session_state["what"] = (change.pop("data", path.read_bytes()), tuple(ASKED._replace(**change)))
    return ran(app)


def test_an_upload_is_looked_at_and_measured(checkpoint, tmp_path, monkeypatch):
    """The doctor, clean and attacked accuracy with n and interval, and a checkpoint that can be saved."""
    monkeypatch.setattr(upload, "STEPS", (2,))
    monkeypatch.setattr(upload, "FEW", 8)
    app = arrived(tmp_path, checkpoint)
    assert "finds nothing wrong" in said(app)
    assert re.search(r"clean 100.0 % \[.*\] \(n = 120\); under PGD with 2 steps at L2 0.5: ", said(app))
    assert not any(b.key == "models-keep" for b in app.button), "keeping is the owner's to allow"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": b"<html>"}, "web page"),
        ({"arch": "vgg"}, "does not fit vgg"),
        ({"arch": "timm/hf-hub:x/y"}, "no network"),
        ({"classes": ("pig",)}, "10 classes apart"),
    ],
)
def test_a_bad_upload_is_one_sentence(checkpoint, tmp_path, change, says):
    app = arrived(tmp_path, checkpoint, **change)
    assert len(app.error) == 1 and says in app.error[0].value


def test_the_owner_may_allow_keeping(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(upload, "STEPS", (2,))
    monkeypatch.setattr(upload, "FEW", 8)
    monkeypatch.setenv(upload.KEEP_VARIABLE, "1")
    app = arrived(tmp_path, checkpoint)
    monkeypatch.setattr(checkpoints, "FOLDER", tmp_path / "kept")
    ran(app.button(key="models-keep").click())
    assert "is kept" in said(app)
    assert checkpoints.names(tmp_path / "kept") == ("my-model",)


def test_the_limit_of_uploads_is_a_setting(monkeypatch):
    monkeypatch.setenv(upload.MOST_VARIABLE, "7")
    assert upload.most_mb() == 7
    monkeypatch.setenv(upload.MOST_VARIABLE, "many")
    with pytest.raises(ValueError, match="whole number of megabytes"):
        upload.most_mb()


def test_the_recipe_is_plain():
    assert json.dumps(vars(ModelsRecipe())) and worlds.get().name == ModelsRecipe().world


def test_the_plot_of_costs_has_ours_and_those_that_can_be_counted(checkpoint):
    """More computation to the right; the paper's network is there with the assumption that the count makes."""
    checkpoint("resnet9-l2")
    app = opened()
    text = said(app)
    assert (
        "floating-point operations of training" in text and "Engstrom 2019, ResNet-50: 69.24 % under AutoAttack" in text
    )
    assert "library's default" in text
    ours = {one.name: one for one in costs.points(checkpoints.names(), "L2")}
    assert ours["resnet9-l2"].operations > ours["resnet9-standard"].operations
    assert all(one.operations > ours["resnet9-l2"].operations for one in COSTED["L2"])
    assert "12 minutes in its authors' table" in costs.sentence(list(ours.values()), "Linf")


def test_autoattacks_number_stands_beside_pgds(tmp_path, monkeypatch):
    """On the card each says which attack gave it; in the curve the line is PGD's alone."""
    told = {"clean": Rate(9, 10), "L2 0.5": Rate(6, 10), "AutoAttack L2 0.5": Rate(5, 10), "L2 1": Rate(3, 10)}
    about = checkpoints.Header(
        "resnet9",
        {"width": 4},
        "T",
        recipe={"epochs": 2},
        measured={what: rate.as_json() for what, rate in told.items()},
    )
    found = card.measured(about)
    assert [(one.attack, one.ball, one.norm, one.eps) for one in found] == [
        ("", "clean", "", 0.0),
        ("PGD", "L2 0.5", "L2", 0.5),
        ("AutoAttack", "L2 0.5", "L2", 0.5),
        ("PGD", "L2 1", "L2", 1.0),
    ]
    line, cross = curve.over_eps(found, "L2").data
    assert list(line.y) == [90.0, 60.0, 30.0] and list(cross.y) == [50.0]
    monkeypatch.setattr(checkpoints, "header", lambda *_: about)
    monkeypatch.setattr(checkpoints, "stamp", lambda *_: "0" * 12)
    monkeypatch.setattr(checkpoints, "path_of", lambda *_: ROOT / "README.md")
    rows_ = dict(card.rows("t"))
    assert (
        rows_["under attack, L2 0.5"].startswith("PGD 60.0 %")
        and "; AutoAttack 50.0 %" in rows_["under attack, L2 0.5"]
    )
    (point,) = costs.points(["t"], "L2")
    assert point.auto == Rate(5, 10) and "AutoAttack 50.0 %" in point.hover
    assert [one.name for one in costs.figure([point], "L2", "t").data] == [
        "published",
        "this one, PGD",
        "here, AutoAttack",
    ]


def test_recipes_that_were_tried_are_a_table_the_most_robust_first():
    def run(recipe: str, hits: int) -> dict[str, object]:
        rate = Rate(hits, 100).as_json()
        fields = {"args": {"width": 16}, "epochs": 3}
        about = {"recipe": recipe, "title": recipe, "source": "S", "fields": fields, "minutes": 4.0}
        return {**about, "times_baseline": 1.5, "clean": rate, "L2 0.5": rate}

    rows_ = costs.tried({"runs": {"a": run("a", 40), "b": run("b", 60)}})
    assert [row[0] for row in rows_] == ["Recipe", "b", "a"]
    assert rows_[1][3:5] == ["4", "1.50"] and "60.0 %" in rows_[1][6]
    assert costs.tried({}) == []


def test_a_network_that_is_python_has_a_card_with_what_the_doctor_says_and_a_bad_file_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(
        "from torch import nn\nfrom core.models.plugins import network\n"
        "network('mine', title='Mine')(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3072, 10)))\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(plugins, "_known", {})
    monkeypatch.setenv(PLUGINS, os.pathsep.join([str(tmp_path / "mine.py"), str(tmp_path / "none.py")]))
    app = opened(model="mine")
    assert not app.error
    cells = {row[0]: row[1] for row in rows(app) if len(row) == 2}
    assert "made by mine.py" in cells["<b>Made</b>"] and "guess" in cells["<b>Doctor</b>"]
    assert [one.value for one in app.warning] == [f"There is no plugin {tmp_path / 'none.py'}."]
