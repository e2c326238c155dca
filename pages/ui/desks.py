"""What a session has of the work beside its page.

Its account, results of its own, what its page shows, what it stopped.
"""

from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import wait
from typing import Any, TypeVar

import streamlit as st

from pages.ui import store
from pages.ui.flights import Flight, Outcome, Piece, join
from pages.ui.turns import Account

T = TypeVar("T")
DESK = "work-desk"  # where a session keeps it
PATIENCE_S = 2.0  # of Stop, should a step take long
OWN_BYTES = 64 * 2**20  # results of a session's uploads
RUNS = 3  # of the page, for which it holds what it does not ask for any more


class Desk:
    """What one session has: its account, results of its own, what its page shows, and what it has stopped."""

    def __init__(self) -> None:
        self.account, self.own = Account(), store.Store(OWN_BYTES)
        self._run, self._asked, self._shown = 0, 0, OrderedDict[Hashable, tuple[int, Any]]()
        self._groups = set[Hashable]()  # asked about in this run
        self.under_way: dict[Hashable, Flight[Any]] = {}
        self.stopped: Hashable | None = None  # the group
        self.partial: dict[Hashable, Outcome[Any]] = {}

    def begin(self) -> None:
        """Begin another run of the page: let go of what the last few have not shown, and of a Stop of what it left."""
        if self._groups and self.stopped not in self._groups:
            self.go_on()
        self._groups = set()
        self._run, self._asked = self._run + 1, 0
        for key in [key for key, (run, _) in self._shown.items() if run < self._run - RUNS]:
            del self._shown[key]

    def get(self, key: Hashable) -> Any | None:
        """Return the result under that key, or None, and hold it while the page shows it."""
        _, found = self._shown.get(key, (0, None))
        found = found if found is not None else self.own.get(key)
        found = found if found is not None else store.results().get(key)
        return found if found is None else self.hold(key, found)

    def hold(self, key: Hashable, found: T) -> T:
        """Hold a result while the page shows it."""
        self._shown[key] = self._run, found
        return found

    def keep(self, key: Hashable, value: T, *, own: bool) -> T:
        """Keep a result, for everybody or for this session alone."""
        (self.own if own else store.results()).put(key, value)
        return value

    def join(self, piece: Piece[T]) -> Flight[T]:
        """Wait for a piece on this session's account, and keep what it gives."""
        return join(piece, self.account, lambda made: self.keep(piece.key, made, own=piece.own))

    def key_of_stop(self) -> str:
        """Return the key of the next Stop: a page that asks twice in one run has two, one after the other."""
        self._asked += 1
        return "stop" if self._asked == 1 else f"stop-{self._asked}"

    def stop(self, group: Hashable) -> None:
        """Be what the button does: end what this session alone waits for."""
        self.stopped, self.partial = group, {}
        for key, flight in self.under_way.items():
            if not flight.stop(self.account):
                self.partial[key] = Outcome(None, flight.at)

    def is_stopped(self, group: Hashable) -> bool:
        """Tell whether the person has stopped that work, which this run of the page is about."""
        self._groups.add(group)
        return self.stopped == group

    def go_on(self) -> None:
        """Want all of it after all."""
        self.stopped, self.partial = None, {}

    def outcome(self, key: Hashable, group: Hashable) -> Outcome[Any]:
        """Return what has become of a piece of that work; nothing, and no step, is one that is still under way."""
        if (found := self.get(key)) is not None:
            return Outcome(found)
        if self.stopped != group:
            return Outcome(None)
        if key not in self.partial:
            flight = self.under_way.get(key)
            if flight is None or not wait([flight.future], PATIENCE_S).done:
                return Outcome(None, flight.at if flight is not None else 0)
            self.partial[key] = flight.future.result()
        return self.partial[key]


def desk() -> Desk:
    """Return the session's desk."""
    found = st.session_state.get(DESK)
    if found is None:
        found = st.session_state[DESK] = Desk()
    return found
