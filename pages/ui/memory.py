"""What was freed goes back to the system: glibc keeps it for its threads, 750 MB of it after one sweep at 224 pixels.

For example:

    soon()                # once something has been computed
"""

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

AFTER_S = 1.0  # after the last of what ends together: beside a class that computes it took a tenth of all work
LATEST_S = 30.0  # though something ends all the time
WORTH = 64 * 2**20  # bytes: for less the heap is not walked through
STATE = Path("/proc/self/statm")


def resident() -> int:
    """Return the bytes of memory that this process occupies; 0 where the system does not say."""
    return int(STATE.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") if STATE.is_file() else 0


class Returns:
    """Gives freed memory back where more has come since the last time (Linux with glibc)."""

    def __init__(self) -> None:
        self._lock, self._waiting, self._due, self._after = threading.Lock(), False, 0.0, 0

    def soon(self) -> None:
        """Do so in a moment, once for all who ask until nobody has asked for as long."""
        with self._lock:
            self._due = time.monotonic() + AFTER_S
            if self._waiting or not sys.platform.startswith("linux"):
                return
            self._waiting = True
        threading.Thread(target=self._wait, args=(time.monotonic() + LATEST_S,), daemon=True).start()

    def _wait(self, latest: float) -> None:
        while (left := min(self._due, latest) - time.monotonic()) > 0:
            time.sleep(left)
        self.now()

    def now(self) -> None:
        """Do so at once."""
        with self._lock:
            self._waiting = False
        before = resident()
        if before > self._after + WORTH and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
            trim(0)
            self._after = resident()
        self._after = min(self._after, before)


soon = Returns().soon
