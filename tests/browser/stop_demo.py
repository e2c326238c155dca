"""A page whose work is interrupted, and the row of its Stop stays in the browser, as happens on a busy machine."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))

from pages.ui import shell, work


class Slot:
    """A place that stays as it is."""

    def __init__(self) -> None:
        self.container = st.empty().container

    def empty(self) -> None:
        """Do nothing."""


def long(on_step: work.Step) -> bool:
    """Work for half a minute, unless it is told to end."""
    for i in range(600):
        time.sleep(0.05)
        if on_step(i):
            return True
    return True


work.st = SimpleNamespace(empty=Slot, button=st.button, progress=st.progress, session_state=st.session_state)
shell.dress()
work.desk().begin()
again = st.toggle("again")
if not again:
    st.markdown("Something stands above the work, and next time it does not.")
    work.desk().key_of_stop()  # the second question of a run
work.ask([work.Piece(("long", again), long, 600)], group=again, text=f"Working, {'again' if again else 'first'}…")
