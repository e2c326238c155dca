"""Work under way: each piece computed once, in a thread of its own, however many wait for it.

A flight begins when somebody asks for its piece, takes turns with other visitors' (`pages.ui.turns`), and ends when it
is whole, when the last who waits says Stop, or some seconds after nobody waits for it any more.
"""

import functools
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch

from core import compute
from core.attacks import Stop
from pages.ui import memory
from pages.ui.turns import Account, Ticket, Turns

T = TypeVar("T")
GRACE_S = 4.0  # what nobody waits for ends after that; a page that runs again asks again sooner


class Step(Protocol):
    """What the work calls at each step, with what all who wait may see of it; True asks it to end."""

    def __call__(self, i: int, state: object = None) -> bool: ...


@dataclass(frozen=True)
class Piece(Generic[T]):
    """Something to compute.

    Args:
        key: What it depends on, the stamps of the weights among it (`store.loaded`).
        make: Computes it; takes the `on_step` for its loop, and returns what it has when that returns True.
        steps: How often `on_step` is called, for the progress bar.
        own: The session's own, because it shows what somebody uploaded.
        first: It is short, and the page can show nothing before it: it goes before all else.
    """

    key: Hashable
    make: Callable[[Step], T]
    steps: int = 1
    own: bool = False
    first: bool = False


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What has become of a piece: its result, and the step at which it was stopped (None: complete).

    There is no result where it was stopped before it began, or goes on because somebody else waits for it.
    """

    value: T | None
    stopped: int | None = None


class Abandoned(BaseException):
    """Nobody waits for it any more; not an `Exception`, because no loop may take it for a result."""


class Flight(Generic[T]):
    """A piece under way, and who waits for it."""

    def __init__(self, piece: Piece[T]) -> None:
        self.piece, self.ticket = piece, Ticket(set(), first=piece.first)
        self.future: Future[Outcome[T]] = Future()
        self.began, self.at, self.stopped_at = time.monotonic(), 0, None  # type: float, int, int | None
        self.state: object = None
        self.ending, self.left = False, time.monotonic()

    def run(self, keep: Callable[[T], object], forget: Callable[[], None]) -> None:
        """Compute it, in its own thread."""
        torch.set_flush_denormal(True)  # each thread has a switch of its own
        outcome: Outcome[T] = Outcome(None, 0)
        problem: BaseException | None = None
        try:
            if not self.ending:
                self._check()
                outcome = Outcome(self.piece.make(self.step), self.stopped_at)
                if outcome.stopped is None and outcome.value is not None:
                    keep(outcome.value)
        except (Abandoned, Stop):  # Stop: ended as it was told, with nothing that could be shown
            outcome = Outcome(None, self.at if self.stopped_at is None else self.stopped_at)
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            problem = error
        turns().done(self.ticket)
        forget()
        if problem is None:
            self.future.set_result(outcome)
        else:
            self.future.set_exception(problem)
        memory.soon()

    def step(self, i: int, state: object = None) -> bool:
        """Be the loop's `on_step`: note how far it is, give way, and tell it whether to end."""
        self.at, self.state = i + 1, state
        if not self.ending:
            self._check()
            turns().step(self.ticket, self._check)
        if self.ending and self.stopped_at is None:
            self.stopped_at = i
        return self.ending

    def _check(self) -> None:
        with _lock:
            if not self.ticket.accounts and not self.ending and time.monotonic() - self.left > GRACE_S:
                self.ending = True
                raise Abandoned

    @property
    def steps(self) -> int:
        """How many of the piece's steps are done."""
        return self.piece.steps if self.future.done() else min(self.at, self.piece.steps)

    def before(self) -> int:
        """Count the other visitors whose work goes first."""
        return turns().before(self.ticket)

    def leave(self, account: Account) -> None:
        """Wait for it no longer."""
        with _lock:
            self.ticket.accounts.discard(account)
            self.left = time.monotonic()

    def stop(self, account: Account) -> bool:
        """End it with what it has; not where others than that one wait for it. Return whether it ends."""
        with _lock:
            self.ticket.accounts.discard(account)  # the run that waited may not have noticed the click yet
            if self.ticket.accounts:
                return False
            self.ending = True
        turns().hurry(self.ticket)
        return True


_flights: dict[Hashable, Flight[Any]] = {}
_lock = threading.Lock()  # of who waits for what


@functools.cache
def turns() -> Turns:
    """Return the line in which all work of the app stands."""
    return Turns(compute.setup_app())


def join(piece: Piece[T], account: Account, keep: Callable[[T], object]) -> Flight[T]:
    """Wait for a piece that is under way, or put it under way.

    Args:
        piece: What is wanted.
        account: Who waits for it.
        keep: Called with a complete result, before it is given to those who wait.
    """
    key = (piece.key, account) if piece.own else piece.key
    with _lock:
        found: Flight[T] | None = _flights.get(key)
        flight = found if found is not None and not found.ending else Flight(piece)
        flight.ticket.accounts.add(account)
        _flights[key] = flight

    def forget() -> None:
        with _lock:
            if _flights.get(key) is flight:
                del _flights[key]

    if flight is not found:
        turns().submit(flight.ticket, lambda: flight.run(keep, forget))
    return flight


def turn(account: Account, make: Callable[[], T]) -> Future[T]:
    """Compute something short when it is that visitor's turn."""
    ticket, future = Ticket({account}), Future[T]()

    def run() -> None:
        torch.set_flush_denormal(True)
        if not future.set_running_or_notify_cancel():  # whoever asked has gone
            turns().done(ticket)
            return
        try:
            made = make()
        except BaseException as problem:  # noqa: BLE001 - it is raised where somebody waits
            turns().done(ticket)
            future.set_exception(problem)
        else:
            turns().done(ticket)
            future.set_result(made)

    turns().submit(ticket, run)
    return future
