"""What this topic measures, for `python -m core.train.zoo refresh`: the lesson, and a student each."""

from functools import partial

from core.datasets import measure
from core.datasets.experiments.lessons import sources
from core.datasets.experiments.plans import PLANS, plan
from core.datasets.experiments.run import RESULTS
from core.datasets.wrong import SETS
from core.results import Part

PROFILE = "cpu"
# A student's training, and the making of its set, by the kind of the set.
MINUTES = {"robust": 20, "nonrobust": 20, "rand": 25, "det": 35, "leak": 10, "": 8}


def parts() -> tuple[Part, ...]:
    """Declare the lesson, and the students of all experiments; one that two of them have is trained once."""
    sources_of_lesson = partial(tuple, dict.fromkeys(recipe.source for recipe in SETS.values()))
    lesson = Part("datasets", "lesson", measure.PATH, ("core.datasets.measure",), 10, sources_of_lesson)
    return lesson, *(
        Part(
            "datasets",
            f"{experiment} {student.name}",
            RESULTS / f"{experiment}.json",
            ("core.datasets.experiments", "run", experiment, student.name, "--profile", PROFILE),
            MINUTES[student.made.kind if student.made else ""],
            partial(sources, student),
            (("students", student.name),),
        )
        for experiment in PLANS
        for student in plan(experiment, PROFILE)
    )
