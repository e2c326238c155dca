"""Classifiers with an open representation: pixels in [0, 1] -> normalize -> features g(x) -> head -> logits.

`model.features(x)` is the penultimate representation g(x) (N, D), `model.head(z)` its logits, `model(x)` both in a row.
`ARCHITECTURES` names the builders; `build(name, **args)` makes one, also of timm and torchvision
(`core.models.wrapped`).
"""

import functools
import inspect
from collections.abc import Callable

from core.models import wrapped
from core.models.classifier import Classifier, evaluating, in_batches
from core.models.dense import densenet
from core.models.inverted import mobilenet
from core.models.lite import efficientnet_lite0
from core.models.normalization import Whiten
from core.models.patches import convmixer
from core.models.plain import vgg
from core.models.residual import resnet9, resnet18, resnet50
from core.models.small import patchnet
from core.problems import InputError

ARCHITECTURES: dict[str, Callable[..., Classifier]] = {
    "resnet9": resnet9,
    "resnet18": resnet18,
    "resnet50": resnet50,
    "vgg": vgg,
    "densenet": densenet,
    "mobilenet": mobilenet,
    "convmixer": convmixer,
    "patchnet": patchnet,
    "efficientnet-lite0": efficientnet_lite0,
}
__all__ = [
    "ARCHITECTURES",
    "Classifier",
    "build",
    "convmixer",
    "densenet",
    "efficientnet_lite0",
    "evaluating",
    "in_batches",
    "mobilenet",
    "patchnet",
    "resnet9",
    "resnet18",
    "resnet50",
    "vgg",
]


def build(arch: str, *, whiten: int = 0, **args: int) -> Classifier:
    """Build a freshly initialised classifier by name.

    Args:
        arch: A key of `ARCHITECTURES`, or "timm/NAME" or "torchvision/NAME".
        whiten: Side of the patches that `core.models.normalization.Whiten` decorrelates, odd; 0 only normalises.
        args: The builder's arguments, `width` and `classes`.

    Raises:
        InputError: If there is no such architecture, or it takes other arguments.
    """
    builder = functools.partial(wrapped.build, arch) if "/" in arch else ARCHITECTURES.get(arch)
    if builder is None:
        others = " and ".join(f"{library}/NAME" for library in wrapped.LIBRARIES)
        raise InputError(f"no architecture {arch!r}; have {', '.join(ARCHITECTURES)}, and of others {others}")
    try:
        model = builder(**args)
    except TypeError as error:
        takes = ", ".join(inspect.signature(builder).parameters)
        raise InputError(f"{arch} takes {takes}, not {', '.join(args)}") from error
    if whiten:
        model.normalize = Whiten(whiten)
    return model
