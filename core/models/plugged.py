"""A network without a checkpoint, because its owner's file makes it, and the small file that stands for its weights."""

import atexit
import copy
import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.models.classifier import Classifier


@dataclass(frozen=True)
class Plugged:
    """A network out of a file, as `core.models.checkpoints` knows those that have no checkpoint.

    Args:
        path: A file that stands for its weights: it is another one whenever they are.
        arch: What it is, for people.
        title: For people.
        world: In which world it lives.
        recipe: Where it is from, and what was done to it.
        model: In eval mode, frozen, with the world's order of classes.
    """

    path: Path
    arch: str
    title: str
    world: str
    recipe: Mapping[str, Any]
    model: Classifier = field(repr=False)

    def load(self) -> Classifier:
        """Return the network, a copy of one's own."""
        return copy.deepcopy(self.model)


def stand_in(name: str, file: Path, model: Classifier) -> Path:
    """Write a small file that is another one whenever the network is: what a checkpoint's file is to others."""
    digest = hashlib.sha256(file.read_bytes())
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().float().contiguous().numpy().tobytes())
    folder = tempfile.TemporaryDirectory(prefix="robust-frog-plugin-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / f"{name}.json"
    path.write_text(json.dumps({"plugin": file.name, "network": name, "sha256": digest.hexdigest()}), "utf-8")
    return path
