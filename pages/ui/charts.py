"""Charts of plotly: how they come onto a page, and their 95 % intervals.

    show_chart(figure, key="models-plot", alt="Robust accuracy against clean: …")

Plotly is 4.7 MB of script, and while a browser reads it nothing else on the page appears. So a visitor's first chart
keeps back until the pictures before it stand there; on two cores they are seen after 0.8 s instead of 1.9, and the
chart itself no later than without.
"""

import time
from collections.abc import Iterable

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.rates import Estimate
from pages.ui import doors

KEPT_BACK_S = 0.3
READ = "_plotly"  # in the session's state once this visitor's browser has it, or is about to


def show_chart(figure: go.Figure, *, key: str, alt: str, name: str = "", place: DeltaGenerator | None = None) -> None:
    """Put a chart on the page; the camera in its corner saves it in the size of a slide.

    Args:
        figure: What to draw.
        key: Of the element.
        alt: What the chart says, for who does not see it.
        name: Of the camera's file, without ending; the key by default.
        place: Where on the page; by default what comes next.
    """
    if not st.session_state.get(READ):
        st.session_state[READ] = True
        with doors.outside():
            time.sleep(KEPT_BACK_S)
    size = {"format": "png", "filename": name or key, "width": 1100, "height": 620, "scale": 2}
    (place or st).plotly_chart(figure, key=key, alt=alt, config={"displaylogo": False, "toImageButtonOptions": size})


def whiskers(measured: Iterable[Estimate], *, scale: float = 1.0, **look: object) -> dict[str, object]:
    """Return error bars that reach from each value to both ends of its interval.

    Args:
        measured: Values with their intervals.
        scale: What the axis multiplies them by; 100 for per cent.
        look: Whatever else plotly knows of error bars. On bars they need a colour: plotly's own is dark, also on a dark
            page.
    """
    known = list(measured)
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (one.high - one.value) for one in known],
        "arrayminus": [scale * (one.value - one.low) for one in known],
        "thickness": 1.2,
        **look,
    }


def of_rates(measured: Iterable[Estimate], **look: object) -> dict[str, object]:
    """Return the error bars of fractions that are drawn in per cent."""
    return whiskers(measured, scale=100, **look)
