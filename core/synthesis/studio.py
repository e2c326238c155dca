"""What the studio of the Synthesis page computes: a batch of pictures, painted by one model, iterate by iterate.

    recipe = SynthesisRecipe(view="studio", task="generate", target="frog")
    made = studio(recipe, recipe.robust)               # a Painting of sixteen
    made.frames[-1], made.moved[-1]

The page and the script that it offers for copying call these same functions.
"""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core import worlds
from core.attacks import OnStep
from core.attacks.balls import L2
from core.attacks.objectives import Objective, targeted
from core.attacks.recording import Recorder, picked
from core.compute import arrived
from core.data import pictures
from core.models import Classifier
from core.models.ready import load, placed
from core.problems import InputError
from core.recipes import to_python
from core.synthesis import seeds
from core.synthesis.morph import limit
from core.synthesis.paint import excite, keep_coarse, masked, mixture, region, synthesise
from core.synthesis.recipe import SynthesisRecipe
from core.types import Images, Labels
from core.worlds.world import FILM_PIXELS, World

BATCH = 16
FRAMES = 31
COARSE_WEIGHT = 30.0  # of the squared distance between the coarse pixels, beside log-odds of about ten
BLUR = 0.15  # noise put on a picture that several pictures are made of, so that they differ
# What each task does not depend on.
IGNORED = {
    "generate": ("picture", "second", "share", "region", "coarse", "feature"),
    "turn": ("second", "share", "region", "coarse", "feature"),
    "inpaint": ("second", "share", "coarse", "feature"),
    "sharpen": ("second", "share", "region", "feature"),
    "mix": ("picture", "region", "coarse", "feature"),
    "feature": ("target", "second", "share", "coarse"),
}


@dataclass(frozen=True)
class Start:
    """What a task begins with.

    Args:
        x0: Start images and centres of the balls (N, C, H, W).
        y: The wanted class of each (N,); None where the task has none.
        of: Where they come from, in a few words.
    """

    x0: Images
    y: Labels | None
    of: str


@dataclass(frozen=True)
class Painting:
    """Sixteen pictures on their way, in one model's hands.

    Args:
        x0: Starts (N, C, H, W).
        y: The wanted class of each (N,); None where the task has none.
        steps: The step number of each frame (F).
        frames: Iterates (F, N, C, H, W); the first one is the start.
        logits: What the painting model says of each (F, N, K).
        of: Where the starts come from, in a few words.
        stopped: The step at which it was stopped, or None.
    """

    x0: Images
    y: Labels | None
    steps: tuple[int, ...]
    frames: Tensor
    logits: Tensor
    of: str = ""
    stopped: int | None = None

    @property
    def moved(self) -> Tensor:
        """L2 distance of each from its start (F, N), pixel units."""
        return (self.frames - self.x0).flatten(2).norm(dim=2)

    def at(self, rows: list[int]) -> "Painting":
        """Return it with these frames alone."""
        return replace(self, **picked(self, rows, "steps", "frames", "logits"))


def cache_key(recipe: SynthesisRecipe) -> SynthesisRecipe:
    """Return the recipe with everything at its default that one model's painting does not depend on."""
    default = SynthesisRecipe()
    unused = ("view", "standard", "robust", "start", "holds", "reach", "frame", *IGNORED[recipe.task])
    return replace(recipe, **{name: getattr(default, name) for name in unused})


def start(recipe: SynthesisRecipe, picture: pictures.Picture | None = None) -> Start:
    """Make the starts of a task; they depend on the recipe's seed and on nothing that a model does.

    Args:
        recipe: What to do.
        picture: The picture, where the id alone does not give it (uploads).

    Raises:
        core.data.DataError: If the class Gaussians are not here.
        core.data.decode.PictureError: If the picture is not there.
    """
    draws = torch.Generator().manual_seed(recipe.seed)
    world = worlds.of(recipe)
    classes, n = world.classes, world.batch(BATCH)
    if recipe.target in classes:
        wanted = [classes.index(recipe.target)] * n
    else:  # each: all as often as they fit, and some of them once more, in an order that the seed decides
        order = torch.randperm(len(classes), generator=draws).tolist()
        wanted = sorted([*range(len(classes))] * (n // len(classes)) + order[: n % len(classes)])
    y = torch.tensor(wanted)
    if recipe.task in ("generate", "mix"):
        x = seeds.seeds(world, wanted, draws)
        if recipe.task == "mix":
            others = seeds.seeds_of(world, second(recipe), n, draws)
            x = recipe.share / 100 * x + (1 - recipe.share / 100) * others
        return Start(x, y, seeds.described(world))
    found = picture if picture is not None else pictures.get(recipe.picture)
    x = found.x.repeat(n, 1, 1, 1)
    if recipe.task == "turn":
        return Start(_varied(x, draws), y, found.caption)
    if recipe.task == "sharpen":
        few = F.interpolate(coarse(recipe, x), size=x.shape[2:], mode="bicubic", align_corners=False).clamp(0, 1)
        return Start(_varied(few, draws), y, f"{found.caption}, {recipe.coarse} × {recipe.coarse} pixels of it")
    if recipe.task == "inpaint":
        mask = region(recipe.region, world.side)
        mean = (x * (1 - mask)).sum((2, 3), keepdim=True) / (1 - mask).sum().clamp_min(1)
        hole = _varied(mean.expand_as(x), draws)
        return Start(torch.where(mask > 0, hole, x), y, f"{found.caption}, without its {recipe.region}")
    mask = region(recipe.region, world.side)
    return Start(torch.where(mask > 0, _varied(x, draws), x), None, found.caption)


def second(recipe: SynthesisRecipe) -> int:
    """Return the index of the other class of a mixture; an unknown name is the default's."""
    classes = worlds.of(recipe).classes
    default = SynthesisRecipe().second
    name = recipe.second if recipe.second in classes else default
    return classes.index(name) if name in classes else len(classes) - 1


def coarse(recipe: SynthesisRecipe, x: Images) -> Tensor:
    """Average blocks of pixels down to the recipe's few (N, C, h, h)."""
    return F.adaptive_avg_pool2d(x, int(recipe.coarse))


def objective(recipe: SynthesisRecipe, model: Classifier, begun: Start, picture: Images) -> Objective:
    """Say what is minimised in a task.

    Args:
        recipe: What to do.
        model: The model that paints.
        begun: What `start` made.
        picture: The picture it was made of (1, C, H, W); only the task "sharpen" looks at it.

    Raises:
        ValueError: If the model has no such feature.
    """
    here, side = begun.x0.device, begun.x0.shape[-1]
    if recipe.task == "feature":
        if recipe.feature >= model.head.in_features:
            raise InputError(f"this model has features 0 to {model.head.in_features - 1}, and no {recipe.feature}")
        index = torch.full((len(begun.x0),), recipe.feature, device=here)
        return masked(excite(model, index), begun.x0, region(recipe.region, side).to(here))
    assert begun.y is not None
    y = begun.y.to(here)
    if recipe.task == "mix":
        return mixture(model, y, torch.full_like(y, second(recipe)), recipe.share / 100)
    if recipe.task == "inpaint":
        return masked(targeted(model, y), begun.x0, region(recipe.region, side).to(here))
    if recipe.task == "sharpen":
        return keep_coarse(targeted(model, y), coarse(recipe, picture.to(here)), COARSE_WEIGHT)
    return targeted(model, y)


def step_size(recipe: SynthesisRecipe) -> float:
    """Return the first step's length: steps and momentum together could go about twice the limit."""
    most = min(limit(recipe.eps), 12.0) * worlds.of(recipe).scale
    return 2.5 * most / max(1, recipe.steps)


def reach(recipe: SynthesisRecipe) -> float:
    """Return how far a picture may go, L2 in pixel units: the recipe's limit, as long as it would be at 32 pixels."""
    return limit(recipe.eps) * worlds.of(recipe).scale


def film(world: World) -> int:
    """Return how many frames of a batch a film keeps."""
    return min(FRAMES, max(8, FILM_PIXELS // (world.side**2 * world.batch(BATCH))))


def kept_steps(steps: int, frames: int = FRAMES) -> tuple[int, ...]:
    """Choose which iterates become frames: the start, the end, and evenly between."""
    last = min(frames - 1, steps)
    return tuple(sorted({round(steps * i / last) for i in range(last + 1)})) if last else (0,)


def studio(
    recipe: SynthesisRecipe,
    name: str,
    *,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> Painting:
    """Paint a batch with one model: sixteen pictures, or fewer where they are large.

    Args:
        recipe: What to do.
        name: The checkpoint that paints.
        picture: The picture, where the id alone does not give it (uploads).
        model: The loaded model, if the caller has it; it must be prepared by `core.models.ready.load`.
        on_step: See `core.attacks.descend`. Stopping keeps the frames so far.

    Raises:
        ValueError: If the model has no such feature.
        core.data.decode.PictureError, core.data.DataError, core.models.checkpoints.CheckpointError: If something is not
        there.
    """
    ready = model if model is not None else load(name)
    assert isinstance(ready, Classifier)
    begun = start(recipe, picture)
    x0 = placed(begun.x0, ready)
    begun = replace(begun, x0=x0)
    needed = recipe.task == "sharpen"
    x = (picture if picture is not None else pictures.get(recipe.picture)).x if needed else x0[:1]
    recorder = Recorder(kept_steps(recipe.steps, film(worlds.of(recipe))), on_step)
    last = synthesise(
        objective(recipe, ready, begun, x),
        x0,
        L2(reach(recipe)),
        steps=recipe.steps,
        step_size=step_size(recipe),
        on_step=recorder,
    )
    stack = torch.stack([*recorder.frames, last])
    with torch.no_grad():
        logits = torch.stack([ready(frame.contiguous(memory_format=torch.channels_last)) for frame in stack])
    return arrived(Painting(x0, begun.y, recorder.steps(recipe.steps), stack, logits, begun.of, recorder.stopped))


def script(recipe: SynthesisRecipe) -> str:
    """Write the Python program that paints the recipe's batch and saves a sheet of it for each model."""
    return to_python(
        recipe,
        ["from pathlib import Path", "from core.files import render", "from core.synthesis.studio import studio"],
        """
        for name in (recipe.standard, recipe.robust):
            made = studio(recipe, name)
            print(f"{name}: mean L2 distance travelled {float(made.moved[-1].mean()):.4f}")
            Path(f"{name}-painted.png").write_bytes(render.png(render.sheet(list(render.to_uint8(made.frames[-1])), 4)))
        """,
    )


def _varied(x: Images, draws: torch.Generator) -> Images:
    """Put smooth noise on each picture, so that the batch holds different ones; the first stays as it is."""
    noise = torch.randn(len(x), 3, 8, 8, generator=draws)
    noise[0] = 0
    return (x + BLUR * F.interpolate(noise, size=x.shape[2:], mode="bicubic", align_corners=False)).clamp(0, 1)
