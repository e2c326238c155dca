"""The machinery of recipes: options with defaults and bounds, and the ways in and out of URL and JSON."""

import dataclasses
import json
import math
from collections.abc import Callable, Container, Mapping
from dataclasses import field
from typing import Any, TypeVar

from core.problems import InputError

R = TypeVar("R")


def option(
    default: Any,
    *,
    among: tuple[Any, ...] | Callable[[], tuple[Any, ...]] | None = None,
    low: float | int | None = None,  # noqa: PYI041 - checked at run time, where a whole number is no float
    high: float | int | None = None,  # noqa: PYI041
    silent: bool = False,
    before: Any = None,
) -> Any:
    """Declare a field of a recipe.

    Args:
        default: Its value when the URL does not name it.
        among: The allowed values (for a tuple: of its members), or what returns them; None allows any.
        low: Smallest allowed number.
        high: Largest allowed number.
        silent: Left out of files and programs while it is at its default, so that recipes from before the field are the
            same to the byte.
        before: What a file or a program that does not name the field means by that, because there was no such field
            when it was written; None is the default.
    """
    about = {"among": among, "low": low, "high": high, "silent": silent, "before": before}
    return field(default=default, metadata=about)


def named_fields(recipe: Any) -> dict[str, Any]:
    """Return the fields that a file or a program names: all but the silent ones at their default."""
    return {
        f.name: getattr(recipe, f.name)
        for f in dataclasses.fields(recipe)
        if not (f.metadata.get("silent") and getattr(recipe, f.name) == f.default)
    }


def to_query(recipe: Any) -> dict[str, str]:
    """Write a recipe as query parameters, leaving out what is at its default."""
    return {
        f.name: _write(getattr(recipe, f.name))
        for f in dataclasses.fields(recipe)
        if getattr(recipe, f.name) != f.default
    }


def from_query(kind: type[R], params: Mapping[str, str]) -> tuple[R, tuple[str, ...]]:
    """Read a recipe from query parameters; whatever is missing or not allowed takes its default.

    Args:
        kind: The recipe's class.
        params: Query parameters; unknown ones are ignored.

    Returns:
        The recipe and the names of the parameters that fell back.
    """
    values, bad = {}, []
    for f in dataclasses.fields(kind):  # type: ignore[arg-type]
        if f.name not in params:
            continue
        try:
            values[f.name] = _checked(f, _read(f, params[f.name]))
        except ValueError:
            bad.append(f.name)
    return kind(**values), tuple(bad)


def to_json(recipe: Any) -> str:
    """Write the whole recipe, with its kind, as JSON."""
    values = named_fields(recipe)
    return json.dumps({_kind_in(values): type(recipe).__name__, **values}, indent=2, ensure_ascii=False)


def from_json(kind: type[R], text: str) -> R:
    """Read what `to_json` wrote, now or before a field was there.

    Raises:
        ValueError: If it is not such a recipe, with the field that is wrong.
    """
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"a recipe is a JSON file, and this is not one ({error})") from error
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if not isinstance(values, dict) or not _says_so(kind, fields, values):
        raise InputError(f"this is not a {kind.__name__}")
    return from_values(kind, {**_before(kind), **values})


def from_values(kind: type[R], values: Mapping[str, Any]) -> R:
    """Make a recipe of some of its fields, each of which must be of the right type and allowed; lists become tuples.

    Raises:
        ValueError: With the field that is wrong.
    """
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = values.keys() - fields.keys()
    if unknown:
        raise InputError(f"a {kind.__name__} has no {', '.join(sorted(unknown))}")
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind(**{name: _checked(fields[name], value) for name, value in frozen.items()})


def as_before(kind: type[R]) -> type[R]:
    """Return a recipe's class for programs from before some of its fields: it makes recipes that say so."""
    before = _before(kind)
    if not before:
        return kind

    def new(_: type[R], *args: Any, **named: Any) -> R:
        return kind(*args, **{**before, **named})

    return type(kind.__name__, (kind,), {"__new__": new, "__module__": kind.__module__})


def _before(kind: type[Any]) -> dict[str, Any]:
    about = {f.name: f.metadata.get("before") for f in dataclasses.fields(kind)}
    return {name: value for name, value in about.items() if value is not None}


def _says_so(kind: type[Any], fields: Mapping[str, Any], values: dict[str, Any]) -> bool:
    """Take out of a file's values what kind of recipe it is, and tell whether it is this one."""
    said = values.pop(_kind_in(fields), None)
    if said is None and "kind" in fields:  # at first, in files of such a recipe, its field stood in the place of this
        return values.get("kind") in fields["kind"].metadata["among"]
    return bool(said == kind.__name__)


def _kind_in(names: Container[str]) -> str:
    """Under which name JSON says what kind of recipe it is: two recipes have a field called kind."""
    return "recipe" if "kind" in names else "kind"


def _write(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(f: Any, text: str) -> Any:
    if isinstance(f.default, bool):
        if text.lower() not in ("true", "false"):
            raise InputError(f"{f.name} must be true or false")
        return text.lower() == "true"
    if isinstance(f.default, int | float):
        return type(f.default)(text)
    if isinstance(f.default, tuple):
        return tuple(part for part in text.split(",") if part)
    return text


def _checked(f: Any, value: Any) -> Any:
    if type(f.default) is float and type(value) is int:  # JSON writes 10.0 as 10 in many hands
        value = float(value)
    if type(value) is not type(f.default):
        raise InputError(f"{f.name} must be a {type(f.default).__name__}, got {value!r}")
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"{f.name} must be a finite number, got {value}")
    among, low, high = f.metadata.get("among"), f.metadata.get("low"), f.metadata.get("high")
    among = among() if callable(among) else among
    members = value if isinstance(value, tuple) else (value,)
    if isinstance(value, tuple) and among is None and not all(isinstance(member, str) for member in members):
        raise InputError(f"{f.name} must be texts, got {value!r}")
    if among is not None and any(member not in among for member in members):
        raise InputError(f"{f.name} must be one of {', '.join(map(str, among))}, got {value!r}")
    if (low is not None and value < low) or (high is not None and value > high):
        raise InputError(f"{f.name} must be {low} to {high}, got {value}")
    return value
