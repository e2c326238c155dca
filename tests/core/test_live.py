"""Features measured at once, on few pictures: the same numbers as a whole search has, and ended when told."""

import json

import pytest
import torch

from core import worlds
from core.attacks import Stop
from core.attacks.balls import L2
from core.data import labelled, own
from core.models import checkpoints
from core.problems import InputError
from core.train.evaluate import robust_accuracy
from core.usefulness import atlas as atlases
from core.usefulness import choice, live, scene, views
from core.usefulness.heads import clean_accuracy, cuts, head_of, rewired, sizes_of
from core.usefulness.measure import RADII, spread
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.search import extremes
from tests.helpers import tiny
from tests.own_world import as_folders

ORDER = ("ring", "disc", "square", "cross")
RECIPE = UsefulnessRecipe(world="shapes", standard="mine", robust="mine", frame=4)


@pytest.fixture(autouse=True)
def shapes(tmp_path, monkeypatch):
    """A world of four classes with three test pictures each, a tiny network of it, and time for six of its features."""
    as_folders(tmp_path, each=15)
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    about = checkpoints.Header("resnet9", {"width": 4, "classes": 4}, "Mine", classes=ORDER, world="shapes")
    monkeypatch.setattr(checkpoints, "header", lambda name: about)
    monkeypatch.setattr(checkpoints, "stamp", lambda name: "0" * 12)
    monkeypatch.setattr(live, "loaded", lambda name: tiny(classes=4))
    monkeypatch.setattr(live, "FEWEST", 6)
    monkeypatch.setattr(live, "OPERATIONS", 0)
    monkeypatch.setattr("core.compute.has_fast_bf16", lambda _: False)


@pytest.fixture
def atlas() -> atlases.Atlas:
    return live.measure("mine")


def test_what_is_searched_is_what_a_whole_search_finds(atlas):
    """Six features, the best of each class among them, have the gamma of a search of all; the others have rho alone."""
    model, test = tiny(classes=4), labelled.load("shapes", "test")
    rows = spread(test.y(), 12, 0)
    radii = tuple(2.0 * eps for eps in RADII)
    whole = extremes(model.features, test.x(rows[:8]), L2, radii)
    with torch.no_grad():
        f = model.features(test.x(rows))
    wanted, _ = atlases.Measured.of(f, test.y(rows), whole, test.y(rows[:8]), 4).at_best()
    found, _ = atlas.measured.at_best()
    assert (int(found.searched.sum()), len(found.rho), atlas.radii) == (6, 32, radii)
    torch.testing.assert_close(found.rho, wanted.rho)
    torch.testing.assert_close(found.gamma[:, found.searched], wanted.gamma[:, found.searched], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        found.gamma_half[:, found.searched], wanted.gamma_half[:, found.searched], atol=1e-3, rtol=1e-3
    )
    for name in ORDER:
        of_class, _ = atlases.lookup(atlas, name)
        assert bool(found.searched[of_class.rho.argmax()]), name
    assert (atlas.about["n"], atlas.about["n_pushed"], atlas.about["searched"]) == (12, 8, 6)
    assert (atlas.world, atlas.source) == ("shapes", "shapes")


def test_every_step_is_told_and_it_ends_when_asked(monkeypatch):
    monkeypatch.setattr(live, "ROWS", 64)  # one feature at a time
    seen = []
    live.measure("mine", on_step=seen.append)
    todo = live.plan("shapes", tiny(classes=4))
    assert seen == list(range(todo.steps)) and todo.steps == 2 + 6
    part = live.measure("mine", on_step=lambda i: i == 4)
    assert part.about["searched"] == 3
    for early in (0, 1):
        with pytest.raises(Stop):
            live.measure("mine", on_step=lambda i, early=early: i == early)


def test_more_operations_search_more_features(monkeypatch):
    monkeypatch.setattr(live, "OPERATIONS", 1e15)
    assert live.plan("shapes", tiny(classes=4)).features == 32


def test_larger_pictures_are_fewer_at_a_time(monkeypatch):
    small = live.plan("shapes", tiny(classes=4))
    monkeypatch.setattr(live.worlds, "get", lambda *_: worlds.World("shapes", "Shapes", ORDER, 512, ("shapes",), ""))
    large = live.plan("shapes", tiny(classes=4))
    assert large.rows < small.rows and large.at_once < small.at_once


def test_a_class_with_one_test_picture_is_named(tmp_path, monkeypatch):
    (few := tmp_path / "few").mkdir()
    as_folders(few, each=5)
    monkeypatch.setenv(own.VARIABLE, str(few))
    with pytest.raises(InputError, match="Shapes has fewer than two test pictures of “ring”"):
        live.plan("shapes", tiny(classes=4))


def test_what_was_not_searched_is_null_in_the_browser_and_neither_robust_nor_not(atlas):
    have = {"mine": atlas}
    data = scene.payload(RECIPE, have)
    json.dumps(data, allow_nan=False)
    assert len(data["panels"]) == 1, "one network, one panel"
    known = [gamma is not None for gamma in data["panels"][0]["gamma"][4]]
    assert sum(known) == 6 and all(sum(g is not None for g in row) == 6 for row in data["panels"][0]["gamma"])
    kept = {keep: choice.switched_on(UsefulnessRecipe(**{**vars(RECIPE), "keep": keep}), "standard", have) for keep in
            ("robust", "brittle")}  # fmt: skip
    assert int(kept["robust"].sum()) + int(kept["brittle"].sum()) == 6
    brush = UsefulnessRecipe(**{**vars(RECIPE), "brush": "standard,0,9,-99,9,4"})
    assert choice.chosen(brush, "standard", have).tolist() == known
    assert known[choice.feature_of(RECIPE, "standard", have)], "the most useful one was searched"
    assert "of 6 features" in scene.scene(RECIPE, have).alt


def test_cuts_are_of_what_was_searched_and_the_last_is_the_whole_network(atlas):
    assert sizes_of(atlas) == (1, 3, 6, 32)
    found = cuts(atlas, 0.5, sizes_of(atlas))
    assert [(cut.keep, cut.kept) for cut in found] == [
        *(("most", 1), ("most", 3), ("most", 6), ("most", 32)),
        *(("least", 1), ("least", 3)),
    ]
    use, _ = atlas.measured.at_best()
    gamma = use.gamma[atlas.radii.index(0.5)]
    most, least = found[1].on, found[5].on
    assert not bool((most & least).any()) and bool(use.searched[most].all() and use.searched[least].all())
    assert float(gamma[most].min()) >= float(gamma[least].max())


@pytest.mark.filterwarnings("ignore::core.train.evaluate.SuspiciousAttack")
def test_a_curve_is_the_accuracy_of_its_heads(atlas, monkeypatch):
    have, model = {"mine": atlas}, tiny(classes=4)
    monkeypatch.setattr(views, "ATTACK_STEPS", 2)
    for cut, line in views.curve(RECIPE, "standard", model=model, have=have):
        head = head_of("masked", model, atlas, cut.on)
        assert line["clean"] == clean_accuracy(atlas, head).as_json()
        found = views.attacked_cut(RECIPE, "standard", cut, model=model, have=have)
        test = labelled.load("shapes", "test")
        rows = spread(test.y(), 12, 0)
        again = robust_accuracy(rewired(model, head), test.x(rows), test.y(rows), L2(0.5), steps=2)
        assert found.rate == again.rate and found.rate.n == 12
