"""The report that a student hands in: the answers, and what the checks said. A teacher recomputes it.

    python -m core.exercises verify report.json

Nothing in it is believed: `verify` checks the answers anew and compares. So a report cannot be forged, only be right.
"""

import html
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.exercises.answers import Answer, from_dict, to_dict
from core.exercises.catalog import Exercise, exercises
from core.exercises.checks import Verdict, check, models
from core.files.playable import inert, json_in
from core.models import checkpoints
from core.problems import InputError, UserError

KIND = "ExercisesReport"
MOST_NAME = 200  # letters


@dataclass(frozen=True)
class Report:
    """What was handed in.

    Args:
        name: Whose it is, as they wrote it.
        answers: By exercise.
        verdicts: What the checks said of them.
        stamps: Of the weights they asked.
    """

    name: str
    answers: Mapping[str, Answer]
    verdicts: Mapping[str, Verdict]
    stamps: Mapping[str, str] = field(default_factory=dict)

    @property
    def solved(self) -> int:
        """How many are solved, as it says."""
        return sum(verdict.passed for verdict in self.verdicts.values())


def report(name: str, given: Mapping[str, tuple[Answer, Verdict]]) -> Report:
    """Make a report of answers with their verdicts."""
    known = {n: one for n, one in exercises().items() if n in given}
    asked = {model for one in known.values() for model in models(one) if model in checkpoints.names()}
    return Report(
        name[:MOST_NAME],
        {n: given[n][0] for n in known},
        {n: given[n][1] for n in known},
        {model: checkpoints.stamp(model) for model in sorted(asked)},
    )


def to_json(made: Report) -> str:
    """Write a report."""
    return json.dumps(
        {
            "kind": KIND,
            "name": made.name,
            "exercises": {
                n: {"answer": to_dict(answer), "passed": made.verdicts[n].passed, "says": made.verdicts[n].says}
                for n, answer in made.answers.items()
            },
            "stamps": dict(made.stamps),
        },
        indent=2,
        ensure_ascii=False,
    )


def from_text(text: str) -> Report:
    """Read a report, JSON or HTML.

    Raises:
        core.problems.InputError: If it is none.
    """
    if not text.lstrip().startswith("{"):
        text = json_in(text, "report")
    try:
        values: Any = json.loads(text)
        if values["kind"] != KIND:
            raise InputError("this is not a report of exercises")
        given = {
            str(n): (from_dict(one["answer"]), Verdict(one["passed"] is True, str(one["says"])))
            for n, one in values["exercises"].items()
        }
        stamps = {str(k): str(v) for k, v in values["stamps"].items()}
        name = str(values["name"])
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"this report is damaged ({type(error).__name__})") from error
    if unknown := given.keys() - exercises().keys():
        raise InputError(f"there is no exercise {', '.join(sorted(unknown))}")
    return Report(name, {n: a for n, (a, _) in given.items()}, {n: v for n, (_, v) in given.items()}, stamps)


@dataclass(frozen=True)
class Line:
    """What came of one answer: what the report claims, and what was recomputed (None: it could not be, and why)."""

    exercise: Exercise
    claimed: bool
    found: Verdict | None
    problem: str = ""


def verify(made: Report) -> Iterator[Line]:
    """Recompute every answer of a report, one after another."""
    for name, answer in made.answers.items():
        exercise, claimed = exercises()[name], made.verdicts[name].passed
        try:
            yield Line(exercise, claimed, check(exercise, answer))
        except UserError as error:
            yield Line(exercise, claimed, None, str(error))


def changed(made: Report) -> list[str]:
    """List the models whose weights here are not those of the report."""
    here = checkpoints.names()
    return [name for name, stamp in made.stamps.items() if name not in here or checkpoints.stamp(name) != stamp]


def page(made: Report) -> str:
    """Write a report as a page to read, which `verify` reads as well."""
    rows = "".join(
        f"<tr><td>{'solved' if verdict.passed else 'not yet'}</td><td>{html.escape(exercises()[n].title)}</td>"
        f"<td>{html.escape(exercises()[n].task)}<br><b>{html.escape(verdict.says)}</b></td></tr>"
        for n, verdict in made.verdicts.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Exercises</title>'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<style>:root { color-scheme: light dark } body { font-family: system-ui, sans-serif; max-width: 52rem; margin:"
        " 2rem auto;"
        " padding: 0 1rem; line-height: 1.45 } td { padding: 0.6rem 1rem 0.6rem 0; vertical-align: top; border-top: 1px"
        " solid #8888 }"
        " td:first-child { white-space: nowrap; font-weight: 600 }</style>"
        f"<h1>{html.escape(made.name) or 'Exercises'}</h1><p>{made.solved} of {len(exercises())} solved. Verify with"
        f" <code>python -m core.exercises verify</code>, which recomputes every answer.</p><table>{rows}</table>"
        f'<script type="application/json" id="report">{inert(to_json(made))}</script></html>\n'
    )
