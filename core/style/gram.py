"""The objective of style transfer (Gatys, Ecker and Bethge 2016): whose content, whose texture.

    objective = painted(model, content, style, strength=10.0)
    descend(objective, content, L2(math.inf), steps=100, rule=lbfgs(radius=1.0))

The texture is what the channels of a layer do together wherever they do it: its Gram matrix. Both parts are relative
squared distances, so that a weight means the same in every network. The objective is the root of their weighted sum, as
`core.attacks.rules.lbfgs` wants it, which descends on its square.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.attacks.objectives import Objective
from core.models import Classifier
from core.problems import InputError
from core.types import Images, PerExample


@dataclass(frozen=True)
class Layers:
    """Where a network is asked: the blocks whose Gram matrices are the style, and the block that is the content."""

    style: tuple[str, ...]
    content: str


def layers_of(model: Classifier) -> Layers:
    """Choose four blocks for the style, spread from first to last but the pooling, and the last for the content.

    As in the response: the outputs of the four stages of a ResNet, and the last of them.

    Raises:
        InputError: If the network has fewer than two blocks before its pooling.
    """
    blocks = model.blocks[:-1]
    if len(blocks) < 2:
        raise InputError(f"style transfer needs a network of several blocks; this one has {', '.join(model.blocks)}")
    n = min(4, len(blocks))
    return Layers(tuple(blocks[round((i + 1) * len(blocks) / n) - 1] for i in range(n)), blocks[-1])


def gram(h: Tensor) -> Tensor:
    """Compute the Gram matrix of activations (N, C, H, W), averaged over positions: (N, C, C)."""
    flat = h.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def walk(model: Classifier, x: Images, blocks: Sequence[str]) -> dict[str, Tensor]:
    """Compute the outputs of some blocks in one pass."""
    found, h = {}, model.normalize(x)
    for name, module in model.body.named_children():
        h = module(h)
        if name in blocks:
            found[name] = h
        if len(found) == len(set(blocks)):
            break
    return found


def style_distance(model: Classifier, blocks: Sequence[str], wanted: Images) -> Objective:
    """Measure how far the Gram matrices are from those of `wanted` (N, C, H, W).

    Mean of the relative squared distances.
    """
    with torch.no_grad():
        targets = {name: gram(h) for name, h in walk(model, wanted, blocks).items()}

    def distance(x: Images) -> PerExample:
        seen = walk(model, x, blocks)
        return torch.stack([_relative(gram(seen[name]), targets[name]) for name in blocks]).mean(0)

    return distance


def content_distance(model: Classifier, block: str, wanted: Images) -> Objective:
    """Measure how far a block's output is from that of `wanted` (N, C, H, W): relative squared distance."""
    with torch.no_grad():
        target = walk(model, wanted, (block,))[block]
    return lambda x: _relative(walk(model, x, (block,))[block], target)


def painted(model: Classifier, content: Images, style: Images, strength: float) -> Objective:
    """Ask for the content of one picture in the style of another: sqrt(content distance + strength * style distance).

    Args:
        model: Whose layers are asked.
        content: (N, C, H, W).
        style: (N, C, H, W).
        strength: Weight of the style, >= 0.
    """
    layers = layers_of(model)
    of_style, of_content = style_distance(model, layers.style, style), content_distance(model, layers.content, content)
    return lambda x: (of_content(x) + strength * of_style(x)).clamp_min(1e-12).sqrt()


def _relative(found: Tensor, wanted: Tensor) -> PerExample:
    return (found - wanted).flatten(1).square().sum(1) / wanted.flatten(1).square().sum(1).clamp_min(1e-12)
