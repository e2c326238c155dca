"""Robust networks that others published, as points beside ours: RobustBench's README of March 2025."""

from dataclasses import dataclass

from core.train import cost

SOURCE = "RobustBench (README of March 2025; AutoAttack on all 10,000 test pictures)"
BALLS = {"L2": "L2 0.5", "Linf": "Linf 8/255"}


@dataclass(frozen=True)
class Published:
    """A network of RobustBench's CIFAR-10 boards.

    Args:
        who: Authors and year, as the board names them.
        arch: Architecture.
        clean: Accuracy, per cent.
        robust: Accuracy under AutoAttack, per cent.
    """

    who: str
    arch: str
    clean: float
    robust: float


BOARDS: dict[str, tuple[Published, ...]] = {
    "L2": (
        Published("Wang 2023", "WRN-70-16", 95.54, 84.97),
        Published("MeanSparse", "WRN-70-16", 95.51, 84.33),
        Published("Wang 2023", "WRN-28-10", 95.16, 83.68),
        Published("Rade 2021", "ResNet-18", 90.57, 76.15),
        Published("Rebuffi 2021", "ResNet-18", 90.33, 75.86),
        Published("Sehwag 2021", "ResNet-18", 89.76, 74.41),
        Published("Rice 2020", "PreActResNet-18", 88.67, 67.68),
        Published("Engstrom 2019", "ResNet-50", 90.83, 69.24),
    ),
    "Linf": (
        Published("Bartoldson 2024", "WRN-94-16", 93.68, 73.71),
        Published("MeanSparse", "WRN-94-16", 93.60, 73.10),
        Published("Bartoldson 2024", "WRN-82-8", 93.11, 71.59),
        Published("Gowal 2021", "ResNet-18", 87.35, 58.50),
        Published("Rade 2021, extra data", "ResNet-18", 89.02, 57.67),
        Published("Rade 2021, DDPM", "ResNet-18", 86.86, 57.09),
        Published("Rebuffi 2021", "ResNet-18", 83.53, 56.66),
        Published("Sehwag 2021", "ResNet-18", 84.59, 55.54),
        Published("Addepalli 2022", "ResNet-18", 85.71, 52.48),
        Published("Addepalli 2021", "ResNet-18", 80.24, 51.06),
        Published("Engstrom 2019", "ResNet-50", 87.03, 49.25),
        Published("Andriushchenko 2020", "ResNet-18 size", 79.84, 43.93),
        Published("Wong 2020, fast", "ResNet-18 size", 83.34, 43.21),
    ),
}


@dataclass(frozen=True)
class Costed:
    """A published network of which enough is known to count the operations of its training.

    Args:
        who: Authors and year.
        arch: Key of `core.models.ARCHITECTURES`: the architecture, or one of the same convolutions.
        epochs: Passes over CIFAR-10's training set.
        steps: Of the adversary in training.
        robust: Accuracy under attack, per cent.
        attack: Which gave that number.
        note: What the count takes for granted, and the time its authors state.
    """

    who: str
    arch: str
    epochs: int
    steps: int
    robust: float
    attack: str
    note: str

    @property
    def operations(self) -> float:
        """Of its training: a count of ours, by `core.train.cost`."""
        each = cost.passes({"inner": {"steps": self.steps}}) * cost.TRAINING_SET * self.epochs
        return cost.forward_operations(self.arch, {}) * each

    @property
    def says(self) -> str:
        """Its number, and the attack."""
        return f"{self.robust:g} % under {self.attack}"


LIBRARY = "counted for 7 steps and the 150 epochs that are its library's default; the network's own are not stated"
COSTED: dict[str, tuple[Costed, ...]] = {
    "L2": (Costed("Engstrom 2019", "resnet50", 150, 7, 69.24, "AutoAttack", LIBRARY),),
    "Linf": (
        Costed(
            *("Wong 2020, fast", "resnet18", 15, 1, 46.06, "PGD-50 with 10 restarts"),
            "15 epochs of a PreActResNet-18; 12 minutes in its authors' table, where PGD training takes 4,966",
        ),
        Costed("Engstrom 2019", "resnet50", 150, 7, 49.25, "AutoAttack", LIBRARY),
    ),
}
