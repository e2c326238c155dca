"""All talks of a server: whoever has a talk's key gives it, whoever has its code votes in it.

    rooms = Rooms()
    talk = rooms.begin()                 # a key that only the lecturer has
    rooms.invite(talk)                   # and a code for everybody: phones may join now
    rooms.joined("ABCD")                 # the talk with that code

One that its lecturer has left for long is forgotten at the next look.
"""

import secrets
import threading
import time

from core.lectures.room import Clock, Talk
from core.problems import InputError

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and no O, which are read as digits
CODE = 4  # letters
MOST_TALKS = 256


class Rooms:
    """All talks of a server.

    Args:
        clock: Seconds, for tests.
        first: The letter that codes and keys begin with, so that a proxy can tell servers apart; "" where there is one.

    Raises:
        InputError: If that is no letter of codes.
    """

    def __init__(self, clock: Clock = time.monotonic, first: str = "") -> None:
        if first and first not in tuple(LETTERS):
            raise InputError(f"a server of several is called by one letter of {LETTERS}, got {first!r}")
        self._clock, self._first, self._lock = clock, first, threading.Lock()
        self._talks: dict[str, Talk] = {}

    def begin(self, key: str = "") -> Talk:
        """Return the talk with that key, or a new one."""
        with self._lock:
            self._sweep()
            found = self._talks.get(key)
            if found is None:
                while len(self._talks) >= MOST_TALKS:
                    self._give_way()
                found = Talk(f"{self._first}{'.' if self._first else ''}{secrets.token_urlsafe(18)}", self._clock)
            self._talks.pop(found.key, None)
            self._talks[found.key] = found  # the latest last
            return found

    def find(self, key: str) -> Talk | None:
        """Return the talk with that key, if it goes on."""
        with self._lock:
            self._sweep()
            return self._talks.get(key)

    def invite(self, talk: Talk) -> str:
        """Open a talk to phones and return its code."""
        with self._lock:
            taken = {other.code for other in self._talks.values()}
            while not talk.code or (talk.code in taken and self._of(talk.code) is not talk):
                talk.code = self._first + "".join(secrets.choice(LETTERS) for _ in range(CODE - len(self._first)))
            return talk.code

    def joined(self, code: str) -> Talk | None:
        """Return the talk with that code, if it goes on."""
        with self._lock:
            self._sweep()
            return self._of(code.strip().upper())

    def end(self, talk: Talk) -> None:
        """End a talk."""
        with self._lock:
            self._talks.pop(talk.key, None)
        talk.end()

    def _of(self, code: str) -> Talk | None:
        return next((talk for talk in self._talks.values() if code and talk.code == code), None)

    def _give_way(self) -> None:
        """Let the one go that nobody has looked at for longest; a room that phones are in stays if it can."""
        idle = next((key for key, talk in self._talks.items() if not talk.code), next(iter(self._talks)))
        self._talks.pop(idle).end()

    def _sweep(self) -> None:
        for key in [key for key, talk in self._talks.items() if not talk.alive()]:
            self._talks.pop(key).end()
