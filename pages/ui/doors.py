"""How many pages are made at a time: as many as there are cores, and the others after them.

    with doors.inside():      # around the run of a page, in app.py
    with doors.outside():     # within it, while it only waits

The threads of sixty pages share Python's lock so evenly that all of them end together, and nothing is sent before,
because whoever sends is one of sixty-one. A few at a time are done in turn: the first visitor sees a frame after 0.5 s
instead of 3.8, and the last no later.
"""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from core import compute

LEAST = 2
PATIENCE_S = 5.0  # after that one goes in all the same, should those inside be long

_here = threading.local()  # .places: where this thread has a place
_comers = set[int]()  # threads that make a page, or wait for their turn


@functools.cache
def _places() -> threading.Semaphore:
    return threading.Semaphore(max(LEAST, compute.usable_cores()))


def rush() -> bool:
    """Tell whether a page is being made, or waits for its turn to be."""
    return bool(_comers)


def _enter() -> None:
    _comers.add(threading.get_ident())
    _here.places = _places() if _places().acquire(timeout=PATIENCE_S) else None


def _leave() -> bool:
    came, places = threading.get_ident() in _comers, getattr(_here, "places", None)
    _comers.discard(threading.get_ident())
    _here.places = None
    if places is not None:
        places.release()
    return came


@contextmanager
def inside() -> Iterator[None]:
    """Wait for a place, and hold it."""
    try:
        _enter()
        yield
    finally:
        _leave()


@contextmanager
def outside() -> Iterator[None]:
    """Leave the place to somebody else meanwhile, if this thread makes a page."""
    had = _leave()
    try:
        yield
    finally:
        if had:
            _enter()
