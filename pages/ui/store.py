"""What the pages keep between runs and share between visitors: loaded models and computed results.

Streamlit's own caches cannot hash a model and know nothing of a run that is stopped half-way, so results sit in a small
least-recently-used store under their recipe.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import streamlit as st
from torch import nn

from core.compute import pool
from core.models import checkpoints, ready

KEPT = 400  # results; a batch of seven frames of one picture is 0.2 MB


class Store:
    """A bounded mapping, safe among threads."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._items, self._lock = kept, OrderedDict[Hashable, Any](), threading.Lock()

    def get(self, key: Hashable) -> Any | None:
        """Return what is under the key, or None."""
        with self._lock:
            if key in self._items:
                self._items.move_to_end(key)
            return self._items.get(key)

    def put(self, key: Hashable, value: Any) -> Any:
        """Keep a value, forgetting the one that was not asked for longest; return it."""
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            while len(self._items) > self._kept:
                self._items.popitem(last=False)
        return value

    def of(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what is under the key, making it if need be."""
        found = self.get(key)
        return found if found is not None else self.put(key, make())


@st.cache_resource
def results() -> Store:
    """Return the store that all visitors share."""
    pool()  # sets the number of threads before anything is computed
    return Store()


@st.cache_resource(max_entries=12, show_spinner=False)
def _model(name: str, stamp: int) -> nn.Module:  # noqa: ARG001 - the stamp makes a rebuilt checkpoint load anew
    return ready.load(name)


def model(name: str) -> nn.Module:
    """Return a loaded model, shared and frozen.

    Raises:
        core.models.checkpoints.CheckpointError: If it is not there or is damaged.
    """
    path = checkpoints.path_of(name)
    return _model(name, path.stat().st_mtime_ns if path.is_file() else 0)


def lesson(name: str, folder: Path = checkpoints.FOLDER.parent / "assets" / "lessons") -> dict[str, str]:
    """Read a lesson text: a Markdown file whose `## ` headings name its parts."""
    parts = (folder / f"{name}.md").read_text(encoding="utf-8").split("\n## ")
    return {title.strip(): body.strip() for title, _, body in (part.partition("\n") for part in parts[1:])}
