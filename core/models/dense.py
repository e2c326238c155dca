"""A network in which each layer sees all before it."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from core.models.blocks import conv
from core.models.classifier import Classifier


class Dense(nn.Module):
    """x and `growth` new channels made from it, side by side (Huang et al. 2017)."""

    def __init__(self, c_in: int, growth: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.BatchNorm2d(c_in),
            nn.ReLU(),
            nn.Conv2d(c_in, 2 * growth, 1, bias=False),
            nn.BatchNorm2d(2 * growth),
            nn.ReLU(),
            nn.Conv2d(2 * growth, growth, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((x, self.path(x)), dim=1)


def densenet(growth: int = 32, depth: int = 5, classes: int = 10) -> Classifier:
    """Build a small DenseNet-BC: three dense blocks of `depth` layers, each seeing all before it; halved in between."""
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    width = 2 * growth
    stages["stem"] = conv(3, width, pool=True)
    for stage in range(1, 4):
        layers: list[nn.Module] = []
        for _ in range(depth):
            layers.append(Dense(width, growth))
            width += growth
        stages[f"dense{stage}"] = nn.Sequential(*layers)
        if stage < 3:
            stages[f"halve{stage}"] = nn.Sequential(
                nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width // 2, 1, bias=False), nn.AvgPool2d(2)
            )
            width //= 2
    stages["pool"] = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Classifier(nn.Sequential(stages), nn.Linear(width, classes))
