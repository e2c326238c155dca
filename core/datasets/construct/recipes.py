"""What a constructed set is: the recipe, and the draws that belong to each picture whatever shard it is in."""

from dataclasses import dataclass

import torch

from core.problems import InputError
from core.types import Labels

KINDS = {
    "robust": "D_R: pictures with the representation that a robust model has of the original; the original's label",
    "nonrobust": "D_NR: the same through a standard model",
    "rand": "D_rand: a perturbation toward a class drawn at random; that class as the label",
    "det": "D_det: a perturbation toward the next class; that class as the label",
    "leak": (
        "control for D_rand: no adversarial features; pictures that drew their own class stay as they are, the others"
        " get one fixed noise pattern a class"
    ),
}
INVERTED = ("robust", "nonrobust")


@dataclass(frozen=True)
class ConstructRecipe:
    """All that decides a constructed set, besides pictures and weights.

    Args:
        kind: A key of `KINDS`.
        source: Checkpoint that makes the set ("leak" uses none).
        n: Pictures; the first n of the training set.
        seed: Of targets, starts, shifts and noise.
        eps: L2 radius, pixel units (kinds rand, det, leak).
        steps: Gradient steps: 100 for rand and det, 1000 for robust and nonrobust in the paper.
        step_size: L2 length of a step, pixel units, 0.1 in the paper; unused by rule "lbfgs".
        rule: "steepest", the paper's, or "lbfgs" for inversions.
        start: Inversions start at another training "picture", or at "noise".
        labels: Targets among "all" classes, the picture's own included (the paper's D_rand), or only the "other" ones.
        shifts: Perturb the picture under random shifts and flips, a fresh one each step, so that the features survive a
            trainer's augmentation (the remedy of Keller Jordan's cifar10-zoo, there four copies a step).
        precision: Of the gradients, see `core.compute.autocast`.
        shard: Pictures a shard. Targets and starts belong to the picture; shifts are drawn for batches of 125, so whole
            batches (the default is four) keep them.
    """

    kind: str
    source: str = ""
    n: int = 50_000
    seed: int = 0
    eps: float = 0.5
    steps: int = 100
    step_size: float = 0.1
    rule: str = "steepest"
    start: str = "picture"
    labels: str = "all"
    shifts: bool = False
    precision: str = "auto"
    shard: int = 500

    def __post_init__(self) -> None:
        allowed = {
            "kind": tuple(KINDS),
            "rule": ("steepest", "lbfgs"),
            "start": ("picture", "noise"),
            "labels": ("all", "other"),
            "precision": ("auto", "bf16", "fp32"),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise InputError(f"{name} must be one of {', '.join(values)}, got {getattr(self, name)!r}")
        for name in ("n", "steps", "shard"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.eps < float("inf") or not 0 < self.step_size < float("inf"):
            raise InputError(f"eps must be >= 0 and step_size > 0, got {self.eps} and {self.step_size}")
        if self.rule == "lbfgs" and self.kind not in INVERTED:
            raise InputError("rule lbfgs has no ball to stay in; it is for robust and nonrobust")
        if self.kind in INVERTED and self.start == "picture" and self.n < 2:
            raise InputError("an inversion starts at another picture: take n = 2 or more, or start at noise")
        if not self.source and self.kind != "leak":
            raise InputError(f"kind {self.kind} needs a source model")


@dataclass(frozen=True)
class Draws:
    """What chance decides, for all n pictures at once: cut it as you like, each picture keeps its own.

    Args:
        labels: The label that each picture gets (n,).
        partners: Row of the picture at which its inversion starts (n,), never itself.
    """

    labels: Labels
    partners: torch.Tensor


def draw(recipe: ConstructRecipe, y: Labels, classes: int) -> Draws:
    """Draw the targets and the starts of a set.

    Args:
        recipe: What to construct.
        y: Labels of the original pictures (n,).
        classes: How many classes there are.

    Source: Ilyas et al. (2019), section 3.2: t uniform over all classes, or t = y + 1 mod C.
    """
    n = len(y)
    generator = torch.Generator().manual_seed(recipe.seed)
    if recipe.labels == "other":
        drawn = (y + 1 + torch.randint(classes - 1, (n,), generator=generator)) % classes
    else:
        drawn = torch.randint(classes, (n,), generator=generator)
    labels = {"rand": drawn, "leak": drawn, "det": (y + 1) % classes}.get(recipe.kind, y)
    # Any other picture, whatever its label: a step of 1 to n - 1 round the set.
    partners = (torch.arange(n) + 1 + torch.randint(max(1, n - 1), (n,), generator=generator)) % n
    return Draws(labels, partners)
