"""This browser's talk, and how phones join it."""

import socket
from urllib.parse import SplitResult, urlsplit

import streamlit as st
from streamlit import config

from core.lectures.room import Talk
from pages.lectures.routes import rooms

TALK = "lecture-talk"  # in the session
COOKIE = "frog_talk"  # of the talk's key, as assets/lectures/bar.js writes it


def begun() -> Talk:
    """Return this browser's talk; it is the same after a reload."""
    kept: Talk | None = st.session_state.get(TALK)
    talk = rooms().begin(kept.key if kept is not None else str(st.context.cookies.get(COOKIE, "")))
    st.session_state[TALK] = talk
    return talk


def base() -> str:
    """Return the path below which the app lies: "/", or what `server.baseUrlPath` says."""
    return f"/{config.get_option('server.baseUrlPath').strip('/')}/".replace("//", "/")


def way_in(talk: Talk) -> str:
    """Return the address that a phone opens to join."""
    here = _here()
    return f"{here.scheme}://{here.netloc}{base()}join?room={talk.code}"


def unreachable() -> str:
    """Say what to do where phones cannot open the address that this browser has opened; "" where they can."""
    here = _here()
    host = here.hostname or ""
    if host not in ("localhost", "::1") and not host.startswith("127."):
        return ""
    own = own_address()
    there = f"http://{own}:{here.port}" if own else "this machine's address in the network"
    return (
        f"Phones cannot reach {host}. Start the app with STREAMLIT_SERVER_ADDRESS=0.0.0.0 make app, and open this page"
        f" as {there}."
    )


def own_address() -> str:
    """Return this machine's address in its network, or "" where it has none; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of the block for documentation: asks for the way, sends nothing
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def _here() -> SplitResult:
    return urlsplit(st.context.url or "")
