"""The component itself, and where its slider stands."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import streamlit as st

from core.files.trajectory import Axis, Row
from core.files.wire import payload
from pages.ui.address import keep, puts, tell
from pages.ui.component import component
from pages.ui.desks import desk

View = Literal["side", "split", "flicker", "difference"]
VIEWS: tuple[View, ...] = ("side", "split", "flicker", "difference")

GAINS: tuple[float | str, ...] = (1, 5, 10, 20, 50, "auto")

FRAMES_AT_MOST = 200
STALE_S = 2.0  # shorter than of a choice: what the scrubber reports is told apart from the address anyway

_mount = component("scrubber")


def scrubber(
    rows: Sequence[Row],
    axis: Axis,
    *,
    key: str,
    own: bool,
    frame: int = 0,
    view: View = "side",
    gain: float | Literal["auto"] = 10,
    captions: tuple[str, str] = ("clean", "perturbation"),
    report: bool = False,
    breathe: bool = False,
) -> None:
    """Mount the scrubber.

    A rerun with the same key keeps position, view and gain as the person left them; changing `frame`, `view` or `gain`
    between two runs moves them. A frame that is still being computed is reached as soon as it is there.

    Args:
        rows: Shown beside one another where there is room. While they differ in length, the shortest counts.
        axis: What the slider moves along.
        key: Identity of the scrubber on the page.
        own: The pictures are a visitor's own: what is made of them is gone with the session.
        frame: Where the slider starts.
        view: "side" (side by side), "split", "flicker" or "difference".
        gain: By how much the perturbation is amplified; "auto" fills the grey range at every frame.
        captions: Names of the reference and of the perturbation.
        report: Run the page once when the slider is let go (never while it moves); `frame_in_sight` then has the frame.
            Of a reporting scrubber, frame, view and gain stand in the address.
        breathe: Play there and back from the start, and show only pictures, verdicts and the slider.
    """
    if view not in VIEWS:
        raise ValueError(f"view must be one of {', '.join(VIEWS)}, got {view!r}")
    here = desk()  # what is fetched is there as long as the page shows it
    data = {
        "key": key,
        **payload(rows, axis, at=frame, later=lambda piece: here.hold(("piece", piece.name), piece), own=own),
        "frame": frame,
        "view": _asked("look", VIEWS, view) if report else view,
        "gain": _asked("gain", GAINS, gain) if report else gain,
        "usual": {"view": view, "gain": gain},
        "puts": {"frame": puts("frame"), "view": puts("look"), "gain": puts("gain")},
        "captions": list(captions),
        "report": report,
        "breathe": breathe,
    }
    if report:
        _mount(key=key, data=data, on_frame_change=partial(reported, key, f"{key}-frame"))
    else:
        _mount(key=key, data=data)


def _asked(name: str, among: tuple[Any, ...], usual: Any) -> Any:
    """Return what the address asks for, if it is one of the choices; the component itself keeps it there."""
    asked = st.query_params.get(name)
    return next((choice for choice in among if str(choice) == asked), usual)


def frame_in_sight(key: str, default: int, most: int = FRAMES_AT_MOST) -> int:
    """Return the frame to mount a reporting scrubber with, and keep it in the address.

    It is what the scrubber has just reported, else what the address asks for if that is news, else where it was left.

    Args:
        key: The scrubber's.
        default: The frame when the address has none, or none that can be used; it is left out there.
        most: The largest that can be used.
    """
    usable = lambda text: text.isdecimal() and len(text) < 5 and int(text) <= most  # not thousands of digits
    return int(keep("frame", str(default), usable, key=f"{key}-frame", stale_s=STALE_S))


def reported(key: str, of: str) -> None:
    """Take over the frame that a component has reported, before the page runs.

    Args:
        key: The component's.
        of: Where that frame is kept in the session.
    """
    frame = (st.session_state.get(key) or {}).get("frame")
    if isinstance(frame, int | float):
        tell(of, str(max(0, int(frame))))


def scrubbed(rows: list[Row], axis: Axis, key: str, default: int, *, own: bool) -> int:
    """Show a scrubber whose frame is in the address, and return the frame in sight."""
    last = len(axis.values) - 1
    frame = min(frame_in_sight(key, min(default, last)), last)
    scrubber(rows, axis, key=key, own=own, frame=frame, captions=("start", "what was added"), gain=1, report=True)
    return frame
