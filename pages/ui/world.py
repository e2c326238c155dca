"""The world that the page in sight is in: its classes, its pictures, its models."""

import streamlit as st

from core import worlds
from core.worlds import World

KEY = "world"  # in the session and in the address


def current() -> World:
    """Return the world of this visitor; outside a run of a page, the first."""
    name = st.session_state.get(KEY, worlds.DEFAULT)
    return worlds.get(name if name in worlds.names() else worlds.DEFAULT)
