"""The component itself, and where its slider stands."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import streamlit as st

from core.files.trajectory import Axis, Row
from core.files.wire import payload
from pages.ui.component import component

View = Literal["side", "split", "flicker", "difference"]
VIEWS: tuple[View, ...] = ("side", "split", "flicker", "difference")

GAINS: tuple[float | str, ...] = (1, 5, 10, 20, 50, "auto")

FRAMES_AT_MOST = 200

_mount = component("scrubber")


def scrubber(
    rows: Sequence[Row],
    axis: Axis,
    *,
    key: str,
    frame: int = 0,
    view: View = "side",
    gain: float | Literal["auto"] = 10,
    captions: tuple[str, str] = ("clean", "perturbation"),
    report: bool = False,
    on_release: Callable[[], None] | None = None,
    breathe: bool = False,
) -> int | None:
    """Mount the scrubber.

    A rerun with the same key keeps position, view and gain as the person left them; changing `frame`, `view` or `gain`
    between two runs moves them. A frame that is still being computed is reached as soon as it is there.

    Args:
        rows: Shown beside one another where there is room. While they differ in length, the shortest counts.
        axis: What the slider moves along.
        key: Identity of the scrubber on the page.
        frame: Where the slider starts.
        view: "side" (side by side), "split", "flicker" or "difference".
        gain: By how much the perturbation is amplified; "auto" fills the grey range at every frame.
        captions: Names of the reference and of the perturbation.
        report: Run the page once when the slider is let go (never while it moves), and return the frame.
        on_release: Callback of that run; implies report. Of a reporting scrubber, view and gain stand in the address.
        breathe: Play there and back from the start, and show only pictures, verdicts and the slider.

    Returns:
        The frame at which the slider was last let go, `frame` before that (it may not be computed yet); None unless
        `report`.
    """
    if view not in VIEWS:
        raise ValueError(f"view must be one of {', '.join(VIEWS)}, got {view!r}")
    report = report or on_release is not None
    data = {
        "key": key,
        **payload(rows, axis),
        "frame": frame,
        "view": _asked("look", VIEWS, view) if report else view,
        "gain": _asked("gain", GAINS, gain) if report else gain,
        "usual": {"view": view, "gain": gain},
        "captions": list(captions),
        "report": report,
        "breathe": breathe,
    }
    if not data["report"]:
        _mount(key=key, data=data)
        return None
    result = _mount(key=key, data=data, default={"frame": frame}, on_frame_change=on_release or _nothing)
    return max(0, int(result.get("frame", frame)))


def _asked(name: str, among: tuple[Any, ...], usual: Any) -> Any:
    """Return what the address asks for, if it is one of the choices; the component itself keeps it there."""
    asked = st.query_params.get(name)
    return next((choice for choice in among if str(choice) == asked), usual)


def frame_in_sight(key: str, default: int) -> int:
    """Return the frame to mount a reporting scrubber with: the address's if it is news, else where the person left it.

    Args:
        key: The scrubber's.
        default: The frame when the address has none, or none that can be used.
    """
    raw = st.query_params.get("frame", "")
    asked = int(raw) if raw.isdecimal() and int(raw) <= FRAMES_AT_MOST else default
    if st.session_state.get(f"{key}-written") != asked:  # a link, or the first visit
        st.session_state[f"{key}-written"] = asked
        return asked
    # What it reports in this very run is newer than the address, which the page only writes further down.
    state = st.session_state.get(key)
    return int(state.get("frame", asked)) if state else asked


def write_frame(key: str, at: int, default: int) -> None:
    """Put the frame in sight into the address, unless it is the default."""
    st.session_state[f"{key}-written"] = at
    if at != default:
        st.query_params["frame"] = str(at)
    elif "frame" in st.query_params:
        del st.query_params["frame"]


def _nothing() -> None:
    pass


def scrubbed(rows: list[Row], axis: Axis, key: str, default: int) -> int:
    """Show a scrubber whose frame is in the address, and return the frame in sight."""
    last = len(axis.values) - 1
    default = min(default, last)
    frame = min(frame_in_sight(key, default), last)
    at = scrubber(rows, axis, key=key, frame=frame, captions=("start", "what was added"), gain=1, report=True)
    frame = frame if at is None else at
    write_frame(key, frame, default)
    return frame
