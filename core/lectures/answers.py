"""The answer to a question: a choice, a number, or a rate that was measured and is read where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import results
from core.lectures.lecture import Question
from core.problems import UserError
from core.rates import Rate


@dataclass(frozen=True)
class Answer:
    """What is right.

    Args:
        value: The choice, counted from 1, or the number.
        says: The same in words.
        note: What belongs to it: n, the interval, and whether the weights have changed since.
    """

    value: float
    says: str
    note: str = ""


def answer(question: Question, folder: Path | None = None) -> Answer | None:
    """Return the answer; None where only the view gives it, or where its measurement is not here.

    Args:
        question: The question.
        folder: Where the results files are, by default those that ship.
    """
    if question.measured:
        return _measured(question.measured, folder or results.FOLDER)
    if question.answer is None:
        return None
    if question.choices:
        return Answer(question.answer, question.choices[int(question.answer) - 1])
    return Answer(question.answer, f"{question.answer:g} {question.unit}".strip())


def _measured(path: Sequence[str], folder: Path) -> Answer | None:
    try:
        found: Any = results.read(folder / f"{path[0]}.json")
        gone = results.stale(found or {})
        for name in path[1:]:
            found = found[name]
        rate = Rate(int(found["hits"]), int(found["n"]))
    except (UserError, KeyError, TypeError, ValueError):
        return None
    note = f"measured: {rate}" + (f"; {', '.join(gone)} has been trained anew since" if gone else "")
    return Answer(100 * rate.value, f"{100 * rate.value:.0f} %", note)
