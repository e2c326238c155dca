"""Training on wrong labels on CIFAR-10: no label is right, what is learnt is, and it can be watched and stopped."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.attacks import Stop
from core.datasets import measure, wrong
from core.datasets.construct.recipes import draw
from core.datasets.lesson import following
from core.datasets.wrong import SET, TRAINING, learn, steps
from core.models import ready
from core.rates import Estimate, Rate

FEW = replace(SET, n=300, steps=2)
SHORT = replace(TRAINING, epochs=2)


def test_it_is_held_on_two_sets_and_in_the_second_every_label_is_the_next_class(cifar):
    assert list(wrong.SETS) == ["rand", "det"]
    y = cifar.y()[:200]
    assert torch.equal(draw(wrong.SETS["det"], y, 10).labels, (y + 1) % 10)


def test_the_next_class_is_counted_round_the_corner_too():
    assert following(torch.eye(10)[[1, 1, 0]], torch.tensor([0, 1, 9])) == Rate(2, 3)


def test_of_several_trainings_mean_and_interval_are_kept_and_of_one_that_was_not_measured_nothing():
    found = {"sets": {"det": [dict.fromkeys(measure.WHAT, value) for value in (0.2, 0.3)]}}
    assert measure.estimates(found, "det")["next"] == Estimate.of([0.2, 0.3])
    assert measure.estimates(found, "rand") == measure.estimates({}, "det") == {}


def test_the_command_measures_each_set_with_several_seeds(source, cifar, monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "MEASURED", {"det": replace(FEW, kind="det")})
    monkeypatch.setattr(measure, "TRAINING", SHORT)
    out = tmp_path / "lessons.json"
    measure.main(["--trainings", "2", "--tested", "40", "--out", str(out)])
    found = measure.read(out)
    assert found["n"] == 40
    assert list(found["stamps"]) == [SET.source]
    assert len(found["sets"]["det"]) == 2
    assert set(found["sets"]["det"][0]) == set(measure.WHAT)


@pytest.fixture
def source(checkpoint, cifar):
    checkpoint(SET.source)
    return ready.load(SET.source)


def test_the_set_is_built_before_ones_eyes_and_no_label_is_right(source, cifar):
    seen, calls = [], []
    made = learn(FEW, source, training=SHORT, tested=50, on_step=lambda i, _: calls.append(i), on_moment=seen.append)
    assert calls == list(range(steps(FEW, SHORT)))
    assert [(len(one.pictures), len(one.moments)) for one in seen] == [(125, 0), (300, 1), (300, 2), (300, 3)]
    assert made.wrong.value == 1.0
    assert made.whole
    assert made.renewed is not None and made.renewed.n == 50
    moved = (made.pictures.x() - made.original.x()).flatten(1).norm(dim=1)
    assert float(moved.max()) < SET.eps + 0.05  # rounded to 8 bits
    np.testing.assert_array_equal(made.pictures.labels, draw(FEW, made.original.y(), 10).labels.numpy())


def test_the_picture_that_is_carried_through_is_one_of_those_that_examine(source, cifar):
    made = learn(FEW, source, training=SHORT, tested=50)
    assert cifar.classes[made.y] == "frog"
    assert [moment.clean.n for moment in made.moments] == [50, 50, 50]
    assert float(made.moments[-1].carried.sum()) == pytest.approx(1)
    assert torch.equal(made.picture, made.picture.clamp(0, 1))


def test_who_stops_while_it_is_built_has_nothing_and_later_what_there_is(source):
    with pytest.raises(Stop):
        learn(FEW, source, training=SHORT, tested=50, on_step=lambda i, _: i == 1)
    made = learn(FEW, source, training=SHORT, tested=50, on_step=lambda i, _: i == 4)
    assert not made.whole
    assert made.renewed is None


@pytest.mark.slow
def test_a_room_sees_clearly_more_than_chance(source):
    """A quarter of what is shown on the page, and yet: from labels none of which is right."""
    assert wrong.SET.labels == "other"
    made = learn(replace(SET, n=2000), source, training=replace(TRAINING, epochs=8), tested=400)
    assert made.wrong.value == 1.0
    assert made.moments[-1].clean.interval[0] > 0.12
