"""The paper's four data sets, built from this world, and what a student learns from each.

The construction is that of `core.datasets.construct`; what is new is that one can look inside: how much of each planted
feature a set carries, and which of them its student follows.
"""

from dataclasses import dataclass

import torch

from core.data.planted import scenes
from core.data.planted.world import weaves
from core.data.sets import Pictures
from core.datasets.construct.make import make
from core.datasets.construct.recipes import ConstructRecipe, draw
from core.models import Classifier
from core.planted import probes
from core.planted.networks import fresh
from core.planted.recipe import PlantedRecipe
from core.rates import Rate
from core.train import fit
from core.train.report import OnProgress

KINDS = ("robust", "nonrobust", "rand", "det")
SOURCE = {"robust": "robust", "nonrobust": "standard", "rand": "standard", "det": "standard"}
INVERSION_STEPS = 30
PGD_STEPS = 20


@dataclass(frozen=True)
class Built:
    """A constructed set.

    Args:
        pictures: The pictures with their new labels.
        original: The pictures that they were made from, with theirs.
        weave: Mean projection on the label's faint pattern, in units of its strength: 1 in the original pictures.
    """

    pictures: Pictures
    original: Pictures
    weave: float


def build(recipe: PlantedRecipe, kind: str, networks: dict[str, Classifier], n: int) -> Built:
    """Construct a set of n pictures by the recipe's attack radius."""
    world = recipe.world
    original = scenes.pictures(world, scenes.draw(world, n, recipe.seed + 1))
    made_by = ConstructRecipe(
        kind,
        source=SOURCE[kind],
        n=n,
        seed=recipe.seed,
        eps=recipe.eps,
        steps=INVERSION_STEPS if kind in ("robust", "nonrobust") else PGD_STEPS,
        step_size=max(1e-6, 2.5 * recipe.eps / PGD_STEPS),
        rule="lbfgs" if kind in ("robust", "nonrobust") else "steepest",
        precision="fp32",
    )
    draws = draw(made_by, original.y(), world.classes)
    shard = make(made_by, networks[SOURCE[kind]], original, draws, range(n))
    labels = draws.labels.numpy()
    made = Pictures(shard.images.numpy(), labels, original.classes, f"planted world, {kind}")
    patterns = weaves(world.classes, world.weave).flatten(1)
    along = (made.x().flatten(1) * patterns[draws.labels]).sum(1).mean()
    return Built(made, original, float(along) / world.faint if world.faint else 0.0)


def student(recipe: PlantedRecipe, pictures: Pictures, *, on_progress: OnProgress | None = None) -> Classifier:
    """Train a fresh network on a set, as the recipe's standard one is trained."""
    return fit(recipe.training(robust=False), pictures, on_progress=on_progress)


def examine(recipe: PlantedRecipe, model: Classifier, n: int) -> dict[str, Rate]:
    """Examine a student on fresh clean pictures.

    Right, as if labels were the next class, under attack, and what it follows.
    """
    world, drawn = recipe.world, fresh(recipe, n)
    x = scenes.render(world, drawn)
    asked = probes.rules(world, {"student": model})["student"]
    followed = probes.follows(world, drawn, {"student": asked})["student"]
    return {
        "clean": probes.accuracy(asked, x, drawn.y),
        "next": probes.accuracy(asked, x, (drawn.y + 1) % world.classes),
        "robust": probes.robust_rate(model, x, drawn.y, recipe.eps),
        "shape": followed["shape"],
        "weave": followed["weave"],
    }


def teach(recipe: PlantedRecipe, kind: str, networks: dict[str, Classifier], n: int, tested: int) -> dict[str, object]:
    """Build a set, train its student, examine it."""
    built = build(recipe, kind, networks, n)
    return {"in_the_set": built.weave, **examine(recipe, student(recipe, built.pictures), tested)}


def sample(built: Built, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first n originals and what became of them, as images."""
    return built.original.x(range(n)), built.pictures.x(range(n))
