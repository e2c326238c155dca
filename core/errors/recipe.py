"""The recipe of the Errors page."""

from dataclasses import dataclass

from core.recipes.base import option


@dataclass(frozen=True)
class ErrorsRecipe:
    """Wrong labels that teach, what leaks, where perturbations point, and learners without labels.

    Args:
        view: "plane" (the toy), "pictures" (what was measured on CIFAR-10), "leakage", "manifold" or
            "learners".
        points: Points of the plane.
        eps: Largest move of a point along each axis; the side of the plane is 1.
        seed: Decides the points, their labels, and both networks.
        moved: "adversarial" (until the first network changes its mind), "random" (as far, in directions drawn at
            random) or "not" (where they are; only the label changes).
    """

    view: str = option("plane", among=("plane", "pictures", "leakage", "manifold", "learners"))
    points: int = option(32, low=8, high=128)
    eps: float = option(0.12, low=0.0, high=0.5)
    seed: int = option(0, low=0, high=2**31 - 1)
    moved: str = option("adversarial", among=("adversarial", "random", "not"))
