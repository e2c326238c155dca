"""A drawing in several models' hands: holds that move it, its film, its undo, and its replay to the last bit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from core.attacks import descend
from core.attacks.balls import L2
from core.attacks.objectives import log_odds
from core.attacks.rules import momentum
from core.files.render import Frames, from_uint8, to_uint8
from core.problems import InputError
from core.types import Images, PerExample

BETA = 0.5  # of the momentum: smooth, and still turning at once when another class is held
FILM = 480  # frames kept; beyond that, every second one goes
UNDO = 40


@dataclass(frozen=True)
class Act:
    """One hold: toward which class, how many steps, within which L2 of the anchor, and how long each was."""

    target: int
    steps: int
    eps: float
    step_size: float


class Hold:
    """A class that is held down: each of M models moves its own picture, and remembers its momentum between frames.

    Args:
        models: M models, in eval mode.
        pictures: Where they are (M, C, H, W).
        anchor: The centre of each one's ball (M, C, H, W).
        target: The class.
        eps: How far from the anchor they may go, L2 in pixel units; inf is no limit.
        step_size: L2 length of a step; with momentum, long runs go twice that.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        pictures: Images,
        anchor: Images,
        target: int,
        *,
        eps: float = math.inf,
        step_size: float,
    ) -> None:
        self.models, self.target, self.ball = tuple(models), target, L2(eps)
        self.rules = [momentum(self.ball, step_size, BETA) for _ in self.models]
        self.at = [x.contiguous(memory_format=torch.channels_last) for x in pictures.split(1)]
        self.logits: list[Tensor | None] = [None] * len(self.models)  # (1, K) before the last step: known anyway
        self.anchor = [x.contiguous(memory_format=torch.channels_last) for x in anchor.split(1)]

    def advance(self, k: int, steps: int) -> Images:
        """Move the k-th model's picture by some steps and return it (1, C, H, W). Models may advance side by side."""
        here = next(self.models[k].parameters()).device
        y = torch.tensor([self.target], device=here)

        def objective(x: Images) -> PerExample:
            logits = self.models[k](x)
            self.logits[k] = logits.detach()
            return -log_odds(logits, y)

        anchor, at = self.anchor[k].to(here), self.at[k].to(here)
        for _ in range(steps):  # one by one, so that a replay rounds alike, however the steps fell into frames
            at = descend(objective, anchor, self.ball, steps=1, rule=self.rules[k], start=at)
        self.at[k] = at
        return at


@dataclass
class Board:
    """The editing state of a drawing, one picture a model (M), with its history.

    Args:
        pictures: One for each model (M, C, H, W).
        anchor: The centre of each model's ball (M, C, H, W).
        film: 8-bit frames, each (M, H, W, C), the last one being what `pictures` looks like.
        origin: What the replay starts from: 8-bit pictures (M, H, W, C) ...
        origin_anchor: ... with this anchor (M, H, W, C) ...
        acts: ... and the holds since.
        name: The id of the start if the origin is a start that nobody has painted on, else "".
    """

    pictures: Images
    anchor: Images
    film: list[Frames]
    origin: Frames
    origin_anchor: Frames
    acts: tuple[Act, ...] = ()
    name: str = ""
    _past: list["Board"] = field(default_factory=list)

    @staticmethod
    def of(x: Images, models: int, name: str = "") -> "Board":
        """Put one picture (1, C, H, W) before each model."""
        frame = to_uint8(x.expand(models, -1, -1, -1))
        exact = from_uint8(frame)
        return Board(exact, exact, [frame], frame, frame, (), name)

    def copy(self) -> "Board":
        """Return a board of its own with the same pictures and film, and nothing to undo."""
        return replace(self, film=list(self.film), _past=[])

    def remember(self) -> None:
        """Make this the moment that `undo` returns to."""
        self._past.append(self.copy())
        del self._past[:-UNDO]

    @property
    def can_undo(self) -> bool:
        """Whether there is something to undo."""
        return bool(self._past)

    def undo(self) -> bool:
        """Go back to before the last start, stroke or hold; return whether there was one."""
        if not self._past:
            return False
        before = self._past.pop()
        for name in ("pictures", "anchor", "film", "origin", "origin_anchor", "acts", "name"):
            setattr(self, name, getattr(before, name))
        return True

    def start(self, x: Images, name: str = "") -> None:
        """Begin anew with one picture (1, C, H, W) for all; the film begins anew, too."""
        self.remember()
        fresh = Board.of(x, len(self.pictures), name)
        for attribute in ("pictures", "anchor", "film", "origin", "origin_anchor", "acts", "name"):
            setattr(self, attribute, getattr(fresh, attribute))

    def paint(self, frames: Frames) -> None:
        """Take over what a person painted: 8-bit pictures (M, H, W, C). It becomes the anchor.

        Raises:
            ValueError: If there is not one picture of the right size for each model.
        """
        if frames.dtype != np.uint8 or frames.shape != self.film[-1].shape:
            raise InputError(f"expected 8-bit pictures {self.film[-1].shape}, got {frames.dtype} {frames.shape}")
        self.remember()
        self.pictures = self.anchor = from_uint8(frames)
        self.origin = self.origin_anchor = frames
        self.acts, self.name = (), ""
        self._record(frames)

    def drop_anchor(self) -> None:
        """Make what is in sight the centre of the balls."""
        self.remember()
        frames = to_uint8(self.pictures)
        self.pictures = self.anchor = from_uint8(frames)
        self.origin = self.origin_anchor = frames
        self.acts, self.name = (), ""

    def add(self, pictures: Images) -> Frames:
        """Take the next iterates (M, C, H, W) and return them as a frame of the film (M, H, W, C)."""
        self.pictures = pictures.detach().cpu()
        frame = to_uint8(self.pictures)
        self._record(frame)
        return frame

    def held(self, act: Act) -> None:
        """Write a hold down, after its last frame."""
        self.acts = (*self.acts, act)

    @property
    def moved(self) -> Tensor:
        """L2 distance of each picture from its anchor (M), pixel units."""
        return (self.pictures - self.anchor).flatten(1).norm(dim=1)

    def _record(self, frame: Frames) -> None:
        self.film.append(frame)
        if len(self.film) > FILM:
            last = self.film[-1]
            self.film[:] = self.film[::2]
            if self.film[-1] is not last:
                self.film.append(last)


def replay(pictures: Images, anchor: Images, acts: Sequence[Act], models: Sequence[nn.Module]) -> Images:
    """Do a series of holds: pictures and anchor (M, C, H, W) to pictures (M, C, H, W)."""
    for act in acts:
        hold = Hold(models, pictures, anchor, act.target, eps=act.eps, step_size=act.step_size)
        pictures = torch.cat([hold.advance(k, act.steps).cpu() for k in range(len(models))])
    return pictures
