"""What the pages keep between runs and share between visitors: loaded models and computed results.

Neither is in Streamlit's caches: those cannot hash a model, know nothing of a run that is stopped half-way, and any
visitor's browser may have them cleared. Results sit in a least-recently-used store that is bounded by bytes.
"""

import dataclasses
import functools
import gc
import hashlib
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core import compute
from core.files.once import state_of
from core.models import Classifier, checkpoints, ready
from core.problems import InputError

RESULTS_VARIABLE = "ROBUST_FROG_RESULTS_MB"
RESULTS_MB = 512
MODELS = 12  # loaded at a time


def size_of(value: Any) -> int:
    """Estimate the bytes that a result occupies: its tensors and arrays, wherever in it they are."""
    seen: dict[int, int] = {}

    def walk(part: Any) -> None:
        if isinstance(part, torch.Tensor):
            storage = part.untyped_storage()  # a view keeps all of what it looks at
            seen[storage.data_ptr()] = storage.nbytes()
        elif isinstance(part, np.ndarray):
            whole = part if part.base is None else part.base
            seen[id(whole)] = getattr(whole, "nbytes", part.nbytes)
        elif id(part) not in seen:
            seen[id(part)] = sys.getsizeof(part)
            if isinstance(part, Mapping):
                walk_all(part.values())
            elif isinstance(part, list | tuple | set | frozenset):
                walk_all(part)
            elif isinstance(part, torch.nn.Module):
                walk_all([*part.parameters(), *part.buffers()])
            elif dataclasses.is_dataclass(part) and not isinstance(part, type):
                walk_all(vars(part).values())

    def walk_all(parts: Any) -> None:
        for part in parts:
            walk(part)

    walk(value)
    return sum(seen.values())


class Store:
    """A mapping bounded by the bytes of its values, safe among threads; what was not asked for longest goes first.

    Args:
        limit: Bytes; the newest value stays even if it alone is larger.
    """

    def __init__(self, limit: int) -> None:
        self.limit, self.bytes, self._lock = limit, 0, threading.Lock()
        self._items: OrderedDict[Hashable, Any] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}

    def get(self, key: Hashable) -> Any | None:
        """Return what is under the key, or None."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: Hashable, value: Any) -> Any:
        """Keep a value, forgetting others as needed; return it."""
        size = size_of(value)
        with self._lock:
            self.bytes += size - self._sizes.get(key, 0)
            self._items[key], self._sizes[key] = value, size
            self._items.move_to_end(key)
            while self.bytes > self.limit and len(self._items) > 1:
                oldest, _ = self._items.popitem(last=False)
                self.bytes -= self._sizes.pop(oldest)
        return value

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what is under the key, making it if need be."""
        found = self.get(key)
        return found if found is not None else self.put(key, make())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
            self._sizes.clear()
            self.bytes = 0


@functools.cache
def results() -> Store:
    """Return the store that all visitors share.

    Raises:
        ValueError: If the setting of its size is not a number of megabytes.
    """
    compute.setup_app()  # before anything is computed
    raw = os.environ.get(RESULTS_VARIABLE) or str(RESULTS_MB)
    if not (raw.isascii() and raw.isdecimal() and 0 < int(raw[:9]) < 10**8):
        raise InputError(f"{RESULTS_VARIABLE} must be a whole number of megabytes >= 1, got {raw!r}")
    return Store(int(raw) * 2**20)


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model, shared and frozen, and the stamp of the weights that it really has."""

    name: str
    stamp: str
    model: Classifier


_models: OrderedDict[str, tuple[object, Loaded]] = OrderedDict()
_models_lock = threading.Lock()


def loaded(name: str) -> Loaded:
    """Return a model with its stamp, loading it where its file is new.

    Raises:
        core.models.checkpoints.CheckpointError: If it is not there or is damaged.
    """
    path = checkpoints.path_of(name)
    with _models_lock:
        kept = _models.get(name)
        while kept is None or kept[0] != state_of(path):
            state = state_of(path)
            stamp = hashlib.blake2b(path.read_bytes(), digest_size=6).hexdigest() if path.is_file() else ""
            if name not in _models:
                _set_aside()
            kept = _models[name] = (state, Loaded(name, stamp, ready.load(name)))
        _models.move_to_end(name)
        while len(_models) > MODELS:
            _models.popitem(last=False)
        return kept[1]


def _set_aside() -> None:
    """Keep what is loaded by now out of garbage collections.

    On the 240,000 objects of this program alone one takes 0.13 s, in which no other thread runs, and finds nothing:
    they live as long as the server.
    """
    gc.collect()
    gc.freeze()


def model(name: str) -> Classifier:
    """Return a loaded model, shared and frozen.

    Raises:
        core.models.checkpoints.CheckpointError: If it is not there or is damaged.
    """
    return loaded(name).model


def stamp(name: str) -> str:
    """Return a stamp of a checkpoint's file, for the key of what is computed with it.

    Raises:
        core.models.checkpoints.CheckpointError: If it is not there or is damaged.
    """
    return loaded(name).stamp


def forget() -> None:
    """Forget all models and results: for tests."""
    results().clear()
    _models.clear()


def lesson(name: str, folder: Path = checkpoints.FOLDER.parent / "assets" / "lessons") -> dict[str, str]:
    """Read a lesson text: a Markdown file whose `## ` headings name its parts."""
    parts = (folder / f"{name}.md").read_text(encoding="utf-8").split("\n## ")
    return {title.strip(): body.strip() for title, _, body in (part.partition("\n") for part in parts[1:])}
