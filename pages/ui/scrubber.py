"""The scrubber: trajectories of pictures, played in the browser with no server run while the slider moves.

A page computes a trajectory once (an eps sweep, the iterates of an inversion), says what each row shows, and mounts it:

    axis = Axis(name="ε", values=eps, labels=("0", "1/255", …), unit="ℓ∞, pixels in [0, 1]")
    scrubber([Row(title="Standard", …), Row(title="Robust", …)], axis, key="sweep")

All rows move together. Each travels as one lossless PNG (its reference picture, then its frames) and one int16 array (its
perturbation, which 8-bit pictures cannot carry when it is amplified). Nothing here knows what an attack is.
"""

import base64
import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from core import render

View = Literal["side", "split", "flicker", "difference"]
VIEWS: tuple[View, ...] = ("side", "split", "flicker", "difference")

FRAMES_AT_MOST = 200
BARS = 6  # classes with a bar; the true and the target class always have one

_ASSETS = Path(__file__).parents[2] / "assets" / "scrubber"
_mount = st.components.v2.component(  # once, at import: registering in a rerun logs a warning each time
    "robust_frog.scrubber",
    html=(_ASSETS / "scrubber.html").read_text("utf-8"),
    css=(_ASSETS / "scrubber.css").read_text("utf-8"),
    js=(_ASSETS / "scrubber.js").read_text("utf-8"),
)


@dataclass(frozen=True)
class Axis:
    """What the slider moves along.

    Args:
        name: A symbol ("ε") or a word ("step").
        values: One number per frame, in order; may reach beyond the frames computed so far.
        labels: The same as text, in the unit people think in ("4/255").
        unit: What the values are measured in, or "".
        total: Frames there will be in the end, if more than len(values). The missing part of the track is hatched.
    """

    name: str
    values: tuple[float, ...]
    labels: tuple[str, ...]
    unit: str = ""
    total: int | None = None

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("an axis needs at least one value")
        if len(self.labels) != len(self.values):
            raise ValueError(f"an axis needs one label per value, got {len(self.labels)} for {len(self.values)}")
        if self.total is not None and self.total < len(self.values):
            raise ValueError(f"total must be at least the number of values, got {self.total} < {len(self.values)}")

    @property
    def length(self) -> int:
        return self.total or len(self.values)


@dataclass(frozen=True, eq=False, kw_only=True)
class Row:
    """One trajectory: F frames of one picture, and what is known at each of them.

    Args:
        title: Short name, e.g. of the model.
        subtitle: One muted line below it.
        frames: uint8 (F, H, W, 3).
        reference: uint8 (H, W, 3), the picture the frames are compared with.
        delta: Float perturbation (F, 3, H, W) in pixel units of [0, 1]; None takes frames - reference.
        classes: Names of the K classes, or () for no bars.
        probabilities: (F, K), or None for no bars.
        truth: Index of the class drawn in the first accent.
        target: Index of the class drawn in the second accent.
        curve: One value per frame, or (). Rows with the same curve_name share their scale.
        curve_name: What the curve shows, e.g. "margin".
        readouts: Name and one formatted string per frame, e.g. ("‖δ‖₂", ("0.000 of 0.50", …)).
        flags: One short word or None per frame ("fooled"), or ().
        threshold: First frame at which the flag is on; marked on slider and curve.
        alt: One sentence per frame for screen readers.

    Raises:
        ValueError: If two of these disagree about the number of frames, or about the size of the picture.
    """

    title: str
    frames: np.ndarray
    reference: np.ndarray
    alt: tuple[str, ...]
    subtitle: str = ""
    delta: Tensor | None = None
    classes: tuple[str, ...] = ()
    probabilities: np.ndarray | Tensor | None = None
    truth: int | None = None
    target: int | None = None
    curve: tuple[float, ...] = ()
    curve_name: str = ""
    readouts: tuple[tuple[str, tuple[str, ...]], ...] = ()
    flags: tuple[str | None, ...] = ()
    threshold: int | None = None

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if self.frames.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3 or not shape[0]:
            raise ValueError(f"{self.title}: frames must be uint8 (F, H, W, 3), got {self.frames.dtype} {shape}")
        if self.reference.dtype != np.uint8 or self.reference.shape != shape[1:]:
            raise ValueError(
                f"{self.title}: reference must be uint8 {shape[1:]}, got {self.reference.dtype} {self.reference.shape}"
            )
        if self.delta is not None and tuple(self.delta.shape) != (shape[0], 3, *shape[1:3]):
            raise ValueError(
                f"{self.title}: delta must have shape {(shape[0], 3, *shape[1:3])}, got {tuple(self.delta.shape)}"
            )
        if (self.probabilities is None) != (not self.classes):
            raise ValueError(f"{self.title}: classes and probabilities come together or not at all")
        if self.probabilities is not None and tuple(self.probabilities.shape) != (shape[0], len(self.classes)):
            raise ValueError(
                f"{self.title}: probabilities must have shape {(shape[0], len(self.classes))}, "
                f"got {tuple(self.probabilities.shape)}"
            )
        for name, index in (("truth", self.truth), ("target", self.target)):
            if index is not None and not 0 <= index < len(self.classes):
                raise ValueError(f"{self.title}: {name} must be one of {len(self.classes)} classes, got {index}")
        for name, values in (("curve", self.curve), ("flags", self.flags)):
            if values and len(values) != shape[0]:
                raise ValueError(
                    f"{self.title}: {name} must have one entry per frame, got {len(values)} for {shape[0]}"
                )
        for name, values in (("alt", self.alt), *((f"readout {name!r}", texts) for name, texts in self.readouts)):
            if len(values) != shape[0]:
                raise ValueError(
                    f"{self.title}: {name} must have one entry per frame, got {len(values)} for {shape[0]}"
                )
        if self.threshold is not None and not 0 <= self.threshold < shape[0]:
            raise ValueError(f"{self.title}: threshold must be one of {shape[0]} frames, got {self.threshold}")


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
        on_release: Callback of that run; implies report.

    Returns:
        The frame at which the slider was last let go, `frame` before that (it may not be computed yet); None unless
        `report`.
    """
    if view not in VIEWS:
        raise ValueError(f"view must be one of {', '.join(VIEWS)}, got {view!r}")
    data = {
        "key": key,
        **payload(rows, axis),
        "frame": frame,
        "view": view,
        "gain": gain,
        "captions": list(captions),
        "report": report or on_release is not None,
    }
    if not data["report"]:
        _mount(key=key, data=data)
        return None
    result = _mount(key=key, data=data, default={"frame": frame}, on_frame_change=on_release or _nothing)
    return max(0, int(result.get("frame", frame)))


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


def payload(rows: Sequence[Row], axis: Axis) -> dict[str, Any]:
    """Return what the browser needs to know about the rows, ready for JSON."""
    if not rows:
        raise ValueError("a scrubber needs at least one row")
    longest = max(len(row.frames) for row in rows)
    if longest > len(axis.values):
        raise ValueError(f"the axis has {len(axis.values)} values, but a row has {longest} frames")
    shown = _shown_classes(rows)
    scales = _curve_scales(rows)
    return {
        "axis": {"name": axis.name, "labels": list(axis.labels), "unit": axis.unit, "total": axis.length},
        "available": min(len(row.frames) for row in rows),
        "rows": [
            {
                "title": row.title,
                "subtitle": row.subtitle,
                **_pictures(row),
                **_bars(row, classes),
                "curve": [_finite(value) for value in row.curve],
                "curveName": row.curve_name,
                "curveScale": scales.get(row.curve_name),
                "readouts": [[name, list(texts)] for name, texts in row.readouts],
                "flags": list(row.flags),
                "threshold": row.threshold,
                "alt": list(row.alt),
            }
            for row, classes in zip(rows, shown, strict=True)
        ],
    }


def _nothing() -> None:
    pass


_encoded: OrderedDict[str, dict[str, Any]] = OrderedDict()
_lock = threading.Lock()
_KEPT = 48  # encoded rows; at 32 px and 21 frames about 0.2 MB each


def _pictures(row: Row) -> dict[str, Any]:
    """Encode the pixels of a row, once for each content: a rerun of the page builds new rows from the same bytes."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr(row.frames.shape).encode())
    digest.update(np.ascontiguousarray(row.frames))
    digest.update(np.ascontiguousarray(row.reference))
    if row.delta is not None:
        digest.update(row.delta.detach().cpu().float().contiguous().numpy())
    name = digest.hexdigest()
    with _lock:
        if name in _encoded:
            _encoded.move_to_end(name)
            return _encoded[name]
    encoded = _encode(row, name)
    with _lock:
        _encoded[name] = encoded
        while len(_encoded) > _KEPT:
            _encoded.popitem(last=False)
    return encoded


def _encode(row: Row, name: str) -> dict[str, Any]:
    delta = row.delta
    if delta is None:
        levels = row.frames.astype(np.int16) - row.reference.astype(np.int16)
        delta = torch.from_numpy(levels).permute(0, 3, 1, 2).float() / 255
    packed, unit = render.delta16(delta)
    png = render.sprite(np.concatenate([row.reference[None], row.frames]))
    return {
        "id": name,
        "frames": len(row.frames),
        "height": row.frames.shape[1],
        "width": row.frames.shape[2],
        "sprite": base64.b64encode(png).decode(),
        "delta": packed,
        "unit": unit,
    }


def _probabilities(row: Row) -> np.ndarray:
    values = row.probabilities
    return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values, dtype=np.float64)


def _shown_classes(rows: Sequence[Row]) -> list[list[int]]:
    """Choose the classes that get a bar, most probable anywhere on the trajectory first; the same in rows that compare."""
    if len({row.classes for row in rows}) > 1:
        return [_shown_classes([row])[0] for row in rows]
    if not rows[0].classes:
        return [[] for _ in rows]
    strongest = np.max([_probabilities(row).max(axis=0) for row in rows], axis=0)
    marked = dict.fromkeys(i for role in ("truth", "target") for row in rows if (i := getattr(row, role)) is not None)
    others = [int(i) for i in np.argsort(-strongest, kind="stable") if int(i) not in marked]
    return [[*marked, *others[: max(0, BARS - len(marked))]] for _ in rows]


def _bars(row: Row, shown: list[int]) -> dict[str, Any]:
    if row.probabilities is None:
        return {"bars": [], "probabilities": [], "top": []}
    values = _probabilities(row)
    best = values.argmax(axis=1)
    return {
        "bars": [[row.classes[i], _role(row, i)] for i in shown],
        "probabilities": [[_digits(p) for p in values[f, shown]] for f in range(len(values))],
        "top": [[row.classes[i], _digits(values[f, i]), _role(row, int(i))] for f, i in enumerate(best)],
    }


def _digits(p: float) -> float:
    """Shorten a probability for the wire without making 0 or 1 of one that is neither."""
    return float(f"{p:.4g}") if p < 0.5 else 1 - float(f"{1 - p:.4g}")


def _role(row: Row, index: int) -> str:
    return "truth" if index == row.truth else "target" if index == row.target else ""


def _curve_scales(rows: Sequence[Row]) -> dict[str, list[float]]:
    scales: dict[str, list[float]] = {}
    for row in rows:
        finite = [value for value in map(_finite, row.curve) if value is not None]
        low, high = scales.get(row.curve_name, (math.inf, -math.inf))
        scales[row.curve_name] = [min([low, *finite]), max([high, *finite])]
    return {name: scale for name, scale in scales.items() if math.isfinite(scale[0])}


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
