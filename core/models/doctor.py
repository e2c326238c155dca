"""What is wrong with a model, in plain sentences, before anybody believes a number of it.

    for finding in examine(model, world.classes, x, y):
        print(finding.says, finding.remedy)

A model that expects other pixels, ends in a softmax or dies on small pictures still answers: its answers mean something
else than the pages say. Each check below runs the model on a few dozen pictures and looks for what gives the fault
away.
"""

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.models import meaning
from core.models.classifier import evaluating, in_batches
from core.models.findings import Finding
from core.types import Images, Labels

FEW = 8  # pictures whose gradients are looked at
SATURATED = 80.0  # a gap between logits at which float32's softmax is 1 and its gradient 0


def examine(model: nn.Module, classes: Sequence[str], x: Images, y: Labels | None = None) -> tuple[Finding, ...]:
    """List what is wrong with a model; an empty list is a clean bill of health as far as these pictures tell.

    Args:
        model: Takes pixels in [0, 1] and should give logits (N, K).
        classes: The K names that the pages will give to them.
        x: Pictures (N, C, H, W) of the size it will meet, best a hundred or more.
        y: Their labels (N,), without which wrong pixels are found only by batch norms, and a wrong order of classes
            not.
    """
    found: list[Finding] = []
    if any(module.training for module in model.modules() if _learns(module)):
        found.append(
            Finding(
                "training",
                "It is in training mode: dropout or batch norms there change the answer from call to call.",
                "Call model.eval() before it is used.",
            )
        )
    with evaluating(model):
        broken = _dead(model, x)
        if broken is not None:
            return (*found, broken)
        logits = in_batches(model, x, 100).float()
        found += _outputs(logits, classes)
        found += _steady(model, x, logits)
        if all(finding.fault != "random" for finding in found):
            found += _gradients(model, x[:FEW])
        if logits.shape[1] == len(classes):
            mistaken = meaning.told(model, x, y, logits, classes)
            if any(finding.fault == "pixels" for finding in mistaken):  # which explains the others
                found = [finding for finding in found if finding.fault not in ("saturated", "vanishing")]
            found += mistaken
    return tuple(found)


def _learns(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm | nn.modules.dropout._DropoutNd)


def _dead(model: nn.Module, x: Images) -> Finding | None:
    """Run it at all: an error, no logits, numbers that are not finite, the same answer to everything."""
    size = " × ".join(map(str, x.shape[2:]))
    try:
        with torch.no_grad():
            out = model(x[:FEW])
    except Exception as error:  # noqa: BLE001 - a stranger's network may raise anything
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(
            "dead",
            f"It cannot take pictures of {size} pixels: {first[:160]}.",
            "Choose a world whose pictures have the size that it was made for.",
        )
    if not isinstance(out, Tensor) or out.ndim != 2 or len(out) != len(x[:FEW]):
        what = f"shape {list(out.shape)}" if isinstance(out, Tensor) else type(out).__name__
        return Finding("shape", f"It returns {what} where logits (N, K) should be.", "Return the logits alone.")
    if not bool(out.isfinite().all()):
        return Finding(
            "finite",
            f"Its logits are not finite numbers on pictures of {size} pixels.",
            "Look for a division by zero, an overflow in half precision, or weights that were never loaded.",
        )
    if len(out) > 1 and float((out - out[:1]).abs().max()) <= 1e-6 * max(1.0, float(out.abs().max())):
        return Finding(
            "dead",
            f"It gives the same logits to every picture of {size} pixels: nothing of them reaches its last layer.",
            "Choose a world of larger pictures, or load the weights that it was trained to.",
        )
    return None


def _outputs(logits: Tensor, classes: Sequence[str]) -> Iterator[Finding]:
    """Logits, not probabilities; as many as there are classes."""
    total, biggest = logits.logsumexp(1), float(logits.max())
    if bool((logits >= 0).all()) and torch.allclose(logits.sum(1), torch.ones_like(total), atol=1e-3):
        yield Finding(
            "softmax",
            "It returns probabilities, not logits: they are positive and sum to 1, and a second softmax flattens them.",
            "Leave the softmax out at the end.",
        )
    elif biggest <= 1e-4 and bool((total.abs() < 1e-3).all()):
        yield Finding(
            "log-softmax",
            "It returns logarithms of probabilities (log-softmax), not logits: attacks work, margins and attributions"
            " differ.",
            "Leave the log_softmax out at the end.",
        )
    if logits.shape[1] != len(classes):
        yield Finding(
            "count",
            f"It has {logits.shape[1]} logits and there are {len(classes)} class names ({', '.join(classes[:3])}, …).",
            f"Give its {logits.shape[1]} names in the order of the logits with --classes FILE, one a line.",
        )


def _steady(model: nn.Module, x: Images, logits: Tensor) -> Iterator[Finding]:
    """The same picture gets the same logits, alone and in company."""
    few = x[: 4 * FEW]
    scale = max(1.0, float(logits.abs().max()))
    with torch.no_grad():
        first, second, alone = model(few), model(few), torch.cat([model(row) for row in few[:2].split(1)])
    if not torch.equal(first, second):
        yield Finding(
            "random",
            f"It is random: two runs on the same pictures differ by up to {float((first - second).abs().max()):.2g} in"
            " a logit.",
            "Take the noise or dropout out; an attack that follows one random gradient proves nothing.",
        )
    elif float((alone - first[:2]).abs().max()) > 1e-3 * scale:
        yield Finding(
            "company",
            "Its answer to a picture depends on the others in the batch, as if a batch norm still used their"
            " statistics.",
            "Use batch norms' running statistics (eval mode, track_running_stats=True).",
        )


def _gradients(model: nn.Module, x: Images) -> Iterator[Finding]:
    """The loss has a gradient with respect to the pixels, finite and not zero."""
    leaf = x.detach().clone().requires_grad_()
    try:
        with torch.enable_grad():
            out = model(leaf)
            loss = F.cross_entropy(out, out.argmax(1), reduction="sum")
            (grad,) = torch.autograd.grad(loss, leaf, allow_unused=True)
    except RuntimeError:
        grad = None
    if grad is None:
        yield Finding(
            "detached",
            "No gradient reaches the pixels: something between them and the logits is not differentiable.",
            "Look for argmax, rounding, .detach(), torch.no_grad() or NumPy inside the model.",
        )
        return
    if not bool(grad.isfinite().all()):
        yield Finding(
            "gradient",
            "The gradient with respect to the pixels is not finite for"
            f" {int((~grad.isfinite()).flatten(1).any(1).sum())} of {len(x)} pictures.",
            "Look for a square root or a logarithm of zero, or a division by zero.",
        )
        return
    zero = int((grad.flatten(1).abs().amax(1) == 0).sum())
    if zero > len(x) // 2:
        best = out.detach().topk(2, dim=1).values
        gap = float((best[:, 0] - best[:, 1]).median())
        if gap > SATURATED:
            yield Finding(
                "saturated",
                f"Its logits are so far apart (a gap of {gap:,.0f}) that softmax is exactly 1 and the gradient of its"
                f" loss exactly 0 for {zero} of {len(x)} pictures: attacks by that loss have nothing to follow.",
                "Divide the logits by a constant; predictions stay the same.",
            )
        else:
            yield Finding(
                "vanishing",
                f"The gradient with respect to the pixels is exactly zero for {zero} of {len(x)} pictures: an attack"
                " has nothing to follow, and would call the model robust.",
                "Look for rounding, thresholds or a dead layer; a smooth stand-in in the backward pass shows the"
                " truth.",
            )
