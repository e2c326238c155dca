"""Hold to morph: the board, its film and undo, holds that can be replayed to the last bit, and starts by name."""

import base64
import math
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.decode import PictureError
from core.files.render import from_uint8, to_uint8
from core.recipes import from_query, to_query
from core.synthesis.morph import SKETCHES, STEP, Act, Board, Hold, acts_of, described, opened, replay, script, start
from core.synthesis.morph.board import FILM
from core.synthesis.morph.links import MOST_STEPS
from core.synthesis.recipe import SynthesisRecipe
from tests.helpers import REFUSED, images, tiny

MODELS = (tiny(seed=0), tiny(seed=1))


def board_of(seed: int = 0) -> Board:
    return Board.of(images(1, size=32, seed=seed), 2, "photo/chelsea")


def held(board: Board, target: int, steps: int, *, eps: float = math.inf, step_size: float = 0.2) -> None:
    """Hold as the live connection does: a frame for each step."""
    board.remember()
    hold = Hold(MODELS, board.pictures, board.anchor, target, eps=eps, step_size=step_size)
    for _ in range(steps):
        board.add(torch.cat([hold.advance(k, 1) for k in range(2)]))
    board.held(Act(target, steps, eps, step_size))


def replayed(board: Board) -> torch.Tensor:
    """The pictures, computed anew from the origin and the holds (M, C, H, W)."""
    return replay(from_uint8(board.origin), from_uint8(board.origin_anchor), board.acts, MODELS)


def log_p(board: Board, target: int) -> torch.Tensor:
    with torch.no_grad():
        return torch.stack(
            [m(x)[0].log_softmax(0)[target] for m, x in zip(MODELS, board.pictures.split(1), strict=True)]
        )


def test_each_model_moves_its_own_picture_toward_the_class():
    board = board_of()
    before = log_p(board, 4)
    held(board, 4, 10)
    assert (log_p(board, 4) > before + 0.1).all()
    assert not torch.equal(board.pictures[0], board.pictures[1])


def test_a_hold_stays_near_the_anchor_and_in_the_box():
    board = board_of()
    held(board, 2, 12, eps=0.5)
    held(board, 7, 12, eps=0.5)
    assert (board.moved <= 0.5 + 1e-4).all()
    assert 0 <= float(board.pictures.min()) <= float(board.pictures.max()) <= 1


def test_a_hold_of_radius_zero_stands_still():
    board = board_of()
    held(board, 2, 3, eps=0.0)
    assert torch.equal(board.pictures, board.anchor)


def test_a_hold_knows_what_its_models_said():
    hold = Hold(MODELS, board_of().pictures, board_of().anchor, 1, step_size=0.1)
    assert hold.logits == [None, None]
    x = hold.at[1].clone()
    hold.advance(1, 1)
    with torch.no_grad():
        torch.testing.assert_close(hold.logits[1], MODELS[1](x))


def test_a_replay_is_the_same_to_the_last_bit_however_the_steps_fell_into_frames():
    board = board_of()
    held(board, 4, 5, eps=1.0)
    held(board, 8, 7, eps=0.6, step_size=0.05)
    assert torch.equal(replayed(board), board.pictures)


def test_the_film_ends_with_what_is_in_sight():
    board = board_of()
    held(board, 4, 3)
    assert len(board.film) == 4
    np.testing.assert_array_equal(board.film[-1], to_uint8(board.pictures))
    np.testing.assert_array_equal(board.film[0], board.origin)


def test_a_long_film_is_thinned_and_keeps_its_ends():
    board = board_of()
    frames = [np.full_like(board.film[0], i % 256) for i in range(FILM + 5)]
    first = board.film[0]
    for frame in frames:
        board.add(from_uint8(frame))
    assert FILM / 2 < len(board.film) <= FILM
    assert np.array_equal(board.film[0], first)
    assert np.array_equal(board.film[-1], frames[-1])


def test_painting_becomes_the_anchor_and_the_new_origin():
    board = board_of()
    held(board, 4, 3)
    painted = board.film[-1].copy()
    painted[:, 4:8, 4:8] = (200, 10, 10)
    board.paint(painted)
    assert torch.equal(board.pictures, from_uint8(painted))
    assert torch.equal(board.anchor, board.pictures)
    assert (board.acts, board.name) == ((), "")
    held(board, 5, 2)
    assert torch.equal(replayed(board), board.pictures)


@pytest.mark.parametrize("shape", [(1, 32, 32, 3), (2, 16, 32, 3), (2, 32, 32, 4)])
def test_a_painting_of_another_shape_is_refused(shape):
    board = board_of()
    with pytest.raises(REFUSED):
        board.paint(np.zeros(shape, np.uint8))
    assert not board.can_undo


def test_undo_goes_back_one_by_one():
    board = board_of()
    states = []

    def seen():
        return (board.pictures.clone(), len(board.film), board.acts, board.name, board.moved)

    states.append(seen())
    held(board, 4, 3)
    states.append(seen())
    board.paint(np.zeros_like(board.film[-1]))
    states.append(seen())
    board.drop_anchor()
    states.append(seen())
    board.start(images(1, size=32, seed=9), "blank")
    for expected in reversed(states):
        assert board.undo()
        for now, then in zip(seen(), expected, strict=True):
            assert torch.equal(now, then) if isinstance(now, torch.Tensor) else now == then
    assert not board.undo()
    assert not board.can_undo


def test_a_copy_leaves_the_first_board_alone():
    board = board_of()
    other = board.copy()
    held(other, 4, 2)
    assert len(board.film) == 1
    assert board.acts == ()


# Starts, links and scripts


@pytest.mark.parametrize("name", ["blank", *(f"sketch/{s}" for s in SKETCHES), "seed/frog/0", "photo/chelsea"])
def test_every_start_is_a_picture(name):
    x = start(name)
    assert x.shape == (1, 3, 32, 32)
    assert 0 <= float(x.min()) <= float(x.max()) <= 1
    assert torch.equal(x, start(name))


@pytest.mark.parametrize(
    "name", ["", "seed/zebra/0", "seed/frog/-1", "seed/frog/٣", "sketch/none", "photo/none", "seed/frog"]
)
def test_an_unknown_start_is_one_sentence(name):
    with pytest.raises(PictureError):
        start(name)


def test_holds_are_read_and_what_makes_no_sense_is_left_out():
    recipe = SynthesisRecipe(
        holds=("frog:3", "zebra:4", "cat", "cat:-2", "dog:99999999", "cat:0", "dog:4"), reach="none"
    )
    assert acts_of(recipe) == (Act(6, 3, math.inf, STEP), Act(5, 4, math.inf, STEP))


def test_an_address_cannot_ask_for_endless_work():
    recipe = SynthesisRecipe(holds=("frog:500",) * 20)
    assert sum(act.steps for act in acts_of(recipe)) <= MOST_STEPS


def test_a_board_and_its_link_make_each_other():
    recipe = SynthesisRecipe(start="sketch/pond", holds=("frog:3", "cat:2"), reach="2")
    board = opened(recipe, MODELS)
    assert len(board.film) == 6
    assert described(board, recipe) == recipe
    found, bad = from_query(SynthesisRecipe, to_query(recipe))
    assert not bad
    assert torch.equal(opened(found, MODELS).pictures, board.pictures)


def test_a_board_that_was_painted_on_has_no_link():
    recipe = SynthesisRecipe(start="blank", holds=())
    board = opened(recipe, MODELS)
    assert described(board, recipe) == recipe
    board.paint(board.film[-1])
    assert described(board, recipe) is None


def test_holds_that_differ_in_their_settings_have_no_link():
    recipe = SynthesisRecipe(start="blank", holds=("cat:1",))
    board = opened(recipe, MODELS)
    board.held(Act(1, 1, 6.0, STEP))
    assert described(board, recipe) is not None
    board.held(Act(1, 1, 2.0, STEP))
    assert described(board, recipe) is None
    assert described(replace(board, acts=(Act(1, 1, 6.0, 0.4),)), recipe) is None


@pytest.mark.parametrize("painted", [False, True])
def test_the_script_makes_the_same_pictures(painted, checkpoint, tmp_path, monkeypatch):
    names = (SynthesisRecipe().standard, SynthesisRecipe().robust)
    models = [morph_ready(checkpoint, name) for name in names]
    board = opened(SynthesisRecipe(start="sketch/face", holds=("cat:2",)), models)
    if painted:
        frames = board.film[-1].copy()
        frames[:, :4] = 0
        board.paint(frames)
        hold = Hold(models, board.pictures, board.anchor, 5, eps=math.inf, step_size=0.3)
        board.add(torch.cat([hold.advance(k, 2) for k in range(2)]))
        board.held(Act(5, 2, math.inf, 0.3))
    text = script(board, names)
    assert ("b64decode" in text) == painted
    monkeypatch.chdir(tmp_path)
    exec(compile(text, "script", "exec"), {})  # noqa: S102
    for name, expected in zip(names, to_uint8(board.pictures), strict=True):
        with Image.open(tmp_path / f"{name}-morph.png") as saved:
            assert np.array_equal(np.asarray(saved), expected)


def morph_ready(checkpoint, name):
    from core.models.ready import load

    checkpoint(name)
    return load(name)


def test_the_text_of_a_painted_start_is_short():
    board = board_of()
    board.paint(board.film[-1])
    assert len(base64.b64encode(zlib.compress(board.origin.tobytes(), 9))) < 10_000


@pytest.mark.parametrize(
    ("holds", "steps"),
    [
        (("horse:000001999999",), 0),
        (("horse:" + "9" * 5000,), 0),
        (("horse:601",), 0),
        (("horse:400", "frog:400"), 400),
        (("horse:000040",), 40),
        (("horse:0", "horse:-1", "horse:x", "unicorn:40"), 0),
    ],
)
def test_a_link_holds_for_600_steps_at_most(holds, steps):
    """What asks for more is left out: no address occupies the server."""
    assert sum(act.steps for act in acts_of(SynthesisRecipe(holds=holds))) == steps


def test_opening_a_link_may_be_stopped_and_keeps_the_board_so_far():
    recipe, seen = SynthesisRecipe(start="blank", holds=("horse:5", "frog:5")), []

    def on_step(i: int) -> bool:
        seen.append(i)
        return i == 7

    board = opened(recipe, [tiny(), tiny(seed=1)], on_step=on_step)
    assert seen == list(range(8))
    assert [act.steps for act in board.acts] == [5, 2]
    assert len(board.film) == 8
