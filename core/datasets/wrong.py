"""Training on wrong labels on CIFAR-10, in about a minute: 4,000 pictures, none of which keeps its class.

    made = learn(SETS["rand"], ready.load(SETS["rand"].source))
    made.moments[-1].clean                   # a Rate, on test pictures that nobody changed

Small in every way, so that a room can watch it: the source and the student are ResNet-9 of width 8, and the student
sees whitened pixels, without which it would need many more passes (`core.models.normalization.Whiten`). What more
pictures and a larger network learn is measured in `core.datasets.experiments`, what this one learns in
`core.datasets.measure`. In D_det all that one sees speaks for the label, so that what one does not see has to outweigh
it: its perturbations are twice as large as the paper's, and made under shifts.
"""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from core.attacks import OnStep, Stop
from core.data import pictures as one_by_one
from core.data.sets import Pictures, cifar10
from core.datasets.construct.make import BATCH, make
from core.datasets.construct.recipes import ConstructRecipe, draw
from core.datasets.lesson import Lesson, OnMoment, right, teach
from core.models import Classifier
from core.models.normalization import adaptive_batch_norm
from core.train import TrainRecipe

TESTED = 1000
RENEWED = 1000
SHOWN_EVERY = 4  # batches, while the set is built
SET = ConstructRecipe(
    "rand",
    source="small/resnet9-standard-1",
    n=4000,
    eps=0.5,
    steps=8,
    step_size=0.15,
    labels="other",
)
SETS = {
    "rand": SET,
    "det": replace(SET, kind="det", eps=1.0, step_size=0.3, labels="all", shifts=True),
}
TRAINING = TrainRecipe(args={"width": 8, "whiten": 3}, epochs=10, batch_size=64, lr=0.05, ema=0.98)


def steps(recipe: ConstructRecipe = SET, training: TrainRecipe = TRAINING) -> int:
    """Count how often `learn` calls `on_step`."""
    return -(-recipe.n // BATCH) + training.epochs * (recipe.n // training.batch_size)


def learn(
    recipe: ConstructRecipe,
    source: Classifier,
    *,
    training: TrainRecipe = TRAINING,
    tested: int = TESTED,
    root: Path | None = None,
    on_step: OnStep | None = None,
    on_moment: OnMoment | None = None,
) -> Lesson:
    """Build a set of CIFAR-10's training pictures and train a student on it.

    Args:
        recipe: The set.
        source: The network that perturbs, prepared by `core.models.ready`.
        training: Of the student.
        tested: Test pictures that examine it: the first so many, and the one that is carried through before them.
        root: Where CIFAR-10 is, see `core.data.sets.cifar10`.
        on_step: Called after each batch that is built and at each step of the training; returning True ends it.
        on_moment: Told the lesson so far: while the set is built, before the training and after each pass.

    Raises:
        core.data.sets.DataError: If CIFAR-10 is not there.
        core.attacks.Stop: If it was ended before the set was built.
    """
    began = time.monotonic()
    everything, test = cifar10("train", root), cifar10("test", root)
    original = everything.take(slice(recipe.n))
    picture = one_by_one.get(one_by_one.default_id())
    seen = picture if picture.id.startswith("cifar10/") and picture.label is not None else None
    x = test.x(range(tested)) if seen is None else torch.cat([seen.x, test.x(range(tested - 1))])
    y = test.y(range(tested)) if seen is None else torch.cat([torch.tensor([seen.label]), test.y(range(tested - 1))])
    draws = draw(recipe, original.y(), len(original.classes))
    images: list[np.ndarray] = []

    def so_far() -> Lesson:
        made = Pictures(
            np.concatenate(images), draws.labels.numpy()[: BATCH * len(images)], original.classes, f"D_{recipe.kind}"
        )
        return Lesson(made, original.take(slice(len(made))), x[:1], int(y[0]), built_s=time.monotonic() - began)

    for k, first in enumerate(range(0, recipe.n, BATCH)):
        rows = range(first, min(first + BATCH, recipe.n))
        images.append(make(recipe, source, original, draws, rows).images.numpy())
        if on_step is not None and on_step(k, None):  # type: ignore[arg-type]
            raise Stop
        if on_moment is not None and k % SHOWN_EVERY == 0:
            on_moment(so_far())
    built = so_far()

    def later(i: int, state: object) -> bool | None:
        return on_step(len(images) + i, state) if on_step is not None else None  # type: ignore[arg-type]

    made, student = teach(built, training, (x, y), began=began, on_step=later, on_moment=on_moment)
    if not made.whole:
        return made
    clean, _ = right(adaptive_batch_norm(student, everything.x(range(recipe.n, recipe.n + RENEWED))), x, y)
    return replace(made, renewed=clean)
