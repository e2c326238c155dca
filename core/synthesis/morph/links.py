"""A board as a recipe, which is a link, and as a program; and the board that a recipe describes."""

import base64
import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import nn

from core import worlds
from core.recipes import program
from core.synthesis.morph.board import Act, Board, Hold
from core.synthesis.morph.starts import start
from core.synthesis.recipe import LIMITS, SynthesisRecipe

STEP = 0.15  # L2 length of a step, pixel units
MOST_STEPS = 600  # that an address may ask for


def acts_of(recipe: SynthesisRecipe) -> tuple[Act, ...]:
    """Read the recipe's holds; what is not a class and a number of steps is left out."""
    eps, acts, left, classes = limit(recipe.reach), [], MOST_STEPS, worlds.of(recipe).classes
    for hold in recipe.holds:
        name, _, steps = hold.partition(":")
        digits = steps.lstrip("0") if steps.isascii() and steps.isdecimal() else ""
        if name in classes and digits and len(digits) < 5 and int(digits) <= left:
            acts.append(Act(classes.index(name), int(digits), eps, STEP))
            left -= int(digits)
    return tuple(acts)


def limit(text: str) -> float:
    """Return a limit, one of `core.synthesis.recipe.LIMITS`, as a number."""
    return math.inf if text == "none" else float(text)


def opened(
    recipe: SynthesisRecipe, models: Sequence[nn.Module], *, on_step: Callable[[int], bool] | None = None
) -> Board:
    """Make the board that a recipe describes, with its film: a frame for each step.

    Args:
        recipe: Names start, holds and eps.
        models: The models, one picture each.
        on_step: Called with the number of each step; returning True ends it with the board so far.

    Raises:
        core.data.decode.PictureError, core.data.DataError: See `start`.
    """
    board, done = Board.of(start(recipe.start, recipe.world), len(models), recipe.start), 0
    for act in acts_of(recipe):
        hold = Hold(models, board.pictures, board.anchor, act.target, eps=act.eps, step_size=act.step_size)
        for step in range(act.steps):
            if on_step is not None and on_step(done):
                if step:
                    board.held(replace(act, steps=step))
                return board
            board.add(torch.cat([hold.advance(k, 1).cpu() for k in range(len(models))]))
            done += 1
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
    holds = tuple(f"{worlds.of(recipe).classes[act.target]}:{act.steps}" for act in board.acts)
    return replace(recipe, start=board.name, holds=holds, reach=told)


def script(board: Board, names: Sequence[str], world: str = worlds.DEFAULT) -> str:
    """Write the Python program that makes the board's pictures anew and saves them as PNG, to the same last bit.

    Args:
        board: What was drawn and held.
        names: The models' checkpoints.
        world: In which they live.
    """
    classes = worlds.get(world).classes
    where = "" if world == worlds.DEFAULT else f", {world!r}"
    imports = ["from pathlib import Path", "from core.models.ready import load"]
    if board.name and not board.name.startswith("upload/"):
        imports += [
            "from core.synthesis.morph import Act, Board, replay, start",
            "from core.files.render import png, to_uint8",
        ]
        origin = f"origin = anchor = Board.of(start({board.name!r}{where}), {len(names)}).pictures"
    else:
        imports += ["import base64", "import zlib", "import numpy as np"]
        imports += [
            "from core.synthesis.morph import Act, replay",
            "from core.files.render import from_uint8, png, to_uint8",
        ]
        both = [
            base64.b64encode(zlib.compress(frames.tobytes(), 9)).decode()
            for frames in (board.origin, board.origin_anchor)
        ]
        texts = both[:1] if both[0] == both[1] else both
        read = f"np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape{board.origin.shape}.copy()"
        origin = f"texts = {texts!r}\norigin, anchor = (from_uint8({read}) for text in (texts[0], texts[-1]))"
    acts = "".join(
        f"    Act({act.target}, {act.steps}, {act.eps!r}, {act.step_size!r}),  # {classes[act.target]}\n"
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
