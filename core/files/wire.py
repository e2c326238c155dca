"""What travels to the browser: pictures, perturbations, bars and curves, ready for JSON.

The pictures of a row are cut into pieces, each encoded once: many small pictures, or a single large one. A piece is in
the message, or it is named there and asked for by that name (`piece`).
"""

import base64
import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
from torch import Tensor

from core.files import render
from core.files.trajectory import Axis, Row

BARS = 6  # classes with a bar; the true and the target class always have one
PIECE_PIXELS = 224**2  # of a piece: one photograph, 49 pictures of 32 pixels a side
KEPT_BYTES = 64 * 2**20  # of encoded pieces; of 21 photographs and their perturbations they are 9 MB


@dataclass(frozen=True)
class Piece:
    """Some pictures of a row, one after the other, encoded.

    Args:
        name: Says what it contains.
        count: How many pictures.
        png: All of them, side by side.
        delta: Their perturbations (`render.delta16`); none of the reference, and nothing where the browser takes them.
        unit: Of the perturbations.
    """

    name: str
    count: int
    png: bytes
    delta: bytes
    unit: float

    @property
    def content(self) -> bytes:
        """What travels of it."""
        return self.png + self.delta


def payload(
    rows: Sequence[Row],
    axis: Axis,
    *,
    at: int | None = None,
    later: Callable[[Piece], object] | None = None,
    own: bool = False,
) -> dict[str, Any]:
    """Return what the browser needs to know about the rows, ready for JSON.

    Args:
        rows: What is shown.
        axis: What the slider moves along.
        at: The frame in sight, by default none in particular.
        later: Called with each piece that has neither this frame nor a reference, and is only named; whoever wants it
            found by its name holds it. By default all of them are in the message.
        own: These are a visitor's own pictures: nothing is kept here, and `later` is called with every piece.
    """
    if all(row.plain for row in rows):
        raise ValueError("a scrubber needs at least one row that moves")
    longest = max(len(row.frames) for row in rows)
    if longest > len(axis.values):
        raise ValueError(f"the axis has {len(axis.values)} values, but a row has {longest} frames")
    shown = _shown_classes(rows)
    scales = _curve_scales(rows)
    available = min(len(row.frames) for row in rows if not row.plain)
    at = available - 1 if at is None else min(at, available - 1)
    return {
        "axis": {"name": axis.name, "labels": list(axis.labels), "unit": axis.unit, "total": axis.length},
        "available": available,
        "rows": [
            {
                "title": row.title,
                "subtitle": row.subtitle,
                **_pictures(row, 0 if row.plain else at, later, own=own),
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


_kept: OrderedDict[str, Piece] = OrderedDict()
_living: WeakValueDictionary[str, Piece] = WeakValueDictionary()  # those that somebody holds, too
_names: WeakKeyDictionary[Row, list[str]] = WeakKeyDictionary()  # of the pieces of rows that are shown again
_lock = threading.Lock()


def piece(name: str) -> Piece | None:
    """Return the piece of that name, if it is kept or somebody holds it."""
    with _lock:
        return _living.get(name)


def for_everybody(name: str) -> bool:
    """Tell whether the piece of that name is kept for all visitors, not only held by those who look at it."""
    with _lock:
        return name in _kept


def pieces(row: Row, *, own: bool = False) -> list[Piece]:
    """Encode the pixels of a row, its reference before its frames, each piece once for each content.

    A rerun of the page may build new rows from the same bytes, and a trajectory that has grown begins as it did.

    Args:
        row: The row.
        own: A visitor's own pictures: the pieces are gone once nobody holds them.
    """
    with _lock:
        found = [_living.get(name) for name in _names.get(row, ())]
    known = [_keep(one, own=own) for one in found if one is not None]
    if known and len(known) == len(found):
        return known
    height, width = row.frames.shape[1:3]
    most = max(1, PIECE_PIXELS // (height * width))
    total = 1 + len(row.frames)
    made = [_piece(row, first, min(first + most, total), own=own) for first in range(0, total, most)]
    with _lock:
        _names[row] = [one.name for one in made]
    return made


def _piece(row: Row, first: int, end: int, *, own: bool) -> Piece:
    """Encode pictures from `first` on; 0 is the reference, 1 the first frame."""
    frames = slice(max(0, first - 1), end - 1)
    pictures = row.frames[frames] if first else np.concatenate([row.reference[None], row.frames[frames]])
    delta = None if row.delta is None else row.delta[frames]
    digest = hashlib.blake2b(repr(pictures.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pictures).data)
    # Without a perturbation it is what the frames have more than the reference.
    digest.update((row.reference if delta is None else delta.detach().cpu().float().contiguous().numpy()).data)
    name = digest.hexdigest()
    found = piece(name)
    return _keep(found if found is not None else _encode(name, pictures, delta), own=own)


def _encode(name: str, pictures: render.Frames, delta: Tensor | None) -> Piece:
    """Encode pictures; a perturbation that is the frames' difference is taken in the browser, not sent."""
    packed, unit = (b"", 1 / 255) if delta is None else render.delta16(delta)
    return Piece(name, len(pictures), render.sprite(pictures), packed, unit)


def _keep(made: Piece, *, own: bool) -> Piece:
    with _lock:
        made = _living.setdefault(made.name, made)
        if own:
            return made
        _kept[made.name] = made
        _kept.move_to_end(made.name)
        while len(_kept) > 1 and sum(len(one.png) + len(one.delta) for one in _kept.values()) > KEPT_BYTES:
            _kept.popitem(last=False)
    return made


def _pictures(row: Row, at: int, later: Callable[[Piece], object] | None, *, own: bool) -> dict[str, Any]:
    """Say how large the pictures of a row are, and in which pieces they come."""
    sent, first = list[dict[str, Any]](), -1  # where the reference stands
    for one in pieces(row, own=own):
        about: dict[str, Any] = {"name": one.name, "count": one.count, "unit": one.unit, "png": len(one.png)}
        inside = later is None or first < 0 or first <= at < first + one.count
        if inside:
            about["content"] = base64.b64encode(one.content).decode()
        if later is not None and (own or not inside):
            later(one)
        sent.append(about)
        first += one.count
    height, width = row.frames.shape[1:3]
    return {"frames": len(row.frames), "height": height, "width": width, "pieces": sent}


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
