"""What this topic measures, for `python -m core.train.zoo refresh`: a student each."""

from functools import partial

from core.datasets.experiments.lessons import sources
from core.datasets.experiments.plans import PLANS, plan
from core.datasets.experiments.run import RESULTS
from core.results import Part

PROFILE = "cpu"
# A student's training, and the making of its set, by the kind of the set.
MINUTES = {"robust": 20, "nonrobust": 20, "rand": 25, "det": 35, "leak": 10, "": 8}


def parts() -> tuple[Part, ...]:
    """Declare the students of all experiments; one that two of them have is trained once."""
    return tuple(
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
