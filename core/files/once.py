"""What is made of a file, or of the names in a folder, is made once: until that is another.

    @once_a_state(8)
    def _read(path: Path) -> Lecture: ...

Asked again, it does not read, unless the file was edited or replaced.
"""

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
State = tuple[int, int, int]
SETTLED_NS = 2 * 10**9  # a date is no finer than the file system's clock, 2 s at the coarsest


def state_of(path: Path) -> State | None:
    """Return what changes with a file, or with a folder's names: date in ns, bytes, inode; None where nothing is."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def once_a_state(most: int) -> Callable[[Callable[[Path], T]], Callable[[Path], T]]:
    """Keep the last results of a function of a path; whoever changes one changes what others are given.

    Args:
        most: So many are kept. What raises is not, nor what has changed just now: it may change again on the same date.
    """

    def keeping(make: Callable[[Path], T]) -> Callable[[Path], T]:
        @functools.lru_cache(maxsize=most)
        def made(path: Path, _state: State | None) -> T:
            return make(path)

        @functools.wraps(make)
        def asked(path: Path) -> T:
            state = state_of(path)
            if state is not None and abs(time.time_ns() - state[0]) < SETTLED_NS:
                return make(path)
            return made(path, state)

        return asked

    return keeping
