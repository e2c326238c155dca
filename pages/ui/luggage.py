"""What a session takes along when its page is loaded anew by us: the stage changes its colours that way.

What stands in the address needs nothing of this. Uploads and a lecture of one's own are in the session only; they wait
here, in memory, for the session that comes: a minute at most, and for whoever has the word.
"""

import re
import threading
import time
from typing import Any

import streamlit as st

COOKIE = "frog_left"  # as assets/stage/stage.js writes it
CLAIMED = "luggage-claimed"
WAITS_S = 60.0
MOST = 64  # sessions
WORD = re.compile(r"[0-9a-f]{32}")
UPLOADED = "-upload"  # the end of the key of an uploaded picture; what belongs to it has the same beginning
PARTS = ("", "-upload", "-bytes", "-label", "-cut")
ALONE = ("lecture-mine",)

_lock = threading.Lock()
_aside: dict[str, tuple[float, dict[str, Any]]] = {}


def put_aside(word: str) -> None:
    """Put aside what this session has and the address has not.

    Args:
        word: Who has it may claim it, once.
    """
    if not WORD.fullmatch(word):
        return
    found = {key: st.session_state[key] for key in _keys() if key in st.session_state}
    with _lock:
        _sweep()
        if found and len(_aside) < MOST:
            _aside[word] = (time.monotonic(), found)


def claim() -> None:
    """Take over what the session before has put aside, once in a session, before its pages ask for it."""
    if CLAIMED in st.session_state:
        return
    st.session_state[CLAIMED] = True
    with _lock:
        _sweep()
        _, found = _aside.pop(_word(), (0.0, {}))
    for key, value in found.items():
        st.session_state[key] = value


def _word() -> str:
    return str(st.context.cookies.get(COOKIE, ""))


def _keys() -> list[str]:
    pictures = [str(key).removesuffix(UPLOADED) for key in st.session_state if str(key).endswith(UPLOADED)]
    return [*(f"{name}{part}" for name in pictures for part in PARTS), *ALONE]


def _sweep() -> None:
    now = time.monotonic()
    for word in [word for word, (since, _) in _aside.items() if now - since > WAITS_S]:
        del _aside[word]
