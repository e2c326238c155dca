"""Pictures of a question: changed as it says, and the answers that ship fit them."""

import pytest
import torch

from core.data import pictures
from core.lectures import shelf
from core.lectures.shown import MODELS, Shown, make
from core.models import ready
from core.worlds import get

ASKED = [
    (f"{name}-{i}", step.question)
    for name in shelf.names()
    for i, step in enumerate(shelf.get(name).steps, 1)
    if step.question is not None and step.question.shows
]


@pytest.fixture(scope="module")
def load(checkpoint):
    for name in MODELS:
        checkpoint(name)
    models = {name: ready.load(name) for name in MODELS}
    return models.__getitem__


def test_a_picture_is_left_alone_attacked_within_its_ball_or_moved_as_far(load):
    x = pictures.get("gallery/60").x
    left, attacked, noisy = make(
        [Shown("gallery/60"), Shown("gallery/60", "attack", "cat", 1.0), Shown("gallery/60", "noise", eps=1.0)], load
    )
    assert torch.equal(left.x, x)
    rounding = 0.5 / 255 * x.numel() ** 0.5
    for one in (attacked, noisy):
        assert float((one.x - x).norm()) == pytest.approx(1.0, abs=rounding)
        assert torch.equal((one.x * 255).round() / 255, one.x), "8 bits a channel, as everybody sees it"
    assert get().classes[attacked.says[MODELS[0]][0]] == "cat"
    assert [get().classes[k] for k, _ in (left.says[MODELS[0]], noisy.says[MODELS[0]])] == ["dog", "dog"]


def test_both_kinds_of_vote_are_used():
    assert {len(question.shows) for _, question in ASKED} == {1, 2}


@pytest.mark.parametrize(("where", "question"), ASKED, ids=[where for where, _ in ASKED])
def test_the_answer_that_ships_is_right_and_the_models_differ_as_it_says(where, question, load):
    made = make(question.shows, load)
    classes = get().classes
    own = [classes[pictures.get(one.picture).label] for one in question.shows]
    right = question.choices[int(question.answer) - 1]
    for one, seen, name in zip(question.shows, made, own, strict=True):
        standard, robust = (classes[seen.says[model][0]] for model in MODELS)
        assert (standard, robust) == (one.toward or name, name)
    if len(made) == 1:
        assert right == own[0]
    else:
        assert [one.by == "attack" for one in question.shows].index(True) + 1 == question.answer
