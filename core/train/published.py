"""Robust networks that others published, as points beside ours: RobustBench's README of March 2025."""

from dataclasses import dataclass

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
