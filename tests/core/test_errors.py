"""Wrong labels, robust linear features, and directions of the data: what must hold whatever was measured."""

import numpy as np
import pytest
import torch

from core.data.sets import Pictures
from core.errors import leakage, manifold, toy, wrong
from core.errors.recipe import ErrorsRecipe


@pytest.fixture
def labelled():
    draws = np.random.default_rng(0)
    labels = draws.integers(0, 4, 400)
    images = draws.integers(0, 256, (400, 2, 2, 3)).astype(np.uint8)
    given = np.where(draws.random(400) < 0.5, labels, draws.integers(0, 4, 400)).astype(np.uint8)
    return Pictures(images, labels, ("a", "b", "c", "d"), "drawn"), given


@pytest.mark.parametrize("kind", wrong.LABELS)
def test_no_lesson_is_rightly_labelled(labelled, kind):
    """But for a dealt-out error, which may be any error of its class, all of them wrong too."""
    pictures, given = labelled
    rows = np.flatnonzero(given != pictures.labels)
    lessons = wrong.wrongly_labelled(pictures, given, kind, torch.Generator().manual_seed(0))
    assert len(lessons) == len(rows) > 50
    assert np.array_equal(lessons.images, pictures.images[rows])
    assert (lessons.labels != pictures.labels[rows]).all()


def test_errors_dealt_out_anew_keep_how_often_classes_are_confused(labelled):
    pictures, given = labelled
    rows = np.flatnonzero(given != pictures.labels)
    lessons = wrong.wrongly_labelled(pictures, given, "shuffled", torch.Generator().manual_seed(0))
    assert (lessons.labels != given[rows]).any()
    true = pictures.labels[rows]
    for label in range(4):
        assert sorted(lessons.labels[true == label]) == sorted(given[rows][true == label])


def test_unknown_labels_are_one_sentence(labelled):
    with pytest.raises(ValueError, match="no labels 'noise'"):
        wrong.wrongly_labelled(*labelled, "noise", torch.Generator())


def test_points_move_inside_their_square_and_get_the_other_label():
    made = toy.play(ErrorsRecipe(points=16))
    assert float((made.moved - made.points).abs().max()) <= 0.12 + 1e-6
    assert torch.equal(made.given, 1 - made.labels)
    assert made.teacher_right.value > 0.9


def test_points_that_stay_teach_the_opposite():
    made = toy.play(ErrorsRecipe(points=16, moved="not"))
    assert made.student_right.value < 0.1


def test_the_linear_adversary_is_exact():
    """No perturbation of length eps raises a class over y by more than eps |w_j - w_y|, and one reaches it."""
    draws = torch.Generator().manual_seed(0)
    robust = leakage.Robust(torch.randn(3, 2, 4, 4, generator=draws), torch.zeros(3), torch.zeros(2, 4, 4))
    x, y = torch.rand(1, 2, 4, 4, generator=draws), torch.tensor([1])
    gap = robust.weight[2] - robust.weight[1]
    moved = robust.logits(x + 0.3 * gap / gap.norm())
    worst = robust.worst(x, y, 0.3)
    torch.testing.assert_close(moved[0, 2] - moved[0, 1], worst[0, 2] - worst[0, 1])
    torch.testing.assert_close(worst[0, 1], robust.logits(x)[0, 1])


def test_a_few_features_tell_classes_apart_where_they_can():
    y = torch.arange(60) % 3
    features = torch.nn.functional.one_hot(y, 3).float() + 0.1 * torch.randn(
        60, 3, generator=torch.Generator().manual_seed(0)
    )
    assert torch.equal(leakage.fit_linear(features, y, 3).predict(features), y)


def test_shares_are_of_the_data_around_a_picture():
    """Data on a plane: a step in the plane lies wholly along it, a step out of it not at all."""
    draws = torch.Generator().manual_seed(0)
    among = torch.zeros(50, 1, 3, 3)
    among[:, 0, 0, :2] = torch.rand(50, 2, generator=draws)
    around = manifold.local(among[:2], among, k=20, axes=2)
    inside, outside = torch.zeros(2, 1, 3, 3), torch.zeros(2, 1, 3, 3)
    inside[:, 0, 0, 0], outside[:, 0, 2, 2] = 1, 1
    torch.testing.assert_close(around.share(inside, 2), torch.ones(2))
    torch.testing.assert_close(around.share(outside, 2), torch.zeros(2))
    torch.testing.assert_close(around.share(3 * inside + 4 * outside, 2), torch.full((2,), 9 / 25))


def test_axes_are_those_of_the_nearest_pictures_around_their_mean_strongest_first():
    """Two far clusters, each long one way and less so another: of a picture's own cluster alone, whatever its place."""
    draws = torch.Generator().manual_seed(1)
    among = torch.full((60, 1, 3, 3), 5.0)
    for k, (long, short) in enumerate(((0, 1), (2, 3))):
        rows = among[30 * k : 30 * (k + 1)].view(30, 9)
        rows[:, 8] += 40 * k
        rows[:, long] += torch.randn(30, generator=draws)
        rows[:, short] += 0.1 * torch.randn(30, generator=draws)
    around = manifold.local(among[[0, 30]], among, k=25, axes=2)
    steps = torch.eye(9).reshape(9, 1, 3, 3)
    for k, (long, short) in enumerate(((0, 1), (2, 3))):
        here = manifold.Local(around.axes[[k] * 9])
        first, both = here.share(steps, 1), here.share(steps, 2)
        assert first[long] > 0.95 and first[short] < 0.05 and both[short] > 0.95
        assert both.sum() == pytest.approx(2, abs=1e-5)
        assert both[8] < 0.01, "where the cluster is, is no direction of it"
    assert here.share(0 * steps[:1].repeat(9, 1, 1, 1), 2).isnan().all()
