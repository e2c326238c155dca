"""Components of our own: what runs in the browser is a folder of assets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

ASSETS = Path(__file__).parents[2] / "assets"


def component(name: str) -> Callable[..., Any]:
    """Register the markup, style and scripts of assets/NAME, below what all share (assets/shared).

    Several scripts are one module, in the order of their names.

    Called once, at import: registering in a rerun logs a warning each time.

    Returns:
        What mounts it: see `st.components.v2.component`.
    """

    def text(ending: str) -> str:
        folders = (ASSETS / "shared", ASSETS / name)
        return "".join(path.read_text("utf-8") for at in folders for path in sorted(at.glob(f"*.{ending}")))

    return st.components.v2.component(f"robust_frog.{name}", html=text("html"), css=text("css"), js=text("js"))
