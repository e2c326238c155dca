"""The talk that is being given: where it stands, who listens, and what the room has voted.

    talk = Talk(key)                     # of a server's `core.lectures.rooms.Rooms`
    talk.go("paper", 7, question)        # asks; the same again goes on with the votes that there are
    talk.vote(phone, 1.0)                # counted once a phone; the last one counts
    talk.go("paper", 7, None)            # reveals: no more votes
    talk.tally("paper", 7)

Nothing personal is kept: a phone is a random word that it was given when it joined, in memory until the talk ends.
Everything is bounded: phones, questions, and by `core.lectures.rooms` talks. All of it may be called from any thread.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from core.lectures.ballots import Ballot, Tally, table
from core.lectures.lecture import Question
from core.problems import InputError

MOST_PHONES = 1000
MOST_BALLOTS = 200
AWAY_S = 15 * 60.0  # a talk ends that long after its lecturer has left
IDLE_S = 3 * 3600.0  # or that long after the last step, whoever is still there
Clock = Callable[[], float]


class Talk:
    """One talk.

    Args:
        key: Who has it gives the talk.
        clock: Seconds, for tests.
    """

    def __init__(self, key: str, clock: Clock = time.monotonic) -> None:
        self.key, self.code, self.ended = key, "", False
        self.lecture, self.step, self.shown = "", 0, True
        self.turned, self.notes = 0, dict[str, Any]()
        self.ballots: dict[tuple[str, int], Ballot] = {}
        self.phones: set[str] = set()
        self._clock, self._lock = clock, threading.RLock()
        self._touched = self._left = clock()
        self._here = self._connected = 0
        self._listeners: set[Callable[[], object]] = set()

    # --- the lecturer ---

    def go(
        self,
        lecture: str,
        step: int,
        question: Question | None,
        notes: Mapping[str, Any] | None = None,
        pictures: tuple[str, ...] = (),
    ) -> None:
        """Be at that step.

        Args:
            lecture: Which lecture.
            step: Where in it, counted from 1.
            question: It is open to votes; without one, whatever was asked there is revealed.
            notes: What the speaker's second window shows.
            pictures: What the question shows, see `core.lectures.ballots.Ballot`.
        """
        with self._lock:
            self._touched, at = self._clock(), (lecture, step)
            before = (self.lecture, self.step, self.shown, self.notes)
            self.notes = dict(notes or {})
            self.lecture, self.step, self.shown = lecture, step, question is None
            for where, ballot in self.ballots.items():
                ballot.open = where == at and question is not None
            if question is not None:
                known = self.ballots.get(at)
                if known is None or known.question != question:
                    while len(self.ballots) >= MOST_BALLOTS:
                        self.ballots.pop(next(iter(self.ballots)))
                    self.ballots[at] = Ballot(lecture, step, question, pictures)
            moved = before != (self.lecture, self.step, self.shown, self.notes)
        if moved:
            self._tell()

    def turn(self, by: int) -> None:
        """Ask the lecturer's first window to go on, or back: for the clicker of somebody who looks at the second."""
        with self._lock:
            self.turned += by
        self._tell()

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Note that the lecturer's window is open meanwhile."""
        with self._lock:
            self._here += 1
        try:
            yield
        finally:
            with self._lock:
                self._here -= 1
                self._left = self._clock()

    def alive(self) -> bool:
        """Tell whether it still goes on: it ends with its lecturer, and after a long time without any step."""
        with self._lock:
            now = self._clock()
            gone = not self._here and now - max(self._left, self._touched) > AWAY_S
            return not (self.ended or gone or now - self._touched > IDLE_S)

    def end(self) -> None:
        """End it: forget all phones and votes."""
        with self._lock:
            self.ended = True
            self.phones.clear()
            self.ballots.clear()
        self._tell()

    # --- the phones ---

    def join(self, phone: str = "") -> str:
        """Let a phone in, or in again, and return its word.

        Raises:
            InputError: If the room is full.
        """
        with self._lock:
            if phone not in self.phones:
                if len(self.phones) >= MOST_PHONES:
                    raise InputError(f"this room is full: it holds {MOST_PHONES} phones")
                phone = secrets.token_urlsafe(9)
                self.phones.add(phone)
        self._tell()
        return phone

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Count a phone as here meanwhile."""
        with self._lock:
            self._connected += 1
        self._tell()
        try:
            yield
        finally:
            with self._lock:
                self._connected -= 1
            self._tell()

    @property
    def here(self) -> int:
        """How many phones are connected now."""
        return self._connected

    def vote(self, phone: str, value: float) -> None:
        """Count a vote on the question that is open; a later one of the same phone takes its place.

        Raises:
            InputError: If nobody asks, the phone is unknown, or there is no such answer.
        """
        with self._lock:
            ballot = self.asked()
            if ballot is None or phone not in self.phones:
                raise InputError("no question is open for votes now")
            ballot.check(value)
            ballot.votes[phone] = float(value)
        self._tell()

    def voted(self, phone: str) -> float | None:
        """Return what a phone has voted on the open question."""
        with self._lock:
            ballot = self.asked()
            return None if ballot is None else ballot.votes.get(phone)

    def asked(self) -> Ballot | None:
        """Return the ballot that is open."""
        with self._lock:
            ballot = self.ballots.get((self.lecture, self.step))
            return ballot if ballot is not None and ballot.open else None

    # --- results ---

    def votes(self) -> int:
        """Count the votes on the question of this step."""
        with self._lock:
            ballot = self.ballots.get((self.lecture, self.step))
            return 0 if ballot is None else len(ballot.votes)

    def tally(self, lecture: str, step: int) -> Tally | None:
        """Return the votes on a question; None while it is open, and where nobody was asked."""
        with self._lock:
            ballot = self.ballots.get((lecture, step))
            return None if ballot is None or ballot.open else ballot.tally()

    def table(self) -> dict[str, list[object]]:
        """Return all that was voted and revealed: a row for each answer that was given."""
        with self._lock:
            return table(tuple(self.ballots.values()))

    # --- whoever wants to know ---

    def listen(self, listener: Callable[[], object]) -> Callable[[], None]:
        """Call that function after each change, from any thread; return what ends that."""
        with self._lock:
            self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def _tell(self) -> None:
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()
