"""What the experiments measured, as one table: a row for each student and measurement.

For example:

    print(exports.table(columns()))
"""

from pathlib import Path

from core import results
from core.datasets.experiments.plans import PLANS
from core.datasets.experiments.run import MEASURED, RESULTS

FIELDS = ("experiment", "profile", "student", "title", "pictures", "epochs", "seed", "date")
RATE = ("measured", "value", "low", "high", "hits", "n")


def columns(folder: Path = RESULTS) -> dict[str, list[object]]:
    """Collect all that was measured: names of columns to their values; nothing measured leaves them empty.

    "measured" says what: clean accuracy, with adaptive batch norm, robust accuracy in a ball, or how often a
    student says label + 1. "low" and "high" bound the 95 % interval.
    """
    rows: list[tuple[object, ...]] = []
    for experiment in PLANS:
        path = folder / f"{experiment}.json"
        found = results.read(path, f"python -m core.datasets.experiments run {experiment}") or {"students": {}}
        for name, student in found["students"].items():
            recipe = student["recipe"]
            about = (experiment, found["profile"], name, student["title"], student["n_train"], recipe["epochs"])
            for what in (*MEASURED, "clean renewed", "label + 1"):
                if what in student:
                    rate = student[what]
                    measured = (what, rate["value"], *rate["interval"], rate["hits"], rate["n"])
                    rows.append((*about, student["seed"], student["date"], *measured))
    return {name: [row[i] for row in rows] for i, name in enumerate((*FIELDS, *RATE))}


def script() -> str:
    """Write the program that prints the table."""
    return (
        "# What was measured. To measure anew (needs CIFAR-10 and, on two cores, hours; it resumes):\n"
        "#     python -m core.datasets.experiments run table1 --profile cpu\n"
        "from core import exports\n"
        "from core.datasets.experiments import report\n\n"
        "print(exports.table(report.columns()))\n"
    )
