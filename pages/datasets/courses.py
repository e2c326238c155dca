"""Where training on wrong labels can be watched: on CIFAR-10 where it is, and in the planted world everywhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from core import worlds
from core.attacks import OnStep
from core.data import pictures
from core.datasets import wrong as on_cifar
from core.datasets.lesson import Lesson, OnMoment
from core.models import checkpoints, ready
from core.planted import networks
from core.planted import wrong as on_planted
from core.planted.recipe import PlantedRecipe
from core.recipes import to_python
from pages.ui.store import results

Learn = Callable[[OnStep, OnMoment], Lesson]


@dataclass(frozen=True)
class Course:
    """One way to hold the lesson.

    Args:
        recipe: What decides the set, for files and the program.
        sets: The kinds of set, and what each is called.
        names: Class names.
        pictures: In the set.
        tested: Clean pictures that examine the student.
        epochs: Passes over the set.
        steps: How often a lesson calls its `on_step`.
        guesses: What one may predict, each with the share up to which it is right.
        takes: How long it takes, in words.
        why: What to make of it.
        key: What a lesson depends on besides the kind.
        learn: Holds the lesson of a kind.
        program: The Python program of a kind.
    """

    recipe: Any
    sets: Mapping[str, str]
    names: tuple[str, ...]
    pictures: int
    tested: int
    epochs: int
    steps: int
    guesses: tuple[tuple[str, float], ...]
    takes: str
    why: str
    key: tuple[object, ...]
    learn: Callable[[str], Learn]
    program: Callable[[str], str]

    def truth(self, share: float) -> str:
        """Say which prediction was right."""
        return next(word for word, most in self.guesses if share <= most)


PRINT = """
print(f"wrong labels: {made.wrong}")
for moment in made.moments:
    print(f"after {moment.epoch} passes: {moment.clean}")
"""


def has_cifar() -> bool:
    """Tell whether the lesson can be held on CIFAR-10 here."""
    return "cifar10" in pictures.available() and checkpoints.path_of(on_cifar.SET.source).is_file()


def cifar() -> Course:
    """Return the lesson on CIFAR-10."""
    recipe, training = on_cifar.SET, on_cifar.TRAINING

    def learn(_: str) -> Learn:
        source = ready.load(recipe.source)
        hold = partial(on_cifar.learn, recipe, source, training=training, tested=on_cifar.TESTED)
        return lambda on_step, on_moment: hold(on_step=on_step, on_moment=on_moment)

    return Course(
        recipe=recipe,
        sets={"rand": "D_rand, every label wrong"},
        names=worlds.get("cifar10").classes,
        pictures=recipe.n,
        tested=on_cifar.TESTED,
        epochs=training.epochs,
        steps=on_cifar.steps(recipe, training),
        guesses=(("under 20 % (chance is 10 %)", 0.2), ("20 to 50 %", 0.5), ("over 50 %", 1.0)),
        takes="about a minute of one core, more where the machine has other work",
        why="You see the old class; the label fits what the perturbation added, which you do not see. It is in clean"
        " pictures, too, and that is all this student has learnt. It is small and saw 4,000 pictures; the view of"
        " results shows what larger ones learnt from 50,000.",
        key=("cifar10", recipe, checkpoints.stamp(recipe.source)),
        learn=learn,
        program=lambda _: to_python(
            recipe,
            ["from core.datasets.wrong import learn", "from core.models import ready"],
            f"made = learn(recipe, ready.load(recipe.source)){PRINT}",
        ),
    )


def planted() -> Course:
    """Return the lesson in the planted world, which draws its own pictures."""
    recipe = PlantedRecipe()

    def learn(kind: str) -> Learn:
        pair = results().of(("planted pair", recipe.trained), lambda: networks.pair(recipe))
        return lambda on_step, on_moment: on_planted.learn(recipe, kind, pair, on_step=on_step, on_moment=on_moment)

    return Course(
        recipe=recipe,
        sets={"det": "D_det: every label is the next class", "rand": "D_rand: labels drawn at random"},
        names=recipe.names,
        pictures=on_planted.PICTURES,
        tested=on_planted.TESTED,
        epochs=on_planted.EPOCHS,
        steps=on_planted.STEPS,
        guesses=(("about chance", 1.6 / recipe.classes), ("about half", 0.85), ("nearly all", 1.0)),
        takes="some seconds",
        why="The labels look wrong because you look at the shapes. Each perturbation wrote a faint pattern of the new"
        " class into its picture; the labels fit that pattern, it is in clean pictures, too, and that is what the"
        " student learnt. Here the pattern is planted; on CIFAR-10 nobody planted it, and students learn all the same:"
        " the view of results has the numbers.",
        key=("planted", recipe.trained, recipe.eps),
        learn=learn,
        program=partial(_planted_program, recipe),
    )


def _planted_program(recipe: PlantedRecipe, kind: str) -> str:
    return to_python(
        recipe,
        ["from core.planted.networks import pair", "from core.planted.wrong import learn"],
        f"made = learn(recipe, {kind!r}, pair(recipe)){PRINT}",
    )
