"""How alike two representations are, and how well one quantity predicts another.

    linear_cka(g1(x), g2(x))                 # 1: the same up to rotation and scale; 0: nothing linear in common
    correlation(accuracies, transfer)        # r, with its interval

Source: Kornblith et al. (2019), "Similarity of Neural Network Representations Revisited", arXiv 1905.00414.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from core.rates import Estimate, Z
from core.types import Features

BLOCKS = 20


def linear_cka(a: Features, b: Float[Tensor, "n e"]) -> float:
    """Compute |B' A|_F^2 / (|A' A|_F |B' B|_F) of the centred representations A (N, D) and B (N, E).

    It is 1 for representations that are the same up to rotation, shift and scale. With fewer pictures than dimensions
    it is too high. NaN where one of them is constant.

    Raises:
        ValueError: If the two are not of the same pictures.
    """
    if len(a) != len(b):
        raise ValueError(f"both representations must be of the same pictures, got {len(a)} and {len(b)}")
    a, b = (one.double() - one.double().mean(0) for one in (a, b))
    own = float((a.T @ a).norm() * (b.T @ b).norm())
    return float((b.T @ a).norm() ** 2) / own if own > 0 else math.nan


def cka_with_interval(a: Features, b: Float[Tensor, "n e"]) -> Estimate:
    """Compute linear CKA and its interval: a jackknife that leaves out one of twenty blocks of pictures at a time."""
    blocks = min(BLOCKS, len(a))
    block = torch.arange(len(a)) % blocks
    left_out = np.array([linear_cka(a[block != k], b[block != k]) for k in range(blocks)])
    value = linear_cka(a, b)
    half = Z * math.sqrt((blocks - 1) / blocks * float(((left_out - left_out.mean()) ** 2).sum()))
    return Estimate(value, (value - half, value + half), len(a)).within(0.0, 1.0)


def correlation(x: Sequence[float], y: Sequence[float]) -> Estimate:
    """Compute Pearson's r with Fisher's interval; (-1, 1) for fewer than four points, NaN where nothing varies.

    The interval takes the points for independent of each other.
    """
    n = len(x)
    if n < 2 or np.std(x) == 0 or np.std(y) == 0:
        return Estimate(math.nan, (-1.0, 1.0), n)
    r = float(np.corrcoef(x, y)[0, 1].clip(-1, 1))
    if n < 4:
        return Estimate(r, (-1.0, 1.0), n)
    if abs(r) > 1 - 1e-12:
        return Estimate(r, (r, r), n)
    half = Z / math.sqrt(n - 3)
    return Estimate(r, (math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)), n)


def mantel(
    names: Sequence[str],
    likeness: Callable[[str, str], float],
    rates: Mapping[tuple[str, str], float],
    most: int = 5040,
) -> float:
    """Compute the permutation p-value of a Mantel test: the share of relabellings that correlate at least as much.

    The pairs of a matrix share networks, so they are not independent points; permuting whole networks respects that
    (Mantel 1967).

    Args:
        names: The networks.
        likeness: How alike two of them are.
        rates: A rate for each ordered pair that counts.
        most: Relabellings to try; all of them, up to this number, in a fixed order.

    Returns:
        The one-sided p-value in (0, 1].
    """
    pairs = list(rates)
    place = {name: i for i, name in enumerate(names)}
    table = np.array([[likeness(a, b) for b in names] for a in names])
    rows, columns = (np.array([place[pair[k]] for pair in pairs]) for k in (0, 1))
    measured = np.array([rates[pair] for pair in pairs])
    if len(pairs) < 3 or measured.std() == 0:
        return 1.0
    count = math.factorial(len(names))
    if count <= most:
        orders = np.array(list(itertools.permutations(range(len(names)))))
    else:
        rng = np.random.default_rng(0)
        orders = np.array([np.arange(len(names)), *(rng.permutation(len(names)) for _ in range(most - 1))])
    moved = table[orders[:, rows], orders[:, columns]]
    moved = moved - moved.mean(1, keepdims=True)
    scores = moved @ (measured - measured.mean()) / np.maximum(np.linalg.norm(moved, axis=1), 1e-12)
    return float((scores >= scores[0] - 1e-12).mean())
