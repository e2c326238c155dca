"""Numbers and predictions as words, the same on every page."""

import math
from collections.abc import Sequence

from torch import Tensor


def size(value: float, norm: str) -> str:
    """Write a size in the norm's customary unit: 0.412, or 7.9/255."""
    return f"{value:.3f}" if norm == "L2" else f"{value * 255:.3g}/255"


def radius(eps: float, norm: str) -> str:
    """Write the radius of a ball as people do: 0.5, 8/255, or 0."""
    return f"{eps:.3g}" if norm == "L2" or not eps else f"{eps * 255:.3g}/255"


def a(word: str) -> str:
    """Put the article before a class: a frog, an airplane."""
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"


def percent(value: float) -> str:
    """Write a probability as a whole per cent, never rounding up to certainty."""
    return f"{100 * value:.0f} %" if value < 0.995 else f"{min(99.9, math.floor(1000 * value) / 10):.1f} %"


def verdicts(logits: Tensor, classes: Sequence[str]) -> tuple[str, ...]:
    """Write the prediction of each frame: "truck 98 %"."""
    best = logits.softmax(1).max(1)
    return tuple(f"{classes[int(k)]} {percent(float(p))}" for p, k in zip(best.values, best.indices, strict=True))
