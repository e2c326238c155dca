"""A network whose representation is in the open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from core.models.normalization import Normalize
from core.problems import InputError
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
            raise InputError(f"no block {block!r}; this model has {', '.join(self.blocks)}")
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


def in_batches(of: Callable[[Images], Tensor], x: Images, size: int = 500) -> Tensor:
    """Compute a function of many images (N, C, H, W), so many at a time and without gradients; its values in a row."""
    with torch.no_grad():
        return torch.cat([of(part) for part in x.split(size)])
