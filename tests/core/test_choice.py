"""A forced choice between two pictures."""

import pytest
import torch

from core.lectures import choice
from core.lectures.choice import CONDITIONS, LEFT, RIGHT, Trial
from core.problems import InputError
from core.rates import Rate
from tests.helpers import images, tiny


def test_each_original_is_asked_once_under_each_condition_and_no_side_gives_it_away():
    asked = choice.trials(8, seed=3)
    assert sorted((t.original, t.condition) for t in asked) == sorted((i, c) for i in range(8) for c in CONDITIONS)
    for condition in CONDITIONS:
        own = [t for t in asked if t.condition == condition]
        assert [t.right for t in own].count(LEFT) == [t.asked for t in own].count(0) == 4
    assert asked == choice.trials(8, seed=3) != choice.trials(8, seed=4)
    with pytest.raises(InputError, match="one original"):
        choice.trials(0, seed=0)


def test_pictures_are_moved_toward_each_class_and_random_ones_as_far():
    model, x = tiny(), images(3)
    made = choice.moved(model, x, (1, 2), eps=0.5)
    assert made.shape == (2, *x.shape)
    lengths = (made - x).flatten(2).norm(dim=2)
    assert bool((lengths <= 0.5 + 1e-4).all())
    for k, toward in enumerate((1, 2)):
        before, after = (model(p).log_softmax(1)[:, toward] for p in (x, made[k]))
        assert bool((after > before).all())
    noise = choice.random_moves(x, made, seed=0)
    assert torch.allclose((noise - x).flatten(2).norm(dim=2), lengths, rtol=0.03)
    assert not torch.allclose(noise[0], noise[1])


ASKED = (Trial(0, "robust", 0, RIGHT), Trial(0, "standard", 1, LEFT), Trial(0, "random", 0, LEFT))


def test_the_score_counts_who_chose_the_picture_moved_toward_the_class_asked_for():
    found = choice.score(ASKED, [(0, RIGHT), (0, RIGHT), (0, LEFT), (1, RIGHT), (2, LEFT)])
    assert found == {"robust": Rate(2, 3), "standard": Rate(0, 1), "random": Rate(1, 1)}
    table = choice.table(ASKED, [(0, RIGHT), (1, RIGHT)], ("cat", "dog"))
    assert table["chosen"] == [1, 0]
    assert table["asked"] == ["cat", "dog"]
    assert table["answer"] == ["right", "right"]


@pytest.mark.parametrize(
    ("robust", "standard", "says"),
    [
        (Rate(100, 100), Rate(50, 100), "the intervals are apart"),
        (Rate(8, 8), Rate(5, 8), "Only the robust model's"),
        (Rate(4, 8), Rate(4, 8), "No condition is told from guessing"),
        (Rate(0, 0), Rate(1, 1), "Not every condition"),
    ],
)
def test_the_reading_says_no_more_than_the_intervals(robust, standard, says):
    assert says in choice.reading({"robust": robust, "standard": standard, "random": Rate(4, 8)})
