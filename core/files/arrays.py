"""Files that leave the app: arrays and tables. Pictures are in `core.files.render`."""

import csv
import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from core.files.atomic import replacing

# What NumPy raises for a file that is no `.npz`, or is cut short, locked, of a strange compression or larger than
# memory.
UNREADABLE = (
    KeyError,
    TypeError,
    ValueError,
    EOFError,
    OSError,
    RuntimeError,
    MemoryError,
    OverflowError,
    zlib.error,
    zipfile.BadZipFile,
)


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write an `.npz`, atomically."""
    plain: dict[str, Any] = dict(arrays)
    with replacing(path) as part, part.open("wb") as file:
        (np.savez_compressed if compressed else np.savez)(file, **plain)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an `.npz`; what that may raise is `UNREADABLE`."""
    with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
        return {name: file[name] for name in file}


def npz(arrays: Mapping[str, Tensor | np.ndarray], recipe_json: str) -> bytes:
    """Pack arrays at full precision, with the recipe as `recipe_json`, into a compressed `.npz`."""
    buffer = io.BytesIO()
    plain: dict[str, Any] = {
        name: value.detach().cpu().contiguous().numpy() if isinstance(value, Tensor) else value
        for name, value in arrays.items()
    }
    np.savez_compressed(buffer, **plain, recipe_json=np.array(recipe_json))
    return buffer.getvalue()


def table(columns: Mapping[str, Sequence[object]]) -> str:
    """Write columns of equal length as CSV."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return buffer.getvalue()
