"""Take any network apart at its last linear layer, so that its representation is in the open."""

from collections import OrderedDict
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from core.models.classifier import Classifier
from core.types import Images

CLOSE = 1e-3  # between logits, as a part of the largest


def opened(network: nn.Module, x: Images, logits: Tensor) -> tuple[Classifier, str]:
    """Take a network apart at its last linear layer: what comes before is the representation.

    Args:
        network: In eval mode; it becomes a part of what is returned.
        x: A few pictures as it takes them (N, 3, H, W).
        logits: What it says of them (N, K).

    Returns:
        The classifier, and a sentence if nothing stands in the open: then its logits are taken for its features.
    """
    classes = logits.shape[1]
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear) and layer.out_features == classes]
    for head in linear[-1:]:
        stop = nn.Identity()
        if not _exchange(network, head, stop):
            continue
        if _ends_in(head, network, x, logits):
            return Classifier(nn.Sequential(OrderedDict(_blocks(network))), head), ""
        _exchange(network, stop, head)
    straight = nn.Linear(classes, classes, bias=False)
    with torch.no_grad():
        straight.weight.copy_(torch.eye(classes))
    return (
        Classifier(nn.Sequential(OrderedDict(network=network)), straight),
        "It does not end in a linear layer, so its logits stand for its representation.",
    )


def _ends_in(head: nn.Linear, rest: nn.Module, x: Images, logits: Tensor) -> bool:
    """Tell whether a network is what is left of it, followed by that layer, and nothing after it."""
    with torch.no_grad():
        try:
            z = rest(x)
        except Exception:  # noqa: BLE001 - what came after the layer may not take what came before it
            return False
        if not isinstance(z, Tensor) or z.ndim != 2 or z.shape[1] != head.in_features:
            return False
        return float((head(z) - logits).abs().max()) <= CLOSE * max(1.0, float(logits.abs().max()))


def _blocks(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if type(network) is not nn.Sequential:
        yield "network", network
        return
    yield from ((name, part) for name, part in network.named_children() if not isinstance(part, nn.Identity))


def _exchange(network: nn.Module, old: nn.Module, new: nn.Module) -> bool:
    """Put a layer in the place of another, wherever that is; tell whether it was anywhere."""
    held = [(module, name) for module in network.modules() for name, part in module.named_children() if part is old]
    for module, name in held:
        setattr(module, name, new)
    return bool(held)
