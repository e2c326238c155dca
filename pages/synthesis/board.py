"""One visitor's board of hold to morph: its pictures, the models that move them, and what is seen in each frame.

    live = Live(board, (standard, robust), judge)
    moved, told = live.step(hold, 0, judged=True)       # the standard model's picture, one step on

The canvas talks to it through `pages.synthesis.live`.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from core import worlds
from core.files.render import Frames, from_uint8
from core.synthesis.morph import Board, Hold
from core.types import Images
from pages.ui.live import Held, top
from pages.ui.turns import Account

NOTES = 2000  # frames of which what is known is kept
LOOKED_AT = 120  # frames of a film that are judged when it is opened

Note = dict[str, Any]  # what is said of a frame, and how far it is from its anchor


class Live(Held):
    """One visitor's board with the models that move it; lives as long as their session.

    Args:
        board: The pictures.
        models: Those that move them.
        judge: An independent network that only looks, or None.
        account: Whose share of the cores its steps take; by default one of its own.
        classes: What the models' logits are called; by default as in the first world.
    """

    def __init__(
        self,
        board: Board,
        models: tuple[nn.Module, ...],
        judge: nn.Module | None,
        account: Account | None = None,
        classes: tuple[str, ...] = worlds.get().classes,
    ) -> None:
        super().__init__(account)
        self.board, self.models, self.judge = board, models, judge
        self.classes = classes
        self.notes: OrderedDict[bytes, Note] = OrderedDict()  # what is known of frames, by their pixels

    def verdicts(self) -> list[dict[str, Any]]:
        """Say what each model sees in its picture, and what the judge sees in it."""
        x = self.board.pictures.to(next(self.models[0].parameters()).device)
        with torch.no_grad():
            own = [model(x[k : k + 1]) for k, model in enumerate(self.models)]
            third = [None if self.judge is None else self.judge(x[k : k + 1]) for k in range(len(own))]
        return [said(self.classes, logits, judged) for logits, judged in zip(own, third, strict=True)]

    def note(self, frame: Frames, says: list[dict[str, Any]], far: list[float]) -> None:
        """Keep what is known of a frame, for the film."""
        self.notes[digest(frame)] = {"says": says, "far": far}
        while len(self.notes) > NOTES:
            self.notes.popitem(last=False)

    def film_notes(self) -> list["Note | None"]:
        """Say what is known of each frame of the film; look at those that nobody has, if they are few."""
        film = list(self.board.film)
        missing = [frame for frame in film if digest(frame) not in self.notes][:LOOKED_AT]
        if missing:
            x = torch.cat([from_uint8(frame) for frame in missing])  # frames times models
            here = next(self.models[0].parameters()).device
            n, m = len(missing), len(self.models)
            far = (x.reshape(n, m, *x.shape[1:]) - self.board.anchor).flatten(2).norm(dim=2)
            x = x.to(here)
            with torch.no_grad():
                own = torch.stack([model(x[k::m]) for k, model in enumerate(self.models)], 1)
                third = None if self.judge is None else self.judge(x)
            for i, frame in enumerate(missing):
                says = [
                    said(self.classes, own[i, k : k + 1], None if third is None else third[m * i + k][None])
                    for k in range(m)
                ]
                self.note(frame, says, [round(d, 3) for d in far[i].tolist()])
        return [self.notes.get(digest(frame)) for frame in film]

    def step(self, hold: Hold, k: int, *, judged: bool) -> tuple[Images, dict[str, Any]]:
        """Move the k-th picture by one step; return it (1, C, H, W) and what was seen in it before the step."""
        x = hold.at[k]
        third = None
        if judged and self.judge is not None:
            with torch.no_grad():
                third = self.judge(x.to(next(self.judge.parameters()).device))
        moved = hold.advance(k, 1).cpu()
        return moved, said(self.classes, hold.logits[k], third)


def digest(frame: Frames) -> bytes:
    """Return a fingerprint of a frame."""
    return hashlib.blake2b(frame.tobytes(), digest_size=16).digest()


def said(classes: Sequence[str], own: torch.Tensor | None, third: torch.Tensor | None) -> dict[str, Any]:
    """Pack what a model and the judge say of one picture: logits (1, K), None where nobody asked."""
    return {
        "says": None if own is None else top(own[0], classes),
        "judge": None if third is None else top(third[0], classes, 1),
    }
