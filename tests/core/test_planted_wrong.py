"""Training on wrong labels: what is taught is wrong, what is learnt is right, and it can be watched and stopped."""

import pytest

from core.planted import wrong
from core.planted.networks import pair
from core.planted.recipe import PlantedRecipe

RECIPE = PlantedRecipe()


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(wrong, "PICTURES", 320)
    monkeypatch.setattr(wrong, "EPOCHS", 8)
    monkeypatch.setattr(wrong, "TESTED", 200)


def test_a_student_of_labels_that_are_all_wrong_is_right_about_clean_pictures(small):
    seen = []
    made = wrong.learn(RECIPE, "det", pair(RECIPE), on_moment=seen.append)
    assert made.wrong.value == 1.0
    assert [len(one.moments) for one in seen] == list(range(1, 10)), "after building, then after each pass"
    assert [moment.epoch for moment in made.moments] == list(range(9))
    first, last = made.moments[0].clean, made.moments[-1].clean
    assert first.n == last.n == 200
    assert first.interval[1] < 0.5
    assert last.interval[0] > 0.6
    assert made.whole
    assert float(made.moments[-1].carried.sum()) == pytest.approx(1)


def test_labels_drawn_at_random_are_right_as_often_as_chance(small):
    made = wrong.learn(RECIPE, "rand", pair(RECIPE), on_step=lambda *_: True)
    low, high = made.wrong.interval
    assert low < 1 - 1 / RECIPE.classes < high


def test_a_stopped_lesson_says_that_it_is_not_whole(small):
    made = wrong.learn(RECIPE, "det", pair(RECIPE), on_step=lambda i, _: i >= 6)
    assert not made.whole
    assert len(made.moments) == 2
