"""What a network cost to train: floating-point operations, from its header, and minutes on what machine, where noted.

For example:

    operations(checkpoints.header("resnet9-l2"))        # 2.3e+15
"""

import functools
import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from core.models import build
from core.models.checkpoints import Header
from core.types import Images

TRAINING_SET = 50_000  # CIFAR-10's
SIDE = 32
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def operations(about: Header) -> float | None:
    """Count the floating-point operations of a training on CIFAR-10, from what its header says.

    An addition and a multiplication are two. A forward pass costs F, a backward pass through all weights 2 F, one to
    the pixels alone F (an inner step: 2 F with its forward pass); see `passes`. None where the header does not say
    enough, and for students of constructed sets, of whose making it does not tell.
    """
    made = about.recipe
    if "epochs" not in made or "added" in made or made.get("set"):
        return None
    return forward_operations(about.arch, about.args) * passes(made) * TRAINING_SET * float(made["epochs"])


def passes(made: Mapping[str, Any]) -> float:
    """Return what a picture costs in an epoch, in forward passes: 3 to learn from it, 2 for each step of the adversary.

    TRADES learns from the picture and from what became of it; weights are perturbed by one more gradient.
    """
    inner = made.get("inner") or {}
    learnt = 6.0 if made.get("trades") else 3.0
    lift = learnt if made.get("awp") else 0.0
    said = 1.0 if made.get("trades") else 0.0
    return learnt + lift + said + 2.0 * float(inner.get("steps", 0))


def forward_operations(arch: str, args: Mapping[str, int]) -> float:
    """Count the operations of one picture's way through a network (32 x 32 pixels)."""
    return _forward(arch, json.dumps(dict(args), sort_keys=True))


class _Counter(TorchDispatchMode):
    """Counts the operations of this thread, by torch's own formulas.

    torch's `FlopCounterMode` also hooks into every module of the process, while an attack may run in another thread:
    its gradient then fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if (count := flop_registry.get(func._overloadpacket)) is not None:
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


@functools.lru_cache(maxsize=64)
def _forward(arch: str, args: str) -> float:
    made = json.loads(args)
    with torch.device("cpu" if made.get("whiten") else "meta"):  # whitening asks its device for a precision
        model = build(arch, **made).eval()
        x = torch.empty(1, 3, SIDE, SIDE)
    return counted(model, x)


def counted(model: nn.Module, x: Images) -> float:
    """Count the operations of these pictures' way through a model that is where they are."""
    with _Counter() as counter, torch.no_grad():
        model(x)
    return counter.total


def written(count: float) -> str:
    """Write a count of operations for people: 7.6 × 10¹⁴."""
    mantissa, _, exponent = f"{count:.1e}".partition("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(RAISED)}"


def minutes(about: Header) -> str:
    """Say how long a training took and where, if its header does; empty otherwise."""
    made = about.recipe
    if "minutes" not in made:
        return ""
    how = f", {made['timed']}" if "timed" in made else ""
    return f"{float(made['minutes']):.0f} min on {made.get('machine', 'a machine that was not noted')}{how}"
