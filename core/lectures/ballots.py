"""Questions that a room votes on, and what came out: without who gave which answer."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.lectures.lecture import Question
from core.problems import InputError


@dataclass
class Ballot:
    """A question and its votes, by phone.

    Args:
        lecture: In which lecture it is asked.
        step: At which step of it, counted from 1.
        question: The question.
        pictures: What it shows, as addresses that a browser draws (`data:image/png...`).
        open: Whether votes are taken.
        votes: The answer of each phone.
    """

    lecture: str
    step: int
    question: Question
    pictures: tuple[str, ...] = ()
    open: bool = True
    votes: dict[str, float] = field(default_factory=dict)

    def check(self, value: float) -> None:
        """Refuse what is no answer.

        Raises:
            InputError: If there is no such answer.
        """
        asked = self.question
        if asked.choices and value not in range(1, len(asked.choices) + 1):
            raise InputError(f"the answer must be a choice, 1 to {len(asked.choices)}")
        if not asked.choices and not asked.low <= value <= asked.high:
            raise InputError(f"the answer must be {asked.low:g} to {asked.high:g}")

    def tally(self) -> "Tally":
        """Count."""
        values = sorted(self.votes.values())
        if not self.question.choices:
            return Tally(len(values), values=tuple(values))
        given = Counter(values)
        return Tally(len(values), tuple(given[float(i)] for i in range(1, len(self.question.choices) + 1)))


@dataclass(frozen=True)
class Tally:
    """The votes on one question, without who gave them.

    Args:
        n: Votes.
        counts: Of each choice; () where the answer is a number.
        values: The numbers, sorted; () where there are choices.
    """

    n: int
    counts: tuple[int, ...] = ()
    values: tuple[float, ...] = ()


def table(ballots: Iterable[Ballot]) -> dict[str, list[object]]:
    """Return all that was voted and revealed: a row for each answer that was given."""
    rows: list[tuple[object, ...]] = []
    for ballot in ballots:
        if ballot.open:
            continue
        asked, n = ballot.question, len(ballot.votes)
        named = lambda value, asked=asked: asked.choices[int(value) - 1] if asked.choices else f"{value:g}"
        given = Counter(ballot.votes.values())
        every = range(1, len(asked.choices) + 1) if asked.choices else sorted(given)
        rows += [(ballot.lecture, ballot.step, asked.ask, named(v), given[v], n) for v in every]
    heads = ("lecture", "step", "question", "answer", "votes", "n")
    return {head: [row[i] for row in rows] for i, head in enumerate(heads)}
