"""The exercises, read from assets/exercises/exercises.toml."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.files import toml
from core.problems import InputError

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
    """Return all exercises by name, in their order.

    Raises:
        InputError: If their file is damaged.
    """
    return read(FILE)


def read(path: Path) -> dict[str, Exercise]:
    """Read exercises from a file.

    Raises:
        InputError: If it is damaged.
    """
    found = toml.read(path)
    try:
        return {one["name"]: _read(one) for one in found["exercise"]}
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path.name} is damaged: an exercise lacks something, or has something too many ({error})"
        ) from error


def _read(values: dict[str, Any]) -> Exercise:
    lists: dict[str, Any] = {name: tuple(values[name]) for name in ("hints", "choices") if name in values}
    return Exercise(**{**values, **lists})
