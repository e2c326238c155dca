"""What the Perturb page computes: one picture attacked on each model, at every radius or step by step.

    recipe = PerturbRecipe(picture="cifar10/12", norm="Linf")
    left = attack(recipe, recipe.standard)          # a Trajectory
    left.x_adv[5], left.threshold

The page and the script that it offers for copying call these same functions.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import compute
from core.attacks import SWEEP_ROWS, OnStep, balls, minimum_norm, pgd, sweep
from core.attacks.noise import noise_of_length
from core.attacks.objectives import autocast, targeted, untargeted
from core.attacks.recording import Recorder
from core.attacks.rules import State, step_lengths
from core.data import pictures
from core.models import checkpoints, ready
from core.perturb.recipe import PerturbRecipe
from core.perturb.trajectory import Trajectory
from core.problems import InputError
from core.recipes import to_python
from core.types import Images


def label_of(picture: pictures.Picture, model: nn.Module) -> int:
    """Return the picture's label; for a picture without one, what this model says of it."""
    if picture.label is not None:
        return picture.label
    with torch.no_grad():
        return int(model(ready.placed(picture.x, model)).argmax())


def target_of(
    recipe: PerturbRecipe, picture: pictures.Picture, model: nn.Module, classes: tuple[str, ...]
) -> int | None:
    """Resolve the recipe's target for this model: a class index, or None for untargeted.

    "second" and "least" are the most and least likely of the wrong classes on the clean picture.

    Raises:
        ValueError: If the target is no class, or is the picture's own.
    """
    if recipe.target == "any":
        return None
    y = label_of(picture, model)
    if recipe.target in ("second", "least"):
        with torch.no_grad():
            logits = model(ready.placed(picture.x, model))[0]
        others = [k for k in logits.argsort(descending=True).tolist() if k != y]
        return others[0] if recipe.target == "second" else others[-1]
    if recipe.target not in classes:
        raise InputError(f"target must be any, second, least or one of {', '.join(classes)}, got {recipe.target!r}")
    if classes.index(recipe.target) == y:
        raise InputError(f"the picture is a {recipe.target} already; choose another target")
    return classes.index(recipe.target)


def parts(recipe: PerturbRecipe) -> tuple[tuple[int, ...], ...]:
    """Split the frames into the batches in which they are computed; the clean picture comes first, at once."""
    n = len(recipe.eps_values)
    return ((0,), *(tuple(range(i, min(i + SWEEP_ROWS, n))) for i in range(1, n, SWEEP_ROWS)))


@dataclass(frozen=True)
class _Case:
    """Everything an attack needs, resolved: prepared model, picture, label and target on one device."""

    model: nn.Module
    x: Images
    y: Tensor
    target: Tensor | None

    @staticmethod
    def of(recipe: PerturbRecipe, name: str, picture: pictures.Picture | None, model: nn.Module | None) -> "_Case":
        picture = picture if picture is not None else pictures.get(recipe.picture)
        model = model if model is not None else ready.load(name)
        x = ready.placed(picture.x, model)
        y = torch.tensor([label_of(picture, model)], device=x.device)
        wanted = target_of(recipe, picture, model, checkpoints.header(name).classes)
        return _Case(model, x, y, None if wanted is None else torch.tensor([wanted], device=x.device))

    def trajectory(self, positions: tuple[float, ...], x_adv: Images, norm: Tensor, allowed: Tensor) -> Trajectory:
        with torch.no_grad():
            logits = self.model(x_adv)
        said = logits.argmax(1)
        success = said != self.y if self.target is None else said == self.target
        target = None if self.target is None else int(self.target)
        made = Trajectory(positions, self.x, int(self.y), target, x_adv, logits, norm, allowed, success)
        return compute.arrived(made)


def attack(
    recipe: PerturbRecipe,
    name: str,
    *,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    part: int | None = None,
    on_step: OnStep | None = None,
) -> Trajectory:
    """Attack the recipe's picture on one model.

    Args:
        recipe: What to do.
        name: The checkpoint to attack.
        picture: The picture, where the id alone does not give it (uploads).
        model: The loaded model, if the caller has it, prepared by `core.models.ready.load`.
        part: Compute only this part (see `parts`) of an eps sweep.
        on_step: See `core.attacks.descend`.

    Returns:
        All frames, or those of the part.

    Raises:
        ValueError: If the target is not possible.
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
    """
    case = _Case.of(recipe, name, picture, model)
    vanished = False

    def watch(i: int, state: State) -> bool | None:
        nonlocal vanished
        vanished = vanished or bool(state.vanished.any())
        return on_step(i, state) if on_step is not None else None

    if recipe.axis == "steps":
        made = _iterates(recipe, case, watch)
    else:
        chosen = parts(recipe) if part is None else (parts(recipe)[part],)
        made = Trajectory.join([_radii(recipe, case, rows, watch) for rows in chosen])
    return replace(made, grad_vanished=vanished)


def _radii(recipe: PerturbRecipe, case: _Case, rows: tuple[int, ...], on_step: OnStep) -> Trajectory:
    eps = tuple(recipe.eps_values[i] for i in rows)
    found = sweep(
        case.model,
        case.x,
        case.y,
        balls.NORMS[recipe.norm],
        eps,
        steps=_steps(recipe),
        schedule=recipe.schedule,
        precision=recipe.precision,
        target=case.target,
        random_start=recipe.random_start,
        generator=_draws(recipe, rows[0], case.x.device),
        on_step=on_step,
    )
    return case.trajectory(found.eps, found.x_adv[:, 0], found.norm[:, 0], torch.tensor(eps, device=case.x.device))


def _iterates(recipe: PerturbRecipe, case: _Case, on_step: OnStep) -> Trajectory:
    eps = recipe.eps_values[recipe.at_index]
    recorder = Recorder(recipe.iterates[:-1], on_step)
    ball = balls.make(recipe.norm, eps)
    objective = untargeted(case.model, case.y) if case.target is None else targeted(case.model, case.target)
    last = pgd(
        autocast(objective, recipe.precision),
        case.x,
        ball,
        steps=_steps(recipe),
        step_size=[eps * length for length in step_lengths(recipe.schedule, _steps(recipe))],
        random_start=recipe.random_start,
        generator=_draws(recipe, 0, case.x.device),
        on_step=recorder,
    )
    x_adv = torch.cat([*recorder.frames, last])
    allowed = torch.full((len(x_adv),), eps, device=case.x.device)
    return case.trajectory(tuple(map(float, recipe.iterates[: len(x_adv)])), x_adv, ball.norm(x_adv - case.x), allowed)


def noise(recipe: PerturbRecipe, name: str, like: Trajectory, *, model: nn.Module | None = None) -> Trajectory:
    """Make the control: random noise of exactly the size that the attack used, frame by frame, in one direction.

    Args:
        recipe: Its norm and seed.
        name: The checkpoint that looks at the noisy pictures.
        like: The attack whose measured ‖delta‖ is copied. Clipping to [0, 1] is made up for by rescaling, so that the
            sizes agree to 2 % wherever the picture leaves room for it.
        model: The loaded model, if the caller has it.
    """
    model = model if model is not None else ready.load(name)
    direction = torch.randn(like.x.shape, generator=_draws(recipe, 10_000, like.x.device))
    return moved_along(recipe, direction, like, model)


def moved_along(recipe: PerturbRecipe, direction: Images, like: Trajectory, model: nn.Module) -> Trajectory:
    """Move the picture along one direction (1, C, H, W) as far as an attack went, frame by frame, and ask the model."""
    clean = ready.placed(like.x, model).expand(len(like.norm), -1, -1, -1)
    moved, reached = noise_of_length(clean, direction.to(clean).expand_as(clean), like.norm.to(clean), recipe.norm)
    with torch.no_grad():
        logits = model(moved)
    fooled = logits.argmax(1) != like.y
    return compute.arrived(replace(like, x_adv=moved, logits=logits, norm=reached, success=fooled, grad_vanished=False))


def closest(
    recipe: PerturbRecipe,
    name: str,
    *,
    steps: int = 40,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> tuple[Images, float]:
    """Answer "how little does it take?": the nearest adversarial image (1, C, H, W) and its distance, inf if none."""
    case = _Case.of(recipe, name, picture, model)
    make_ball = balls.NORMS[recipe.norm]
    nearest, distance = minimum_norm(
        case.model, case.x, case.y, make_ball, steps=steps, target=case.target, on_step=on_step
    )
    return nearest.cpu(), float(distance)


def script(recipe: PerturbRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves the frame in sight as a PNG."""
    return to_python(
        recipe,
        ["from pathlib import Path", "from core.files import render", "from core.perturb import attack"],
        """
        for name in (recipe.standard, recipe.robust):
            found = attack(recipe, name)
            frame = min(recipe.frame, len(found.x_adv) - 1)
            print(f"{name}: fooled from frame {found.threshold}, |delta| = {float(found.norm[frame]):.4f}")
            Path(f"{name}.png").write_bytes(render.png(render.to_uint8(found.x_adv[frame : frame + 1])[0]))
        """,
    )


def _steps(recipe: PerturbRecipe) -> int:
    return 1 if recipe.attack == "FGSM" else recipe.steps


def _draws(recipe: PerturbRecipe, salt: int, device: torch.device) -> torch.Generator:
    return torch.Generator(device).manual_seed(recipe.seed * 20_011 + salt)
