"""The networks of this topic: one that learnt among noise, and students of filtered pictures.

    python -m core.frequency train         # makes what is missing, one after the other

Their weights stay in checkpoints/frequency/, because other pages have no use for them: a student that never saw the
coarse part of a picture knows nothing of the picture itself.
"""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from core import compute
from core.data.sets import Pictures
from core.frequency.filters import as_picture
from core.models import checkpoints
from core.models.checkpoints import Header
from core.results import today
from core.train import TrainRecipe, fit, reporter
from core.train.batches import mix
from core.types import Images

log = logging.getLogger(__name__)
RUNS = checkpoints.FOLDER.parent / "runs"
FOLDER = "frequency/"
NOISE = f"{FOLDER}resnet9-noise"
SIGMA = 0.1  # standard deviation of the noise that the network learnt among, pixel units
PROFILES = ("cpu", "full")


@dataclass(frozen=True)
class Network:
    """One network of this topic.

    Args:
        name: Of its checkpoint.
        title: For people.
        train: How it is trained, by profile.
        pictures: How many training pictures, by profile.
        kind: "low" or "high" for a student of filtered pictures, "" for one of noisy ones.
        cut: Where the filter cuts, in cycles per picture.
        start: The checkpoint it goes on from; "" starts anew.
    """

    name: str
    title: str
    train: dict[str, TrainRecipe]
    pictures: dict[str, int]
    kind: str = ""
    cut: float = 0.0
    start: str = ""


# Students need not be good, only far above chance; a third of the usual width takes a ninth of the time.
WIDTH = 12
CUTS = {"high": (6.0, 10.0, 14.0), "low": (2.0, 4.0, 8.0)}


def _student(kind: str, cut: float, seed: int) -> Network:
    keeps = "finer than" if kind == "high" else "coarser than"
    recipe = TrainRecipe(args={"width": WIDTH}, epochs=4, lr=0.2, batch_size=64, seed=seed)
    full = TrainRecipe(args={"width": 32}, epochs=30, lr=0.2, batch_size=128, seed=seed)
    return Network(
        f"{FOLDER}{kind}-{cut:g}",
        f"Student of what is {keeps} {cut:g} cycles",
        {"cpu": recipe, "full": full},
        {"cpu": 50_000, "full": 50_000},
        kind,
        cut,
    )


NETWORKS = {
    network.name: network
    for network in (
        Network(
            NOISE,
            f"ResNet-9, trained among noise (σ = {SIGMA})",
            # From the standard network's weights and at a low rate: it is that network, with other habits.
            {
                "cpu": TrainRecipe(args={"width": 32}, epochs=3, lr=0.05, seed=21),
                "full": TrainRecipe(args={"width": 32}, epochs=10, lr=0.05, seed=21),
            },
            {"cpu": 50_000, "full": 50_000},
            start="resnet9-standard",
        ),
        *(_student(kind, cut, 22 + 3 * (kind == "low") + i) for kind in CUTS for i, cut in enumerate(CUTS[kind])),
    )
}


def noisy(x: Images, generator: torch.Generator, sigma: float = SIGMA) -> Images:
    """Add Gaussian noise to pictures (N, C, H, W), and clip."""
    return (x + sigma * torch.randn(x.shape, generator=generator).to(x)).clamp(0, 1)


def training_set(network: Network, train: Pictures, n: int) -> Pictures:
    """Return the first n training pictures as this network sees them: noisy, or filtered; in 8 bits either way."""
    draws = torch.Generator().manual_seed(mix(network.train["cpu"].seed, n))

    def seen(x: Images) -> Images:
        return as_picture(x, network.kind, network.cut) if network.kind else noisy(x, draws)

    made = np.concatenate([_bytes(seen(x)) for x in _parts(train, n)])
    return Pictures(made, train.labels[:n], train.classes, f"{train.source}, {what(network)}")


def what(network: Network) -> str:
    """Say what was done to the pictures it learnt from."""
    if not network.kind:
        return f"Gaussian noise of σ = {SIGMA} added"
    return f"only what is {'finer' if network.kind == 'high' else 'coarser'} than {network.cut:g} cycles per picture"


def train(network: Network, pictures: Pictures, profile: str) -> Path:
    """Train a network of this topic unless its weights are here."""
    path = checkpoints.path_of(network.name)
    if path.is_file():
        log.info("%s: already here", network.name)
        return path
    recipe, n = network.train[profile], network.pictures[profile]
    model = fit(
        recipe,
        training_set(network, pictures, n),
        run=RUNS / f"{network.name}-{profile}",
        device=compute.device(),
        on_progress=reporter(60),
        start=checkpoints.load(network.start) if network.start else None,
    )
    how = {"profile": profile, "data": f"{n:,} pictures of the {pictures.source}, {what(network)}"}
    if network.start:
        how["start"] = network.start
    about = {**asdict(recipe), **how, "finished": today()}
    checkpoints.save(path, model.state_dict(), Header(recipe.arch, recipe.args, network.title, pictures.classes, about))
    return path


def _parts(train: Pictures, n: int, size: int = 2000) -> Iterator[Images]:
    for first in range(0, n, size):
        yield train.x(slice(first, min(n, first + size)))


def _bytes(x: Images) -> np.ndarray:
    return (x * 255).round().byte().permute(0, 2, 3, 1).numpy()
