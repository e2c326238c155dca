"""A network without shortcuts."""

from collections import OrderedDict

from torch import nn

from core.models.blocks import average
from core.models.classifier import Classifier


def vgg(width: int = 32, classes: int = 10) -> Classifier:
    """Build a plain VGG-like stack: 8 convolutions, ReLU, max-pooling, no shortcut anywhere (D = 8 width)."""
    w = width

    def conv(c_in: int, c_out: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU())

    def stage(c_in: int, c_out: int) -> nn.Sequential:
        return nn.Sequential(conv(c_in, c_out), conv(c_out, c_out), nn.MaxPool2d(2))

    body = nn.Sequential(
        OrderedDict(
            stage1=stage(3, w),
            stage2=stage(w, 2 * w),
            stage3=stage(2 * w, 4 * w),
            stage4=stage(4 * w, 8 * w),
            pool=average(),
        )
    )
    return Classifier(body, nn.Linear(8 * w, classes))
