"""What travels to the browser: pictures, perturbations, bars and curves, ready for JSON."""

import base64
import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from core.files import render
from core.files.trajectory import Axis, Row

BARS = 6  # classes with a bar; the true and the target class always have one


def payload(rows: Sequence[Row], axis: Axis) -> dict[str, Any]:
    """Return what the browser needs to know about the rows, ready for JSON."""
    if all(row.plain for row in rows):
        raise ValueError("a scrubber needs at least one row that moves")
    longest = max(len(row.frames) for row in rows)
    if longest > len(axis.values):
        raise ValueError(f"the axis has {len(axis.values)} values, but a row has {longest} frames")
    shown = _shown_classes(rows)
    scales = _curve_scales(rows)
    return {
        "axis": {"name": axis.name, "labels": list(axis.labels), "unit": axis.unit, "total": axis.length},
        "available": min(len(row.frames) for row in rows if not row.plain),
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
                "truthName": row.truth_name,
                "minor": row.minor,
                "plain": row.plain,
            }
            for row, classes in zip(rows, shown, strict=True)
        ],
    }


_encoded: OrderedDict[str, dict[str, Any]] = OrderedDict()
_lock = threading.Lock()
_KEPT = 48  # encoded rows; at 32 px and 21 frames about 0.2 MB each


def _pictures(row: Row) -> dict[str, Any]:
    """Encode the pixels of a row, once for each content: a rerun of the page builds new rows from the same bytes."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr(row.frames.shape).encode())
    digest.update(row.frames.tobytes())
    digest.update(row.reference.tobytes())
    if row.delta is not None:
        digest.update(row.delta.detach().cpu().float().contiguous().numpy().tobytes())
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
    """Encode the pixels of a row; a perturbation that is the frames' difference is taken in the browser, not sent."""
    packed, unit = ("", 1 / 255) if row.delta is None else render.delta16(row.delta)
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
    """Choose the classes that get a bar, most probable anywhere on the trajectory first.

    The same in rows that compare.
    """
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
