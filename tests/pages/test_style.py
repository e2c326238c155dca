"""The Style page: what is painted and by whom, pictures of one's own, Stop, layers, and what it lets out."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from core import worlds
from core.files import playable, render
from core.models import checkpoints
from core.problems import InputError
from core.recipes import from_json, to_json, to_query
from core.style import opening, pictures, scene, views
from core.style.recipe import StyleRecipe
from core.style.transfer import kept, originals
from core.style.transfer import transfer as paint
from pages.style import controls, layers, transfer
from pages.ui import store
from pages.ui.scrubber import mount
from tests.app_process import ROOT
from tests.helpers import run_alone
from tests.pages.tools import computes_nothing, html, ran, rows, said, stop_once

PAGE = str(ROOT / "pages" / "style" / "page.py")
FEW = {"side": "32", "steps": "10"}


@pytest.fixture(autouse=True)
def networks(checkpoint):
    for name in ("resnet9-standard", "resnet9-l2", "vgg-standard", "vgg-l2"):
        checkpoint(name)
    store.forget()
    yield
    store.forget()


@pytest.fixture
def mounted(monkeypatch):
    """What the scrubber was given."""
    seen = []
    monkeypatch.setattr(mount, "scrubber", lambda rows, axis, **more: seen.append((rows, axis, more)))
    return seen


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=120)
    for name, value in {**FEW, **query}.items():
        app.query_params[name] = value
    return ran(app)


def test_it_opens_with_both_paintings_beside_the_style(mounted):
    app = opened()
    rows, axis, _ = mounted[-1]
    assert [row.title for row in rows] == ["Standard ResNet-9", "Robust ResNet-9", "Style"]
    assert rows[2].plain
    assert len(rows[0].frames) == len(rows[1].frames) == len(axis.values)
    assert (rows[0].frames[0] == rows[1].frames[0]).all(), "both begin with the content"
    assert (rows[0].frames[-1] != rows[1].frames[-1]).any()
    assert rows[1].curve[0] == pytest.approx(1) and rows[1].curve[-1] < 0.8
    assert [name.partition(",")[0] for name, _ in rows[0].readouts] == [
        *["style left"] * 2,
        *["content distance"] * 2,
        "moved from the content (L2)",
    ]
    assert "in the eyes of" in said(app)
    assert "It depends on who looks" in said(app)
    assert not app.error


@pytest.mark.parametrize(("name", "value"), [("style", "tiles"), ("content", "coffee"), ("strength", "3.0")])
def test_every_control_changes_what_is_painted(mounted, name, value):
    opened()
    opened(**{name: value})
    (before, *_), (after, *_) = mounted[0], mounted[-1]
    assert (before[1].frames[-1] != after[1].frames[-1]).any()


def test_a_preset_sets_everything_and_reset_sets_it_back(mounted, monkeypatch):
    monkeypatch.setattr(controls, "FIRST", replace(controls.FIRST, side=32, steps=10))
    app = opened(strength="3.0")
    app = ran(app.button(key="style-preset-0").click())
    assert (app.session_state["content"], app.session_state["style"]) == ("astronaut", "grass")
    assert app.session_state["strength"] == 1.0
    app = ran(app.button(key="style-preset-2").click())
    assert app.session_state["view"] == "layers"


def test_one_model_on_both_sides_is_one_column(mounted):
    opened(standard="resnet9-l2")
    assert len(mounted[-1][0]) == 2


def test_a_pair_that_tells_little_is_said_to_be_one():
    def said_of(standard: float, robust: float) -> str:
        ends = {"resnet9-standard": standard, "resnet9-l2": robust}
        seen = {name: {"vgg-l2": (torch.tensor([1.0, end]), torch.zeros(2))} for name, end in ends.items()}
        return transfer.sentence({name: SimpleNamespace(seen=one) for name, one in seen.items()})

    assert "hardly tells the two apart" in said_of(0.19, 0.191)
    assert "hardly tells the two apart" in said_of(0.2, 0.29)
    assert "hardly tells" not in said_of(0.45, 0.07)


def test_stop_keeps_what_was_painted(mounted, monkeypatch):
    stop_once(monkeypatch, 4)
    app = opened()
    assert "what you see is the best so far" in said(app)
    assert mounted[-1][1].values[-1] == 4


def test_a_picture_of_ones_own_is_painted_and_stays_in_the_session(mounted, monkeypatch):
    photo = (ROOT / "assets" / "screenshots" / "perturb.png").read_bytes()
    kept = []
    monkeypatch.setattr(
        transfer.work, "both", lambda *a, _real=transfer.work.both, **k: kept.append(k) or _real(*a, **k)
    )
    app = opened(content="upload")
    assert "Until a picture of yours comes" in said(app)
    assert kept[-1]["own"] is False
    app.session_state["style-content-upload"] = photo
    ran(app)
    assert kept[-1]["own"] is True
    assert kept[-1]["key"] != kept[0]["key"]
    assert (mounted[-1][0][0].frames[0] != mounted[0][0][0].frames[0]).any()


def test_what_is_no_picture_is_refused_in_a_sentence(monkeypatch):
    state = {"style-style-file": SimpleNamespace(getvalue=lambda: b"no picture", name="x.png")}
    monkeypatch.setattr(controls.st, "session_state", state)
    controls._receive("style")
    assert "style-style-upload" not in state
    assert state["style-style-error"]


def test_a_public_host_takes_no_pictures(monkeypatch, mounted):
    monkeypatch.setenv("ROBUST_FROG_READ_ONLY", "1")
    app = opened(content="upload")
    assert app.session_state["content"] == StyleRecipe.content
    assert "upload" not in app.selectbox(key="style").options


def test_the_layers_are_those_of_the_file_in_the_networks_order():
    app = opened(view="layers")
    assert "moves the representation of the standard networks" in said(app)
    found = views.layers(views.results("layers"))
    assert list(found["resnet9-l2"]) == ["stem", "conv1", "res1", "conv2", "conv3", "res3", "pool"]
    assert list(found["densenet-standard"])[:3] == ["stem", "dense1", "halve1"]
    assert all(list(blocks)[-1] == "pool" for blocks in found.values())
    assert len(layers.chart(found).data) == len(found)
    assert views.table().count("\n") > 40


@pytest.mark.parametrize("view", ["transfer", "layers"])
def test_without_results_it_says_how_to_measure(view, monkeypatch, tmp_path, mounted):
    monkeypatch.setattr(views, "RESULTS", tmp_path / "style.json")
    assert "python -m core.style measure" in said(opened(view=view))


@pytest.mark.parametrize("view", ["transfer", "layers"])
def test_the_script_runs_and_so_does_the_recipe(view, tmp_path):
    recipe = StyleRecipe(view=view, side=32, steps=10)
    told = run_alone(views.script(recipe), tmp_path)
    assert "resnet9-l2" in told
    if view == "transfer":
        assert len(list(tmp_path.glob("*.png"))) == 2
        assert len(playable.page(scene.scene(recipe), to_json(recipe))) <= playable.LARGEST


def test_downloads_are_of_the_frame_in_sight(mounted, monkeypatch):
    given = {}
    monkeypatch.setattr(transfer, "downloads", lambda files, **more: given.update({one.name: one for one in files}))
    opened(frame="3")
    assert json.loads(given["recipe.json"].make())["frame"] == 3
    assert {"style.png", "style-film.png", "style.webp", "style.npz", "style.csv", "style.html"} <= given.keys()
    for one in given.values():
        assert len(one.make()) > 100
    assert "style_left_vgg-l2" in given["style.csv"].make()


# What a link brings back


def recipe_of(text: str) -> StyleRecipe:
    return eval(text[text.index("StyleRecipe(\n") : text.index("\n)\n") + 2], {"StyleRecipe": StyleRecipe})


def test_every_control_comes_back_from_its_address(mounted, monkeypatch):
    scripts = []
    monkeypatch.setattr(transfer, "downloads", lambda files, *, script, **_: scripts.append(script))
    recipe = StyleRecipe("transfer", "coffee", "brick", "resnet9-l2", "resnet9-standard", 48, -1.0, 20, 5)
    opened(**to_query(recipe))
    assert recipe_of(scripts[-1]) == recipe


@pytest.mark.parametrize(
    ("name", "value"),
    [("view", "all"), ("side", "4000"), ("content", "nobody"), ("style", ""), ("standard", "none"), ("frame", "-1")],
)
def test_a_bad_value_in_the_address_falls_back(name, value, mounted):
    app = opened(**{name: value})
    assert not app.error
    assert not app.exception


def test_a_preset_without_controls_leaves_none_in_the_address(mounted):
    app = opened(content="coffee", style="brick")
    ran(app.button(key="style-preset-2").click())
    assert not {"content", "style", "side", "standard", "robust"} & app.query_params.keys()


def test_a_preset_leaves_the_frame_of_before(mounted):
    app = opened(frame="2")
    assert mounted[-1][2]["frame"] == 2
    ran(app.button(key="style-preset-1").click())
    assert mounted[-1][2]["frame"] == len(mounted[-1][1].values) - 1


def test_what_is_in_the_store_is_not_painted_again(monkeypatch, mounted):
    app = opened()
    computes_nothing(monkeypatch)
    ran(app.toggle(key="present").set_value(True))


# The opening


def test_the_page_opens_with_both_finished_pictures():
    shown = opening.read(StyleRecipe())
    assert list(shown) == ["resnet9-standard", "resnet9-l2"], "paint it anew: python -m core.style.opening"
    assert all(x.shape == (1, 3, 64, 64) for x in shown.values())


def test_an_opening_counts_for_its_recipe_and_its_weights_alone(tmp_path, monkeypatch):
    recipe, path = StyleRecipe(side=32, steps=10), tmp_path / "opening.npz"
    opening.paint(recipe, path)
    shown = opening.read(replace(recipe, frame=3), path)
    last = paint(recipe, "resnet9-l2").frames[-1:]
    np.testing.assert_array_equal(render.to_uint8(shown["resnet9-l2"]), render.to_uint8(last))
    assert opening.read(replace(recipe, steps=11), path) == {}
    assert opening.read(recipe, tmp_path / "none.npz") == {}
    monkeypatch.setattr(checkpoints, "stamp", lambda *_: "another")
    assert opening.read(recipe, path) == {}
    path.write_bytes(b"no file of ours")
    assert opening.read(recipe, path) == {}


def test_the_finished_pictures_stand_there_while_it_is_computed(monkeypatch, mounted):
    known = opening.read(StyleRecipe())
    monkeypatch.setattr(opening, "read", lambda recipe: known)
    told = []
    so_far = transfer._so_far
    monkeypatch.setattr(transfer, "_so_far", lambda *a: told.append(a) or so_far(*a))
    both = transfer.work.both

    def slowly(*a, show, **more):
        show({})
        show({})
        return both(*a, show=show, **more)

    monkeypatch.setattr(transfer.work, "both", slowly)
    opened()
    assert len(told) == 1, "what is computed meanwhile is less finished"
    assert told[0][1] is known
    monkeypatch.setattr(transfer.work, "both", both)
    opened()
    assert len(told) == 1, "what is there needs no picture before"


# Who judges


def test_a_judge_that_painted_does_not_judge(mounted):
    app = opened(standard="vgg-standard")
    names = [name for name, _ in mounted[-1][0][0].readouts]
    assert not [name for name in names if "Standard VGG" in name]
    assert [name for name in names if "Robust VGG" in name]
    assert "in the eyes of **Robust VGG**" in said(app)


def test_where_both_judges_painted_nobody_judges(mounted):
    app = opened(standard="vgg-standard", robust="vgg-l2")
    assert mounted[-1][0][0].curve_name == "objective, in its own terms"
    assert "No judge is here that took no part" in said(app)
    assert not app.error


# What was measured

ONE = {
    "style": {
        "resnet9-l2": {"value": 0.1, "interval": [0.05, 0.15], "n": 2, "values": [0.1, 0.1]},
        "resnet9-standard": {"value": 0.3, "interval": [0.25, 0.35], "n": 2, "values": [0.3, 0.3]},
    },
    "content": {name: {"value": 1.0, "interval": [0.9, 1.1], "n": 2} for name in ("resnet9-l2", "resnet9-standard")},
    "difference": {"value": 0.2, "interval": [0.1, 0.3], "n": 2},
    "better": 2,
}
EVEN = {**ONE, "difference": {"value": 0.0, "interval": [-0.1, 0.1], "n": 2}, "better": 1}
ABOUT = {"n": 2, "side": 64, "steps": 100, "date": "2026-01-01", "pairs": [["coffee", "dots"], ["rocket", "tiles"]]}


def test_a_row_for_each_judge_of_the_file():
    page = AppTest.from_string("from pages.style.measured import measured\nmeasured()", default_timeout=60)
    app = ran(page)
    found = views.judged(views.results("pairs"))
    assert list(found) == ["vgg-standard", "vgg-l2"]
    heads, *lines = rows(app)
    assert [heads[1], heads[2]] == ["Style left, Standard ResNet-9", "Style left, Robust ResNet-9"]
    assert len(lines) == len(found)
    for line, one in zip(lines, found.values(), strict=True):
        assert f"in {one.better} of" in line[4]
        assert ("no difference seen" in line[3]) == (one.difference.low <= 0 <= one.difference.high)
    assert views.pairs_table().count("\n") == 1 + sum(len(v) for one in found.values() for v in one.values.values())


def test_the_ordinary_judge_comes_first_and_a_difference_is_only_seen_where_there_is_one():
    found = views.judged({**ABOUT, "judges": {"vgg-l2": ONE, "vgg-standard": EVEN}})
    assert list(found) == ["vgg-standard", "vgg-l2"]

    def page(found):
        from pages.style.measured import show

        show(found, 2)

    app = ran(AppTest.from_function(page, args=(found,), default_timeout=60))
    assert "+20.0 points</b> [+10.0, +30.0]" in html(app)
    assert html(app).count("no difference seen") == 1


def test_every_layer_stands_in_a_table_with_its_interval():
    app = opened(view="layers")
    assert "The authors' reply" in said(app)
    app.session_state["style-layers-numbers"] = True
    ran(app)
    known = views.layers(views.results("layers"))
    lines = rows(app)[1:]
    assert len(lines) == sum(map(len, known.values()))
    assert all("[" in line[2] and line[3] == "100" for line in lines)


# Worlds


def in_world(name: str, **query: str) -> AppTest:
    if name not in worlds.names():
        pytest.skip(f"{name} is not installed")
    app = AppTest.from_file(PAGE, default_timeout=120)
    for key, value in {"world": name, "steps": "10", **query}.items():
        app.query_params[key] = value
    return ran(app)


def test_planted_networks_paint_too(mounted):
    app = in_world("planted", side="32")
    assert not app.error
    first, second, _ = mounted[-1][0]
    assert "planted" not in first.title.lower() or first.title != second.title
    assert "Over several pairs" not in said(app), "that was measured of other networks"


def test_photographs_are_painted_at_their_own_side_by_one_network(mounted):
    app = in_world("imagenet")
    painted, style = mounted[-1][0]
    assert painted.frames.shape[1:] == (224, 224, 3) == style.frames.shape[1:]
    assert len(painted.frames) <= worlds.get("imagenet").frames(41)
    assert worlds.get("imagenet").robust_how in said(app)
    assert app.segmented_control(key="side").options == ["224"]


def test_layers_were_measured_in_one_world_and_others_say_so():
    assert "has nothing to show of Planted shapes yet" in said(in_world("planted", view="layers"))


def test_without_networks_it_says_how_to_make_them(monkeypatch):
    monkeypatch.setattr(checkpoints, "names", lambda *_, **__: ())
    app = opened()
    assert "make zoo" in said(app)
    assert not app.error


# The core, where the page leans on it


def test_as_many_frames_as_there_is_room_for():
    assert len(kept(100, 21)) == 20 and kept(100) == kept(100, 41)


def test_a_recipe_of_before_worlds_is_the_same_to_the_byte():
    assert "world" not in to_json(StyleRecipe())
    text = to_json(StyleRecipe(world="planted"))
    assert from_json(StyleRecipe, text) == StyleRecipe(world="planted")
    assert asdict(views.cache_key(StyleRecipe(frame=3, robust="vgg-l2"))) == asdict(StyleRecipe())


def test_what_cannot_be_painted_is_one_sentence():
    with pytest.raises(InputError, match="upload it again"):
        originals(StyleRecipe(style="upload"))
    for role in (pictures.content, pictures.style):
        with pytest.raises(InputError, match="'nobody'; have"):
            role("nobody", 32)


def test_the_script_of_an_upload_asks_for_the_file(tmp_path):
    recipe = StyleRecipe(content="upload", side=32, steps=10)
    text = views.script(recipe)
    shot = ROOT / "assets" / "screenshots" / "perturb.png"
    (tmp_path / "your-content.png").write_bytes(Path(shot).read_bytes())
    assert "resnet9-l2" in run_alone(text, tmp_path)
    assert len(list(tmp_path.glob("*-style.png"))) == 2
