"""Frames of a loop: kept while it runs, and those of several loops put side by side.

    recorder = Recorder(range(0, 40, 4), on_step)       # on_step: the caller's own, or None
    last = pgd(objective, x, ball, steps=40, step_size=0.1, on_step=recorder)
    frames, steps = [*recorder.frames, last], recorder.steps(40)

A record of such frames that can be cut down to some of them is a `Recording`; `side_by_side` makes several of them
equally long, whatever steps their loops were stopped at.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from core.attacks import OnStep, Stop
from core.attacks.rules import State
from core.types import Images, PerExample


class Recorder:
    """An `on_step` that keeps the iterates of chosen steps, and ends the loop where the caller's `on_step` asks for it.

    Args:
        keep: Steps whose iterates become frames. The one at which the loop is stopped does not: the loop returns it.
        on_step: The caller's, see `core.attacks.descend`; returning True or raising `Stop` ends the loop.

    Attributes:
        frames: The iterates so far, each (N, C, H, W).
        values: The objective at each of them (N,).
        stopped: The step at which the loop was stopped, or None.
    """

    def __init__(self, keep: Iterable[int], on_step: OnStep | None = None) -> None:
        self._keep, self._on_step = frozenset(keep), on_step
        self._at: list[int] = []
        self.frames: list[Images] = []
        self.values: list[PerExample] = []
        self.stopped: int | None = None

    def __call__(self, i: int, state: State) -> bool:
        try:
            end = self._on_step is not None and bool(self._on_step(i, state))
        except Stop:
            end = True
        if end:
            self.stopped = i
        elif i in self._keep:
            self._at.append(i)
            self.frames.append(state.x)
            self.values.append(state.values)
        return end

    def steps(self, last: int) -> tuple[int, ...]:
        """Return the step of each frame and then of the loop's result: `last`, unless it was stopped before."""
        return (*self._at, last if self.stopped is None else self.stopped)


R = TypeVar("R", bound="Recording")


@runtime_checkable
class Recording(Protocol):
    """What a loop left, frame by frame; the last frame is its result."""

    @property
    def steps(self) -> tuple[int, ...]:
        """The step number of each frame."""
        ...

    def at(self: R, rows: list[int]) -> R:  # noqa: PYI019 - beartype refuses Self in a protocol
        """Return the recording with these frames alone."""
        ...


def side_by_side(*made: R) -> tuple[R, ...]:
    """Keep as many frames of each as all of them have, its own result among them."""
    n = min(len(one.steps) for one in made)
    return tuple(one.at([*range(n - 1), len(one.steps) - 1]) for one in made)


def step_columns(made: Mapping[str, Recording]) -> dict[str, list[int]]:
    """Return the column of a table that says the step of each frame; one for each recording where they differ."""
    each = {f"{name}_step": list(one.steps) for name, one in made.items()}
    first = next(iter(each.values()))
    return {"step": first} if all(steps == first for steps in each.values()) else each


def picked(record: object, rows: list[int], *names: str) -> dict[str, Any]:
    """Return the fields of those names, tensors or tuples with an entry a frame, with these rows alone."""
    columns = {name: getattr(record, name) for name in names}
    return {name: tuple(c[i] for i in rows) if isinstance(c, tuple) else c[rows] for name, c in columns.items()}
