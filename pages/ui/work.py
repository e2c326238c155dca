"""Work beside a page: computed once however many ask for it, watched, stopped, and kept.

    pieces = [Piece(("maps", recipe, one.stamp), make, steps=20), ...]     # make(on_step) -> result
    outcomes = ask(pieces, group=recipe, text="Explaining…")               # in the order of the pieces

A piece that somebody else has asked for is not computed again: all who wait for it see the same progress. It runs in
turns in a thread of its own (`pages.ui.flights`), not in the script, which only watches; whatever ends the script
(Stop, another control, a closed tab) leaves it. Work that nobody waits for stands back, goes on where it was if
somebody asks again soon, and else ends.

A complete result is kept for everybody under its key, an upload's in the session alone; what a page in sight shows is
held by its session, whatever the store forgets. A stopped one is the session's own, says at which step it was stopped,
and stays until the person asks for all of it or for something else.
"""

import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from typing import Any, Protocol, TypeVar

import streamlit as st

from core.attacks.rules import State
from core.models import Classifier, checkpoints
from pages.ui import doors, store
from pages.ui.desks import desk
from pages.ui.flights import Flight, Outcome, Piece, Step

__all__ = [
    "Outcome",
    "Piece",
    "Step",
    "ask",
    "both",
    "desk",
    "is_stopped",
    "kept",
    "known",
    "say_stopped",
    "wanted",
]

T = TypeVar("T")
GLANCE_S = 0.05  # between looks at whether the page was interrupted
PROGRESS_S = 0.25  # between messages to the browser
IN_LINE = 3  # times as long are both for who waits behind others: sixty pages that look keep the computing from a core
LINE_S = 1.0  # who waits longer is told for how many others
CROWD = 8  # others in line: for as many more, messages come as much later again; the bar of a long line hardly moves
MOST_LINGER = 9  # others in line, for each of whom one lingers once more


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
    return desk().is_stopped(group)


def ask(
    pieces: Sequence[Piece[T]],
    *,
    group: Hashable,
    text: str,
    until: Sequence[Piece[T]] | None = None,
    linger: float = 0.0,
    show: Callable[[dict[Hashable, Any]], None] | None = None,
) -> list[Outcome[T]]:
    """Return what has become of the pieces, computing what is missing side by side, with a progress bar and Stop.

    Args:
        pieces: What is wanted, in the order in which it should come.
        group: What the person asked for; Stop ends all of it, and it stays stopped until they want the rest
            (`say_stopped`) or something else.
        text: What is said beside the bar.
        until: Return when these are there, by default all; the others go on if they are asked for again soon.
        linger: But not before that many seconds, while the others may come too; longer where others are in line, since
            every run of the page takes from the computing that all wait for.
        show: Called now and then with the last state of each piece under way, by key: what its work gave `on_step`,
            whoever began it.

    Raises:
        Exception: Whatever computing a piece raised.
    """
    here = desk()
    stopped = here.is_stopped(group)
    missing = [piece for piece in pieces if here.get(piece.key) is None]
    awaited = {piece.key for piece in (missing if until is None else until)}
    if not stopped and any(piece.key in awaited for piece in missing):
        flights = here.under_way = {piece.key: here.join(piece) for piece in missing}
        whole = sum(piece.steps for piece in pieces)
        behind = whole - sum(piece.steps for piece in missing)

        def share() -> float:
            return (behind + sum(flight.steps for flight in flights.values())) / max(1, whole)

        try:
            with doors.outside():
                _watch(flights, awaited, linger, share, group, text, show)
        finally:
            for flight in flights.values():
                flight.leave(here.account)
        for key, flight in flights.items():
            if flight.future.done() and (value := flight.future.result().value) is not None:
                here.hold(key, value)  # the store may have forgotten it already
    return [here.outcome(piece.key, group) for piece in pieces]


def _watch(
    flights: Mapping[Hashable, Flight[T]],
    awaited: set[Hashable],
    linger: float,
    share: Callable[[], float],
    group: Hashable,
    text: str,
    show: Callable[[dict[Hashable, Any]], None] | None,
) -> None:
    left = {flight.future for flight in flights.values()}
    needed = {flight.future for key, flight in flights.items() if key in awaited}
    began = time.monotonic()
    slot = st.empty()
    try:
        here = desk()
        stop, keeps = here.key_of_stop(), "Keeps what there is."
        # The style of every page hides this row once another run has begun: what empties the slot may not reach the
        # browser, since Streamlit drops what an interrupted run has not sent yet.
        with slot.container(horizontal=True, vertical_alignment="center", key=f"work-row-{stop}"):
            st.button("Stop", key=stop, on_click=here.stop, args=(group,), width="content", help=keeps)
            bar = st.progress(min(1.0, share()), text)
        said, sent, before = ("", 0.0), time.monotonic(), 0
        while left and (needed & left or time.monotonic() - began < linger * (1 + min(before, MOST_LINGER))):
            patience = IN_LINE if before else 1
            left = wait(left, timeout=GLANCE_S * patience, return_when=FIRST_COMPLETED).not_done
            if any(future.done() and future.exception() for future in (flight.future for flight in flights.values())):
                break
            desk()  # touching the session is what lets Streamlit interrupt this run
            if time.monotonic() - sent < PROGRESS_S * patience * (1 + before // CROWD):
                continue
            before = _before(flights.values())
            sent, now = time.monotonic(), (text + _line(before), round(min(1.0, share()), 2))
            if now != said:
                said = now
                bar.progress(now[1], now[0])
            if show is not None:
                show({key: flight.state for key, flight in flights.items() if flight.state is not None})
    finally:
        slot.empty()


def _before(flights: Iterable[Flight[T]]) -> int:
    """Count for how many others one waits, where that takes longer than a moment."""
    idle = [flight for flight in flights if not flight.future.done()]
    if not idle or time.monotonic() - min(flight.began for flight in idle) < LINE_S:
        return 0
    return min(flight.before() for flight in idle)


def _line(before: int) -> str:
    return f" In line: {before} {'visitor' if before == 1 else 'visitors'} before you." if before else ""


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
    show: Callable[[dict[Hashable, Any]], None] | None = None,
) -> list[T]:
    """Return the results of all the pieces, as `ask` does.

    A stopped one is said to be that, and without any the page ends.

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
