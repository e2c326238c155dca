"""Folded panels, whose content is made and sent once somebody opens them.

    folded("All numbers", lambda: table(heads, rows, label="…"), key="saliency-numbers")

What stands in a panel that is closed costs a browser as much as what is seen: the highlighted script, the buttons and
the formulas of one page kept its first picture back by 0.4 s on two cores.
"""

from collections.abc import Callable

import streamlit as st


def folded(label: str, content: Callable[[], object], *, key: str, icon: str | None = None) -> None:
    """Show a folded panel.

    Args:
        label: What it says while it is closed.
        content: Called, inside the panel, in each run in which it is open.
        key: Of the element; whether it is open is `st.session_state[key]`.
        icon: Beside the label, as Streamlit writes icons.
    """
    panel = st.expander(label, key=key, icon=icon, on_change="rerun")
    if panel.open:
        with panel:
            content()
