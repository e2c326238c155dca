"""Which tensor of a file is which weight of a network.

Names are matched first: those of the network itself, or of the library it is from, behind whatever prefixes wrappers
have put before them (`module.`, `model.`, `module.model.`). Where no name fits, a file that keeps the order in which
its network was built may still fit by order: the same shapes and endings, one after another. So MadryLab's CIFAR
ResNets become ours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.models.classifier import Classifier
from core.models.foreign import Weights
from core.models.wrapped import Wrapped
from core.problems import InputError

COUNTER = "num_batches_tracked"  # of a batch norm; says nothing about what the network computes
OWN = ("normalize.",)  # begins what the network is told besides its weights
MOST_PREFIX = 3  # words


@dataclass(frozen=True)
class Fitted:
    """Weights under the network's own names.

    Args:
        state: For `load_state_dict`; without normalisation.
        prefix: What stood before each name in the file.
        by_order: Whether they were matched by order and shape, not by name: plausible, not certain.
        left: Names in the file that the network has no use for.
    """

    state: dict[str, Tensor]
    prefix: str
    by_order: bool
    left: tuple[str, ...]


def fit(weights: Weights, model: Classifier, arch: str) -> Fitted:
    """Match a file's weights with a network's, all of them or none.

    Args:
        weights: What the file held.
        model: The network; shapes suffice, so it may lie on the device "meta".
        arch: Its name, for what is said about it.

    Raises:
        InputError: If they do not fit; the message names the first difference.
    """
    expected = {name: value for name, value in model.state_dict().items() if not name.startswith(OWN)}
    ours = model.theirs if isinstance(model, Wrapped) else {name: name for name in expected}
    prefix = max(_prefixes(weights.tensors), key=lambda p: sum(p + name in weights.tensors for name in ours))
    inside = {name.removeprefix(prefix): value for name, value in weights.tensors.items() if name.startswith(prefix)}
    needed = {name: mine for name, mine in ours.items() if not name.endswith(COUNTER)}
    missing = [name for name in needed if name not in inside]
    if missing:
        ordered = _by_order(weights, expected)
        if ordered is None:
            raise InputError(_differs(missing, needed, inside, arch))
        return Fitted(*ordered)
    surplus = [
        name for name, value in inside.items() if name not in ours and value.is_floating_point() and value.numel() > 1
    ]
    surplus = [name for name in surplus if not name.startswith(OWN)]
    if surplus:
        raise InputError(
            f"the file has {len(surplus)} tensors that {arch} does not have, first {surplus[0]}: it is another network"
        )
    state = {mine: inside[name] for name, mine in needed.items()}
    _same_shapes(state, expected, arch)
    return Fitted(_complete(state, expected), prefix, by_order=False, left=_left(weights, prefix, ours))


def _prefixes(names: Mapping[str, Tensor]) -> list[str]:
    """List what may stand before a name: nothing, or the first one to three words of some name in the file."""
    found = {""}
    for name in names:
        words = name.split(".")
        found.update(".".join(words[:n]) + "." for n in range(1, min(MOST_PREFIX, len(words) - 1) + 1))
    return sorted(found, key=len)


def _left(weights: Weights, prefix: str, ours: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        name for name in weights.tensors if not (name.startswith(prefix) and name.removeprefix(prefix) in ours)
    )


def _by_order(
    weights: Weights, expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], str, bool, tuple[str, ...]] | None:
    """Match by order where under some prefix the shapes and endings are exactly those of the network."""
    if not weights.ordered:
        return None
    wanted = [(name, value) for name, value in expected.items() if not name.endswith(COUNTER)]
    shapes = [(tuple(value.shape), _ending(name)) for name, value in wanted]
    for prefix in _prefixes(weights.tensors):
        inside = [
            (name, value)
            for name, value in weights.tensors.items()
            if name.startswith(prefix) and not name.endswith(COUNTER)
        ]
        if [(tuple(value.shape), _ending(name)) for name, value in inside] == shapes:
            state = {mine: value for (mine, _), (_, value) in zip(wanted, inside, strict=True)}
            taken = {name for name, _ in inside}
            left = tuple(name for name in weights.tensors if name not in taken and not name.endswith(COUNTER))
            return _complete(state, expected), prefix, True, left
    return None


def _ending(name: str) -> str:
    return name.rpartition(".")[2]


def _complete(state: dict[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Add the counters of batch norms, which are nought, and take each weight to its type."""
    whole = {
        name: torch.zeros(value.shape, dtype=value.dtype) for name, value in expected.items() if name.endswith(COUNTER)
    }
    return whole | {name: value.to(expected[name].dtype) for name, value in state.items()}


def _same_shapes(state: Mapping[str, Tensor], expected: Mapping[str, Tensor], arch: str) -> None:
    wrong = [name for name, value in state.items() if value.shape != expected[name].shape]
    if not wrong:
        return
    first = wrong[0]
    found, needs = list(state[first].shape), list(expected[first].shape)
    if all(name.startswith("head.") for name in wrong):
        raise InputError(
            f"the file's last layer tells {found[0]} classes apart, and {needs[0]} class names are given; give the"
            f" {found[0]} names in the order of the logits with --classes FILE, one a line"
        )
    raise InputError(
        f"the file does not fit {arch}: {len(wrong)} tensors have another shape, first {first} ({found} where {arch}"
        f" has {needs}); is it a wider or narrower one?"
    )


def _differs(missing: list[str], needed: Mapping[str, str], inside: Mapping[str, Tensor], arch: str) -> str:
    if len(missing) < len(needed) / 2:
        return (
            f"the file lacks {len(missing)} of the {len(needed)} weights of {arch}, first {missing[0]}: it is another"
            " network, or not all of it"
        )
    first = ", ".join(list(inside)[:2])
    return f"the file does not fit {arch}: that has weights like {missing[0]}, and the file has {first}"


def stated_normalisation(weights: Weights) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Return the mean and std that MadryLab's checkpoints carry beside the weights, None where there are none."""
    for prefix in ("module.normalizer.", "normalizer.", "module.normalize.", "normalize."):
        mean, std = (_three(weights.tensors, prefix, names) for names in (("new_mean", "mean"), ("new_std", "std")))
        if mean and std and all(value > 0 for value in std):
            return mean, std
    return None


def _three(tensors: Mapping[str, Tensor], prefix: str, names: tuple[str, ...]) -> tuple[float, ...] | None:
    found: Iterator[Tensor] = (tensors[prefix + name] for name in names if prefix + name in tensors)
    value = next(found, None)
    return tuple(float(v) for v in value.flatten()) if value is not None and value.numel() == 3 else None


def swap_colours(model: Classifier) -> None:
    """Make a network that was trained on blue, green, red take red, green, blue: turn its first filters, in place.

    Raises:
        InputError: If its first layer is not a convolution over three colours.
    """
    first = next((m for m in model.body.modules() if isinstance(m, nn.Conv2d | nn.Linear)), None)
    if not isinstance(first, nn.Conv2d) or first.weight.shape[1] != 3:
        raise InputError("the network's first layer is no convolution over three colours; --bgr cannot turn it")
    with torch.no_grad():
        first.weight.copy_(first.weight.flip(1))
        model.normalize.mean.copy_(model.normalize.mean.flip(1))
        model.normalize.std.copy_(model.normalize.std.flip(1))
