"""A lesson: a set of wrong labels, a fresh network that learns from it, and clean pictures that examine it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core.attacks import OnStep
from core.data.sets import Pictures
from core.models import Classifier
from core.rates import Rate
from core.train import TrainRecipe, fit
from core.train.loop import beginning
from core.train.report import Progress
from core.types import Images, Labels


@dataclass(frozen=True)
class Moment:
    """The student after so many passes over the set.

    Args:
        epoch: Passes so far; 0 is before it has learnt anything.
        clean: Right answers on fresh pictures that nobody changed.
        next: Answers on them that are the class after the right one: what D_det teaches of all that one sees.
        carried: Its probabilities of one of those pictures (K).
        seconds: Since the set began to be built.
    """

    epoch: int
    clean: Rate
    next: Rate
    carried: Tensor
    seconds: float


@dataclass(frozen=True)
class Lesson:
    """What was taught and learnt.

    Args:
        pictures: The set, with its new labels: as far as it is built.
        original: The pictures that it was made from, with theirs.
        picture: The fresh picture that is carried through (1, C, H, W).
        y: Its class.
        moments: The student, pass by pass.
        built_s: Seconds that building took.
        whole: Whether it came to its end.
        renewed: Right answers at the end if batch norm has the statistics of clean pictures, whose labels nobody tells.
    """

    pictures: Pictures
    original: Pictures
    picture: Images
    y: int
    moments: tuple[Moment, ...] = ()
    built_s: float = 0.0
    whole: bool = False
    renewed: Rate | None = None

    @property
    def wrong(self) -> Rate:
        """How many of the set's labels are not the class of the picture they are on."""
        return Rate(int((self.pictures.labels != self.original.labels).sum()), len(self.pictures))


OnMoment = Callable[[Lesson], None]


def teach(
    lesson: Lesson,
    training: TrainRecipe,
    examined: tuple[Images, Labels],
    *,
    began: float,
    on_step: OnStep | None = None,
    on_moment: OnMoment | None = None,
) -> tuple[Lesson, Classifier]:
    """Train a fresh network on the lesson's set and examine it before the first and after each pass.

    Args:
        lesson: The set, and the picture that is carried through.
        training: How the student is trained.
        examined: Clean pictures (N, C, H, W) and their classes (N,); the first is the one that is carried through.
        began: When the set began to be built, by `time.monotonic`.
        on_step: Called at each step; returning True ends it.
        on_moment: Told the lesson so far, each time.

    Returns:
        The lesson, and the student as far as it came.
    """
    x, y = examined

    def examine(epoch: int, student: nn.Module) -> None:
        nonlocal lesson
        clean, logits = right(student, x, y)
        moment = Moment(epoch, clean, following(logits, y), logits[0].softmax(0), time.monotonic() - began)
        lesson = replace(lesson, moments=(*lesson.moments, moment), whole=epoch == training.epochs)
        if on_moment is not None:
            on_moment(lesson)

    def watch(p: Progress) -> bool:
        return on_step is not None and bool(on_step(p.epoch * p.steps + p.step, None))  # type: ignore[arg-type]

    examine(0, beginning(training, lesson.pictures, None).eval())
    student = fit(training, lesson.pictures, on_progress=watch, on_epoch=examine)
    return lesson, student


def right(student: nn.Module, x: Images, y: Labels) -> tuple[Rate, Tensor]:
    """Count the right answers; return them with the logits (N, K)."""
    with torch.no_grad():
        logits = student(x)
    return Rate(int((logits.argmax(1) == y).sum()), len(y)), logits


def following(logits: Tensor, y: Labels) -> Rate:
    """Count the answers (N, K) that are the class after the right one."""
    return Rate(int((logits.argmax(1) == (y + 1) % logits.shape[1]).sum()), len(y))
