"""Whose turn it is to compute: as many computations at a time as there are cores, fair between visitors.

    turns, ticket = Turns(2), Ticket({account})
    turns.submit(ticket, run)        # calls run() in a thread of its own once there is a place
    turns.step(ticket)               # in run(), between two steps: gives way to somebody who has used less
    turns.done(ticket)               # at the end of run()

What a visitor has used fades with a half-life. Levels are powers of two of it: within a level it is first come, first
served, so that equals finish one after the other and not all at the end; a newcomer is on the lowest level and waits no
longer than one step of somebody else's long computation. What a page can show nothing without goes before all of it.
"""

import functools
import itertools
import math
import threading
import time
from collections.abc import Callable

HALF_LIFE_S = 20.0
LOWEST_S = 0.2  # who has used less than this of a core lately is on level 1
GLANCE_S = 0.5
LOOK_S = 0.25  # between looks along the line
HURRIED, FIRST, NOBODYS = -1, 0, 1000  # levels of what was told to end, of first frames, of what nobody waits for


class Account:
    """What one visitor has used lately, in seconds of a core."""

    def __init__(self) -> None:
        self._used, self._at = 0.0, time.monotonic()

    def used(self) -> float:
        """Return the seconds that are not forgotten yet."""
        return self._used * 0.5 ** ((time.monotonic() - self._at) / HALF_LIFE_S)

    def charge(self, seconds: float) -> None:
        """Add what was used just now."""
        self._used, self._at = self.used() + seconds, time.monotonic()


class Ticket:
    """One computation's place in line.

    Args:
        accounts: Who waits for it, and pays in equal parts; may change at any time.
        first: Whether a page can show nothing before it is there. It has to be short: it goes before all else.
    """

    def __init__(self, accounts: set[Account], *, first: bool = False) -> None:
        self.accounts, self.first, self.hurried, self.holding = accounts, first, False, False
        self.begin: Callable[[], None] | None = None  # until it has a thread
        self.arrived, self.since = 0, 0.0
        self.go = threading.Event()

    def level(self, used: Callable[[Account], float] = Account.used) -> int:
        """How long its neediest owner has to stand back, by what each has used."""
        if self.hurried:
            return HURRIED
        owners = tuple(self.accounts)
        if not owners:
            return NOBODYS
        return FIRST if self.first else 1 + int(math.log2(1 + min(map(used, owners)) / LOWEST_S))


class Turns:
    """The line.

    Args:
        places: Computations at a time.
    """

    def __init__(self, places: int) -> None:
        self._free, self._lock, self._numbers = places, threading.Lock(), itertools.count()
        self._waiting: list[Ticket] = []
        self._looked, self._ahead, self._in_line = -math.inf, dict[Ticket, int](), 0

    def submit(self, ticket: Ticket, run: Callable[[], None]) -> None:
        """Stand in line; `run` is called in a thread of its own when it is this one's turn, and ends with `done`."""
        with self._lock:
            ticket.begin, ticket.arrived = run, next(self._numbers)
            self._waiting.append(ticket)
            self._fill()

    def step(self, ticket: Ticket, check: Callable[[], None] = lambda: None) -> None:
        """Give way, between two steps, to whoever has used less, and wait for another turn.

        Args:
            ticket: The one that is computing.
            check: Called now and then while it waits; an exception ends the waiting.
        """
        with self._lock:
            self._charge(ticket)
            order = _order()
            if not self._waiting or order(ticket) < order(min(self._waiting, key=order)):
                return
            ticket.go.clear()
            ticket.holding = False
            self._waiting.append(ticket)
            self._free += 1
            self._fill()
        while not ticket.go.wait(GLANCE_S):
            check()

    def done(self, ticket: Ticket) -> None:
        """Leave, with or without a place."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
            if ticket.holding:
                self._charge(ticket)
                ticket.holding = False
                self._free += 1
            self._fill()

    def hurry(self, ticket: Ticket) -> None:
        """Let one go first: it was told to end and only has to clear up."""
        with self._lock:
            ticket.hurried = True
            self._fill()

    def before(self, ticket: Ticket) -> int:
        """Count the other visitors whose work goes first; 0 for one that is computing.

        As of the last look along the line, and never waited for: sixty who ask would hold up what they wait for.
        """
        if ticket.holding:
            return 0
        if time.monotonic() - self._looked > LOOK_S and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        return self._ahead.get(ticket, self._in_line)

    def _look(self) -> None:
        ahead, seen = dict[Ticket, int](), set[Account]()
        for ticket in sorted(self._waiting, key=_order()):
            owners = ticket.accounts.copy()
            ahead[ticket] = len(seen - owners)
            seen |= owners
        self._looked, self._ahead, self._in_line = time.monotonic(), ahead, len(seen)

    def _first(self) -> Ticket | None:
        return min(self._waiting, key=_order(), default=None)

    def _fill(self) -> None:
        while self._free and (first := self._first()) is not None:
            self._waiting.remove(first)
            self._free -= 1
            first.holding, first.since = True, time.monotonic()
            run, first.begin = first.begin, None
            if run is None:
                first.go.set()
            else:
                threading.Thread(target=run, name="robust-frog-work").start()

    def _charge(self, ticket: Ticket) -> None:
        now = time.monotonic()
        accounts = tuple(ticket.accounts)
        for account in accounts:
            account.charge((now - ticket.since) / len(accounts))
        ticket.since = now


def _order() -> Callable[[Ticket], tuple[int, int]]:
    """Return what the line is sorted by at this moment: sixty visitors have five tickets each, and one account."""
    used = functools.cache(Account.used)
    return lambda ticket: (ticket.level(used), ticket.arrived)
