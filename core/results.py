"""Files of measured results: whole or not at all, dated, and stamped with the weights that they were measured on.

    about = about(["resnet9-l2"], n=200, seed=0, how="…")
    write(path, {**about, "models": found})
    found = read(path, "python -m core.inversion measure")      # None where nothing was measured
    stale(found)                                                # ("resnet9-l2",) once it has been trained anew

A topic declares what it measures, and by which command, in its `parts.py` as `Part`s: `python -m core.train.zoo
refresh` measures anew whatever hangs on weights that are others by now.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.data.sets import DataError
from core.files.atomic import replace_with
from core.models import checkpoints
from core.problems import InputError

FOLDER = checkpoints.FOLDER.parent / "assets" / "results"
STAMPS = "stamps"
OF_PARTS = "stamps of parts"  # where the parts of a file are measured one by one: {"heat": {name: stamp}}
OTHER, NEW, UNKNOWN = "other weights", "new here", "no stamp"  # what can be the matter with a network that takes part
HELD = (STAMPS, "weights")  # keys under which a part says on which weights it was measured


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
    """List the models that have other weights by now than those that these results, or parts of them, were measured on.

    Models whose weights are not here, and results without stamps, are not listed: nothing is known of them.
    """
    here = {name: stamps for name, stamps in recorded(found).items() if checkpoints.path_of(name).is_file()}
    return tuple(name for name, stamps in here.items() if stamps != {checkpoints.stamp(name)})


def recorded(found: Mapping[str, Any]) -> dict[str, set[str]]:
    """Collect all stamps in measured results, by name of the network, wherever in them they stand."""
    by_name: dict[str, set[str]] = {}
    for name, stamp in _stamps(found, ""):
        by_name.setdefault(name, set()).add(stamp)
    return by_name


def _stamps(found: object, parent: str) -> Iterator[tuple[str, str]]:
    if isinstance(found, list):
        for one in found:
            yield from _stamps(one, "")
    if not isinstance(found, Mapping):
        return
    for key, value in found.items():
        if key == OF_PARTS:
            for stamps in value.values():
                yield from stamps.items()
        elif key in HELD and isinstance(value, Mapping):
            yield from value.items()
        elif key == "stamp" and isinstance(value, str):
            yield parent, value
        else:
            yield from _stamps(value, key)


def signed(found: Mapping[str, Any], part: str, stamps: Mapping[str, str], parts: Iterable[str]) -> dict[str, Any]:
    """Note on which weights a part of a file was just measured; what is noted of the other parts stays.

    Args:
        found: The file's content.
        part: Its key.
        stamps: Of the networks that took part; where a part is measured network by network, they join the others.
        parts: All keys that are measured one by one; those without a note of their own keep the file's stamps.
    """
    known = found.get(OF_PARTS) or {one: dict(found.get(STAMPS, {})) for one in parts if one in found}
    by_part = {**known, part: {**known.get(part, {}), **stamps}}
    everyone = {name: stamp for noted in by_part.values() for name, stamp in noted.items()}
    return {**found, STAMPS: everyone, OF_PARTS: by_part}


@dataclass(frozen=True)
class Part:
    """A part of a file of results that one command measures.

    Args:
        topic: A folder of core/.
        name: Of the part, for people.
        path: The file.
        command: The module and its arguments, without `python -m`.
        minutes: What it takes on two cores, roughly; whoever has timed it knows better.
        weights: Returns the names of the networks that take part, of those that are here.
        places: Where in the file it stands, each a path of keys; the default is the whole of it.
    """

    topic: str
    name: str
    path: Path
    command: tuple[str, ...]
    minutes: int
    weights: Callable[[], Iterable[str]]
    places: tuple[tuple[str, ...], ...] = ((),)

    @property
    def title(self) -> str:
        """Topic and name."""
        return f"{self.topic}: {self.name}"

    def held(self, found: Mapping[str, Any]) -> dict[str, set[str]] | None:
        """Collect the stamps of this part, by network; None where it is not, or not wholly, in what was read."""
        by_name: dict[str, set[str]] = {}
        for place in self.places:
            there: Any = found
            for key in place:
                there = there.get(key) if isinstance(there, Mapping) else None
            if there is None:
                return None
            noted = {} if not place else found.get(OF_PARTS, {}).get(place[0], {})
            own = recorded({place[-1] if place else "": there, STAMPS: noted}) or recorded(
                {STAMPS: found.get(STAMPS, {})}
            )
            for name, stamps in own.items():
                by_name.setdefault(name, set()).update(stamps)
        return by_name

    def changed(self) -> dict[str, str] | None:
        """List the networks because of which it is to be measured anew, with what is the matter; empty if none is.

        None where it was not measured at all.

        Raises:
            DataError: If the file is damaged.
        """
        found = read(self.path, f"python -m {' '.join(self.command)}")
        held = None if found is None else self.held(found)
        if held is None:
            return None
        here = [name for name in dict.fromkeys([*self.weights(), *held]) if checkpoints.path_of(name).is_file()]
        what = {name: _standing(held.get(name), checkpoints.stamp(name), known=bool(held)) for name in here}
        return {name: matter for name, matter in what.items() if matter}


def _standing(stamps: set[str] | None, stamp: str, *, known: bool) -> str:
    if stamps is None:
        return NEW if known else UNKNOWN
    return "" if stamps == {stamp} else OTHER


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
