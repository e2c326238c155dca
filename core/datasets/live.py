"""A few pictures of a constructed set, with every step in between: what the Datasets page shows.

For example:

    few = watch(DatasetsRecipe(kind="det"), "resnet9-standard")
    few.frames[-1]      # (N, C, H, W), labelled few.labels
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import worlds
from core.attacks import OnStep
from core.attacks.recording import Recorder, picked
from core.compute import arrived
from core.data import pictures
from core.data.decode import PictureError
from core.datasets.construct.make import inverted, perturbed
from core.datasets.construct.recipes import ConstructRecipe, draw
from core.datasets.recipe import DatasetsRecipe
from core.inversion.invert import relative_distance, representation
from core.models import Classifier
from core.models.ready import load
from core.recipes import to_python
from core.types import Images, Labels

FRAMES = 21


@dataclass(frozen=True)
class ConstructedBatch:
    """A few constructed pictures.

    Args:
        ids: Names of the N originals.
        x: The originals (N, C, H, W).
        y: Their classes (N,).
        labels: The labels that they get in the set (N,).
        steps: The step number of each frame (F).
        frames: Iterates (F, N, C, H, W); the last is the result.
        predictions: Class that the source model predicts of each frame (F, N).
        delta: L2 distance of each frame from its original (F, N), pixel units.
        distance: Relative distance of its representation from the original's (F, N).
    """

    ids: tuple[str, ...]
    x: Images
    y: Labels
    labels: Labels
    steps: tuple[int, ...]
    frames: Tensor
    predictions: Tensor
    delta: Tensor
    distance: Tensor

    @property
    def says(self) -> Tensor:
        """The predictions, as scripts copied earlier call them."""
        return self.predictions

    def at(self, rows: list[int]) -> "ConstructedBatch":
        """Return it with these frames alone."""
        return replace(self, **picked(self, rows, "steps", "frames", "predictions", "delta", "distance"))


def recipe_of(recipe: DatasetsRecipe, name: str, n: int) -> ConstructRecipe:
    """Translate what the page asks for into the recipe of `python -m core.datasets.construct`."""
    if recipe.kind == "inverted":
        kind = "robust" if name == recipe.robust else "nonrobust"
        return ConstructRecipe(
            kind, source=name, n=n, seed=recipe.seed, steps=recipe.steps, rule="lbfgs", precision="fp32"
        )
    return ConstructRecipe(
        recipe.kind,
        source=name,
        n=n,
        seed=recipe.seed,
        eps=recipe.eps / 100,
        steps=recipe.steps,
        step_size=max(0.1, 2.5 * recipe.eps / 100 / recipe.steps),
        precision="fp32",
    )


def originals(recipe: DatasetsRecipe) -> tuple[tuple[str, ...], Images, Labels]:
    """Draw the recipe's pictures from the best source there is: ids, images (N, C, H, W) and classes (N,).

    Raises:
        core.data.decode.PictureError: If no labelled pictures of its world are on this computer.
    """
    world = worlds.of(recipe)
    sources = [kind for kind in pictures.available(world.sources) if not kind.startswith("photo")]
    if not sources:
        where = ": neither CIFAR-10 nor the gallery in assets/" if world == worlds.get() else f" of {world.title}"
        raise PictureError(f"There are no labelled pictures here{where}.")
    names = pictures.ids(sources[0])
    order = torch.randperm(len(names), generator=torch.Generator().manual_seed(recipe.seed))
    found = [pictures.get(names[int(i)]) for i in order[: recipe.n]]
    labels = [picture.label if picture.label is not None else 0 for picture in found]
    return tuple(p.id for p in found), torch.cat([p.x for p in found]), torch.tensor(labels)


def kept_steps(steps: int) -> tuple[int, ...]:
    """Choose which iterates become frames: the start and evenly spaced ones; the result comes after them."""
    return tuple(sorted({round(i * steps / (FRAMES - 1)) for i in range(FRAMES)} - {steps}))


def watch(
    recipe: DatasetsRecipe, name: str, *, model: nn.Module | None = None, on_step: OnStep | None = None
) -> ConstructedBatch:
    """Construct the recipe's pictures through one source model and keep the steps in between.

    Args:
        recipe: What to do.
        name: Checkpoint of the source.
        model: The loaded source, if the caller has it; it must be prepared by `core.models.ready.load`.
        on_step: See `core.attacks.descend`. Stopping keeps what was reached.

    Raises:
        core.data.decode.PictureError, core.models.checkpoints.CheckpointError: If pictures or model are not there.
    """
    ready = model if model is not None else load(name)
    assert isinstance(ready, Classifier)
    here = next(ready.parameters()).device
    ids, x, y = originals(recipe)
    made_by = recipe_of(recipe, name, len(x))
    draws = draw(made_by, y, len(worlds.of(recipe).classes))
    x = x.to(here, memory_format=torch.channels_last)
    recorder = Recorder(kept_steps(recipe.steps), on_step)
    if recipe.kind == "inverted":
        result = inverted(made_by, ready, x, x[draws.partners], on_step=recorder)
    else:
        generator = torch.Generator().manual_seed(recipe.seed)
        result = perturbed(made_by, ready, x, draws.labels.to(here), generator, on_step=recorder)
    stack = torch.stack([*recorder.frames, result])
    with torch.no_grad():
        predictions = torch.stack([ready(frame).argmax(1) for frame in stack])
        apart = relative_distance(ready, representation(ready, x))
        distance = torch.stack([apart(frame) for frame in stack])
    delta = (stack - x).flatten(2).norm(dim=2)
    steps = recorder.steps(recipe.steps)
    return arrived(ConstructedBatch(ids, x, y, draws.labels, steps, stack, predictions, delta, distance))


WHOLE = """
# The whole training set, with labels:
#   python -m core.datasets.construct {robust,nonrobust,rand,det} --out set.npz
"""


def script(recipe: DatasetsRecipe) -> str:
    """Write the Python program that constructs the recipe's pictures and saves each set as a sheet."""
    program = to_python(
        recipe,
        ["from pathlib import Path", "from core.files import render", "from core.datasets.live import watch"],
        """
        for name in (recipe.standard, recipe.robust):
            made = watch(recipe, name)
            hits = int((made.predictions[-1] == made.labels).sum())
            length = float(made.delta[-1].mean())
            print(f"{name}: says the set's label of {hits} of {len(made.labels)}; mean L2 {length:.3f}")
            sheet = render.sheet(list(render.to_uint8(made.frames[-1])), 6)
            Path(f"{name}-{recipe.kind}.png").write_bytes(render.png(sheet))
        """,
    )
    return program + (WHOLE if recipe.world == worlds.DEFAULT else "")
