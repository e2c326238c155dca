"""Frames of a loop: which are kept, where it was stopped, and how those of several loops come to be equally many."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from core.attacks import Stop, pgd
from core.attacks.balls import L2
from core.attacks.recording import Recorder, Recording, picked, side_by_side, step_columns
from core.attacks.rules import State
from core.attacks.steps import step_axis
from core.datasets import live
from core.datasets.recipe import DatasetsRecipe
from core.files.trajectory import Axis
from core.inversion import invert
from core.inversion.emergence import emerge
from core.inversion.invert import FAST, Setting
from core.inversion.recipe import InvertRecipe
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import along
from core.synthesis.recipe import SynthesisRecipe
from core.synthesis.studio import studio
from tests.helpers import Plane, draws, images, tiny

STEPS = 6


@dataclass(frozen=True)
class Numbers:
    """A recording of one number a frame: its step."""

    steps: tuple[int, ...]
    frames: Tensor

    @staticmethod
    def until(end: int) -> "Numbers":
        """As of a loop that keeps every other iterate and was stopped at that step."""
        steps = (*range(0, end, 2), end)
        return Numbers(steps, torch.tensor(steps))

    def at(self, rows: list[int]) -> "Numbers":
        return replace(self, **picked(self, rows, "steps", "frames"))


# The recorder


def walked(recorder: Recorder) -> Tensor:
    """Let the recorder watch six steps of a walk and return where it ended."""
    x, w = images(2, size=4), torch.randn(3, 4, 4, generator=draws(0))
    return pgd(Plane(w).score, x, L2(2.0), steps=STEPS, step_size=0.1, on_step=recorder)


def test_it_keeps_the_chosen_steps_and_the_result_comes_after_them():
    every, some = Recorder(range(STEPS)), Recorder((0, 2, 5, 99))
    last = walked(every)
    assert torch.equal(walked(some), last)
    assert every.steps(STEPS) == tuple(range(STEPS + 1))
    assert some.steps(STEPS) == (0, 2, 5, STEPS)
    assert some.stopped is None
    assert torch.equal(every.frames[0], images(2, size=4))
    for i, frame, values in zip((0, 2, 5), some.frames, some.values, strict=True):
        assert torch.equal(frame, every.frames[i])
        assert torch.equal(values, every.values[i])
    assert not any(torch.equal(frame, last) for frame in every.frames)


@pytest.mark.parametrize("how", ["true", "raise"])
@pytest.mark.parametrize("end", [0, 3])
def test_it_ends_where_it_is_asked_to_and_the_result_is_in_no_other_frame(how, end):
    def on_step(i: int, state: State) -> bool:
        assert torch.equal(state.x, every.frames[i])
        if i == end and how == "raise":
            raise Stop
        return i == end

    every, recorder = Recorder(range(STEPS)), Recorder(range(STEPS), on_step)
    walked(every)
    last = walked(recorder)
    assert recorder.stopped == end
    assert recorder.steps(STEPS) == tuple(range(end + 1))
    assert len(recorder.frames) == len(recorder.values) == end
    assert torch.equal(last, every.frames[end])


def test_any_other_exception_goes_through():
    def broken(*_) -> bool:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        walked(Recorder((0,), broken))


# Side by side


@pytest.mark.parametrize("ends", [(6, 6), (0, 6), (6, 0), (0, 0), (1, 5), (6, 4, 3)])
def test_each_keeps_as_many_frames_as_all_have_and_its_own_result(ends):
    whole = [Numbers.until(end) for end in ends]
    made = side_by_side(*whole)
    n = min(len(one.steps) for one in whole)
    assert [one.steps[-1] for one in made] == list(ends)
    for before, after in zip(whole, made, strict=True):
        assert after.frames.tolist() == list(after.steps)
        assert after.steps[:-1] == before.steps[: n - 1]
        assert len(after.steps) == n
    assert len({one.steps[:-1] for one in made}) == 1


def test_those_that_are_equally_long_stay_whole():
    a, b = Numbers.until(6), Numbers.until(5)
    assert [one.steps for one in side_by_side(a, b)] == [a.steps, b.steps]


def test_a_table_says_each_ones_steps_where_they_differ():
    a, b = side_by_side(Numbers.until(6), Numbers.until(3))
    assert step_columns({"a": a, "b": b}) == {"a_step": [0, 2, 6], "b_step": [0, 2, 3]}
    assert step_columns({"a": a, "b": a}) == {"step": [0, 2, 6]}


def test_the_axis_of_loops_side_by_side_says_where_each_was_stopped():
    """One step where they agree; from which to which where they were stopped apart, and then the later one's place."""
    a, b = side_by_side(Numbers.until(6), Numbers.until(3))
    assert step_axis(a, b, unit="of 6") == Axis("step", (0.0, 2.0, 6.0), ("0", "2", "3–6"), "of 6")
    assert step_axis(b, a).labels[-1] == "3–6"
    alone = step_axis(a)
    assert (alone.values, alone.labels, alone.unit) == ((0.0, 2.0, 6.0), ("0", "2", "6"), "")
    with pytest.raises(ValueError, match="shorter"):
        step_axis(Numbers.until(6), b)


def made_by(page: str, end: int, checkpoint, monkeypatch) -> Recording:
    """What a page's loop leaves when it is stopped at that step."""

    def on_step(i: int, _) -> bool:
        return i >= end

    monkeypatch.setitem(invert.SETTINGS, "fast", Setting(STEPS, FAST.make_rule))
    match page:
        case "frog":
            return emerge(InvertRecipe(picture="photo/chelsea"), "tiny", model=tiny(), on_step=on_step)
        case "synthesis":
            return studio(SynthesisRecipe(steps=STEPS), "tiny", model=tiny(), on_step=on_step)
        case "datasets":
            return live.watch(DatasetsRecipe(n=4, steps=STEPS), "tiny", model=tiny(), on_step=on_step)
        case _:
            name = "resnet9-standard"
            recipe = SaliencyRecipe(picture="photo/chelsea")
            return along(recipe, name, model=checkpoint(name), on_step=on_step)


@pytest.mark.parametrize("page", ["frog", "synthesis", "datasets", "saliency"])
def test_every_pages_recording_can_stand_beside_one_that_was_stopped_earlier(page, checkpoint, monkeypatch):
    """All that has an entry a frame is cut down together, and the last entry is the result's."""
    whole, short = (made_by(page, end, checkpoint, monkeypatch) for end in (99, 2))
    assert isinstance(whole, Recording)
    cut, same = side_by_side(whole, short)
    assert same.steps == short.steps
    n = len(short.steps)
    for before, after in zip(tensors(whole), tensors(cut), strict=True):
        if len(before) != len(whole.steps):
            assert torch.equal(before, after)
            continue
        assert len(after) == n
        assert torch.equal(after[-1], before[-1])
        assert torch.equal(after[:-1], before[: n - 1])


def tensors(record: object) -> list[Tensor]:
    """All tensors of a record, those of records inside it included."""
    found = []
    for value in vars(record).values():
        found += [value] if isinstance(value, Tensor) else tensors(value) if hasattr(value, "__dict__") else []
    return found
