"""Training on wrong labels, watched.

A set is built, a fresh network learns from it, and clean pictures examine it meanwhile.

    made = learn(PlantedRecipe(), "det", pair(PlantedRecipe()))
    made.moments[-1].clean                   # a Rate, on pictures that nobody changed

No picture of `det` has its own class for a label; of `rand`, one in so many classes has.
"""

import time
from dataclasses import replace

from core.attacks import OnStep
from core.data.planted import scenes
from core.datasets.lesson import Lesson, OnMoment, teach
from core.models import Classifier
from core.planted import sets
from core.planted.networks import fresh
from core.planted.recipe import PlantedRecipe

PICTURES = 1200
EPOCHS = 10
TESTED = 400
STEPS = EPOCHS * (PICTURES // 64)


def learn(
    recipe: PlantedRecipe,
    kind: str,
    networks: dict[str, Classifier],
    *,
    on_step: OnStep | None = None,
    on_moment: OnMoment | None = None,
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
    lesson = Lesson(built.pictures, built.original, x[:1], int(drawn.y[0]), built_s=time.monotonic() - began)
    training = replace(recipe.training(robust=False), epochs=EPOCHS)
    return teach(lesson, training, (x, drawn.y), began=began, on_step=on_step, on_moment=on_moment)[0]
