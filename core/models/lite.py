"""EfficientNet-Lite0: a thousand classes at 224 pixels with 4.7 million parameters."""

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from core.models.blocks import average
from core.models.classifier import Classifier
from core.models.normalization import Normalize

EPS = 1e-3  # of its batch norms
WIDTH = 160  # an eighth of its representation
MEAN, STD = (127 / 255,) * 3, (128 / 255,) * 3
# expand, kernel, stride, channels out, repeats: table 1 of Tan and Le (2019), without squeeze and excitation.
STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class SamePad(nn.Module):
    """Pad as TensorFlow does before a convolution with a stride.

    As little as needed, the odd pixel on the right and below.
    """

    def __init__(self, size: int, stride: int) -> None:
        super().__init__()
        self.size, self.stride = size, stride

    def forward(self, x: Tensor) -> Tensor:
        down, right = (max(0, (-(-n // self.stride) - 1) * self.stride + self.size - n) for n in x.shape[2:])
        return F.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))


def _unit(c_in: int, c_out: int, size: int = 1, stride: int = 1, *, depthwise: bool = False) -> list[nn.Module]:
    """Convolve, normalise, ReLU6."""
    groups = c_in if depthwise else 1
    return [
        *([SamePad(size, stride)] if stride > 1 else []),
        nn.Conv2d(c_in, c_out, size, stride, size // 2 if stride == 1 else 0, groups=groups, bias=False),
        nn.BatchNorm2d(c_out, eps=EPS),
        nn.ReLU6(),
    ]


class Bottleneck(nn.Module):
    """Widen by a 1x1, filter each channel by itself, narrow again (Sandler et al. 2018).

    With a shortcut where it fits.
    """

    def __init__(self, expand: int, size: int, stride: int, c_in: int, c_out: int) -> None:
        super().__init__()
        wide = expand * c_in
        self.path = nn.Sequential(
            *(_unit(c_in, wide) if expand > 1 else []),
            *_unit(wide, wide, size, stride, depthwise=True),
            *_unit(wide, c_out)[:-1],
        )
        self.same = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.path(x) if self.same else self.path(x)


def efficientnet_lite0(width: int = WIDTH, classes: int = 1000) -> Classifier:
    """Build an EfficientNet-Lite0 for 224 px, D = 8 width.

    A width other than 160 makes every layer narrower or wider.
    """
    stem, features, *widths = (max(8, c * width // WIDTH) for c in (32, 1280, *(stage[3] for stage in STAGES)))
    blocks: OrderedDict[str, nn.Module] = OrderedDict(stem=nn.Sequential(*_unit(3, stem, 3, 2)))
    c_in = stem
    for number, ((expand, size, stride, _, repeats), c_out) in enumerate(zip(STAGES, widths, strict=True), 1):
        first = Bottleneck(expand, size, stride, c_in, c_out)
        blocks[f"stage{number}"] = nn.Sequential(
            first, *(Bottleneck(expand, size, 1, c_out, c_out) for _ in range(repeats - 1))
        )
        c_in = c_out
    blocks["pool"] = nn.Sequential(*_unit(c_in, features), *average())
    model = Classifier(nn.Sequential(blocks), nn.Linear(features, classes))
    model.normalize = Normalize(MEAN, STD)
    return model
