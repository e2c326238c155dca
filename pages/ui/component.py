"""Components of our own: what runs in the browser is a folder of assets."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.files.playable import assets


def component(name: str) -> Callable[..., Any]:
    """Register the markup, style and scripts of assets/NAME, below what all share (assets/shared).

    Several scripts are one module, in the order of their names.

    Called once, at import: registering in a rerun logs a warning each time.

    Returns:
        What mounts it: see `st.components.v2.component`.
    """
    html, css, js = (assets(name, kind) for kind in ("html", "css", "js"))
    return st.components.v2.component(f"robust_frog.{name}", html=html, css=css, js=js)
