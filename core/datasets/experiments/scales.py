"""What each profile can afford: how many pictures, steps and epochs the experiments of the paper get."""

from dataclasses import dataclass, field

# The students of figure 3 besides ResNet-9: as small as the networks of the zoo.
ARCHITECTURES: dict[str, dict[str, int]] = {
    "vgg": {"width": 32},
    "densenet": {"growth": 32, "depth": 5},
    "mobilenet": {"width": 32, "expand": 3},
    "convmixer": {"width": 256, "depth": 6, "patch": 4, "kernel": 3},
}
PROFILES = ("quick", "cpu", "full")


@dataclass(frozen=True)
class Scale:
    """What a profile can afford.

    Args:
        inverted: Pictures of D_R and D_NR.
        perturbed: Pictures of D_rand and D_det.
        whiten: Side of the patches that students of those sets see whitened; 0 is the paper's plain normalisation.
        rand_lr: Peak learning rate on D_rand.
        inversion: Fields of the recipe of D_R and D_NR.
        perturbation: Fields of the recipe of D_rand and D_det.
        shifted: Steps under random shifts, which D_det takes: its targets are always the same class, and only features
            that survive shifts outweigh the robust ones.
        epochs: Passes over a set of perturbed pictures.
        inverted_epochs: Passes over D_R and D_NR.
        pair_epochs: Passes over cats and dogs.
        unseen_epochs: Passes over the fewer pictures that are neither and are labelled so.
        seeds: Of the students of D_rand and D_det, one of the same set each; controls, pairs and figure 3 have the
            first.
        inverted_seeds: Of the students of D_R, D_NR and as many originals.
        tested: Test pictures attacked for robust accuracy.
        steps: Steps of that attack.
        arch: Architecture of the students.
        args: Its arguments.
        batch_size: Pictures a step.
        architectures: Those of figure 3 besides ResNet-9.
    """

    inverted: int
    perturbed: int
    inversion: dict[str, object]
    perturbation: dict[str, object]
    shifted: int
    whiten: int
    rand_lr: float
    epochs: int
    inverted_epochs: int
    pair_epochs: int
    unseen_epochs: int
    seeds: tuple[int, ...] = (0,)
    inverted_seeds: tuple[int, ...] = (0,)
    tested: int = 1000
    steps: int = 20
    arch: str = "resnet9"
    args: dict[str, int] = field(default_factory=lambda: {"width": 32})
    batch_size: int = 128
    architectures: tuple[str, ...] = tuple(ARCHITECTURES)


SCALES = {
    "quick": Scale(
        *(96, 96),
        inversion={"rule": "lbfgs", "steps": 3},
        perturbation={"steps": 3},
        shifted=3,
        whiten=3,
        rand_lr=0.05,
        epochs=1,
        inverted_epochs=1,
        pair_epochs=1,
        unseen_epochs=1,
        tested=64,
        steps=3,
        args={"width": 8},
        batch_size=16,
        architectures=("vgg",),
    ),
    "cpu": Scale(
        *(10_000, 50_000),
        inversion={"rule": "lbfgs", "steps": 30},
        perturbation={"steps": 10, "step_size": 0.2},
        shifted=20,
        whiten=3,
        rand_lr=0.05,
        epochs=6,
        inverted_epochs=25,
        pair_epochs=15,
        unseen_epochs=12,
        seeds=(0, 1, 2),
    ),
    "full": Scale(
        *(50_000, 50_000),
        inversion={"steps": 1000},
        perturbation={"steps": 100},
        shifted=100,
        whiten=0,
        rand_lr=0.01,
        epochs=60,
        inverted_epochs=60,
        pair_epochs=60,
        unseen_epochs=60,
        seeds=(0, 1, 2),
        inverted_seeds=(0, 1, 2),
        tested=10_000,
        steps=100,
    ),
}
