"""CIFAR-10's own layout with pictures of somebody's own: pickled batches, read as data, so that nothing in them is run.

    cifar-10-batches-py/
      data_batch_1 …        {"data": uint8 (N, 3 side side), a channel after the other; "labels": N numbers}
      test_batch
      batches.meta          {"label_names": [...]}

    from_batches(folder, "train", side=32)
"""

import io
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from core.data import pickles
from core.data.admitted import Array, UnreadableError
from core.data.sets import DataError, Pictures, square

FOLDER = "cifar-10-batches-py"
FILES = {"train": "data_batch_*", "test": "test_batch*"}
META = "batches.meta"
LABELS = ("labels", "fine_labels")
MOST_BYTES = 2 * 2**30  # of a batch


def from_batches(folder: Path, split: str, side: int) -> Pictures | None:
    """Read the "train" or the "test" batches of a folder; None where there are none.

    Pictures of another size are resized to `side`, grey ones get three equal channels. Without names in `batches.meta`
    classes are called by their numbers.

    Raises:
        DataError: If a batch cannot be read, or is none; the message says what it lacks.
    """
    files = sorted(path for path in folder.glob(FILES[split]) if path.is_file())
    if not files:
        return None
    parts = [_batch(path, side) for path in files]
    images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    names = _names(folder / META) or tuple(str(k) for k in range(int(labels.max(initial=0)) + 1))
    return Pictures(images, labels, names, folder.name)


def _batch(path: Path, side: int) -> tuple[UInt8[np.ndarray, "n h w 3"], np.ndarray]:
    tree = _read(path)
    data = _values(tree.get("data"))
    labels = _values(next((tree[key] for key in LABELS if key in tree), None))
    if data is None or labels is None or labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        has = ", ".join(map(str, tree)) or "nothing"
        raise DataError(f"{path.name} is no batch of pictures: it needs arrays data and labels, and has {has}")
    if data.dtype != np.uint8 or data.ndim != 2 or len(data) != len(labels):
        raise DataError(
            f"the data of {path.name} must be uint8 (N, 3 side side) with as many labels, got {data.dtype}"
            f" {data.shape} and {len(labels)} labels"
        )
    channels, own = _shape(data.shape[1], path)
    images = data.reshape(-1, channels, own, own).transpose(0, 2, 3, 1)
    images = np.ascontiguousarray(np.repeat(images, 3, 3) if channels == 1 else images)
    if own != side:
        images = np.stack([square(Image.fromarray(image), side) for image in images])
    return images, labels.astype(np.int64)


def _shape(width: int, path: Path) -> tuple[int, int]:
    """Return channels and side of a picture of that many numbers; 3 is no square, so only one of both fits."""
    for channels in (3, 1):
        side = round((width / channels) ** 0.5)
        if side and channels * side * side == width:
            return channels, side
    raise DataError(f"the pictures of {path.name} have {width:,} numbers each, which is 3 side side for no side")


def _names(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    found = next((value for key, value in _read(path).items() if str(key).endswith("label_names")), None)
    if not isinstance(found, list) or not all(isinstance(name, str | bytes) for name in found):
        raise DataError(f"{path.name} has no list of label_names")
    return tuple(name.decode(errors="replace") if isinstance(name, bytes) else name for name in found)


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path.name} has more than {MOST_BYTES // 2**20:,} MB; split it into several batches")
    try:
        tree = pickles.read(io.BytesIO(path.read_bytes()))
    except UnreadableError as problem:
        raise DataError(f"{path.name} cannot be read: {problem}") from problem
    if not isinstance(tree, dict):
        raise DataError(f"{path.name} is no batch of pictures: it holds {type(tree).__name__}, not a dictionary")
    # Keys written by Python 2 and read by Python 3 are bytes in many hands.
    return {key.decode(errors="replace") if isinstance(key, bytes) else str(key): value for key, value in tree.items()}


def _values(found: Any) -> np.ndarray | None:
    if isinstance(found, Array):
        return found.values
    if isinstance(found, list) and all(type(value) is int for value in found):
        return np.asarray(found, dtype=np.int64)
    return None
