"""Hold to morph: the same drawing in several models' hands, each moving its copy toward a class for as long as asked.

    board = Board.of(x, models=2)
    hold = Hold((standard, robust), board.pictures, board.anchor, target=FROG, eps=6.0, step_size=0.15)
    board.add(torch.cat([hold.advance(k, 1) for k in range(2)]))        # one frame of the film

A hold is the one loop, run a few steps at a time. Every start and every stroke is 8-bit, so a board can be written down
as one picture and the holds since, and that comes out the same to the last bit.
"""

import base64
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn

from core import pictures as named
from core.attacks import descend
from core.balls import L2
from core.data import CIFAR10_CLASSES
from core.decode import PictureError
from core.objectives import log_odds
from core.recipes import SynthesisRecipe, program
from core.recipes.synthesis import LIMITS
from core.render import Frames, from_uint8, to_uint8
from core.rules import momentum
from core.synthesis import gaussians
from core.types import Images, PerExample

STEP = 0.15  # L2 length of a step, pixel units
BETA = 0.5  # of the momentum: smooth, and still turning at once when another class is held
FILM = 480  # frames kept; beyond that, every second one goes
UNDO = 40
MOST_STEPS = 600  # that an address may ask for

# Paper, and shapes on it: ovals by their box, polygons by their corners, all in [0, 1].
SKETCHES: dict[str, tuple[str, tuple[tuple[str, tuple[float, ...], str], ...]]] = {
    "meadow": (
        "#9cc9ec",
        (
            ("polygon", (0, 0.62, 1, 0.58, 1, 1, 0, 1), "#5f8f3f"),
            ("oval", (0.22, 0.34, 0.72, 0.62), "#7a4a25"),
            ("polygon", (0.28, 0.55, 0.36, 0.55, 0.35, 0.86, 0.29, 0.86), "#6a3f1f"),
            ("polygon", (0.58, 0.55, 0.66, 0.55, 0.66, 0.86, 0.6, 0.86), "#6a3f1f"),
            ("polygon", (0.62, 0.42, 0.74, 0.14, 0.9, 0.24, 0.76, 0.48), "#7a4a25"),
        ),
    ),
    "sea": (
        "#bcd9ee",
        (
            ("polygon", (0, 0.62, 1, 0.62, 1, 1, 0, 1), "#2f5f8f"),
            ("polygon", (0.12, 0.52, 0.9, 0.52, 0.78, 0.72, 0.24, 0.72), "#8a2f2a"),
            ("polygon", (0.36, 0.3, 0.66, 0.3, 0.66, 0.52, 0.36, 0.52), "#f2f2f2"),
        ),
    ),
    "face": (
        "#e8e0d4",
        (
            ("polygon", (0.2, 0.42, 0.24, 0.08, 0.46, 0.28), "#8a7a66"),
            ("polygon", (0.8, 0.42, 0.76, 0.08, 0.54, 0.28), "#8a7a66"),
            ("oval", (0.17, 0.2, 0.83, 0.86), "#a08e78"),
            ("oval", (0.32, 0.42, 0.42, 0.54), "#222222"),
            ("oval", (0.58, 0.42, 0.68, 0.54), "#222222"),
            ("oval", (0.45, 0.6, 0.55, 0.68), "#5a3a3a"),
        ),
    ),
    "pond": (
        "#3c5a3a",
        (
            ("oval", (0.15, 0.4, 0.85, 0.9), "#7fae45"),
            ("oval", (0.22, 0.28, 0.44, 0.5), "#8fbf5a"),
            ("oval", (0.56, 0.28, 0.78, 0.5), "#8fbf5a"),
            ("oval", (0.29, 0.34, 0.37, 0.42), "#111111"),
            ("oval", (0.63, 0.34, 0.71, 0.42), "#111111"),
        ),
    ),
}


@dataclass(frozen=True)
class Act:
    """One hold: toward which class, how many steps, within which L2 distance of the anchor, and how long each step was."""

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
    """A drawing in M models' hands, and how it came to look like that.

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
            raise ValueError(f"expected 8-bit pictures {self.film[-1].shape}, got {frames.dtype} {frames.shape}")
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

    def replayed(self, models: Sequence[nn.Module]) -> Images:
        """Compute the pictures anew from the origin and the holds (M, C, H, W)."""
        return replay(from_uint8(self.origin), from_uint8(self.origin_anchor), self.acts, models)

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


def start(name: str) -> Images:
    """Return the start of that name (1, C, H, W).

    Args:
        name: "blank", "sketch/meadow" (see `SKETCHES`), "seed/frog/7" (a draw from a class), or a picture's id.

    Raises:
        core.decode.PictureError: If there is none of that name.
        core.data.DataError: If it is a seed and the class Gaussians are not here.
    """
    kind, _, rest = name.partition("/")
    if name == "blank":
        return torch.ones(1, 3, named.SIZE, named.SIZE)
    if kind == "sketch" and rest in SKETCHES:
        return sketch(rest)
    if kind != "seed":
        return named.get(name).x
    of_class, _, seed = rest.partition("/")
    if of_class not in CIFAR10_CLASSES or not (seed.isascii() and seed.isdecimal() and len(seed) < 10):
        raise PictureError("A seed is named like seed/frog/7.")
    draws = torch.Generator().manual_seed(int(seed))
    return gaussians()[CIFAR10_CLASSES.index(of_class)].sample(1, draws)


def sketch(name: str) -> Images:
    """Draw one of `SKETCHES` as a child would (1, C, H, W)."""
    large = 8 * named.SIZE  # drawn large and averaged, so that edges are soft
    paper = Image.new("RGB", (large, large), SKETCHES[name][0])
    pen = ImageDraw.Draw(paper)
    for shape, box, colour in SKETCHES[name][1]:
        place = [large * v for v in box]
        if shape == "oval":
            pen.ellipse(place, fill=colour)
        else:
            pen.polygon(place, fill=colour)
    return from_uint8(np.array(paper.resize((named.SIZE, named.SIZE), Image.Resampling.BOX))[None])


def acts_of(recipe: SynthesisRecipe) -> tuple[Act, ...]:
    """Read the recipe's holds; what is not a class and a number of steps is left out."""
    eps, acts, left = limit(recipe.reach), [], MOST_STEPS
    for hold in recipe.holds:
        name, _, steps = hold.partition(":")
        if name in CIFAR10_CLASSES and steps.isascii() and steps.isdecimal() and 0 < int(steps[:6]) <= left:
            acts.append(Act(CIFAR10_CLASSES.index(name), int(steps), eps, STEP))
            left -= int(steps)
    return tuple(acts)


def limit(text: str) -> float:
    """Return a limit, one of `core.recipes.synthesis.LIMITS`, as a number."""
    return math.inf if text == "none" else float(text)


def opened(recipe: SynthesisRecipe, models: Sequence[nn.Module]) -> Board:
    """Make the board that a recipe describes, with its film: a frame for each step.

    Args:
        recipe: Names start, holds and eps.
        models: The models, one picture each.

    Raises:
        core.decode.PictureError, core.data.DataError: See `start`.
    """
    board = Board.of(start(recipe.start), len(models), recipe.start)
    for act in acts_of(recipe):
        hold = Hold(models, board.pictures, board.anchor, act.target, eps=act.eps, step_size=act.step_size)
        for _ in range(act.steps):
            board.add(torch.cat([hold.advance(k, 1).cpu() for k in range(len(models))]))
        board.held(act)
    return board


def described(board: Board, recipe: SynthesisRecipe) -> SynthesisRecipe | None:
    """Return the recipe that makes this board, or None where somebody painted or changed the settings in between."""
    eps = {act.eps for act in board.acts} or {limit(recipe.reach)}
    if not board.name or len(eps) > 1 or any(act.step_size != STEP for act in board.acts):
        return None
    told = next((text for text in LIMITS if limit(text) == next(iter(eps))), None)
    if told is None or sum(act.steps for act in board.acts) > MOST_STEPS or board.name.startswith("upload/"):
        return None
    holds = tuple(f"{CIFAR10_CLASSES[act.target]}:{act.steps}" for act in board.acts)
    return replace(recipe, start=board.name, holds=holds, reach=told)


def script(board: Board, names: Sequence[str]) -> str:
    """Write the Python program that makes the board's pictures anew and saves them as PNG, to the same last bit.

    Args:
        board: What was drawn and held.
        names: The models' checkpoints.
    """
    imports = ["from pathlib import Path", "from core.perturb import load"]
    if board.name and not board.name.startswith("upload/"):
        imports += ["from core.morph import Act, Board, replay, start", "from core.render import png, to_uint8"]
        origin = f"origin = anchor = Board.of(start({board.name!r}), {len(names)}).pictures"
    else:
        imports += ["import base64", "import zlib", "import numpy as np"]
        imports += ["from core.morph import Act, replay", "from core.render import from_uint8, png, to_uint8"]
        both = [
            base64.b64encode(zlib.compress(frames.tobytes(), 9)).decode()
            for frames in (board.origin, board.origin_anchor)
        ]
        texts = both[:1] if both[0] == both[1] else both
        read = f"np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape{board.origin.shape}.copy()"
        origin = f"texts = {texts!r}\norigin, anchor = (from_uint8({read}) for text in (texts[0], texts[-1]))"
    acts = "".join(
        f"    Act({act.target}, {act.steps}, {act.eps!r}, {act.step_size!r}),  # {CIFAR10_CLASSES[act.target]}\n"
        for act in board.acts
    ).replace("inf", "math.inf")
    if "math.inf" in acts:
        imports.append("import math")
    return program(
        imports,
        f"""{origin}
acts = [  # class, steps, L2 distance allowed, length of a step
{acts}]
names = {tuple(names)!r}
pictures = replay(origin, anchor, acts, [load(name) for name in names])
for name, picture in zip(names, to_uint8(pictures)):
    Path(f"{{name}}-morph.png").write_bytes(png(picture))""",
    )
