"""The dial: each view is its own topic's computation, what it depends on, how it is shown, and how it is measured."""

import json
from dataclasses import fields, replace

import numpy as np
import pytest
import torch

from core.data.pictures import Picture
from core.data.sets import CIFAR10_CLASSES, DataError, Pictures
from core.dial import measure, networks, results, scene, views
from core.dial.networks import RADII, name_of
from core.dial.recipe import DialRecipe
from core.dial.views import cache_key, position, script
from core.files import render
from core.files.playable import page
from core.inversion.emergence import emerge
from core.inversion.invert import SETTINGS, SMOOTH, Setting
from core.inversion.recipe import InvertRecipe
from core.problems import InputError
from core.recipes import from_json, from_query, to_json, to_query
from core.saliency import maps
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import explain
from core.train.zoo import declared
from tests.helpers import images, tiny

PHOTO = DialRecipe(picture="photo/chelsea")
HALF = name_of(0.5)
CAT = CIFAR10_CLASSES.index("cat")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setitem(SETTINGS, "smooth", Setting(6, SMOOTH.make_rule))


def upload(seed: int = 0) -> Picture:
    return Picture(f"upload/{seed}", (images(1, size=32, seed=seed) * 255).round() / 255, None, "mine", "uploaded")


def made_up(view: str) -> list[views.Position]:
    """Two networks' parts, of random weights."""
    recipe = replace(PHOTO, view=view)
    return [position(recipe, name_of(eps), model=tiny(seed=i)) for i, eps in enumerate((0.0, 0.5))]


# Views


def test_an_inversion_is_that_of_robust_frog():
    model = tiny()
    made = position(replace(PHOTO, seed=3), HALF, model=model)
    wanted = emerge(InvertRecipe(picture="photo/chelsea", start="noise", setting="smooth", seed=3), HALF, model=model)
    torch.testing.assert_close(made.made, wanted.frames[-1:])
    torch.testing.assert_close(made.logits, wanted.logits[-1:])
    assert made.value == pytest.approx(float(wanted.distance[-1]))
    assert made.eps == 0.5


def test_all_networks_start_from_the_same_noise():
    one, other = made_up("inversion")
    torch.testing.assert_close(one.x0, other.x0, rtol=0, atol=0)
    assert not torch.equal(one.made, other.made)


def test_a_map_is_that_of_saliency():
    model = tiny()
    made = position(replace(PHOTO, view="gradient"), HALF, model=model)
    of = explain(SaliencyRecipe(picture="photo/chelsea"), HALF, "gradient", model=model)
    np.testing.assert_array_equal(render.to_uint8(made.made), maps.painted(of.attribution, of.x))
    assert -1 <= made.value <= 1


@pytest.mark.parametrize("canvas", ["picture", "seed"])
def test_painting_stays_in_its_budget_and_moves_toward_the_class(canvas):
    model = tiny()
    made = position(replace(PHOTO, view="paint", canvas=canvas, eps="2", target="cat"), HALF, model=model)
    assert 0 < made.value <= 2 + 1e-4
    assert made.value == pytest.approx(float((made.made - made.x0).norm()), abs=1e-4)
    with torch.no_grad():
        assert made.logits.softmax(1)[0, CAT] > model(made.x0).softmax(1)[0, CAT]
    assert torch.equal(made.x0, made.x) == (canvas == "picture")


@pytest.mark.parametrize("view", ["inversion", "gradient", "paint"])
def test_an_upload_needs_no_data_set(view):
    made = position(DialRecipe(view=view, picture="upload/0"), HALF, picture=upload(), model=tiny())
    assert made.made.shape == (1, 3, 32, 32)
    assert float(made.made.min()) >= 0 and float(made.made.max()) <= 1


@pytest.mark.parametrize("view", ["inversion", "paint"])
def test_stop_keeps_what_there_is(view):
    made = position(replace(PHOTO, view=view), HALF, model=tiny(), on_step=lambda i, _: i >= 2)
    assert made.stopped == 2
    assert made.made.shape == (1, 3, 32, 32)


def test_what_was_measured_computes_nothing():
    with pytest.raises(InputError, match="computes nothing"):
        position(replace(PHOTO, view="measured"), HALF, model=tiny())


def test_a_class_that_is_none_is_one_sentence():
    with pytest.raises(InputError, match="there is no class 'unicorn'"):
        position(replace(PHOTO, view="paint", target="unicorn"), HALF, model=tiny())


def test_a_network_of_another_kind_has_no_place_on_the_dial():
    with pytest.raises(ValueError, match="no network of the dial"):
        networks.eps_of("resnet9-l2")


# What a view depends on

CHANGED = DialRecipe(
    picture="photo/rocket",
    start="grey",
    method="occlusion",
    target="frog",
    canvas="seed",
    eps="2",
    trend="transfer",
    frame=1,
    seed=9,
)


@pytest.mark.parametrize(
    ("view", "matters"),
    [
        ("inversion", {"picture", "start", "seed"}),
        ("gradient", {"picture", "method", "seed"}),
        ("paint", {"picture", "target", "canvas", "eps"}),
    ],
)
def test_the_key_holds_what_a_view_depends_on_and_nothing_else(view, matters):
    base = replace(PHOTO, view=view)
    for name in (f.name for f in fields(DialRecipe) if f.name not in ("view", "world")):
        other = replace(base, **{name: getattr(CHANGED, name)})
        assert (cache_key(other) != cache_key(base)) == (name in matters), name


def test_a_seed_counts_where_one_is_painted_on_and_the_picture_does_not():
    seeded = replace(PHOTO, view="paint", canvas="seed")
    assert cache_key(replace(seeded, seed=1)) != cache_key(seeded)
    assert cache_key(replace(seeded, picture="photo/rocket")) == cache_key(seeded)


@pytest.mark.parametrize("recipe", [PHOTO, CHANGED, replace(CHANGED, view="measured")])
def test_a_recipe_comes_back_from_address_and_json(recipe):
    assert from_query(DialRecipe, to_query(recipe)) == (recipe, ())
    assert from_json(DialRecipe, to_json(recipe)) == recipe


# What is shown


@pytest.mark.parametrize("view", ["inversion", "gradient", "paint"])
def test_the_dial_is_one_column_with_a_frame_for_each_network(view, monkeypatch):
    monkeypatch.setattr(scene, "judges", lambda: ("resnet9-standard",))
    made, recipe = made_up(view), replace(PHOTO, view=view)
    picture = Picture("photo/chelsea", made[0].x, CAT, "a cat", "photograph")
    seen = scene.judged(recipe, made, lambda _, x: tiny(seed=5)(x).detach())
    moving, still = scene.columns(recipe, made, picture, seen)
    np.testing.assert_array_equal(moving.frames, render.to_uint8(torch.cat([one.made for one in made])))
    assert still.plain and not moving.plain
    assert scene.axis(made).labels == ("0", "0.5")
    assert scene.axis(made, 5).length == 5
    assert [f"ε = {eps:g} " in alt for eps, alt in zip((0.0, 0.5), moving.alt, strict=True)] == [True, True]
    assert bool(seen) == (view != "gradient")
    assert any(name.endswith(" sees") for name, _ in moving.readouts) == (view != "gradient")
    assert (moving.target is not None) == (view == "paint")
    assert "<html" in page(scene.played(recipe, [moving, still], scene.axis(made), made), to_json(recipe))


def test_the_script_is_a_program():
    for view in ("inversion", "gradient", "paint", "measured"):
        compile(script(replace(PHOTO, view=view)), view, "exec")


# What was measured

ABOUT = {"n": 100, "seed": 0, "date": "2026-01-01", "how": "made up"}


def value(at: float, half: float = 0.05, n: int = 100) -> dict[str, object]:
    return {"value": at, "interval": [at - half, at + half], "n": n}


def test_numbers_come_back_in_the_order_of_the_dial(tmp_path):
    path = tmp_path / "dial.json"
    for eps, at in ((0.5, 0.8), (0.0, 0.9)):
        results.keep("accuracy", name_of(eps), {"clean": value(at)}, ABOUT, {name_of(eps): "x"}, path)
    found = results.series(results.read(path), "accuracy")
    assert {eps: one.value for eps, one in found["clean"].items()} == {0.0: 0.9, 0.5: 0.8}
    assert list(found["clean"]) == [0.0, 0.5]
    assert results.series(results.read(path), "transfer") == {}
    assert "made up" in results.about(results.read(path), "accuracy")
    assert json.loads(path.read_text())["stamps"] == {name_of(0.0): "x", name_of(0.5): "x"}


def test_numbers_that_were_measured_otherwise_do_not_stand_beside_new_ones(tmp_path):
    path = tmp_path / "dial.json"
    results.keep("accuracy", name_of(0.0), {"clean": value(0.9)}, ABOUT, {"a": "x"}, path)
    more = {**ABOUT, "n": 500}
    assert results.has(results.read(path), "accuracy", name_of(0.0), ABOUT, {"a": "x"})
    assert not results.has(results.read(path), "accuracy", name_of(0.0), ABOUT, {"a": "other weights"})
    assert not results.has(results.read(path), "accuracy", name_of(0.0), more, {"a": "x"})
    results.keep("accuracy", name_of(0.5), {"clean": value(0.8)}, more, {"b": "y"}, path)
    assert list(results.read(path)["parts"]["accuracy"]["networks"]) == [name_of(0.5)]


def test_a_value_outside_of_its_interval_is_a_damaged_file(tmp_path):
    path = tmp_path / "dial.json"
    results.keep("accuracy", name_of(0.0), {"clean": value(0.9)}, ABOUT, {"a": "x"}, path)
    path.write_text(path.read_text().replace("0.9,", "0.2,", 1))
    with pytest.raises(DataError, match=r"damaged.*python -m core\.dial measure"):
        results.read(path)


@pytest.fixture
def two_networks(monkeypatch):
    """Two networks of random weights, targets and judges of the same kind, and what was loaded."""
    loaded: list[str] = []
    seeds = {name_of(0.0): 0, name_of(0.5): 1, "judge": 2, "target": 3}

    def load(name):
        loaded.append(name)
        return tiny(seed=seeds[name])

    monkeypatch.setattr(measure, "load", load)
    monkeypatch.setattr(measure, "here", lambda: {0.0: name_of(0.0), 0.5: name_of(0.5)})
    monkeypatch.setattr(measure, "targets_here", lambda: ("target",))
    monkeypatch.setattr(measure, "stamps_of", lambda names: {name: f"stamp of {name}" for name in names})
    monkeypatch.setattr(measure, "means_of", lambda *_: type("Means", (), {"x": images(10, size=32, seed=8)}))
    return loaded


def noise(n: int) -> Pictures:
    rng = np.random.default_rng(0)
    return Pictures(rng.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8), np.arange(n) % 10, CIFAR10_CLASSES, "noise")


@pytest.mark.parametrize("part", ["accuracy", "gradients", "features", "weather"])
def test_a_part_is_measured_once_for_each_network(part, two_networks, tmp_path, monkeypatch):
    path = tmp_path / "dial.json"
    monkeypatch.setattr(measure, "EPS", ())
    measure.measure((part,), noise(40), 20, out=path)
    networks_ = results.read(path)["parts"][part]["networks"]
    assert list(networks_) == [name_of(0.0), name_of(0.5)]
    assert all(networks_[name]["values"] for name in networks_)
    loaded = len(two_networks)
    measure.measure((part,), noise(40), 20, out=path)
    assert len(two_networks) == loaded, "measured again"


def test_what_was_measured_on_more_pictures_stays(two_networks, tmp_path, monkeypatch):
    path = tmp_path / "dial.json"
    monkeypatch.setattr(measure, "EPS", ())
    measure.measure(("accuracy",), noise(60), 40, out=path)
    with pytest.raises(InputError, match="more than"):
        measure.measure(("accuracy",), noise(60), 20, out=path)
    measure.measure(("accuracy",), noise(60), 20, out=path, anew=True)
    assert results.read(path)["parts"]["accuracy"]["about"]["n"] == 20


def test_transfer_counts_only_pictures_that_the_targets_get_right(two_networks, tmp_path):
    """And says nothing of those that a target is wrong about to begin with."""
    test = noise(40)
    with torch.no_grad():
        said = tiny(seed=3)(test.x(range(40))).argmax(1)
    labels = said.numpy().copy()
    labels[::2] = (labels[::2] + 1) % 10  # half of them are wrong from the start
    found = measure.transfer(name_of(0.5), Pictures(test.images, labels, CIFAR10_CLASSES, "noise"), 40)
    assert {one["n"] for one in found.values()} == {20}
    assert set(found) == set(measure.SOURCED)


def test_features_above_zero_are_counted_with_their_interval():
    rho, half = torch.tensor([0.5, 0.05, -0.05, -0.5]), torch.full((4,), 0.1)
    assert measure._count(rho, half) == {"value": 0.5, "interval": [0.25, 0.75], "n": 4}


def test_without_its_networks_the_command_says_how_to_make_them(monkeypatch):
    monkeypatch.setattr(measure, "here", dict)
    monkeypatch.setattr(networks, "here", dict)
    with pytest.raises(InputError, match=r"core\.train\.zoo build dial/l2-0"):
        measure.measure(("accuracy",), noise(20), 20)


def test_an_unknown_part_is_refused():
    with pytest.raises(SystemExit, match="there is no part beauty"):
        measure.main(["measure", "beauty"])


def test_the_declared_networks_differ_in_nothing_but_their_adversary():
    entries = [declared()[name_of(eps)] for eps in RADII]
    assert len({(one.arch, str(one.args), one.seed) for one in entries}) == 1
    for profile in ("cpu", "full"):
        recipes = [dict(one.profiles[profile]) for one in entries]
        inner = [one.pop("inner", {"eps": 0.0}) for one in recipes]
        assert [one["eps"] for one in inner] == list(RADII)
        assert all(one == recipes[0] for one in recipes)
