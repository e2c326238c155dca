"""What a lecture is."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from core.lectures.links import ADDRESSES
from core.lectures.shown import Shown
from core.recipes import to_query


@dataclass(frozen=True)
class Question:
    """Something to predict before the view is shown.

    Args:
        ask: The question.
        choices: What may be answered; () is a number.
        low: Smallest number that may be answered.
        high: Largest.
        unit: Of the number: "%", "steps", or "".
        answer: The right choice, counted from 1, or the right number; None where the view itself answers.
        measured: Where the number was measured, in per cent: the path to a rate, `("table1", "students",
            "student-rand", "clean")`; it then takes the place of `answer`.
        because: What to say of the answer.
        shows: The picture that it is about, or two of which one is to be chosen.
    """

    ask: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 100.0
    unit: str = ""
    answer: float | None = None
    measured: tuple[str, ...] = ()
    because: str = ""
    shows: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Step:
    """One step.

    Args:
        title: A few words.
        page: The page's name, see `core.lectures.links`.
        recipe: Which view of that page, the page's own recipe.
        say: Speaker notes.
        look_for: What to look for, for everybody.
        question: To be asked before the view is shown.
    """

    title: str
    page: str
    recipe: Any
    say: str = ""
    look_for: str = ""
    question: Question | None = None

    @property
    def path(self) -> str:
        """The address of its page, below that of the app."""
        return ADDRESSES.get(self.page, self.page)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address that say which view."""
        return to_query(self.recipe)

    @property
    def link(self) -> str:
        """The address of its view, below that of the app: `perturb?target=truck`."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")


@dataclass(frozen=True)
class Lecture:
    """A lecture.

    Args:
        title: What it is called.
        steps: Its steps, one at least.
        about: For whom it is and what it shows, in a sentence or two.
        minutes: How long it takes; 0 says nothing.
    """

    title: str
    steps: tuple[Step, ...]
    about: str = ""
    minutes: int = 0
