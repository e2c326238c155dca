"""Architectures of timm and torchvision by name, representation in the open: "timm/resnet18", "torchvision/vgg11".

Both libraries describe far more networks than this project, and their weights are what people have. A network of theirs
is taken apart at its last linear layer: what comes before is the body, with its normalisation in front, and that layer
the head.
"""

import difflib
import functools
import importlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from torch import Tensor, nn

from core.models.classifier import Classifier
from core.models.normalization import Normalize
from core.problems import InputError

LIBRARIES = ("timm", "torchvision")


class Wrapped(Classifier):
    """A network of another library, and what each of its weights is called there: `theirs`, our name by theirs."""

    def __init__(self, blocks: OrderedDict[str, nn.Module], head: nn.Linear, named: Mapping[str, Tensor]) -> None:
        super().__init__(nn.Sequential(blocks), head)
        self.normalize = Normalize((0.0,) * 3, (1.0,) * 3)
        ours = {id(value): name for name, value in self.state_dict(keep_vars=True).items()}
        self.theirs = {name: ours[id(value)] for name, value in named.items()}
        for module in self.modules():
            if hasattr(module, "inplace"):
                vars(module)["inplace"] = False  # else a layer writes over what its neighbour showed


class Through(nn.Module):
    """A part of a network that another block owns: its weights are not counted twice."""

    def __init__(self, network: nn.Module, forward: str, **arguments: bool) -> None:
        super().__init__()
        self.held = (network,)  # in a tuple, torch does not take it for a child
        self.forward_name, self.arguments = forward, arguments

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self.held[0], self.forward_name)(x, **self.arguments)


class Trunk(nn.Module):
    """A network of timm up to its last map of features."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network.forward_features(x)  # type: ignore[operator]


def build(arch: str, *, classes: int, side: int = 0) -> Wrapped:
    """Build a network of timm or torchvision, freshly initialised, without normalisation: mean 0, std 1.

    Args:
        arch: "timm/NAME" or "torchvision/NAME".
        classes: Number of logits.
        side: Of the pictures, for networks that have to know it; 0 leaves what the network was made for.

    Raises:
        InputError: If there is no such network, the library is not installed, or the network has no last linear layer.
    """
    library, _, name = arch.partition("/")
    make = {"timm": _timm, "torchvision": _torchvision}.get(library)
    if make is None:
        raise InputError(
            f"no architecture {arch!r}; those of others begin with {' or '.join(f'{x}/' for x in LIBRARIES)}"
        )
    if find_spec(library) is None:
        raise InputError(f"{arch} needs {library}, which is not installed here: pip install {library}")
    return make(name, classes, side)


@functools.cache
def names(library: str) -> tuple[str, ...]:
    """List the networks of a library, none where it is not installed."""
    if find_spec(library) is None:
        return ()
    if library == "timm":
        return tuple(importlib.import_module("timm").list_models())
    return tuple(importlib.import_module("torchvision").models.list_models(module=_classification()))


def _classification() -> Any:
    return importlib.import_module("torchvision").models


def _timm(name: str, classes: int, side: int) -> Wrapped:
    timm = importlib.import_module("timm")
    if not timm.is_model(name) or ":" in name or "/" in name:  # with a prefix timm would fetch it from elsewhere
        raise InputError(f"timm has no network {name!r}{_like(name, names('timm'))}")
    network = _sized(functools.partial(timm.create_model, name, num_classes=classes), side, "img_size")
    head = network.get_classifier()  # type: ignore[operator]
    if not isinstance(head, nn.Linear) or not hasattr(network, "forward_head"):
        raise InputError(f"timm/{name} does not end in one linear layer, which every page here needs")
    named = network.state_dict(keep_vars=True)
    _replace(network, head)
    blocks = _stages(network) or OrderedDict(
        trunk=Trunk(network), pool=Through(network, "forward_head", pre_logits=True)
    )
    return Wrapped(blocks, head, named)


def _torchvision(name: str, classes: int, side: int) -> Wrapped:
    if name not in names("torchvision"):
        raise InputError(f"torchvision has no classifier {name!r}{_like(name, names('torchvision'))}")
    extra = {"aux_logits": False, "init_weights": True} if name in ("inception_v3", "googlenet") else {}
    make = functools.partial(_classification().get_model, name, weights=None, num_classes=classes, **extra)
    network = _sized(make, side if name.startswith("vit_") else 0, "image_size")
    linear = [
        module for module in network.modules() if isinstance(module, nn.Linear) and module.out_features == classes
    ]
    if not linear:
        raise InputError(f"torchvision/{name} does not end in one linear layer, which every page here needs")
    head = linear[-1]
    named = network.state_dict(keep_vars=True)
    _replace(network, head)
    return Wrapped(_stages(network) or OrderedDict(pool=network), head, named)


def _sized(make: Callable[..., nn.Module], side: int, called: str) -> nn.Module:
    """Make a network for pictures of that side, if it has to be told."""
    if not side:
        return make()
    try:
        return make(**{called: side})
    except TypeError:  # a convolutional network takes any side
        return make()
    except (ValueError, RuntimeError, AssertionError) as error:
        raise InputError(f"that network cannot be made for pictures of {side} pixels: {error}") from error


def _replace(network: nn.Module, head: nn.Module) -> None:
    """Put an identity where the last layer was."""
    for module in network.modules():
        for name, child in module.named_children():
            if child is head:
                setattr(module, name, nn.Identity())
                return


def _stages(network: nn.Module) -> OrderedDict[str, nn.Module] | None:
    """Return the blocks of a ResNet, whose layers follow one another in both libraries; None for all other networks."""
    stages = [f"layer{i}" for i in range(1, 5)]
    plain = type(network).__name__ == "ResNet" and all(
        hasattr(network, name) for name in ("conv1", "bn1", "maxpool", *stages)
    )
    pool = getattr(network, "global_pool", None) or getattr(network, "avgpool", None)
    act = getattr(network, "act1", None) or getattr(network, "relu", None)
    if not plain or pool is None or act is None:
        return None
    stem = nn.Sequential(network.conv1, network.bn1, act, network.maxpool)  # type: ignore[arg-type]
    ends = nn.Sequential(pool, nn.Flatten())
    return OrderedDict([("stem", stem), *((name, getattr(network, name)) for name in stages), ("pool", ends)])


def _like(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, 3, 0.5)
    return f"; like it are {', '.join(close)}" if close else ""
