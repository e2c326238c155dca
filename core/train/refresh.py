"""Whatever was measured on weights that are others by now: what it is, what it costs, and measured anew.

    python -m core.train.zoo refresh                     says what is stale, which command measures it, what it costs
    python -m core.train.zoo refresh --run               does it, a part after the other; may be stopped and goes on
    python -m core.train.zoo refresh --run --only dial --most 10

Each topic declares its parts in `core/TOPIC/parts.py`. A part is stale where a network that takes part has other
weights than the file says, where one has come that would take part, or where the file does not say.
"""

import importlib
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.sets import DataError
from core.files.atomic import replace_with
from core.problems import InputError
from core.results import Part

log = logging.getLogger(__name__)
CORE = Path(__file__).resolve().parents[1]
TIMES = CORE.parent / "runs" / "refresh.json"  # how long each command took on this computer, in minutes
FIRST = ("train", "datasets")  # accuracies, and students: other topics look at what these make
Run = Callable[[tuple[str, ...]], int]


@dataclass(frozen=True)
class Due:
    """A part that is to be measured, and why.

    Args:
        part: Which.
        why: Networks that changed, with what is the matter; None where it was never measured.
        minutes: What it will take.
        timed: Whether that was timed on this computer; otherwise it is an estimate.
    """

    part: Part
    why: dict[str, str] | None
    minutes: float
    timed: bool

    @property
    def says(self) -> str:
        """The line that is printed."""
        cost = f"{self.minutes:.0f} min{'' if self.timed else ', estimated'}"
        if self.why is None:
            why = "not measured yet"
        else:
            by_matter: dict[str, list[str]] = {}
            for name, matter in self.why.items():
                by_matter.setdefault(matter, []).append(name)
            why = "; ".join(f"{matter}: {', '.join(names)}" for matter, names in by_matter.items())
        return f"{self.part.title} ({cost})\n    {why}\n    python -m {' '.join(self.part.command)}"


def declared() -> tuple[Part, ...]:
    """Collect the parts of all topics, those first that others depend on."""
    topics = sorted(path.parent.name for path in CORE.glob("*/parts.py"))
    ordered = [*FIRST, *(topic for topic in topics if topic not in FIRST)]
    return tuple(part for topic in ordered for part in importlib.import_module(f"core.{topic}.parts").parts())


def due(parts: Sequence[Part], *, missing: bool = False, times: Path = TIMES) -> Iterator[Due]:
    """Find what is to be measured.

    Args:
        parts: Which to look at.
        missing: With those that were never measured.
        times: The file of this computer's times.
    """
    known = _times(times)
    for part in parts:
        why = part.changed()
        if why or (why is None and missing):
            minutes = known.get(_key(part))
            yield Due(part, why, float(part.minutes) if minutes is None else minutes, minutes is not None)


def chosen(topics: Sequence[str]) -> tuple[Part, ...]:
    """Return the parts of those topics, or of all.

    Raises:
        InputError: If one of them measures nothing.
    """
    everything = declared()
    have = dict.fromkeys(part.topic for part in everything)
    if unknown := [topic for topic in topics if topic not in have]:
        raise InputError(f"nothing is measured of {', '.join(unknown)}; topics are {', '.join(have)}")
    return tuple(part for part in everything if not topics or part.topic in topics)


def refresh(
    topics: Sequence[str] = (),
    *,
    run: bool = False,
    missing: bool = False,
    most: float | None = None,
    start: Run | None = None,
    times: Path = TIMES,
) -> tuple[str, ...]:
    """Say what is stale and, if asked to, measure it, a part after the other.

    Args:
        topics: Only these; none means all.
        run: Do it; otherwise only say it.
        missing: With parts that were never measured.
        most: Leave out what takes more minutes than this.
        start: Runs a command and returns its exit status; by default a process of its own.
        times: Where the minutes of each command are kept.

    Returns:
        Titles of the parts that are stale now.

    Raises:
        InputError: If there is no such topic.
    """
    parts = chosen(topics)
    found = list(due(parts, missing=missing, times=times))
    doing = [one for one in found if most is None or one.minutes <= most]
    for one in found:
        sys.stdout.write(f"{one.says}{'' if one in doing else '   [takes too long]'}\n")
    total = sum(one.minutes for one in doing)
    sys.stdout.write(f"{len(found)} of {len(parts)} parts are stale" + (f": {total:.0f} min\n" if doing else "\n"))
    if not run:
        return tuple(one.part.title for one in found)
    for number, one in enumerate(doing, 1):
        if not list(due([one.part], missing=missing, times=times)):
            log.info("%s: measured on the way", one.part.title)
            continue
        log.info("%d of %d: %s", number, len(doing), one.part.title)
        _measured(one.part, start or _process, times)
    left = tuple(one.part.title for one in due(parts, missing=missing, times=times))
    sys.stdout.write(f"still stale: {', '.join(left)}\n" if left else "everything is of the weights that are here\n")
    return left


def _measured(part: Part, start: Run, times: Path) -> None:
    began = time.monotonic()
    status = start(part.command)
    minutes = (time.monotonic() - began) / 60
    if status != 0:
        log.warning("%s: the command ended with status %d", part.title, status)
        return
    replace_with(times, json.dumps({**_times(times), _key(part): round(minutes, 2)}, indent=1) + "\n")
    log.info("%s: %.1f min", part.title, minutes)


def _process(command: tuple[str, ...]) -> int:
    return subprocess.run([sys.executable, "-m", *command], cwd=CORE.parent, check=False).returncode


def _key(part: Part) -> str:
    return " ".join(part.command)


def _times(path: Path) -> dict[str, float]:
    if not path.is_file():
        return {}
    try:
        return {str(key): float(value) for key, value in json.loads(path.read_text("utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is damaged ({error}); delete it: it holds only how long commands took") from error
