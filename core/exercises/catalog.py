"""The exercises, read from assets/exercises/exercises.toml."""

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "assets" / "exercises" / "exercises.toml"


@dataclass(frozen=True)
class Exercise:
    """A task.

    Args:
        name: Its name in links and reports.
        title: A few words.
        task: What is asked for.
        page: The page on which it is solved, by its address.
        view: What the link sets there.
        check: The function of `core.exercises.checks` that decides.
        limits: What that function asks for.
        hints: One after another.
        choices: The answers to choose among, where that is what is handed in.
    """

    name: str
    title: str
    task: str
    page: str
    check: str
    limits: Mapping[str, Any]
    view: Mapping[str, str] = field(default_factory=dict)
    hints: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


@functools.cache
def exercises() -> dict[str, Exercise]:
    """Return all exercises by name, in their order."""
    found = tomllib.loads(FILE.read_text("utf-8"))["exercise"]
    return {one["name"]: _read(one) for one in found}


def _read(values: dict[str, Any]) -> Exercise:
    lists: dict[str, Any] = {name: tuple(values[name]) for name in ("hints", "choices") if name in values}
    return Exercise(**{**values, **lists})
