"""ResNets for 32 pixels: the small one of this project, and those of the literature."""

from collections import OrderedDict

from torch import Tensor, nn

from core.models.blocks import Residual, average, conv
from core.models.classifier import Classifier


def resnet9(width: int = 32, classes: int = 10) -> Classifier:
    """Build the house network: 8 convolutions, 1.65 M parameters and D = 256 at width 32.

    SiLU and average pooling keep the gradient with respect to the pixels smooth, which adversarial training and
    inversion both live on. After the ResNet-9 of DAWNBench (D. Page, 2018).
    """
    w = width
    body = nn.Sequential(
        OrderedDict(
            stem=conv(3, w),  # (N, w, 32, 32)
            conv1=conv(w, 2 * w, pool=True),  # (N, 2w, 16, 16)
            res1=Residual(conv(2 * w, 2 * w), conv(2 * w, 2 * w)),
            conv2=conv(2 * w, 4 * w, pool=True),  # (N, 4w, 8, 8)
            conv3=conv(4 * w, 8 * w, pool=True),  # (N, 8w, 4, 4)
            res3=Residual(conv(8 * w, 8 * w), conv(8 * w, 8 * w)),
            pool=average(),  # (N, 8w)
        )
    )
    return Classifier(body, nn.Linear(8 * w, classes))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(c_out),
            nn.ReLU(),
            nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        self.shortcut = _shortcut(c_in, c_out, stride)
        self.act = nn.ReLU()  # a module: rules of attribution find no function

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.path(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    """Narrow by a 1x1, filter by a 3x3, widen fourfold by a 1x1, and a shortcut (He et al. 2016)."""

    def __init__(self, c_in: int, c: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv2d(c_in, c, 1, bias=False),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            nn.Conv2d(c, c, 3, stride, 1, bias=False),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            nn.Conv2d(c, 4 * c, 1, bias=False),
            nn.BatchNorm2d(4 * c),
        )
        self.shortcut = _shortcut(c_in, 4 * c, stride)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.path(x) + self.shortcut(x))


def _shortcut(c_in: int, c_out: int, stride: int) -> nn.Module:
    if stride == 1 and c_in == c_out:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))


def resnet18(width: int = 64, classes: int = 10) -> Classifier:
    """Build the CIFAR ResNet-18: D = 512 and 11.2 M parameters at width 64."""
    return _resnet(BasicBlock, (2, 2, 2, 2), width, 1, classes)


def resnet50(width: int = 64, classes: int = 10) -> Classifier:
    """Build the paper's network, the CIFAR ResNet-50: D = 2048 and 23.5 M parameters at width 64 (appendix C.2)."""
    return _resnet(Bottleneck, (3, 4, 6, 3), width, 4, classes)


def _resnet(
    block: type[BasicBlock] | type[Bottleneck], depths: tuple[int, ...], width: int, widening: int, classes: int
) -> Classifier:
    """Build four stages after a 3x3 stem of stride 1 without max-pooling, as MadryLab's library does for 32 pixels."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["stem"] = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
    c_in = width
    for stage, depth in enumerate(depths):
        c, blocks = width * 2**stage, []
        for index in range(depth):
            blocks.append(block(c_in, c, 2 if stage > 0 and index == 0 else 1))
            c_in = widening * c
        layers[f"stage{stage + 1}"] = nn.Sequential(*blocks)
    layers["pool"] = average()
    return Classifier(nn.Sequential(layers), nn.Linear(c_in, classes))
