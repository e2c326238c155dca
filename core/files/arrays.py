"""Files that leave the app: arrays and tables. Pictures are in `core.files.render`."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor


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
