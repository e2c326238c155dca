"""A lecture as a TOML file: written so that a person can edit it, read strictly, for it may come from anybody.

title = "The paper in 15 minutes"

[[step]]
title = "A frog, or a truck?"
page = "perturb"
view = { target = "truck", frame = 6 }
say = "What to say."
look_for = "What to look for."

[step.question]
ask = "Which model gives in first?"
choices = ["the standard model", "the robust model"]
answer = 1

A question may show a picture, or two of which one is to be chosen, each changed on the spot:

[[step.question.shows]]
picture = "gallery/72"
by = "attack"
toward = "truck"
eps = 1.0
"""

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import tomli_w

from core.lectures.lecture import Lecture, Question, Step
from core.lectures.links import HOME, pages, recipe_kind
from core.lectures.shown import Shown
from core.problems import InputError
from core.recipes import from_values

MOST_BYTES = 256 * 1024
MOST_STEPS = 100
CHOICES = (2, 6)
MOST_SHOWN = 2
TITLE, TEXT, CHOICE = 120, 4000, 120  # characters
MEASURED = re.compile(r"[\w.,:> /+-]{1,80}")  # a name in the path of a measured number; the first is a file's
FILE = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


def read(text: str | bytes) -> Lecture:
    """Read a lecture.

    Raises:
        InputError: With one sentence that says what is wrong with the file, and where.
    """
    table = _Table(_parsed(text), "the lecture")
    title, about = table.text("title", TITLE, needed=True), table.text("about", TEXT)
    minutes = int(table.number("minutes", 0.0, low=0.0, high=600.0))
    steps = table.tables("step")
    table.finish()
    if not 1 <= len(steps) <= MOST_STEPS:
        raise InputError(f"a lecture has 1 to {MOST_STEPS} steps, [[step]] each; this one has {len(steps)}")
    return Lecture(title, tuple(_step(found, f"step {i}") for i, found in enumerate(steps, 1)), about, minutes)


def write(lecture: Lecture) -> str:
    """Write a lecture; `read` gives it back."""
    head: dict[str, Any] = {"title": lecture.title, "about": lecture.about, "minutes": lecture.minutes}
    body = {"step": [_written(step) for step in lecture.steps]}
    return tomli_w.dumps({**{k: v for k, v in head.items() if v}, **body}, multiline_strings=True)


def _written(step: Step) -> dict[str, Any]:
    default = type(step.recipe)()
    view = {k: v for k, v in asdict(step.recipe).items() if v != getattr(default, k)}
    table = {"title": step.title, "page": step.page, "view": view, "say": step.say, "look_for": step.look_for}
    kept = {k: list(v) if isinstance(v, tuple) else v for k, v in table.items() if v}
    if step.question is None:
        return kept
    asked, blank = asdict(step.question), asdict(Question(step.question.ask))
    asked["shows"] = tuple({k: v for k, v in asdict(one).items() if v} for one in step.question.shows)
    return {**kept, "question": {k: v for k, v in asked.items() if k == "ask" or v != blank[k]}}


def _parsed(text: str | bytes) -> dict[str, Any]:
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > MOST_BYTES:
        raise InputError(f"a lecture's file has at most {MOST_BYTES // 1024} kB; this one has {len(raw) // 1024}")
    try:
        return tomllib.loads(raw.decode("utf-8").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        raise InputError("a lecture is a TOML file in UTF-8, and this is not text") from error
    except RecursionError as error:
        raise InputError("a lecture is a flat TOML file, and this one is nested without end") from error
    except ValueError as error:  # what tomllib raises, and Python for a number of thousands of digits
        raise InputError(f"a lecture is a TOML file, and this is not one ({error})") from error


def _step(found: dict[str, Any], where: str) -> Step:
    table = _Table(found, where)
    title, page = table.text("title", TITLE, needed=True), table.text("page", TITLE, needed=True)
    say, look_for = table.text("say", TEXT), table.text("look_for", TEXT)
    view, question = table.table("view"), table.table("question")
    table.finish()
    if page != HOME and page not in pages():
        raise InputError(f"{where}: there is no page {page!r}; have {', '.join((HOME, *pages()))}")
    kind = recipe_kind(page)
    try:
        recipe: Any = from_values(kind, view or {})
    except ValueError as error:
        raise InputError(f"{where}: the view of page {page!r} cannot be: {error}") from error
    return Step(title, page, recipe, say, look_for, None if question is None else _question(question, where))


def _question(found: dict[str, Any], where: str) -> Question:
    table = _Table(found, f"{where}, question")
    ask = table.text("ask", TEXT, needed=True)
    choices = table.texts("choices", CHOICE)
    low, high = table.number("low", 0.0), table.number("high", 100.0)
    unit, because = table.text("unit", 20), table.text("because", TEXT)
    measured = table.texts("measured", 80)
    right = table.number("answer", None)
    shows = tuple(_shown(one, table.where) for one in table.tables("shows"))
    table.finish()
    if len(shows) > MOST_SHOWN or (len(shows) == MOST_SHOWN and len(choices) != MOST_SHOWN):
        raise InputError(f"{table.where}: shows is a picture, or two of which one of two choices is the answer")
    if choices:
        if not CHOICES[0] <= len(choices) <= CHOICES[1] or len(set(choices)) < len(choices):
            raise InputError(f"{table.where}: choices must be {CHOICES[0]} to {CHOICES[1]} different texts")
        if measured:
            raise InputError(f"{table.where}: a measured number answers a question without choices")
        if right is not None and right not in range(1, len(choices) + 1):
            raise InputError(f"{table.where}: answer must be a choice, 1 to {len(choices)}, got {right:g}")
    elif not low < high:
        raise InputError(f"{table.where}: low must be less than high, got {low:g} and {high:g}")
    elif right is not None and not low <= right <= high:
        raise InputError(f"{table.where}: answer must be {low:g} to {high:g}, got {right:g}")
    if measured and not (FILE.fullmatch(measured[0]) and all(MEASURED.fullmatch(name) for name in measured)):
        raise InputError(f"{table.where}: measured must be a results file and the names that lead to a rate in it")
    return Question(ask, choices, low, high, unit, right, measured, because, shows)


def _shown(found: dict[str, Any], where: str) -> Shown:
    table = _Table(found, f"{where}, shows")
    texts = {name: table.text(name, CHOICE) for name in ("picture", "by", "toward")}
    eps = table.number("eps", 0.0)
    table.finish()
    try:
        return Shown(**texts, eps=eps)
    except InputError as error:
        raise InputError(f"{table.where}: {error}") from error


class _Table:
    """A table that is read by taking from it; what is left over was not meant to be there."""

    def __init__(self, found: Mapping[str, Any], where: str) -> None:
        self.left, self.where = dict(found), where

    def finish(self) -> None:
        if self.left:
            raise InputError(f"{self.where} has {', '.join(map(repr, sorted(self.left)))}, which nobody reads")

    def text(self, name: str, most: int, *, needed: bool = False) -> str:
        value = self.left.pop(name, "")
        if not isinstance(value, str):
            raise InputError(f"{self.where}: {name} must be a text, got {_short(value)}")
        value = value.strip()
        if len(value) > most or (needed and not value):
            raise InputError(f"{self.where}: {name} must be a text of {int(needed)} to {most} characters")
        return value

    def texts(self, name: str, most: int) -> tuple[str, ...]:
        value = self.left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and 0 < len(v.strip()) <= most for v in value):
            raise InputError(f"{self.where}: {name} must be a list of texts of 1 to {most} characters")
        return tuple(v.strip() for v in value)

    def number(self, name: str, default: Any, *, low: float = -1e9, high: float = 1e9) -> Any:
        value = self.left.pop(name, default)
        if value is default:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{self.where}: {name} must be a number, got {_short(value)}")
        if not low <= value <= high:
            raise InputError(f"{self.where}: {name} must be {low:g} to {high:g}, got {value:g}")
        return float(value)

    def table(self, name: str) -> dict[str, Any] | None:
        value = self.left.pop(name, None)
        if value is not None and not isinstance(value, dict):
            raise InputError(f"{self.where}: {name} must be a table, got {_short(value)}")
        return value

    def tables(self, name: str) -> list[dict[str, Any]]:
        value = self.left.pop(name, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise InputError(f"{self.where}: each {name} must be a table of its own, [[{name}]]")
        return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
