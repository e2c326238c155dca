"""Work beside a page: computed once however many ask for it, watched, stopped, and kept.

    pieces = [Piece(("maps", recipe, one.stamp), make, steps=20), ...]     # make(on_step) -> result
    outcomes = ask(pieces, group=recipe, text="Explaining…")               # in the order of the pieces

A piece that somebody else has asked for is not computed again: all who wait for it see the same progress. It runs in
turns (`pages.ui.turns`), not in the script, which only watches; whatever ends the script (Stop, another control, a closed
tab) leaves it. Work that nobody waits for stands back, goes on where it was if somebody asks again soon, and else ends.

A complete result is kept for everybody under its key, an upload's in the session alone; what a page in sight shows is
held by its session, whatever the store forgets. A stopped one is the session's own, says at which step it was stopped,
and stays until the person asks for all of it or for something else.
"""

import functools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import streamlit as st
import torch

from core import compute
from core.attacks.rules import State
from core.models import Classifier, checkpoints
from pages.ui import store
from pages.ui.turns import Account, Ticket, Turns

T = TypeVar("T")
DESK = "work-desk"  # where a session keeps it
GLANCE_S = 0.05  # between looks at whether the page was interrupted
PROGRESS_S = 0.25  # between messages to the browser
GRACE_S = 4.0  # what nobody waits for ends after that; a page that runs again asks again sooner
PATIENCE_S = 2.0  # of Stop, should a step take long
LINE_S = 1.0  # who waits longer is told for how many others
OWN_BYTES = 64 * 2**20  # results of a session's uploads
RUNS = 3  # of the page, for which it holds what it does not ask for any more


class Step(Protocol):
    """What the work calls at each step, an `OnStep` that needs no state; True asks it to end."""

    def __call__(self, i: int, state: State | None = None) -> bool: ...


@dataclass(frozen=True)
class Piece(Generic[T]):
    """Something to compute.

    Args:
        key: What it depends on, the stamps of the weights among it (`store.loaded`).
        make: Computes it; takes the `on_step` for its loop, and returns what it has when that returns True.
        steps: How often `on_step` is called, for the progress bar.
        own: The session's own, because it shows what somebody uploaded.
    """

    key: Hashable
    make: Callable[[Step], T]
    steps: int = 1
    own: bool = False


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
        self.piece, self.ticket = piece, Ticket(set())
        self.future: Future[Outcome[T]] = Future()
        self.began, self.at, self.stopped_at = time.monotonic(), 0, None  # type: float, int, int | None
        self.state: State | None = None
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
        except Abandoned:
            outcome = Outcome(None, self.at)
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody waits
            problem = error
        turns().done(self.ticket)
        forget()
        if problem is None:
            self.future.set_result(outcome)
        else:
            self.future.set_exception(problem)

    def step(self, i: int, state: State | None = None) -> bool:
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


class Desk:
    """What one session has: its account, results of its own, what its page shows, and what it has stopped."""

    def __init__(self) -> None:
        self.account, self.own = Account(), store.Store(OWN_BYTES)
        self._run, self._asked, self._shown = 0, 0, OrderedDict[Hashable, tuple[int, Any]]()
        self.under_way: dict[Hashable, Flight[Any]] = {}
        self.stopped: Hashable | None = None  # the group
        self.partial: dict[Hashable, Outcome[Any]] = {}

    def begin(self) -> None:
        """Begin another run of the page: let go of what the last few have not shown."""
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

    def go_on(self) -> None:
        """Want all of it after all."""
        self.stopped, self.partial = None, {}

    def outcome(self, key: Hashable) -> Outcome[Any]:
        """Return what has become of a piece; nothing, and no step, is one that is still under way."""
        if (found := self.get(key)) is not None:
            return Outcome(found)
        if self.stopped is None:
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


def known(piece: Piece[T]) -> T | None:
    """Return the complete result of a piece if there is one."""
    found: T | None = desk().get(piece.key)
    return found


def kept(key: Hashable, make: Callable[[], T], *, own: bool = False) -> T:
    """Return a small thing that follows from results, made in the script if it is not there."""
    found = desk().get(key)
    return found if found is not None else desk().keep(key, make(), own=own)


def is_stopped(group: Hashable) -> bool:
    """Tell whether the person has stopped that work."""
    return desk().stopped == group


def ask(
    pieces: Sequence[Piece[T]],
    *,
    group: Hashable,
    text: str,
    until: Sequence[Piece[T]] | None = None,
    linger: float = 0.0,
    show: Callable[[dict[Hashable, State]], None] | None = None,
) -> list[Outcome[T]]:
    """Return what has become of the pieces, computing what is missing side by side, with a progress bar and Stop.

    Args:
        pieces: What is wanted, in the order in which it should come.
        group: What the person asked for; Stop ends all of it, and it stays stopped until they want the rest
            (`say_stopped`) or something else.
        text: What is said beside the bar.
        until: Return when these are there, by default all; the others go on if they are asked for again soon.
        linger: But not before that many seconds, while the others may come too.
        show: Called now and then with the last state of each piece under way, by key.

    Raises:
        Exception: Whatever computing a piece raised.
    """
    here = desk()
    if here.stopped is not None and here.stopped != group:
        here.go_on()
    missing = [piece for piece in pieces if here.get(piece.key) is None]
    awaited = {piece.key for piece in (missing if until is None else until)}
    if here.stopped is None and any(piece.key in awaited for piece in missing):
        flights = here.under_way = {piece.key: _join(piece, here) for piece in missing}
        whole = sum(piece.steps for piece in pieces)
        behind = whole - sum(piece.steps for piece in missing)
        try:
            _watch(
                flights, awaited, linger, lambda: (behind + _steps(flights.values())) / max(1, whole), group, text, show
            )
        finally:
            for flight in flights.values():
                flight.leave(here.account)
        for key, flight in flights.items():
            if flight.future.done() and (value := flight.future.result().value) is not None:
                here.hold(key, value)  # the store may have forgotten it already
    return [here.outcome(piece.key) for piece in pieces]


def _watch(
    flights: Mapping[Hashable, Flight[T]],
    awaited: set[Hashable],
    linger: float,
    share: Callable[[], float],
    group: Hashable,
    text: str,
    show: Callable[[dict[Hashable, State]], None] | None,
) -> None:
    left = {flight.future for flight in flights.values()}
    needed = {flight.future for key, flight in flights.items() if key in awaited}
    began = time.monotonic()
    slot = st.empty()
    try:
        with slot.container(horizontal=True, vertical_alignment="center"):
            here = desk()
            st.button(
                "Stop", key=here.key_of_stop(), on_click=here.stop, args=(group,), width="content",
                help="Keeps what there is.",
            )  # fmt: skip
            bar = st.progress(min(1.0, share()), text)
        said, sent = ("", 0.0), time.monotonic()
        while left and (needed & left or time.monotonic() - began < linger):
            left = wait(left, timeout=GLANCE_S, return_when=FIRST_COMPLETED).not_done
            if any(future.done() and future.exception() for future in (flight.future for flight in flights.values())):
                break
            desk()  # touching the session is what lets Streamlit interrupt this run
            if time.monotonic() - sent < PROGRESS_S:
                continue
            sent, now = time.monotonic(), (text + _line(flights.values()), round(min(1.0, share()), 2))
            if now != said:
                said = now
                bar.progress(now[1], now[0])
            if show is not None:
                show({key: flight.state for key, flight in flights.items() if flight.state is not None})
    finally:
        slot.empty()


def _steps(flights: Iterable[Flight[T]]) -> int:
    return sum(f.piece.steps if f.future.done() else min(f.at, f.piece.steps) for f in flights)


def _line(flights: Iterable[Flight[T]]) -> str:
    """Say for how many others one waits, where that takes longer than a moment."""
    idle = [flight for flight in flights if not flight.future.done()]
    if not idle or time.monotonic() - min(flight.began for flight in idle) < LINE_S:
        return ""
    before = min(turns().before(flight.ticket) for flight in idle)
    return f" In line: {before} {'visitor' if before == 1 else 'visitors'} before you." if before else ""


def _join(piece: Piece[T], here: Desk) -> Flight[T]:
    """Wait for a piece that is under way, or put it under way."""
    key = (piece.key, id(here)) if piece.own else piece.key
    with _lock:
        found: Flight[T] | None = _flights.get(key)
        flight = found if found is not None and not found.ending else Flight(piece)
        flight.ticket.accounts.add(here.account)
        _flights[key] = flight

    def forget() -> None:
        with _lock:
            if _flights.get(key) is flight:
                del _flights[key]

    if flight is not found:
        keep = functools.partial(here.keep, piece.key, own=piece.own)
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


def say_stopped(text: str, label: str = "Compute all of it") -> None:
    """Say what was stopped where, with the way on."""
    with st.container(horizontal=True, vertical_alignment="center", key="work-stopped"):
        st.caption(text, width="content")
        st.button(label, key="go-on", on_click=desk().go_on, width="content")


def wanted(
    pieces: Sequence[Piece[T]],
    *,
    text: str,
    group: Hashable | None = None,
    show: Callable[[dict[Hashable, State]], None] | None = None,
) -> list[T]:
    """Return the results of all the pieces, as `ask` does; a stopped one is said to be that, and without any the page ends.

    Args:
        pieces: What is wanted.
        text: What is said beside the bar.
        group: See `ask`; by default the keys of the pieces.
        show: See `ask`.
    """
    group = group if group is not None else tuple(piece.key for piece in pieces)
    outcomes = ask(pieces, group=group, text=text, show=show)
    found = [one.value for one in outcomes if one.value is not None]
    ended = [str(one.stopped) for one in outcomes if one.stopped is not None]
    if ended:
        where = f"Stopped at step {' and '.join(dict.fromkeys(ended))} of {max(piece.steps for piece in pieces)}"
        whole = len(found) == len(pieces)
        say_stopped(f"{where}; {'what you see is the best so far' if whole else 'there is nothing to show yet'}.")
    if len(found) < len(pieces):
        st.stop()
    return found


class Pair(Protocol):
    """A recipe for two models: the names of their checkpoints."""

    @property
    def standard(self) -> str: ...

    @property
    def robust(self) -> str: ...


def both(
    recipe: Pair,
    work: Callable[[str, Classifier, Step], T],
    *,
    steps: int,
    show: Callable[[dict[str, State]], None],
    key: Hashable,
    own: bool = False,
) -> tuple[T, T]:
    """Return the results of the left and of the right model, computing what is missing side by side.

    A stopped one is the best so far and is said to be that; without any, the page ends here.

    Args:
        recipe: Its models are asked.
        work: Computes one model's result: (name, model, on_step) -> result.
        steps: Steps it takes, for the progress bar.
        show: Puts what there is so far on the page: (name -> state).
        key: What one model's result depends on, besides the model.
        own: The session's own, because it shows what somebody uploaded.
    """

    def piece(one: store.Loaded) -> Piece[T]:
        return Piece((key, one.name, one.stamp), lambda on_step: work(one.name, one.model, on_step), steps, own)

    pieces = {name: piece(store.loaded(name)) for name in dict.fromkeys((recipe.standard, recipe.robust))}
    names = {one.key: name for name, one in pieces.items()}
    asked = ask(
        list(pieces.values()),
        group=(key, *pieces),
        text="Computing in both models…",
        show=lambda states: show({names[key]: state for key, state in states.items()}),
    )
    outcomes = dict(zip(pieces, asked, strict=True))
    ended = {name: one.stopped for name, one in outcomes.items() if one.stopped is not None}
    found = {name: one.value for name, one in outcomes.items() if one.value is not None}
    if ended:
        where = " and ".join(f"at step {step} ({checkpoints.header(name).title})" for name, step in ended.items())
        kept = "what you see is the best so far" if len(found) == len(pieces) else "there is nothing to show yet"
        say_stopped(f"Stopped {where} of {steps}; {kept}.")
    if len(found) < len(pieces):
        st.stop()
    return found[recipe.standard], found[recipe.robust]
