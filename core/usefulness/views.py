"""What the Usefulness page computes besides one feature's looks: re-weighted heads, Goh's constructions, the script.

    recipe = UsefulnessRecipe(view="head", keep="robust")
    _, _, clean = left_over(recipe, "standard")
    attacked(recipe, "standard").rate

The page and the script that it offers for copying call these same functions.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from core import worlds
from core.attacks import OnStep
from core.attacks.balls import L2
from core.data import pictures
from core.models import Classifier
from core.models.ready import placed
from core.problems import InputError
from core.rates import Rate
from core.recipes import to_python
from core.train.evaluate import RobustAccuracy, robust_accuracy
from core.usefulness import linear
from core.usefulness.atlas import Atlas
from core.usefulness.choice import Have, atlas_of, loaded, radius, source_of, switched_on
from core.usefulness.heads import (
    RANKED_AT,
    Cut,
    attacked_pictures,
    clean_accuracy,
    cuts,
    head_of,
    line_of,
    rewired,
    sizes_of,
)
from core.usefulness.recipe import UsefulnessRecipe

ATTACKED = 100  # pictures on which a re-weighted head is attacked
ATTACK_STEPS = 10
AT_ONCE = 20  # pictures
OF_A_CURVE = 40  # pictures on which each head of a curve is attacked
MIXTURES = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)  # per mille
EPS = 0.25  # at which the linear constructions are judged
FIRST_FRAME = {"features": 4, "head": 4, "singular": 0, "ensemble": 34, "containment": 2}


def left_over(
    recipe: UsefulnessRecipe, side: str, *, model: Classifier | None = None, have: Have = None
) -> tuple[Classifier, nn.Linear, Rate]:
    """Return the re-weighted model of a side, its head, and its clean accuracy on the atlas's pictures."""
    atlas = atlas_of(recipe, side, have)
    whole = model if model is not None else loaded(atlas.name)
    head = head_of(recipe.head, whole, atlas, switched_on(recipe, side, have))
    return rewired(whole, head), head, clean_accuracy(atlas, head)


def attacked(
    recipe: UsefulnessRecipe,
    side: str,
    *,
    model: Classifier | None = None,
    have: Have = None,
    on_step: OnStep | None = None,
) -> RobustAccuracy:
    """Attack the re-weighted model of a side: PGD knows the new head.

    Args:
        recipe: Its frame is the radius, its source the pictures: of the world's test set, or of the generated gallery.
        side: "standard" or "robust".
        model: The loaded model, if the caller has it.
        have: Atlases that the caller has.
        on_step: See `core.train.evaluate.robust_accuracy`; at most `attack_steps` steps.
    """
    rewritten, _, _ = left_over(recipe, side, model=model, have=have)
    atlas, source = atlas_of(recipe, side, have), source_of(recipe)
    if source == atlas.source:
        x, y = attacked_pictures(atlas, attacked_of(atlas))
    else:
        known = [picture for picture in map(pictures.get, pictures.ids(source)) if picture.label is not None][:ATTACKED]
        x = torch.cat([picture.x for picture in known])
        y = torch.tensor([picture.label for picture in known])
    x = placed(x, rewritten)
    y = y.to(x.device)
    ball = L2(radius(atlas, recipe.frame))
    at_once = worlds.of(recipe).batch(AT_ONCE)
    return robust_accuracy(rewritten, x, y, ball, steps=ATTACK_STEPS, batch_size=at_once, on_step=on_step)


def attacked_of(atlas: Atlas, most: int | None = None) -> int:
    """Return on how many of the pictures that an atlas knows a head is attacked."""
    return min(ATTACKED if most is None else most, len(atlas.y))


def attack_steps(recipe: UsefulnessRecipe, n: int) -> int:
    """Return how many steps an attack on n pictures takes at most."""
    return 3 * ATTACK_STEPS * -(-n // worlds.of(recipe).batch(AT_ONCE))


def curve(
    recipe: UsefulnessRecipe, side: str, *, model: Classifier | None = None, have: Have = None
) -> tuple[tuple[Cut, dict[str, Any]], ...]:
    """Cut a side's head down to the most, or the least, robustly useful features; what is known of each cut at once.

    Args:
        recipe: Its head is cut down.
        side: "standard" or "robust".
        model: The loaded model, if the caller has it.
        have: Atlases that the caller has.
    """
    atlas = atlas_of(recipe, side, have)
    whole = model if model is not None else loaded(atlas.name)
    found = cuts(atlas, ranked_at(recipe), sizes_of(atlas))
    return tuple((cut, line_of(recipe.head, cut, whole, atlas)[0]) for cut in found)


def attacked_cut(
    recipe: UsefulnessRecipe,
    side: str,
    cut: Cut,
    *,
    model: Classifier | None = None,
    have: Have = None,
    on_step: OnStep | None = None,
) -> RobustAccuracy:
    """Attack a cut of `curve`, on `OF_A_CURVE` pictures; at most `attack_steps` steps.

    Args:
        recipe: Its frame is the radius.
        side: "standard" or "robust".
        cut: What stays on.
        model: The loaded model, if the caller has it.
        have: Atlases that the caller has.
        on_step: See `core.train.evaluate.robust_accuracy`.
    """
    atlas = atlas_of(recipe, side, have)
    whole = model if model is not None else loaded(atlas.name)
    _, rewritten = line_of(recipe.head, cut, whole, atlas)
    x, y = attacked_pictures(atlas, attacked_of(atlas, OF_A_CURVE))
    x = placed(x, rewritten)
    return robust_accuracy(
        rewritten,
        x,
        y.to(x.device),
        L2(radius(atlas, recipe.frame)),
        steps=ATTACK_STEPS,
        batch_size=worlds.of(recipe).batch(AT_ONCE),
        precision="auto",
        on_step=on_step,
    )


def ranked_at(recipe: UsefulnessRecipe) -> float:
    """Return the radius at which features are ranked in the recipe's world."""
    return worlds.of(recipe).scale * RANKED_AT


@dataclass(frozen=True)
class Construction:
    """One of Goh's constructions, step by step along its slider.

    Args:
        labels: What the slider says at each frame (F).
        vectors: Unit vectors in pixel space (F, 3, 32, 32).
        features: Their usefulness (F).
    """

    labels: tuple[str, ...]
    vectors: Tensor
    features: tuple[linear.Linear, ...]


def construction(recipe: UsefulnessRecipe, known: linear.Known | None = None) -> Construction:
    """Compute the recipe's construction.

    Raises:
        core.data.DataError: If the statistics are not there.
    """
    known = known if known is not None else linear.load()
    match recipe.linear:
        case "singular":
            labels = tuple(str(i) for i in known.shown)
            return Construction(labels, known.vectors, tuple(known.single(i) for i in known.shown))
        case "ensemble":
            labels = tuple(f"{m:,}" for m in known.sizes)
            return Construction(labels, known.ensembles, tuple(known.ensemble(m) for m in known.sizes))
    strong, weak = known.nearest(recipe.strong), known.nearest(recipe.weak)
    if strong == weak:
        raise InputError("the containment needs two different directions")
    shares = [share / 1000 for share in MIXTURES]
    vectors = torch.stack([known.containment_vector(strong, weak, share) for share in shares])
    return Construction(
        tuple(f"{share:g}" for share in shares),
        vectors,
        tuple(known.containment(strong, weak, share) for share in shares),
    )


def cache_key(recipe: UsefulnessRecipe) -> UsefulnessRecipe:
    """Put everything the recipe's view does not depend on to its default: what results are kept under."""
    ignored = {
        "features": ("keep", "head", "linear", "strong", "weak"),
        "head": ("feature", "side", "linear", "strong", "weak"),
        "linear": ("standard", "robust", "task", "against", "brush", "feature", "side", "keep", "head", "source"),
    }[recipe.view]
    blank = UsefulnessRecipe()
    return replace(recipe, **{name: getattr(blank, name) for name in ignored})


def script(recipe: UsefulnessRecipe, *, live: bool = False) -> str:
    """Write the Python program that computes the recipe's view.

    Args:
        recipe: The view.
        live: Whether no command has measured the features of one of its networks.
    """
    imports, body = _SCRIPTS[recipe.view]
    if live and recipe.view != "linear":
        imports = [*imports, "from core.usefulness.live import atlases"]
        body = "        have = atlases(recipe)  # measured here and now, on few pictures\n" + body.lstrip("\n").replace(
            "(recipe, side)", "(recipe, side, have=have)"
        )
    return to_python(recipe, imports, body)


_DRAWS = ["from pathlib import Path", "from core.files import render"]
_SCRIPTS = {
    "features": (
        [*_DRAWS, "from core.usefulness.feature import look"],
        """
        for side in ("standard", "robust"):
            seen = look(recipe, side)
            print(f"{side}, feature {seen.index}: rho = {seen.rho:.3f}, gamma = {seen.gamma:.3f} at eps {seen.eps:g}")
            Path(f"{side}-feature-{seen.index}.png").write_bytes(render.png(render.to_uint8(seen.made)[0]))
        """,
    ),
    "head": (
        ["from core.usefulness.views import attacked, left_over"],
        """
        for side in ("standard", "robust"):
            _, _, clean = left_over(recipe, side)
            print(f"{side}: clean {clean}; attacked {attacked(recipe, side).rate}")
        """,
    ),
    "linear": (
        [*_DRAWS, "from core.usefulness.views import construction"],
        """
        made = construction(recipe)
        frame = min(recipe.frame, len(made.labels) - 1)
        print(made.labels[frame], made.features[frame])
        vector = made.vectors[frame : frame + 1]
        picture = 0.5 + 0.5 * vector / vector.abs().max()
        Path("direction.png").write_bytes(render.png(render.to_uint8(picture)[0]))
        """,
    ),
}
