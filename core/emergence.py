"""What the Robust frog page computes: one representation, inverted in one model, iterate by iterate.

    recipe = InvertRecipe(picture="gallery/7", start="noise")
    made = emerge(recipe, recipe.robust)           # an Emergence
    made.frames[-1], made.distance[-1]

The page and the script that it offers for copying call these same functions.
"""

import argparse
import json
import logging
import os
import time
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core import compute, data
from core.attacks import OnStep
from core.attacks.recording import Recorder, picked
from core.commands import command
from core.data import pictures
from core.inversion import FAST, PAPER, Setting, invert, noise_start, relative_distance, representation
from core.models import Classifier, checkpoints
from core.models.ready import load
from core.rates import Rate
from core.recipes import InvertRecipe, to_python
from core.types import Images

SETTINGS: dict[str, Setting] = {"fast": FAST, "paper": PAPER}
FRAMES = 41
MODELS = ("resnet9-standard", "resnet9-l2")
log = logging.getLogger(__name__)
RESULTS = checkpoints.FOLDER.parent / "assets" / "results" / "inversion.json"


@dataclass(frozen=True)
class Emergence:
    """A picture on its way to another one's representation.

    Args:
        x: The picture whose representation is wanted (1, C, H, W).
        x0: The start (1, C, H, W).
        steps: The step number of each frame (F).
        frames: Iterates (F, C, H, W); the last one is the best of all.
        distance: |g(frame) - g(x)| / |g(x)| (F).
        logits: What the inverted model says of each frame (F, K).
        clean_logits: What it says of x (1, K).
        stopped: The step at which it was stopped, or None.
    """

    x: Images
    x0: Images
    steps: tuple[int, ...]
    frames: Tensor
    distance: Tensor
    logits: Tensor
    clean_logits: Tensor
    stopped: int | None = None

    @property
    def pixel_distance(self) -> Tensor:
        """L2 distance of each frame from the picture x (F), pixel units."""
        return (self.frames - self.x).flatten(1).norm(dim=1)

    def at(self, rows: list[int]) -> "Emergence":
        """Return it with these frames alone."""
        return replace(self, **picked(self, rows, "steps", "frames", "distance", "logits"))


def kept_steps(steps: int) -> tuple[int, ...]:
    """Choose which iterates become frames: dense at first, where most happens."""
    last = FRAMES - 1
    return tuple(sorted({round(steps * (i / last) ** 1.6) for i in range(FRAMES)}))


def start_of(recipe: InvertRecipe) -> tuple[Images, str]:
    """Return the start (1, C, H, W) and what it is; each picture has its own.

    "picture" draws from the same source, independently of the label (paper, section 3.1); an upload draws from what
    there is.
    """
    if recipe.start == "noise":
        return noise_start((1, 3, 32, 32), draws_of(recipe)), "noise"
    if recipe.start == "grey":
        return torch.full((1, 3, 32, 32), 0.5), "grey"
    other = other_of(recipe)
    return other.x, other.caption


def other_of(recipe: InvertRecipe) -> pictures.Picture:
    """Draw another picture than the recipe's from the same source, independently of the label."""
    others = [id for id in pictures.ids(source_of(recipe)) if id != recipe.picture]
    return pictures.get(others[int(torch.randint(len(others), (), generator=draws_of(recipe)))])


def source_of(recipe: InvertRecipe) -> str:
    """Return the source that other pictures come from: the picture's own, or the first there is."""
    kind, sources = recipe.picture.partition("/")[0], pictures.available()
    return kind if kind in sources else sources[0]


def draws_of(recipe: InvertRecipe) -> torch.Generator:
    """Make the generator of a recipe; it depends on the seed and on the picture's name alone."""
    return torch.Generator().manual_seed(zlib.crc32(f"{recipe.seed} {recipe.picture}".encode()))


def emerge(
    recipe: InvertRecipe,
    name: str,
    *,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> Emergence:
    """Invert the recipe's representation in one model.

    Args:
        recipe: What to do.
        name: The checkpoint to invert.
        picture: The picture, where the id alone does not give it (uploads).
        model: The loaded model, if the caller has it; it must be prepared by `core.models.ready.load`.
        on_step: See `core.attacks.descend`. Stopping keeps the frames so far and the best iterate.

    Raises:
        ValueError: If the model has no such block.
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
    """
    picture = picture if picture is not None else pictures.get(recipe.picture)
    start, _ = start_of(replace(recipe, picture=picture.id))
    ready = model if model is not None else load(name)
    assert isinstance(ready, Classifier)
    here = next(ready.parameters()).device
    x, x0 = (t.to(here).contiguous(memory_format=torch.channels_last) for t in (picture.x, start))
    block = None if recipe.block == ready.blocks[-1] else recipe.block
    setting = SETTINGS[recipe.setting]
    wanted = representation(ready, x, block)
    recorder = Recorder(kept_steps(setting.steps), on_step)
    best = invert(ready, wanted, x0, setting=setting, block=block, on_step=recorder)
    gap = representation(ready, best, block) - wanted
    relative = gap.flatten(1).norm(dim=1) / wanted.flatten(1).norm(dim=1).clamp_min(1e-12)
    stack, distance = torch.cat([*recorder.frames, best]), torch.cat([*recorder.values, relative])
    with torch.no_grad():
        logits, clean = ready(stack), ready(x)
    return Emergence(x, x0, recorder.steps(setting.steps), stack, distance, logits, clean, recorder.stopped)


def script(recipe: InvertRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves the last frame of each model as a PNG."""
    return to_python(
        recipe,
        ["from pathlib import Path", "from core.files import render", "from core.emergence import emerge"],
        """
        for name in (recipe.standard, recipe.robust):
            made = emerge(recipe, name)
            print(f"{name}: relative feature distance {float(made.distance[-1]):.4f}")
            Path(f"{name}-inverted.png").write_bytes(render.png(render.to_uint8(made.frames[-1:])[0]))
        """,
    )


def measure(name: str, viewers: tuple[str, ...], n: int, seed: int, setting: str) -> dict[str, Any]:
    """Invert n test pictures in one model and let other networks say what they see in the results.

    Each picture starts from another test picture, drawn independently of the label; pictures and starts are the same for
    all models and settings.

    Args:
        name: The model that is inverted.
        viewers: Networks that say whether they see the wanted picture's class, or still the start's.
        n: Pictures.
        seed: Of the choice.
        setting: "fast" or "paper".

    Returns:
        Means with 95 % intervals, and rates with Wilson intervals.
    """
    test = data.cifar10("test")
    draws = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(test), generator=draws)[: 2 * n].tolist()
    x, x0, y, y0 = test.x(rows[:n]), test.x(rows[n:]), test.y(rows[:n]), test.y(rows[n:])
    model = load(name)
    assert isinstance(model, Classifier)
    made, began = [], time.monotonic()
    for part in range(0, n, 50):
        wanted = representation(model, x[part : part + 50])
        made.append(invert(model, wanted, x0[part : part + 50], setting=SETTINGS[setting]))
        log.info("%s, %s: %d of %d", name, setting, part + len(made[-1]), n)
    seconds = (time.monotonic() - began) / n
    inverted = torch.cat(made)
    with torch.no_grad():
        distance = relative_distance(model, representation(model, x))(inverted)
        said = {viewer: load(viewer)(inverted).argmax(1) for viewer in (name, *viewers)}
    return {
        **_mean("distance", distance),
        **_mean("pixel_distance", (inverted - x).flatten(1).norm(dim=1)),
        **_mean("moved", (inverted - x0).flatten(1).norm(dim=1)),
        "sees_wanted": {viewer: Rate(int((k == y).sum()), n).as_json() for viewer, k in said.items()},
        "sees_start": {viewer: Rate(int((k == y0).sum()), n).as_json() for viewer, k in said.items()},
        "seconds_per_picture": seconds,
    }


def _mean(name: str, values: Tensor) -> dict[str, object]:
    half = 1.96 * float(values.std()) / len(values) ** 0.5
    mean = float(values.mean())
    return {f"{name}_mean": mean, f"{name}_interval": [mean - half, mean + half]}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command: python -m core.emergence measure."""
    parser = argparse.ArgumentParser(prog="python -m core.emergence", description="Measure inversions.")
    parser.add_argument("action", choices=["measure"])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--judge", default="vgg-standard")
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    threads = compute.setup_cpu()
    about = {
        "n": given.n,
        "seed": given.seed,
        "judge": given.judge,
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "how": f"test pictures, starts are other test pictures; batches of 50; {threads} CPU threads; torch {torch.__version__}",
    }
    for setting in given.settings:
        for name in given.models:
            viewers = tuple(v for v in dict.fromkeys((*MODELS, given.judge)) if v != name)
            found = {name: measure(name, viewers, given.n, given.seed, setting)}
            known = json.loads(given.out.read_text()) if given.out.is_file() else {}
            settings = known.get("settings", {})
            settings[setting] = {**settings.get(setting, {}), **found}
            part = given.out.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps({**about, "settings": settings}, indent=2, sort_keys=True) + "\n")
            part.replace(given.out)


if __name__ == "__main__":
    main()
