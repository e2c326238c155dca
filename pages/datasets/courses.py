"""Where training on wrong labels can be watched: on CIFAR-10 where it is, and in the planted world everywhere."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

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
from core.words import a
from pages.ui.store import results

Learn = Callable[[OnStep, OnMoment], Lesson]


@dataclass(frozen=True)
class Course:
    """One way to hold the lesson.

    Args:
        at: The pictures' world: "cifar10" or "planted".
        kind: Of the set: "rand" or "det".
        names: Class names.
        pictures: In the set.
        tested: Clean pictures that examine the student.
        epochs: Passes over the set.
        steps: How often a lesson calls its `on_step`.
        guesses: What one may predict, each with the share up to which it is right.
        moved: How the pictures are perturbed, in words.
        takes: How long it takes, in words.
        why: What to make of it.
        key: What a lesson depends on.
        learn: Holds the lesson.
        program: Returns it as a Python program.
    """

    at: str
    kind: str
    names: tuple[str, ...]
    pictures: int
    tested: int
    epochs: int
    steps: int
    guesses: tuple[tuple[str, float], ...]
    moved: str
    takes: str
    why: str
    key: tuple[object, ...]
    learn: Callable[[], Learn]
    program: Callable[[], str]

    def truth(self, share: float) -> str:
        """Say which prediction was right."""
        return next(word for word, most in self.guesses if share <= most)


SETS = {  # of each world, the one that the view opens with first
    "cifar10": {"rand": "D_rand: any other class", "det": "D_det: the next class"},
    "planted": {"det": "D_det: every label is the next class", "rand": "D_rand: labels drawn at random"},
}
GUESSES = {
    "rand": (("under 20 % (chance is 10 %)", 0.2), ("20 to 50 %", 0.5), ("over 50 %", 1.0)),
    "det": (("10 % or less (chance is 10 %)", 0.1), ("10 to 20 %", 0.2), ("20 to 40 %", 0.4), ("over 40 %", 1.0)),
}
WHY = {
    "rand": "You see the old class; the label fits what the perturbation added, which you do not see. It is in clean"
    " pictures, too, and that is all this student has learnt. It is small and saw 4,000 pictures; the view of"
    " results shows what larger ones learnt from 50,000.",
    "det": "This set is the harder one. All that you see in a picture always goes with the label *next* to its class;"
    " whoever learns from that alone calls clean pictures the next class. Only what you do not see goes with the right"
    " one, and the two pull against each other. This student is small and saw 4,000 pictures, with perturbations twice"
    " as large as the paper's; the view of results shows what larger ones learnt from 50,000 at the paper's size.",
}
PRINT = """
print(f"wrong labels: {made.wrong}")
for moment in made.moments:
    print(f"after {moment.epoch} passes: {moment.clean}")
"""


def has_cifar() -> bool:
    """Tell whether the lesson can be held on CIFAR-10 here."""
    return "cifar10" in pictures.available() and checkpoints.path_of(on_cifar.SET.source).is_file()


def toward(kind: str, names: Sequence[str]) -> str:
    """Say towards which class a picture is perturbed."""
    return "a class drawn by lot" if kind == "rand" else f"the next class ({a(names[0])} towards {names[1]})"


def course(at: str, kind: str) -> Course:
    """Return the lesson on that set of those pictures."""
    return {"cifar10": cifar, "planted": planted}[at](kind)


def cifar(kind: str) -> Course:
    """Return the lesson on CIFAR-10."""
    recipe, training = on_cifar.SETS[kind], on_cifar.TRAINING
    names = worlds.get("cifar10").classes

    def learn() -> Learn:
        source = ready.load(recipe.source)
        hold = partial(on_cifar.learn, recipe, source, training=training, tested=on_cifar.TESTED)
        return lambda on_step, on_moment: hold(on_step=on_step, on_moment=on_moment)

    return Course(
        at="cifar10",
        kind=kind,
        names=names,
        pictures=recipe.n,
        tested=on_cifar.TESTED,
        epochs=training.epochs,
        steps=on_cifar.steps(recipe, training),
        guesses=GUESSES[kind],
        moved=f"within ε = {recipe.eps:g} (L2) towards {toward(kind, names)}",
        takes="about a minute of one core, more where the machine has other work",
        why=WHY[kind],
        key=("cifar10", recipe, checkpoints.stamp(recipe.source)),
        learn=learn,
        program=lambda: to_python(
            recipe,
            ["from core.datasets.wrong import learn", "from core.models import ready"],
            f"made = learn(recipe, ready.load(recipe.source)){PRINT}",
        ),
    )


def planted(kind: str) -> Course:
    """Return the lesson in the planted world, which draws its own pictures."""
    recipe = PlantedRecipe()

    def learn() -> Learn:
        pair = results().of(("planted pair", recipe.trained), lambda: networks.pair(recipe))
        return lambda on_step, on_moment: on_planted.learn(recipe, kind, pair, on_step=on_step, on_moment=on_moment)

    return Course(
        at="planted",
        kind=kind,
        names=recipe.names,
        pictures=on_planted.PICTURES,
        tested=on_planted.TESTED,
        epochs=on_planted.EPOCHS,
        steps=on_planted.STEPS,
        guesses=(("about chance", 1.6 / recipe.classes), ("about half", 0.85), ("nearly all", 1.0)),
        moved=f"within ε = {recipe.eps:g} (L2) towards {toward(kind, recipe.names)}",
        takes="some seconds",
        why="The labels look wrong because you look at the shapes. Each perturbation wrote a faint pattern of the new"
        " class into its picture; the labels fit that pattern, it is in clean pictures, too, and that is what the"
        " student learnt. Here the pattern is planted; on CIFAR-10 nobody planted it, and students learn all the same:"
        " the view of results has the numbers.",
        key=("planted", kind, recipe.trained, recipe.eps),
        learn=learn,
        program=partial(_planted_program, recipe, kind),
    )


def _planted_program(recipe: PlantedRecipe, kind: str) -> str:
    return to_python(
        recipe,
        ["from core.planted.networks import pair", "from core.planted.wrong import learn"],
        f"made = learn(recipe, {kind!r}, pair(recipe)){PRINT}",
    )
