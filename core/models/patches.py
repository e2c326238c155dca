"""A network of patches."""

from collections import OrderedDict

from torch import nn

from core.models.blocks import Residual, average
from core.models.classifier import Classifier


def convmixer(width: int = 256, depth: int = 6, patch: int = 4, kernel: int = 3, classes: int = 10) -> Classifier:
    """Build a ConvMixer (Trockman and Kolter 2022): patches, then one resolution all the way.

    Mix space, then channels.
    """

    def mix() -> nn.Sequential:
        return nn.Sequential(
            Residual(nn.Conv2d(width, width, kernel, padding="same", groups=width), nn.GELU(), nn.BatchNorm2d(width)),
            nn.Conv2d(width, width, 1),
            nn.GELU(),
            nn.BatchNorm2d(width),
        )

    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["patches"] = nn.Sequential(nn.Conv2d(3, width, patch, patch), nn.GELU(), nn.BatchNorm2d(width))
    for index in range(1, depth + 1):
        layers[f"mix{index}"] = mix()
    layers["pool"] = average()
    return Classifier(nn.Sequential(layers), nn.Linear(width, classes))
