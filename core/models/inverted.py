"""A network of inverted residuals."""

from collections import OrderedDict

from torch import Tensor, nn

from core.models.classifier import Classifier


class Inverted(nn.Module):
    """Widen by a 1x1, filter each channel by itself, narrow again (Sandler et al. 2018).

    With a shortcut where it fits.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = expand * c_in
        self.path = nn.Sequential(
            nn.Conv2d(c_in, wide, 1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(),
            nn.Conv2d(wide, c_out, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        self.same = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.path(x) if self.same else self.path(x)


def mobilenet(width: int = 32, expand: int = 3, classes: int = 10) -> Classifier:
    """Build a MobileNetV2-like network for 32 px: seven inverted residuals over three resolutions, D = 8 width."""
    w = width
    body = nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(nn.Conv2d(3, w, 3, 2, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU6()),
            stage1=nn.Sequential(Inverted(w, w, 1, expand), Inverted(w, w, 1, expand)),
            stage2=nn.Sequential(Inverted(w, 2 * w, 2, expand), *(Inverted(2 * w, 2 * w, 1, expand) for _ in range(2))),
            stage3=nn.Sequential(Inverted(2 * w, 3 * w, 2, expand), Inverted(3 * w, 3 * w, 1, expand)),
            pool=nn.Sequential(
                nn.Conv2d(3 * w, 8 * w, 1, bias=False),
                nn.BatchNorm2d(8 * w),
                nn.ReLU6(),
                nn.AdaptiveAvgPool2d(1),
                nn.Flatten(),
            ),
        )
    )
    return Classifier(body, nn.Linear(8 * w, classes))
