"""One picture attacked, radius by radius or step by step: what the Perturb page computes.

For example:

    recipe = PerturbRecipe(picture="cifar10/12", norm="Linf")
    left = attack(recipe, recipe.standard)          # a Trajectory
    left.x_adv[5], left.threshold
"""

from core.models.ready import load  # scripts copied earlier ask for it here
from core.perturb.recipe import PerturbRecipe
from core.perturb.trajectory import Trajectory
from core.perturb.views import attack, closest, label_of, noise, parts, script, target_of

__all__ = [
    "PerturbRecipe",
    "Trajectory",
    "attack",
    "closest",
    "label_of",
    "load",
    "noise",
    "parts",
    "script",
    "target_of",
]
