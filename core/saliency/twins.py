"""A twin of a model for one caller alone: new modules around the same weights.

Hooks and rewritten activations stay on the twin, so that any number of threads can explain one shared model at once.
"""

import copy
from itertools import chain

from torch import Tensor, nn

from core.models.lite import SamePad
from core.models.normalization import Normalize
from core.problems import InputError

# Maps each channel and position alone, so Guided Backprop and DeepLift have a rule for it.
ELEMENTWISE = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SiLU, nn.GELU, nn.Hardswish, nn.Mish, nn.Sigmoid, nn.Tanh)
# Linear in eval mode, so both methods pass the gradient through.
LINEAR = (
    nn.Conv2d,
    nn.Linear,
    nn.BatchNorm2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.Flatten,
    nn.Identity,
    nn.Dropout,
    Normalize,
    SamePad,
)


def twin(model: nn.Module) -> nn.Module:
    """Copy a model's modules around the same weights: about a millisecond, and no memory to speak of."""
    shared = {id(t): t for t in chain(model.parameters(), model.buffers())}
    return copy.deepcopy(model, shared)


def dressed(model: nn.Module) -> nn.Module:
    """Make a twin whose activations, SiLU and the like, look to captum like the ReLUs that it knows rules for.

    Raises:
        ValueError: If a module is of a kind that there is no rule for.
    """
    made = twin(model)
    for parent in list(made.modules()):
        for name, child in parent.named_children():
            if isinstance(child, ELEMENTWISE):
                setattr(parent, name, _as_relu(child))
            elif isinstance(child, nn.MaxPool2d):
                setattr(parent, name, nn.Sequential(_Copy(), child))
            elif not (isinstance(child, LINEAR) or any(True for _ in child.children())):
                raise InputError(
                    f"there is no rule for {type(child).__name__}: Guided Backprop and DeepLift would silently be "
                    "plain gradients there"
                )
    return made


class _Copy(nn.Module):
    """Hands on a tensor of its own.

    Captum hooks the tensor between a ReLU and a pooling layer twice, first for the ReLU: that would see the gradient as
    it was before the pooling layer's rule changed it, and the shares would not add up.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.clone()


def _as_relu(activation: nn.Module) -> nn.Module:
    if type(activation) is nn.ReLU and not activation.inplace:
        return activation
    relu = nn.ReLU().eval()
    relu.forward = activation.forward  # type: ignore[method-assign]
    return relu
