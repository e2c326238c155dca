"""The statistics of trucks and frogs along their singular vectors, and the command that writes them.

`python -m core.usefulness.linear build` writes assets/usefulness/linear.npz; it needs CIFAR-10 and a minute.
"""

import argparse
import sys

import numpy as np
import torch
from torch import Tensor

from core import compute, data, worlds
from core.commands import command, output
from core.usefulness.linear.known import FILE, PAIR, Known, save

VECTORS = 96  # directions whose pictures are in the file
SIZES = 41  # ensembles measured on test pictures
HIDDEN = (0, 2844)  # the directions that are mixed at first: the strongest, and one of the weak end


def analyse(
    train: Tensor, y: Tensor, test: Tensor, y_test: Tensor, vectors: int = VECTORS, sizes: int = SIZES
) -> Known:
    """Compute everything from the pictures of two classes.

    Args:
        train: Pictures (N, C, H, W).
        y: +1 or -1 (N,), as many of each.
        test: Other pictures (M, C, H, W).
        y_test: +1 or -1 (M,).
        vectors: How many singular vectors to keep.
        sizes: How many ensembles to measure.
    """
    shape = train.shape[1:]
    flat, flat_test = train.flatten(1).double(), test.flatten(1).double()
    mean = flat.mean(0)
    centred = flat - mean
    eigenvalues, columns = torch.linalg.eigh(centred.T @ centred / len(centred))
    variances, directions = eigenvalues.flip(0).clamp_min(1e-20), columns.flip(1)  # strongest first
    p = len(variances)
    difference = _half_difference(centred, y) @ directions
    along_test = (flat_test - mean) @ directions
    difference_test = _half_difference(along_test, y_test)
    shown = tuple(sorted({round(i) for i in np.geomspace(1, p, vectors) - 1} | {i for i in HIDDEN if i < p}))
    among = torch.tensor(shown)
    # Dense at both ends: leaving out the few strongest matters as much as starting with the few weakest.
    few = {round(i) for i in np.geomspace(1, p / 2, sizes // 3)}
    counts = tuple(sorted({round(i) for i in np.geomspace(1, p, sizes)} | {p - i for i in few}))
    signed = directions * difference.sign()
    ensembles = torch.stack([signed[:, -m:].sum(1) / m**0.5 for m in counts])
    scores = (flat_test - mean) @ ensembles.T
    measured = torch.stack([_half_difference(scores, y_test), scores.std(0, correction=0)], 1)
    covariance = torch.cov(along_test[:, among].T, correction=0)
    return Known(
        variances.sqrt().float(),
        difference.float(),
        along_test.std(0, correction=0).float(),
        difference_test.float(),
        shown,
        directions[:, among].T.reshape(-1, *shape).float(),
        covariance.float(),
        counts,
        measured.float(),
        ensembles.reshape(-1, *shape).float(),
        len(train),
        len(test),
    )


def _half_difference(values: Tensor, y: Tensor) -> Tensor:
    return (values[y > 0].mean(0) - values[y < 0].mean(0)) / 2


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m core.usefulness.linear", description="Analyse trucks and frogs.")
    parser.add_argument("action", choices=["build"])
    parser.add_argument("--out", type=output, default=str(FILE))
    given = parser.parse_args(arguments)
    compute.setup_cpu()
    plus, minus = (worlds.get().classes.index(name) for name in PAIR)

    def two_classes(split: str) -> tuple[Tensor, Tensor]:
        pictures = data.cifar10(split)
        rows = np.flatnonzero((pictures.labels == plus) | (pictures.labels == minus)).tolist()
        return pictures.x(rows), torch.where(pictures.y(rows) == plus, 1, -1)

    known = analyse(*two_classes("train"), *two_classes("test"))
    save(known, given.out)
    sys.stdout.write(f"{given.out}: {given.out.stat().st_size / 1024:.0f} KB\n")
