"""What the page shows of one picture.

The same picture perturbed twice, toward the same class and within the same radius.

    recipe = BugsRecipe(picture="gallery/7")
    feature, bugged = made(recipe, "feature"), made(recipe, "bug")      # a Trajectory each
    verdicts(recipe, bugged.x_adv)["vgg-standard"]                      # what a network that took no part says

The page and the script that it offers for copying call these same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core import compute, perturb, worlds
from core.attacks import OnStep, balls, pgd
from core.attacks.objectives import Objective, targeted
from core.attacks.rules import State
from core.bugs import ensemble
from core.bugs.objective import bug
from core.bugs.recipe import NEXT, BugsRecipe
from core.data import pictures
from core.models import ready
from core.models.titles import brief, title
from core.perturb import Trajectory
from core.problems import InputError
from core.recipes import to_python
from core.types import Images

KINDS = ("feature", "bug")


@dataclass(frozen=True)
class Loaded:
    """The networks of an attack: the one that is fooled, and those that shall stay right."""

    victim: nn.Module
    members: Sequence[nn.Module]


def load(recipe: BugsRecipe) -> Loaded:
    """Load the recipe's networks.

    Raises:
        core.models.checkpoints.CheckpointError: If the weights of a member are not here.
    """
    names = ensemble.MEMBERS[: recipe.members]
    return Loaded(ready.load(recipe.victim), ensemble.load(names))


def target_of(recipe: BugsRecipe, y: int) -> int:
    """Return the wanted class of a picture of class y.

    Raises:
        ValueError: If there is no such class, or it is the picture's own.
    """
    classes = worlds.of(recipe).classes
    if recipe.target == NEXT:
        return (y + 1) % len(classes)
    if recipe.target not in classes:
        raise InputError(f"target must be next or one of {', '.join(classes)}, got {recipe.target!r}")
    if classes.index(recipe.target) == y:
        raise InputError(f"the picture is a {recipe.target} already; choose another target")
    return classes.index(recipe.target)


def made(
    recipe: BugsRecipe,
    kind: str,
    *,
    picture: pictures.Picture | None = None,
    loaded: Loaded | None = None,
    on_step: OnStep | None = None,
) -> Trajectory:
    """Perturb the recipe's picture at every radius of the sweep.

    Args:
        recipe: What to do.
        kind: "feature", the ordinary targeted attack on the victim; or "bug", which also keeps the ensemble right.
        picture: The picture, where the id alone does not give it (uploads).
        loaded: The networks, if the caller has them, as `load` prepares them.
        on_step: See `core.attacks.descend`.

    Raises:
        ValueError: If the target is not possible.
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or weights are not there.
    """
    if kind not in KINDS:
        raise InputError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    picture = picture if picture is not None else pictures.get(recipe.picture)
    loaded = loaded if loaded is not None else load(recipe)
    x = ready.placed(picture.x, loaded.victim)
    label = perturb.label_of(picture, loaded.victim)
    wanted = target_of(recipe, label)
    eps = torch.tensor(recipe.eps_values, device=x.device)
    clean = ready.placed(x.expand(len(eps), -1, -1, -1), loaded.victim)
    y, t = torch.full_like(eps, label, dtype=torch.int64), torch.full_like(eps, wanted, dtype=torch.int64)
    objective: Objective = targeted(loaded.victim, t) if kind == "feature" else bug(loaded.victim, loaded.members, y, t)
    ball = balls.make(recipe.norm, eps)
    vanished = False

    def watch(i: int, state: State) -> bool | None:
        nonlocal vanished
        vanished = vanished or bool(state.vanished.any())
        return on_step(i, state) if on_step is not None else None

    x_adv = pgd(objective, clean, ball, steps=recipe.steps, step_size=eps * recipe.relative_step, on_step=watch)
    with torch.no_grad():
        logits = loaded.victim(x_adv)
    return compute.arrived(
        Trajectory(
            positions=recipe.eps_values,
            x=x,
            y=label,
            target=wanted,
            x_adv=x_adv,
            logits=logits,
            norm=ball.norm(x_adv - clean),
            allowed=eps,
            success=logits.argmax(1) == t,
            grad_vanished=vanished,
        )
    )


def verdicts(recipe: BugsRecipe, x_adv: Images, judges: Mapping[str, nn.Module] | None = None) -> dict[str, Tensor]:
    """Ask the networks that took no part: logits (F, K) of each, by name."""
    judging = judges if judges is not None else {n: ready.load(n) for n in ensemble.judges(recipe.victim)}
    return {name: ready.asked(model, x_adv) for name, model in judging.items()}


def agreeing(said: Mapping[str, Tensor], target: int, frame: int) -> int:
    """Count the networks that say the wanted class at a frame."""
    return sum(int(logits[frame].argmax()) == target for logits in said.values())


def likeness(feature: Trajectory, bugged: Trajectory, frame: int) -> float:
    """Compute the cosine between the two perturbations at a frame; 0 where one of them is nothing."""
    a, b = ((one.x_adv[frame] - one.x[0]).flatten() for one in (feature, bugged))
    return float(torch.cosine_similarity(a, b, dim=0))


def titles(names: Sequence[str]) -> dict[str, str]:
    """Return what to call networks on a page: "VGG", or "ResNet-9, another seed"."""
    return {name: brief(title(name)) for name in names}


def script(recipe: BugsRecipe) -> str:
    """Write the Python program that computes the recipe's view."""
    if recipe.view == "squares":
        return to_python(
            recipe,
            ["from core.bugs.squares import learn"],
            """
            seen = learn(recipe, lambda number, now: print(f"round {number}: labels learnt {now.trained}"))
            for eps, network, linear in zip(seen.eps, seen.network, seen.linear, strict=True):
                print(f"eps {eps}: network {network}, sum of all pixels {linear}")
            """,
        )
    if recipe.view == "measured":
        return to_python(
            recipe,
            ["from core.bugs import results"],
            """
            for line in results.lines(results.read()):
                print(line)
            """,
        )
    return to_python(
        recipe,
        [
            "from pathlib import Path",
            "from core.bugs.views import KINDS, made, verdicts",
            "from core import worlds",
            "from core.files import render",
        ],
        """
        for kind in KINDS:
            found = made(recipe, kind)
            frame = min(recipe.frame, len(found.x_adv) - 1)
            said = worlds.of(recipe).classes[int(found.logits[frame].argmax())]
            print(f"{kind}: |delta| = {float(found.norm[frame]):.4f}; the victim says {said}")
            for name, logits in verdicts(recipe, found.x_adv).items():
                print(f"  {name}: {worlds.of(recipe).classes[int(logits[frame].argmax())]}")
            Path(f"{kind}.png").write_bytes(render.png(render.to_uint8(found.x_adv[frame : frame + 1])[0]))
        """,
    )
