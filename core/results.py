"""Files of measured results: whole or not at all, dated, and stamped with the weights that they were measured on.

    about = about(["resnet9-l2"], n=200, seed=0, how="…")
    write(path, {**about, "models": found})
    found = read(path, "python -m core.inversion measure")      # None where nothing was measured
    stale(found)                                                # ("resnet9-l2",) once it has been trained anew

Files that were measured before there were stamps have none: of them nobody can say whether they are stale.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.data.sets import DataError
from core.files.atomic import replace_with
from core.models import checkpoints
from core.problems import InputError

FOLDER = checkpoints.FOLDER.parent / "assets" / "results"
STAMPS = "stamps"


def today() -> str:
    """Return the date of a measurement, in UTC."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def about(models: Iterable[str], *, n: int, seed: int, how: str, **more: Any) -> dict[str, Any]:
    """Say what belongs to every measurement: how many pictures, the seed, today's date, how, and on which weights.

    Args:
        models: Names of the checkpoints that took part.
        n: Pictures, or whatever was drawn.
        seed: Of all draws.
        how: Settings, precision, device and versions, in a few words.
        more: What else there is to say.
    """
    return {"n": n, "seed": seed, "date": today(), "how": how, STAMPS: stamps_of(models), **more}


def stamps_of(models: Iterable[str]) -> dict[str, str]:
    """Return the stamp of each model's weights, by name."""
    return {name: checkpoints.stamp(name) for name in dict.fromkeys(models)}


def write(path: Path, content: Mapping[str, Any], *, indent: int = 2, sort_keys: bool = True) -> None:
    """Write results as JSON, atomically."""
    replace_with(path, json.dumps(content, indent=indent, sort_keys=sort_keys) + "\n")


def update(path: Path, parts: Mapping[str, Any], again: str = "", *, indent: int = 2, sort_keys: bool = True) -> None:
    """Put parts into a file, atomically, and leave what else is there as it is.

    Raises:
        DataError: If the file is there and damaged.
    """
    write(path, {**(read(path, again) or {}), **parts}, indent=indent, sort_keys=sort_keys)


def read(path: Path, again: str = "", check: Callable[[Any], object] | None = None) -> dict[str, Any] | None:
    """Read results; None where there are none.

    Args:
        path: The file.
        again: The command that measures them anew.
        check: Takes what was read, and fails where it is not of the expected form.

    Raises:
        DataError: If the file is damaged.
    """
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise TypeError("not an object")
        if check is not None:
            check(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise damaged(path, error, again) from error
    return found


def damaged(path: Path, error: Exception, again: str = "") -> DataError:
    """Make the error that says that a file cannot be used, and what to do."""
    return DataError(f"{path.name} is damaged ({error})" + (f"; measure again with: {again}" if again else ""))


def stale(found: Mapping[str, Any]) -> tuple[str, ...]:
    """List the models that have other weights by now than those that these results were measured on.

    Models whose weights are not here, and results without stamps, are not listed: nothing is known of them.
    """
    stamps = found.get(STAMPS, {})
    here = [name for name in stamps if checkpoints.path_of(name).is_file()]
    return tuple(name for name in here if checkpoints.stamp(name) != stamps[name])


def refuse_smaller(path: Path, known: int | None, n: int, *, anew: bool = False) -> None:
    """Refuse to replace a measurement on more pictures by one on fewer, unless that is asked for.

    Raises:
        InputError: If `known`, the n of what is there, is larger.
    """
    if not anew and known is not None and n < known:
        raise InputError(
            f"{path.name} was measured on n = {known:,}, more than {n:,}; choose another --out, or add --anew to"
            " replace it"
        )


def refuse_other(path: Path, known: Mapping[str, Any] | None, *, anew: bool = False, **settings: Any) -> None:
    """Refuse to put numbers into a file beside others that were measured otherwise.

    Args:
        path: The file.
        known: What is in it, or None.
        anew: Whether the caller will begin the file anew.
        settings: What must agree with it, by name.

    Raises:
        InputError: If one of the settings differs.
    """
    for name, value in settings.items():
        if known and not anew and name in known and known[name] != value:
            raise InputError(
                f"{path.name} was measured with {name} = {known[name]}, not {value}; choose another --out, or add"
                " --anew to begin it anew"
            )
