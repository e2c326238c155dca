"""How much of a perturbation lies on what was planted: exact cases, and the pair that ships."""

from dataclasses import replace

import pytest
import torch

from core import perturb, worlds
from core.data import labelled, pictures
from core.data.planted import drawn, marks
from core.data.planted.scenes import render
from core.data.sets import DataError
from core.models import checkpoints, pair
from core.perturb import scene
from core.perturb.recipe import PerturbRecipe
from tests.helpers import draws

DISC = "planted/19"
CROSS = 1


def recipe(**changes: object) -> PerturbRecipe:
    """A disc that is to become a cross, in the planted world."""
    here = worlds.get("planted")
    made = PerturbRecipe(world="planted", picture=DISC, standard=here.standard, robust=here.robust, target="cross")
    return replace(made, **changes)


def test_a_share_is_the_part_of_the_squared_length_in_a_subspace():
    """share(a u + b v, span u) = a^2 / (a^2 + b^2) for orthonormal u and v; 1 within, 0 across, 0 of nothing."""
    u, v = torch.linalg.qr(torch.randn(marks.VALUES, 2, generator=draws(0)))[0].T
    made = torch.stack([3 * u + 4 * v, -2 * u, v, 0 * u]).reshape(4, 3, 32, 32)
    assert marks.share(made, u[None]).tolist() == pytest.approx([9 / 25, 1, 0, 0], abs=1e-5)


def test_of_a_random_direction_the_subspaces_dimensions_count():
    """E |P u|^2 = R / D."""
    here = marks.of(DISC, CROSS)
    random = torch.randn(400, 3, 32, 32, generator=draws(0))
    for name, dimensions in (("weave_other", 1), ("shapes", 6)):
        found = marks.share(random, marks.PARTS[name](here)).mean()
        assert float(found) == pytest.approx(dimensions / 3072, rel=0.15)
        assert marks.by_chance(marks.PARTS[name](here)) == dimensions / 3072


def test_the_weave_and_the_shape_of_a_picture_are_those_that_it_was_painted_with():
    """Weaker by one feature, the picture differs along that feature alone (rounding and clipping aside)."""
    here, row = marks.of(DISC, CROSS), 19
    scenes = drawn.scenes_of("test")
    rows = slice(row, row + 1)
    whole = render(drawn.WORLD, scenes)[rows]
    assert torch.equal(pictures.get(DISC).x, whole)
    without = render(replace(drawn.WORLD, faint=0.0), scenes)[rows]
    assert float(marks.share(whole - without, here.weave_own)) > 0.85
    without = render(replace(drawn.WORLD, visible=2.0), scenes)[rows]
    assert float(marks.share(whole - without, here.shape_own)) > 0.95
    assert (here.own, here.other) == (0, CROSS)
    torch.testing.assert_close(here.shapes @ here.shapes.T, torch.eye(6), atol=1e-5, rtol=0)


def test_a_map_within_the_shape_is_told_from_one_beside_it():
    here = marks.of(DISC, CROSS)
    inside = here.inside.float().expand(1, 3, -1, -1)
    assert marks.within(torch.cat([-inside, 1 - inside]), here.inside).tolist() == [1, 0]
    assert 0.05 < here.inside.float().mean() < 0.3


def test_nobody_knows_what_is_in_other_pictures():
    for id in ("photo/chelsea", "upload/0123456789ab", "planted/", "planted/x"):
        assert marks.of(id, CROSS) is None


def test_the_world_as_it_ships():
    """Its pictures are labelled, in the order of its classes; its pair knows these, and belongs to no other world."""
    world = worlds.get("planted")
    assert pair.opening(world) == pair.Pair(world.standard, world.robust)
    assert {world.standard, world.robust} <= set(checkpoints.names(world="planted"))
    assert not {world.standard, world.robust} & set(checkpoints.names())
    assert labelled.has("planted") and not labelled.has("imagenet")
    test, train = labelled.load("planted", "test"), labelled.load("planted", "train")
    assert test.classes == train.classes == world.classes == ("disc", "cross", "bar", "triangle")
    assert (len(test), len(train)) == (1000, 3000)
    assert pictures.get(world.picture).label == 0
    with pytest.raises(DataError):
        labelled.load("atlantis", "test")
    with pytest.raises(ValueError, match="split must be one of train, test"):
        labelled.load("planted", "valid")


def test_a_network_of_other_classes_is_not_of_this_world(tmp_path):
    about = replace(checkpoints.header("planted-features-standard"), classes=("disc", "cross", "bar", "moon"))
    model = checkpoints.load("planted-features-standard")
    checkpoints.save(tmp_path / "other.safetensors", model.state_dict(), about)
    with pytest.raises(checkpoints.CheckpointError, match="bar, moon, and the world has disc, cross, bar, triangle"):
        checkpoints.load("other", folder=tmp_path)


@pytest.fixture(scope="module")
def columns():
    """The columns of the opening picture, at eps 0, 0.4 and 0.9 of 2."""
    asked = recipe()
    models = {name: checkpoints.load(name) for name in (asked.standard, asked.robust)}
    frames = [0, 4, 9]
    left, right = (
        perturb.Trajectory.join([one for k in frames for one in [_frame(perturb.attack(asked, n, model=m), k)]])
        for n, m in models.items()
    )
    along = scene.axis(asked, len(asked.eps_values))
    along = replace(along, values=along.values[:3], labels=along.labels[:3], total=None)
    return scene.rows(asked, left, right, along, scene.others(asked, left, right, tuple(models.values())))


def _frame(found: perturb.Trajectory, k: int) -> perturb.Trajectory:
    cut = ("positions", "x_adv", "logits", "norm", "allowed", "success")
    return replace(found, **{name: getattr(found, name)[k : k + 1] for name in cut})


def share(row, name: str, frame: int) -> float:
    text = next(texts for word, texts in row.readouts if name in word)[frame]
    return float(text.removesuffix(" %")) / 100


def test_the_fourth_column_is_the_weave_itself_and_it_fools_the_standard_network(columns):
    assert [row.title for row in columns][2:] == ["Random noise", "The weave of cross"]
    woven = columns[3]
    assert woven.minor and woven.flags == (None, "fools", "fools")
    assert share(woven, "weave of cross", 1) == pytest.approx(0.5, abs=0.03)
    assert share(woven, "its own weave", 1) == pytest.approx(0.5, abs=0.03)
    assert [dict(row.readouts)["on the two shapes"][0] for row in columns] == ["–"] * 4


def test_the_standard_networks_attack_writes_the_weave_and_the_robust_ones_the_shape(columns):
    """What the page claims of the opening picture, beside the control."""
    standard, robust, control, _ = columns
    assert share(standard, "weave of cross", 1) > 0.4 > 10 * share(robust, "weave of cross", 2)
    assert share(robust, "two shapes", 2) > 0.15 > 10 * share(standard, "two shapes", 1)
    assert share(control, "weave of cross", 1) < 0.01 and share(control, "two shapes", 1) < 0.01


def test_an_attack_that_is_led_nowhere_still_has_another_class():
    """Untargeted: the wrong class that is said most often; where nothing fools, the next one."""
    asked = recipe(target="any")
    found = perturb.attack(asked, asked.standard)
    assert scene.planted.here(asked, found).other == int(found.logits.argmax(1)[found.success].mode().values)
    nothing = replace(found, logits=found.logits[:1].expand_as(found.logits))
    assert scene.planted.here(asked, nothing).other == 1
