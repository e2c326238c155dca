"""A run's state on disk, from which it goes on."""

import io
import json
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from core import compute
from core.data.sets import Pictures
from core.files.atomic import replace_with
from core.problems import InputError
from core.train.losses import LossFn
from core.train.recipes import TrainRecipe

NOTE = "time.json"  # what a run has cost so far


class RunState:
    """The folder of a run: `state.pt` after each epoch, replaced atomically.

    Args:
        folder: Where; None keeps nothing.
        recipe: A run of another recipe is refused, since going on would be neither the one nor the other.
        pictures: The training set; a run on other pictures is refused likewise.
        loss_fn: What is minimised that asks for no labels; so is a run of another one.
    """

    def __init__(
        self, folder: Path | None, recipe: TrainRecipe, pictures: Pictures, loss_fn: LossFn | None = None
    ) -> None:
        self.path = folder / "state.pt" if folder else None
        self._note = folder / NOTE if folder else None
        self._minutes = float(spent(folder).get("minutes", 0.0)) if folder else 0.0
        self._since = time.monotonic()
        about = {"recipe": recipe.as_json(), "n": len(pictures)}
        if loss_fn is not None:
            about["lesson"] = repr(loss_fn)  # the name that runs which were begun have for it
        self.identity = json.dumps({**about, "data": pictures.fingerprint}, sort_keys=True)
        self._before = json.dumps(about, sort_keys=True)  # of runs that were begun before pictures had fingerprints

    def restore(
        self, model: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer, device: torch.device
    ) -> int:
        """Load the state into its three places and return the number of epochs done (0 for a fresh run)."""
        if self.path is None or not self.path.is_file():
            return 0
        state = torch.load(self.path, map_location=device, weights_only=True)
        if state["identity"] not in (self.identity, self._before):
            raise InputError(
                f"{self.path.parent} holds a run of another recipe or on other pictures; delete it or choose another"
                " folder"
            )
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["epochs"])

    def save(self, model: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer, epochs: int) -> None:
        """Write everything needed to go on."""
        if self.path is None:
            return
        buffer = io.BytesIO()  # torch's own writer meets a full disk with a RuntimeError
        torch.save(
            {
                "identity": self.identity,
                "epochs": epochs,
                "model": model.state_dict(),
                "averaged": averaged.state_dict(),
                "optimizer": optimizer.state_dict(),
            },
            buffer,
        )
        replace_with(self.path, buffer.getvalue())
        if self._note is not None:
            minutes = self._minutes + (time.monotonic() - self._since) / 60
            replace_with(self._note, json.dumps({"minutes": round(minutes, 1), "machine": compute.machine()}))


def spent(folder: Path) -> dict[str, Any]:
    """Return the minutes that a run has taken, all its parts together, and the machine; empty where none is noted."""
    note = folder / NOTE
    return dict(json.loads(note.read_text("utf-8"))) if note.is_file() else {}
