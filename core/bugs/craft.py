"""Many pictures perturbed as Nakkiran did it, in shards that survive a kill."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core.attacks import balls, pgd
from core.attacks.balls import Ball
from core.attacks.objectives import targeted
from core.bugs.objective import bug
from core.files.atomic import replacing
from core.models import ready
from core.types import Images, Labels

log = logging.getLogger(__name__)
STEPS, BATCH, SHARD = 10, 50, 250


@dataclass(frozen=True)
class Setting:
    """A ball and a step: 10 of them from the picture itself.

    Args:
        norm: "L2" or "Linf".
        label: The radius as people write it.
        eps: The radius, pixel units.
        step: Length of a step in that norm, pixel units.
    """

    norm: str
    label: str
    eps: float
    step: float

    @property
    def name(self) -> str:
        """How the results file calls it: "L2 2.5"."""
        return f"{self.norm} {self.label}"

    @property
    def ball(self) -> Ball:
        """The ball of that norm and radius."""
        return balls.make(self.norm, self.eps)


# The first and the last are Nakkiran's; L2 1 is our own, between his 2.5 and the paper's 0.5.
SETTINGS = (
    Setting("L2", "2.5", 2.5, 0.5),
    Setting("Linf", "8/255", 8 / 255, 2 / 255),
    Setting("L2", "1", 1.0, 0.2),
)


def craft(
    victim: nn.Module, members: Sequence[nn.Module] | None, x: Images, y: Labels, target: Labels, setting: Setting
) -> Images:
    """Perturb pictures toward the targets (N, C, H, W): as a bug beside those members, or for None as a feature."""
    parts = []
    for rows in torch.arange(len(x)).split(BATCH):
        own, wanted = (ready.beside(labels[rows], victim) for labels in (y, target))
        goal = targeted(victim, wanted) if members is None else bug(victim, members, own, wanted)
        here = ready.placed(x[rows], victim)
        parts.append(pgd(goal, here, setting.ball, steps=STEPS, step_size=setting.step))
    return torch.cat(parts)


def kept(
    folder: Path,
    victim: nn.Module,
    members: Sequence[nn.Module] | None,
    x: Images,
    y: Labels,
    target: Labels,
    setting: Setting,
) -> Images:
    """Do what `craft` does, shard by shard; what is in the folder already is read."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for first in range(0, len(x), SHARD):
        path, rows = folder / f"{first:06}.npy", slice(first, first + SHARD)
        if not path.is_file():
            made = craft(victim, members, x[rows], y[rows], target[rows], setting)
            with replacing(path) as part, part.open("wb") as file:
                np.save(file, made.cpu().contiguous().numpy())
            log.info("%s: %d of %d", folder.name, min(first + SHARD, len(x)), len(x))
        parts.append(torch.from_numpy(np.load(path)))
    return torch.cat(parts).to(x.device)
