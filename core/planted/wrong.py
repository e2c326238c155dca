"""Training on wrong labels, watched.

A set is built, a fresh network learns from it, and clean pictures examine it meanwhile.

    made = learn(PlantedRecipe(), "det", pair(PlantedRecipe()))
    made.moments[-1].clean                   # a Rate, on pictures that nobody changed

No picture of `det` has its own class for a label; of `rand`, one in so many classes has.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.attacks import OnStep
from core.data.planted import scenes
from core.models import Classifier
from core.planted import sets
from core.planted.networks import fresh
from core.planted.recipe import PlantedRecipe
from core.planted.sets import Built
from core.rates import Rate
from core.train import fit
from core.train.loop import beginning
from core.train.report import Progress
from core.types import Images

PICTURES = 1200
EPOCHS = 10
TESTED = 400
STEPS = EPOCHS * (PICTURES // 64)


@dataclass(frozen=True)
class Moment:
    """The student after so many passes over the set.

    Args:
        epoch: Passes so far; 0 is before it has learnt anything.
        clean: Right answers on fresh pictures that nobody changed.
        carried: Its probabilities of one of those pictures (K).
        seconds: Since the set began to be built.
    """

    epoch: int
    clean: Rate
    carried: Tensor
    seconds: float


@dataclass(frozen=True)
class Lesson:
    """What was taught and learnt.

    Args:
        built: The set, and the pictures it was made from.
        picture: The fresh picture that is carried through (1, C, H, W).
        y: Its class.
        moments: The student, pass by pass.
        built_s: Seconds that building took.
        whole: Whether it came to its end.
    """

    built: Built
    picture: Images
    y: int
    moments: tuple[Moment, ...] = ()
    built_s: float = 0.0
    whole: bool = False

    @property
    def wrong(self) -> Rate:
        """How many of the set's labels are not the class of the picture they are on."""
        labels, own = self.built.pictures.labels, self.built.original.labels
        return Rate(int((labels != own).sum()), len(labels))


def learn(
    recipe: PlantedRecipe,
    kind: str,
    networks: dict[str, Classifier],
    *,
    on_step: OnStep | None = None,
    on_moment: Callable[[Lesson], None] | None = None,
) -> Lesson:
    """Build a set and train a student on it.

    Args:
        recipe: The world, the radius and the seed.
        kind: "det" or "rand".
        networks: The pair of that world; the standard one perturbs.
        on_step: Called at each step of the training, `STEPS` times; returning True ends it.
        on_moment: Told the lesson so far, after building and after each pass.
    """
    began = time.monotonic()
    built = sets.build(recipe, kind, networks, PICTURES)
    drawn = fresh(recipe, TESTED)
    x = scenes.render(recipe.world, drawn)
    lesson = Lesson(built, x[:1], int(drawn.y[0]), built_s=time.monotonic() - began)

    def examine(epoch: int, student: torch.nn.Module) -> None:
        nonlocal lesson
        with torch.no_grad():
            logits = student(x)
        clean = Rate(int((logits.argmax(1) == drawn.y).sum()), TESTED)
        moment = Moment(epoch, clean, logits[0].softmax(0), time.monotonic() - began)
        lesson = replace(lesson, moments=(*lesson.moments, moment), whole=epoch == EPOCHS)
        if on_moment is not None:
            on_moment(lesson)

    def watch(p: Progress) -> bool:
        return on_step is not None and bool(on_step(p.epoch * p.steps + p.step, None))  # type: ignore[arg-type]

    training = replace(recipe.training(robust=False), epochs=EPOCHS)

    examine(0, beginning(training, built.pictures, None).eval())
    fit(training, built.pictures, on_progress=watch, on_epoch=examine)
    return lesson
