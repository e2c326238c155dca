"""The two networks of a world: trained, or read where the project ships them."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.data.planted import scenes
from core.data.planted.drawn import NAME, TEST_SEED
from core.models import Classifier, checkpoints
from core.models.checkpoints import Header
from core.planted.recipe import PlantedRecipe
from core.train import fit
from core.train.report import OnProgress

FOLDER = checkpoints.FOLDER
SIDES = ("standard", "robust")
# Pairs that ship: what differs from the default recipe, and how much longer than the page's own they may have taken.
SHIPPED: dict[str, dict[str, Any]] = {
    "features": {},
    "bugs": {"faint": 0.0, "pictures": 300, "epochs": 40, "width": 6},
    "conflict": {"visible_agrees": 0.8},
    "data": {"pictures": 8000, "epochs": 3},
    "seed": {"seed": 100},  # of which the standard one ships: a third network, to which perturbations transfer
}


def train(
    recipe: PlantedRecipe, side: str, *, run: Path | None = None, on_progress: OnProgress | None = None
) -> Classifier:
    """Train the "standard" or the "robust" network of a recipe, or finish the run that is in the folder.

    See `core.train.fit`; stopping returns the network as it is.
    """
    drawn = scenes.draw(recipe.world, recipe.pictures, recipe.seed)
    made = scenes.pictures(recipe.world, drawn)
    return fit(recipe.training(robust=side == "robust"), made, run=run, on_progress=on_progress)


def fresh(recipe: PlantedRecipe, n: int) -> scenes.Scenes:
    """Draw n pictures that no network of the recipe has seen."""
    return scenes.draw(recipe.world, n, TEST_SEED + recipe.seed)


def header(recipe: PlantedRecipe, side: str) -> Header:
    """Describe a network for its checkpoint: the world it lives in and how it was trained."""
    training = recipe.training(robust=side == "robust")
    how = f"adversarial training (L2, eps {recipe.train_eps:g})" if training.inner else "standard training"
    made = {
        **asdict(training),
        "data": f"{recipe.pictures:,} pictures of the planted world",
        "planted": dict(recipe.trained),
    }
    title = f"PatchNet, {how}" + (", another seed" if recipe.seed else "")
    return Header(training.arch, training.args, title, recipe.names, made, world=NAME)


def named(name: str, side: str) -> str:
    """Return the name of a checkpoint of a pair."""
    return f"{NAME}-{name}-{side}"


def shipped(recipe: PlantedRecipe) -> str | None:
    """Name the pair that ships for this recipe, None where there is none."""
    for name, changes in SHIPPED.items():
        if recipe.trained == PlantedRecipe(**changes).trained and all(
            checkpoints.path_of(named(name, side), FOLDER).is_file() for side in SIDES
        ):
            return name
    return None


def load(name: str) -> dict[str, Classifier]:
    """Load a pair that ships, by the names in `SIDES`.

    Raises:
        core.models.checkpoints.CheckpointError: If a file is missing or damaged, or of another world than it should be.
    """
    return {side: checkpoints.load(named(name, side), folder=FOLDER) for side in SIDES}


def pair(recipe: PlantedRecipe) -> dict[str, Classifier]:
    """Return both networks of a recipe: read where they ship, else trained here and now."""
    name = shipped(recipe)
    return load(name) if name else {side: train(recipe, side) for side in SIDES}
