"""What the Robust frog page computes: one representation, inverted in one model, iterate by iterate.

    recipe = InvertRecipe(picture="gallery/7", start="noise")
    made = emerge(recipe, recipe.robust)           # an Emergence
    made.frames[-1], made.distance[-1]

The page and the script that it offers for copying call these same functions.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import worlds
from core.attacks import OnStep
from core.attacks.recording import Recorder, picked
from core.compute import arrived
from core.data import pictures
from core.inversion.invert import invert, representation
from core.inversion.recipe import InvertRecipe
from core.inversion.starts import setting_of, start_of
from core.models import Classifier
from core.models.ready import load, placed
from core.recipes import to_python
from core.types import Images

FRAMES = 41


@dataclass(frozen=True)
class Emergence:
    """A picture on its way to another one's representation.

    Args:
        x: The picture whose representation is wanted (1, C, H, W).
        x0: The start (1, C, H, W).
        steps: The step number of each frame (F); of the last one how many were taken, whichever of them was the best.
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


def kept_steps(steps: int, frames: int = FRAMES) -> tuple[int, ...]:
    """Choose which iterates become frames: dense at first, where most happens."""
    last = frames - 1
    return tuple(sorted({round(steps * (i / last) ** 1.6) for i in range(frames)}))


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
    x, x0 = placed(picture.x, ready), placed(start, ready)
    block = None if recipe.block == ready.blocks[-1] else recipe.block
    setting = setting_of(recipe)
    wanted = representation(ready, x, block)
    recorder = Recorder(kept_steps(setting.steps, worlds.of(recipe).frames(FRAMES)), on_step)
    best = invert(ready, wanted, x0, setting=setting, block=block, on_step=recorder)
    gap = representation(ready, best, block) - wanted
    relative = gap.flatten(1).norm(dim=1) / wanted.flatten(1).norm(dim=1).clamp_min(1e-12)
    stack, distance = torch.cat([*recorder.frames, best]), torch.cat([*recorder.values, relative])
    with torch.no_grad():
        logits, clean = ready(stack), ready(x)
    return arrived(Emergence(x, x0, recorder.steps(setting.steps), stack, distance, logits, clean, recorder.stopped))


def script(recipe: InvertRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves the last frame of each model as a PNG."""
    return to_python(
        recipe,
        ["from pathlib import Path", "from core.files import render", "from core.inversion.emergence import emerge"],
        """
        for name in (recipe.standard, recipe.robust):
            made = emerge(recipe, name)
            print(f"{name}: relative feature distance {float(made.distance[-1]):.4f}")
            Path(f"{name}-inverted.png").write_bytes(render.png(render.to_uint8(made.frames[-1:])[0]))
        """,
    )
