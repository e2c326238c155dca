"""The last frames of the view with which the Style page opens: there before anything is computed.

    python -m core.style.opening          # paints them anew, after the weights or the recipe's defaults changed

They count only for the recipe and the weights of which they were made; else the page opens with what it computes.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from core import compute
from core.commands import command, output
from core.files.arrays import UNREADABLE, load_arrays, save_arrays
from core.files.once import once_a_state
from core.files.render import from_uint8, to_uint8
from core.models import checkpoints
from core.recipes import to_json
from core.style.recipe import StyleRecipe
from core.style.transfer import transfer
from core.types import Images

FILE = checkpoints.FOLDER.parent / "assets" / "style" / "opening.npz"


def read(recipe: StyleRecipe, path: Path | None = None) -> dict[str, Images]:
    """Return what each network makes of the recipe in the end (1, 3, side, side); empty where that is not known."""
    path = path if path is not None else FILE
    if not path.is_file():
        return {}
    found = _arrays(path)
    if found.get("about") != _about(recipe):
        return {}
    return {name: from_uint8(found[name][None]) for name in (recipe.standard, recipe.robust) if name in found}


def paint(recipe: StyleRecipe, path: Path) -> None:
    """Paint the recipe's picture through both networks, and write their last frames in 8 bits."""
    made = {name: transfer(recipe, name).frames[-1:] for name in (recipe.standard, recipe.robust)}
    frames = {name: to_uint8(x)[0] for name, x in made.items()}
    save_arrays(path, {**frames, "about": np.array(_about(recipe))}, compressed=True)


def _about(recipe: StyleRecipe) -> str:
    """Say what the frames depend on: all of the recipe but the frame in sight, and the weights of both networks."""
    names = (recipe.standard, recipe.robust)
    stamps = [checkpoints.stamp(name) if checkpoints.path_of(name).is_file() else "" for name in names]
    return f"{to_json(replace(recipe, view=StyleRecipe.view, frame=0))} {' '.join(stamps)}"


@once_a_state(4)
def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        return load_arrays(path)
    except UNREADABLE:
        return {}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.style.opening", description="Paint the opening of the page.")
    parser.add_argument("--out", type=output, default=str(FILE))
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    paint(StyleRecipe(), given.out)
    sys.stdout.write(f"{given.out}: {given.out.stat().st_size / 1024:.0f} KB\n")


if __name__ == "__main__":
    main()
