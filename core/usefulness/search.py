"""The smallest and the largest value that each feature takes near each picture, found in one walk through all radii."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from core import compute
from core.attacks import descend
from core.attacks.balls import Ball, Eps
from core.attacks.rules import State
from core.problems import InputError
from core.types import Features, Images

ROWS = 128  # pictures in a batch of gradients; more are no faster on a CPU


@dataclass(frozen=True)
class Extremes:
    """The smallest and the largest value that each feature takes near each picture.

    Args:
        radii: Radii of the balls (E), growing, in pixel units.
        f: Values at the pictures themselves (N, D).
        low: Smallest values found (E, N, D).
        high: Largest values found (E, N, D).
    """

    radii: tuple[float, ...]
    f: Tensor
    low: Tensor
    high: Tensor

    @staticmethod
    def join(parts: "Sequence[Extremes]") -> "Extremes":
        """Put what was found for different pictures together."""
        return Extremes(
            parts[0].radii,
            torch.cat([part.f for part in parts]),
            torch.cat([part.low for part in parts], 1),
            torch.cat([part.high for part in parts], 1),
        )


def extremes(
    features: Callable[[Images], Features],
    x: Images,
    make_ball: Callable[[Eps], Ball],
    radii: Sequence[float],
    *,
    steps: int = 1,
    rows: int = ROWS,
    precision: str = "fp32",
    on_rows: Callable[[int, int], bool | None] | None = None,
) -> Extremes:
    """Search every feature's smallest and largest value in balls of growing radius, in one walk.

    The walk is projected gradient descent whose ball grows after every `steps` steps, so that what was found in a small
    ball is where the search in the next one starts. Features, pictures and both directions share batches.

    Args:
        features: Maps images to features (N, D).
        x: Pictures (N, C, H, W) in [0, 1].
        make_ball: `L2` or `Linf`.
        radii: Growing radii, pixel units.
        steps: Gradient steps in each ball, of twice what it grew by, shared among them.
        rows: Size of the batches. No result depends on it.
        precision: Of the search, see `core.compute.autocast`; values are what the search itself read.
        on_rows: Called as `on_rows(done, of)` after each batch; returning True ends the search with what is complete.

    Returns:
        The best values met on the way: low is never above f, and never rises with the radius.

    Raises:
        ValueError: If the radii do not grow from above 0.
    """
    radii = tuple(float(r) for r in radii)
    if not radii or radii[0] <= 0 or any(b <= a for a, b in pairwise(radii)):
        raise InputError(f"radii must grow from above 0, got {', '.join(f'{r:g}' for r in radii)}")
    with torch.no_grad():
        d = features(x[:1]).shape[1]
    found = torch.empty(len(radii) + 1, len(x) * d * 2)
    total = found.shape[1]
    ended = False
    for first in range(0, total, rows):
        # The order of rows: picture, then coordinate, then direction (down, up).
        row = torch.arange(first, min(first + rows, total), device=x.device)
        sign = 1.0 - 2.0 * (row % 2)
        part = x[row // (2 * d)].contiguous(memory_format=torch.channels_last)
        walked = _walk(features, part, (row // 2) % d, sign, make_ball, radii, steps, precision)
        found[:, first : first + len(row)] = walked.cpu()
        if on_rows is not None and on_rows(first + len(row), total):
            ended = True
            found = found[:, : (first + len(row)) // (2 * d) * 2 * d]
            break
    if ended and not found.shape[1]:
        raise InputError("stopped before the first picture was done")
    both = found.reshape(len(radii) + 1, -1, d, 2)
    return Extremes(radii, both[0, ..., 0], both[1:, ..., 0], -both[1:, ..., 1])


def _walk(
    features: Callable[[Images], Features],
    x: Images,
    k: Tensor,
    sign: Tensor,
    make_ball: Callable[[Eps], Ball],
    radii: tuple[float, ...],
    steps: int,
    precision: str,
) -> Tensor:
    """Minimise sign * f_k from each picture through all balls; return the running minimum (1 + E, N)."""
    eps = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    ball = make_ball(eps)
    values: list[Tensor] = []
    step_size = 0.0

    def objective(images: Images) -> Tensor:
        with compute.autocast(images.device, precision):
            return (features(images).gather(1, k[:, None])[:, 0]).float() * sign

    def grow(i: int, state: State) -> None:
        nonlocal step_size
        values.append(state.values)
        stage, within = divmod(i, steps)
        if within == 0:
            eps.fill_(radii[stage])
            step_size = 2 * (radii[stage] - (radii[stage - 1] if stage else 0.0)) / steps

    last = descend(
        objective,
        x,
        ball,
        steps=steps * len(radii),
        rule=lambda _, state: step_size * ball.steepest(state.grad),
        on_step=grow,
    )
    with torch.no_grad():
        values.append(objective(last))
    return torch.stack(values).cummin(0).values[::steps]
