"""A network that is trained while one watches."""

from collections import OrderedDict

from torch import nn

from core.models.blocks import average, conv
from core.models.classifier import Classifier


def patchnet(width: int = 4, classes: int = 10) -> Classifier:
    """Build the network of the planted world: 4x4 patches, two 3x3 convolutions; 21,000 parameters, D = 32 at width 4.

    A patch of 4 pixels is one period of the world's faint patterns: both of its features are within easy reach.
    """
    w = 8 * width
    stem = nn.Sequential(nn.Conv2d(3, w, 4, stride=4, bias=False), nn.BatchNorm2d(w), nn.SiLU())
    body = nn.Sequential(OrderedDict(stem=stem, conv1=conv(w, w, pool=True), conv2=conv(w, w), pool=average()))
    return Classifier(body, nn.Linear(w, classes))
