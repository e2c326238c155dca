"""Classifiers with an open representation: pixels in [0, 1] -> normalize -> features g(x) -> head -> logits.

`model.features(x)` is the penultimate representation g(x) (N, D), `model.head(z)` its logits, `model(x)` both in a row.
`ARCHITECTURES` names the builders; `build(name, **args)` makes one.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.normalization import Normalize, Whiten
from core.types import Features, Images, Logits


class Classifier(nn.Module):
    """head(body(normalize(x))) with the representation in the open.

    Args:
        body: Named blocks from normalised images to g(x) (N, D).
        head: The final linear layer, D to K.
    """

    def __init__(self, body: nn.Sequential, head: nn.Linear) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.body = body
        self.head = head

    def features(self, x: Images) -> Features:
        """Compute g(x) (N, D), the input of the final linear layer, from pixels in [0, 1]."""
        return self.body(self.normalize(x))

    def forward(self, x: Images) -> Logits:
        return self.head(self.features(x))

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the body's blocks, first to last; the last one's output is g(x)."""
        return tuple(name for name, _ in self.body.named_children())

    def activations(self, x: Images, block: str) -> Tensor:
        """Compute the output of a named block (N, ...), from pixels in [0, 1].

        Raises:
            ValueError: If there is no such block.
        """
        if block not in self.blocks:
            raise ValueError(f"no block {block!r}; this model has {', '.join(self.blocks)}")
        h = self.normalize(x)
        for name, module in self.body.named_children():
            h = module(h)
            if name == block:
                break
        return h


@contextmanager
def evaluating(model: nn.Module) -> Iterator[nn.Module]:
    """Put the model in eval mode for a while and restore each module's own mode after, also on errors.

    Batch norm in training mode makes accuracy depend on the batch, so every measurement goes through here.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, mode in modes:
            module.training = mode


class Residual(nn.Module):
    """x + block(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.block = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.block(x)


def _conv(c_in: int, c_out: int, *, pool: bool = False) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(c_in, c_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.SiLU(),
    ]
    return nn.Sequential(*layers, *([nn.AvgPool2d(2)] if pool else []))


def resnet9(width: int = 32, classes: int = 10) -> Classifier:
    """Build the house network: 8 convolutions, 1.65 M parameters and D = 256 at width 32.

    SiLU and average pooling keep the gradient with respect to the pixels smooth, which adversarial training and
    inversion both live on. After the ResNet-9 of DAWNBench (D. Page, 2018).
    """
    w = width
    body = nn.Sequential(
        OrderedDict(
            stem=_conv(3, w),  # (N, w, 32, 32)
            conv1=_conv(w, 2 * w, pool=True),  # (N, 2w, 16, 16)
            res1=Residual(_conv(2 * w, 2 * w), _conv(2 * w, 2 * w)),
            conv2=_conv(2 * w, 4 * w, pool=True),  # (N, 4w, 8, 8)
            conv3=_conv(4 * w, 8 * w, pool=True),  # (N, 8w, 4, 4)
            res3=Residual(_conv(8 * w, 8 * w), _conv(8 * w, 8 * w)),
            pool=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),  # (N, 8w)
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
        same = stride == 1 and c_in == c_out
        self.shortcut = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.path(x) + self.shortcut(x))


def resnet18(width: int = 64, classes: int = 10) -> Classifier:
    """Build the CIFAR ResNet-18: 3x3 stem, no max-pool, widths 64-512, D = 512, 11.2 M parameters."""
    w = width

    def stage(c_in: int, c_out: int, stride: int) -> nn.Sequential:
        return nn.Sequential(BasicBlock(c_in, c_out, stride), BasicBlock(c_out, c_out, 1))

    body = nn.Sequential(
        OrderedDict(
            stem=nn.Sequential(nn.Conv2d(3, w, 3, 1, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU()),
            stage1=stage(w, w, 1),
            stage2=stage(w, 2 * w, 2),
            stage3=stage(2 * w, 4 * w, 2),
            stage4=stage(4 * w, 8 * w, 2),
            pool=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        )
    )
    return Classifier(body, nn.Linear(8 * w, classes))


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
            pool=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        )
    )
    return Classifier(body, nn.Linear(8 * w, classes))


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
    stages["stem"] = _conv(3, width, pool=True)
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


class Inverted(nn.Module):
    """Widen by a 1x1, filter each channel by itself, narrow again; with a shortcut where it fits (Sandler et al. 2018)."""

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


def convmixer(width: int = 256, depth: int = 6, patch: int = 4, kernel: int = 3, classes: int = 10) -> Classifier:
    """Build a ConvMixer (Trockman and Kolter 2022): patches, then one resolution all the way; mix space, then channels."""

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
    layers["pool"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Classifier(nn.Sequential(layers), nn.Linear(width, classes))


ARCHITECTURES: dict[str, Callable[..., Classifier]] = {
    "resnet9": resnet9,
    "resnet18": resnet18,
    "vgg": vgg,
    "densenet": densenet,
    "mobilenet": mobilenet,
    "convmixer": convmixer,
}


def build(arch: str, *, whiten: int = 0, **args: int) -> Classifier:
    """Build a freshly initialised classifier by name.

    Args:
        arch: A key of `ARCHITECTURES`.
        whiten: Side of the patches that `core.normalization.Whiten` decorrelates, odd; 0 only normalises.
        args: The builder's arguments, `width` and `classes`.

    Raises:
        ValueError: If there is no such architecture.
    """
    if arch not in ARCHITECTURES:
        raise ValueError(f"no architecture {arch!r}; have {', '.join(ARCHITECTURES)}")
    model = ARCHITECTURES[arch](**args)
    if whiten:
        model.normalize = Whiten(whiten)
    return model
