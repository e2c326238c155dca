"""What a model takes its pixels and its logits for, told from how often it is right if they are meant otherwise."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from core.models.classifier import Classifier, in_batches
from core.models.findings import Finding
from core.models.normalization import MEAN, STD, Normalize
from core.types import Images, Labels

ENOUGH = 40  # labelled pictures, before accuracies are compared
CLEARLY = 3.0  # standard errors of a difference between two accuracies on the same pictures
PLAINLY = 0.04  # and that much of a difference
PLAUSIBLE = 0.4  # accuracy of a model whose pixels are what it expects
SOME = 64  # pictures whose statistics are compared
Three = tuple[float, float, float]
Norm = tuple[Three, Three]
# How else pixels may be meant: what people call it, and mean and std that take [0, 1] there.
PIXELS: dict[str, Norm] = {
    "pixels in [0, 1] as they are": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "pixels from -1 to 1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "pixels from 0 to 255": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
    "pixels normalised as for CIFAR-10": (MEAN, STD),
    "pixels normalised as for ImageNet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def with_pixels(model: nn.Module, norm: Norm, *, swapped: bool = False) -> Callable[[Images], Tensor]:
    """Return the model as it would be if pixels were meant otherwise.

    Another first layer, or the colours turned round.
    """
    first = Normalize(*norm)

    def run(x: Images) -> Tensor:
        h = first.to(x.device)(x.flip(1) if swapped else x)
        return model.head(model.body(h)) if isinstance(model, Classifier) else model(h)

    return run


def told(model: nn.Module, x: Images, y: Labels | None, logits: Tensor, classes: Sequence[str]) -> list[Finding]:
    """List what is wrong with what the model takes its logits and its pixels for; the first that explains it, alone."""
    if y is None or len(y) < ENOUGH:
        return list(_by_batch_norm(model, x)) if isinstance(model, Classifier) else []
    return (
        list(_order(logits, y, classes))
        or list(_by_accuracy(model, x, y, logits))
        or list(_chance(logits, y, len(classes)))
    )


def _by_accuracy(model: nn.Module, x: Images, y: Labels, logits: Tensor) -> Iterator[Finding]:
    right = logits.argmax(1) == y
    tried: dict[tuple[str, bool], Tensor] = {}
    with torch.no_grad():
        for name, norm in PIXELS.items():
            tried[name, False] = _right(with_pixels(model, norm), x, y)
        best = max(PIXELS, key=lambda name: int(tried[name, False].sum()))
        best = (
            _likeliest(model, x, [name for name in PIXELS if not _better(tried[best, False], tried[name, False])])
            or best
        )
        if _better(tried[best, False], right) and float(tried[best, False].float().mean()) > PLAUSIBLE:
            mean, std = PIXELS[best]
            yield Finding(
                "pixels",
                f"It seems to expect {best}: {_percent(tried[best, False])} of {len(y)} pictures are then right, and"
                f" {_percent(right)} as it is.",
                f"Add --mean {_three(mean)} --std {_three(std)}.",
            )
            right = tried[best, False]
            swapped = _right(with_pixels(model, PIXELS[best], swapped=True), x, y)
        else:
            swapped = _right(lambda part: model(part.flip(1)), x, y)
    if _better(swapped, right):
        yield Finding(
            "colours",
            f"It seems to expect blue, green, red, in that order: {_percent(swapped)} of {len(y)} pictures are right"
            f" with the colours turned round, and {_percent(right)} as they are.",
            "Add --bgr, which turns the first filters round.",
        )


def _right(run: Callable[[Images], Tensor], x: Images, y: Labels) -> Tensor:
    found = in_batches(run, x, 100)
    return found.argmax(1) == y if bool(found.isfinite().all()) else torch.zeros_like(y, dtype=torch.bool)


def _better(one: Tensor, other: Tensor) -> bool:
    """Compare two ways on the same pictures: by McNemar's test, and by enough to matter."""
    won, lost = int((one & ~other).sum()), int((other & ~one).sum())
    return won - lost > max(CLEARLY * (won + lost) ** 0.5, PLAINLY * len(one))


def _likeliest(model: nn.Module, x: Images, names: Sequence[str]) -> str | None:
    """Of several meanings with which it is as often right, return the one that its first batch norm remembers."""
    norm = _first_norm(model)
    if norm is None or not isinstance(model, Classifier):
        return None
    return min(names, key=lambda name: _surprise(model, norm, Normalize(*PIXELS[name]), x))


def _first_norm(model: nn.Module) -> nn.BatchNorm2d | None:
    return next((m for m in model.modules() if isinstance(m, nn.BatchNorm2d) and m.track_running_stats), None)


def _by_batch_norm(model: Classifier, x: Images) -> Iterator[Finding]:
    """Compare what the first batch norm remembers with what it meets under each meaning of the pixels."""
    norm = _first_norm(model)
    if norm is None:
        return
    surprise = {"": _surprise(model, norm, model.normalize, x)}
    surprise |= {name: _surprise(model, norm, Normalize(*of), x) for name, of in PIXELS.items()}
    best = min(PIXELS, key=surprise.__getitem__)
    if surprise[""] > 1.0 and surprise[best] < surprise[""] / 3:
        mean, std = PIXELS[best]
        yield Finding(
            "pixels",
            f"It seems to expect {best}: its first batch norm remembers pictures like that from training"
            f" (off by {surprise[best]:.1f} of its own spread, and by {surprise['']:.1f} as it is).",
            f"Add --mean {_three(mean)} --std {_three(std)}.",
        )


def _surprise(model: Classifier, norm: nn.BatchNorm2d, first: nn.Module, x: Images) -> float:
    """Measure how far a batch norm's inputs are from what it remembers.

    Shift in its spreads, plus the log ratio of spreads.
    """
    met: list[Tensor] = []
    hook = norm.register_forward_pre_hook(lambda _, inputs: met.append(inputs[0]))
    try:
        with torch.no_grad():
            model.body(first.to(x.device)(x[:SOME]))
    finally:
        hook.remove()
    mean, std = met[0].mean((0, 2, 3)), met[0].std((0, 2, 3)) + 1e-6
    kept = norm.running_var.add(norm.eps).sqrt() if norm.running_var is not None else std
    shift = (mean - norm.running_mean).abs() / kept if norm.running_mean is not None else mean.abs()
    return float((shift + (std / kept).log().abs()).median())


def _order(logits: Tensor, y: Labels, classes: Sequence[str]) -> Iterator[Finding]:
    """Are the classes in the order of their names?"""
    k, predicted = len(classes), logits.argmax(1)
    table = torch.zeros(k, k).index_put_((y, predicted), torch.ones(len(y)), accumulate=True)
    seen = [c for c in range(k) if table[c].sum() >= 3]
    mode = {c: int(table[c].argmax()) for c in seen}
    right, renamed = predicted == y, torch.tensor([mode.get(int(c), -1) for c in y]) == predicted
    moved = [c for c in seen if mode[c] != c]
    if (
        len(set(mode.values())) == len(mode)
        and moved
        and float(renamed.float().mean()) > 0.5
        and _better(renamed, right)
    ):
        first = moved[0]
        yield Finding(
            "order",
            f"Its classes come in another order: pictures of {classes[first]} get the logit that is called"
            f" {classes[mode[first]]}, and so on for {len(moved)} of {len(seen)} classes.",
            "Give the names in the order of its logits with --classes FILE, one a line.",
        )


def _chance(logits: Tensor, y: Labels, k: int) -> Iterator[Finding]:
    """Does it know these classes at all?"""
    right = logits.argmax(1) == y
    n, chance = len(y), 1 / k
    if int(right.sum()) <= n * chance + 2 * (n * chance * (1 - chance)) ** 0.5:
        yield Finding(
            "chance",
            f"It is right on {_percent(right)} of {n} pictures, which guessing among {k} classes gives, too.",
            "Its weights may not have been loaded, or belong to other classes or another kind of picture.",
        )


def _percent(right: Tensor) -> str:
    return f"{100 * float(right.float().mean()):.0f} %"


def _three(values: Three) -> str:
    return " ".join(f"{value:.4g}" for value in values)
