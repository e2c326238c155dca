"""What was found of transfer: picture by picture (`Transfer`), and counted (`Cell`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from core.problems import InputError
from core.rates import Rate


@dataclass(frozen=True)
class Cell:
    """The rates of one source on one target.

    Args:
        fooled: The target is wrong about the adversarial example, of the pictures that both get right without it.
        fooled_of_all: The same, of all pictures.
        noise: The target is wrong about noise of the same size, of the pictures that both get right.
        noise_of_all: The same, of all pictures.
        targeted: Targeted success: the target predicts the class that the attack aims at; None if it aims at none.
        targeted_of_all: The same, of all pictures.
        noise_targeted: It predicts that class for the noise.
        noise_targeted_of_all: The same, of all pictures.
    """

    fooled: Rate
    fooled_of_all: Rate
    noise: Rate
    noise_of_all: Rate
    targeted: Rate | None = None
    targeted_of_all: Rate | None = None
    noise_targeted: Rate | None = None
    noise_targeted_of_all: Rate | None = None

    def rate(self, show: str, of: str, goal: str) -> Rate:
        """Return the rate that the words of a recipe name: show "attack" or "noise", of "both" or "all", and the goal.

        Raises:
            ValueError: If the goal is "targeted" and the attack aimed at no class.
        """
        name = "targeted" if goal == "targeted" else "fooled"
        if show == "noise":
            name = "noise_targeted" if goal == "targeted" else "noise"
        found = getattr(self, name + ("_of_all" if of == "all" else ""))
        if found is None:
            raise InputError("this attack was untargeted, so there is no rate of targeted success")
        return found

    def as_json(self, digits: int | None = None) -> dict[str, Any]:
        """Write all rates, with n and interval."""
        rates = {_stored(f.name): getattr(self, f.name) for f in fields(self)}
        return {name: rate.as_json(digits) for name, rate in rates.items() if rate is not None}

    @staticmethod
    def of_json(values: Mapping[str, Any]) -> "Cell":
        """Read what `as_json` wrote."""
        return Cell(
            **{f.name: Rate.from_json(values[name]) for f in fields(Cell) if (name := _stored(f.name)) in values}
        )


def _stored(name: str) -> str:
    """Return what files of results call a rate: there, a targeted success is a hit."""
    return name.replace("targeted", "hit")


@dataclass(frozen=True, eq=False)
class Transfer:
    """What T targets say of the adversarial examples of S sources, picture by picture.

    Args:
        sources: Their names (S).
        targets: Their names (T).
        y: True classes (N,).
        target_labels: The classes that a targeted attack aimed at (N,), or None.
        correct: Whether the source classifies the clean picture correctly (S, N).
        clean: What each target predicts for the clean pictures (T, N).
        x_adv: Adversarial examples (S, N, C, H, W); None where only the verdicts were kept.
        norm: Measured length of the perturbations (S, N), pixel units.
        predictions: What each target predicts for them (S, T, N).
        noise_predictions: What it predicts for noise of the same length (S, T, N).
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    y: Int[Tensor, " n"]
    target_labels: Int[Tensor, " n"] | None
    correct: Bool[Tensor, "s n"]
    clean: Int[Tensor, "t n"]
    x_adv: Float[Tensor, "s n c h w"] | None
    norm: Float[Tensor, "s n"]
    predictions: Int[Tensor, "s t n"]
    noise_predictions: Int[Tensor, "s t n"]

    def both(self, source: str, target: str) -> Tensor:
        """Tell which pictures (N,) source and target get right without attack."""
        i, j = self.sources.index(source), self.targets.index(target)
        return self.correct[i] & (self.clean[j] == self.y)

    def cell(self, source: str, target: str) -> Cell:
        """Count one pair."""
        i, j = self.sources.index(source), self.targets.index(target)
        both = self.both(source, target)

        def rates(success: Tensor) -> tuple[Rate, Rate]:
            return Rate(int((success & both).sum()), int(both.sum())), Rate(int(success.sum()), len(success))

        found, noise = self.predictions[i, j], self.noise_predictions[i, j]
        untargeted = (*rates(found != self.y), *rates(noise != self.y))
        t = self.target_labels
        return Cell(*untargeted, *(() if t is None else (*rates(found == t), *rates(noise == t))))

    @property
    def cells(self) -> dict[tuple[str, str], Cell]:
        """All pairs (source, target)."""
        return {(source, target): self.cell(source, target) for source in self.sources for target in self.targets}

    def verdicts(self) -> "Transfer":
        """Return the same without the pictures: a thousandth of the memory."""
        return replace(self, x_adv=None)

    @staticmethod
    def join(rows: Sequence["Transfer"]) -> "Transfer":
        """Put the rows of different sources on the same pictures and targets together."""
        first = rows[0]

        def stacked(name: str) -> Tensor:
            return torch.cat([getattr(row, name) for row in rows])

        return Transfer(
            sources=tuple(source for row in rows for source in row.sources),
            targets=first.targets,
            y=first.y,
            target_labels=first.target_labels,
            correct=stacked("correct"),
            clean=first.clean,
            x_adv=None if any(row.x_adv is None for row in rows) else stacked("x_adv"),
            norm=stacked("norm"),
            predictions=stacked("predictions"),
            noise_predictions=stacked("noise_predictions"),
        )
