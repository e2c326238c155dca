"""What the Saliency page computes, each view from its recipe.

    recipe = SaliencyRecipe(picture="gallery/7")
    made = explain(recipe, recipe.robust, "integrated_gradients")        # an Explanation
    made.attribution, made.logits

The page and the script that it offers for copying call these same functions.
"""

import zlib
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import compute, perturb, worlds
from core.attacks import OnStep
from core.attacks.recording import picked
from core.data import pictures
from core.data.pictures import Picture
from core.models import ready
from core.models.ready import load
from core.perturb import Trajectory
from core.problems import InputError
from core.saliency.attribution import Watch, attribute
from core.saliency.methods import BASELINES, METHODS
from core.saliency.recipe import SaliencyRecipe
from core.types import Images

SHOWN = 8  # pictures of one class


@dataclass(frozen=True)
class Explanation:
    """One model's answer for one picture, attributed to the pixels.

    Args:
        x: The picture (1, C, H, W).
        target: The class that is explained.
        attribution: As `attribute` returns it (1, C or 1, H, W).
        logits: What the model says (1, K).
        gap: Where the shares should add up: to this, the score of the picture minus that of the baseline.
    """

    x: Images
    target: int
    attribution: Tensor
    logits: Tensor
    gap: float | None = None


@dataclass(frozen=True)
class Along:
    """The gradient at each iterate of an attack.

    Args:
        trajectory: The attack's frames (F).
        gradients: Gradient of the log-odds of the picture's class at each of them (F, C, H, W).
        clean: The same at the clean picture (1, C, H, W).
    """

    trajectory: Trajectory
    gradients: Tensor
    clean: Tensor

    @property
    def steps(self) -> tuple[int, ...]:
        """The step number of each frame."""
        return tuple(int(position) for position in self.trajectory.positions)

    def at(self, rows: list[int]) -> "Along":
        """Return it with these frames alone."""
        columns = picked(self.trajectory, rows, "positions", "x_adv", "logits", "norm", "allowed", "success")
        return replace(self, trajectory=replace(self.trajectory, **columns), gradients=self.gradients[rows])


def cache_key(recipe: SaliencyRecipe, method: str) -> SaliencyRecipe:
    """Return the recipe with everything at its default that this method's map of one model does not depend on."""
    default = SaliencyRecipe()
    used = {"picture", "target", "seed", "world", *METHODS[method].settings}
    kept = {name: value for name, value in vars(recipe).items() if name in used}
    return replace(default, method=method, **kept)


def explain(
    recipe: SaliencyRecipe,
    name: str,
    method: str,
    *,
    picture: Picture | None = None,
    model: nn.Module | None = None,
    on_step: Watch | None = None,
) -> Explanation:
    """Attribute one model's answer for the recipe's picture to its pixels.

    Args:
        recipe: Picture, target and settings.
        name: The checkpoint.
        method: A key of `METHODS`.
        picture: The picture, where the id alone does not give it (uploads).
        model: The loaded model, if the caller has it.
        on_step: See `attribute`.

    Raises:
        ValueError: If there is no such method or target.
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
        core.attacks.Stop: If `on_step` asked for it.
    """
    model = model if model is not None else load(name)
    x, picture = placed(recipe, picture, model)
    with torch.no_grad():
        logits = model(x)
    target = target_of(recipe, picture, logits)
    made = attribute(
        model,
        x,
        torch.tensor([target], device=x.device),
        method,
        samples=recipe.samples,
        noise=recipe.noise / 100,
        baseline=recipe.baseline,
        window=recipe.window,
        generator=draws_of(recipe, picture.id),
        on_step=on_step,
    )
    gap = None
    if METHODS[method].complete:
        with torch.no_grad():
            empty = model(torch.full_like(x, BASELINES[recipe.baseline]))
        gap = float(logits[0, target] - empty[0, target])
    return compute.arrived(Explanation(x, target, made, logits, gap))


def target_of(recipe: SaliencyRecipe, picture: Picture, logits: Tensor) -> int:
    """Resolve the recipe's target for a model that says these logits (1, K).

    Raises:
        ValueError: If the target is no class.
    """
    if recipe.target == "prediction" or (recipe.target == "label" and picture.label is None):
        return int(logits.argmax())
    if recipe.target == "label":
        assert picture.label is not None
        return picture.label
    return class_index(recipe, recipe.target)


def class_index(recipe: SaliencyRecipe, name: str) -> int:
    """Return the index of a class of the recipe's world.

    Raises:
        ValueError: If there is none of that name.
    """
    classes = worlds.of(recipe).classes
    if name not in classes:
        raise InputError(f"there is no class {name!r}; have {', '.join(classes)}")
    return classes.index(name)


def several(recipe: SaliencyRecipe) -> tuple[str, ...]:
    """Choose the pictures of the view "pictures": one of each class, or `SHOWN` of one; the seed decides which.

    They come from the source of the recipe's picture, or from the first there is; the photographs are all taken.
    """
    kind, sources = recipe.picture.partition("/")[0], pictures.available(worlds.of(recipe).sources)
    kind = kind if kind in sources else sources[0]
    if kind.startswith("photo"):
        return pictures.ids(kind)
    draws = draws_of(recipe, kind)
    wanted = range(len(worlds.of(recipe).classes)) if not recipe.only else (class_index(recipe, recipe.only),)
    chosen: list[str] = []
    for label in wanted:
        found = pictures.ids(kind, label)
        order = torch.randperm(len(found), generator=draws).tolist()
        chosen += [found[i] for i in order[: SHOWN if recipe.only else 1]]
    return tuple(chosen)


def along(
    recipe: SaliencyRecipe,
    name: str,
    *,
    picture: Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> Along:
    """Attack the recipe's picture on one model, and take the gradient at each iterate.

    Raises:
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
    """
    model = model if model is not None else load(name)
    made = perturb.attack(recipe.attack, name, picture=picture, model=model, on_step=on_step)
    x = ready.placed(made.x_adv, model)
    y = torch.full((len(x),), made.y, device=x.device)
    gradients = attribute(model, x, y, "gradient").cpu()
    return Along(made, gradients, gradients[:1])  # the attack starts at the picture


def draws_of(recipe: SaliencyRecipe, salt: str) -> torch.Generator:
    """Make a generator that depends on the seed and on a name alone, so that pictures do not influence each other."""
    return torch.Generator().manual_seed(zlib.crc32(f"{recipe.seed} {salt}".encode()))


def placed(recipe: SaliencyRecipe, picture: Picture | None, model: nn.Module) -> tuple[Images, Picture]:
    """Return the recipe's picture (1, C, H, W) where the model is, and the picture itself."""
    picture = picture if picture is not None else pictures.get(recipe.picture)
    return ready.placed(picture.x, model), picture
