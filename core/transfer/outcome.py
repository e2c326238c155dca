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
        hit: The target says the class that the attack wanted; None if it wanted none.
        hit_of_all: The same, of all pictures.
        noise_hit: It says that class of the noise.
        noise_hit_of_all: The same, of all pictures.
    """

    fooled: Rate
    fooled_of_all: Rate
    noise: Rate
    noise_of_all: Rate
    hit: Rate | None = None
    hit_of_all: Rate | None = None
    noise_hit: Rate | None = None
    noise_hit_of_all: Rate | None = None

    def rate(self, show: str, of: str, goal: str) -> Rate:
        """Return the rate that the words of a recipe name: show "attack" or "noise", of "both" or "all", and the goal.

        Raises:
            ValueError: If the goal is "targeted" and the attack wanted no class.
        """
        name = "hit" if goal == "targeted" else "fooled"
        if show == "noise":
            name = "noise_hit" if goal == "targeted" else "noise"
        found = getattr(self, name + ("_of_all" if of == "all" else ""))
        if found is None:
            raise InputError("this attack wanted no class, so there is no rate of hits")
        return found

    def as_json(self, digits: int | None = None) -> dict[str, Any]:
        """Write all rates, with n and interval."""
        return {
            f.name: getattr(self, f.name).as_json(digits) for f in fields(self) if getattr(self, f.name) is not None
        }

    @staticmethod
    def of_json(values: Mapping[str, Any]) -> "Cell":
        """Read what `as_json` wrote."""
        return Cell(**{name: Rate.from_json(rate) for name, rate in values.items()})


@dataclass(frozen=True, eq=False)
class Transfer:
    """What T targets say of the adversarial examples of S sources, picture by picture.

    Args:
        sources: Their names (S).
        targets: Their names (T).
        y: True classes (N,).
        wanted: The classes that a targeted attack wanted (N,), or None.
        right: Whether the source gets the clean picture right (S, N).
        clean: What each target says of the clean pictures (T, N).
        x_adv: Adversarial examples (S, N, C, H, W); None where only the verdicts were kept.
        norm: Measured length of the perturbations (S, N), pixel units.
        said: What each target says of them (S, T, N).
        said_of_noise: What it says of noise of the same length (S, T, N).
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    y: Int[Tensor, " n"]
    wanted: Int[Tensor, " n"] | None
    right: Bool[Tensor, "s n"]
    clean: Int[Tensor, "t n"]
    x_adv: Float[Tensor, "s n c h w"] | None
    norm: Float[Tensor, "s n"]
    said: Int[Tensor, "s t n"]
    said_of_noise: Int[Tensor, "s t n"]

    def both(self, source: str, target: str) -> Tensor:
        """Tell which pictures (N,) source and target get right without attack."""
        i, j = self.sources.index(source), self.targets.index(target)
        return self.right[i] & (self.clean[j] == self.y)

    def cell(self, source: str, target: str) -> Cell:
        """Count one pair."""
        i, j = self.sources.index(source), self.targets.index(target)
        both = self.both(source, target)

        def rates(success: Tensor) -> tuple[Rate, Rate]:
            return Rate(int((success & both).sum()), int(both.sum())), Rate(int(success.sum()), len(success))

        said, of_noise = self.said[i, j], self.said_of_noise[i, j]
        plain = (*rates(said != self.y), *rates(of_noise != self.y))
        hits = () if self.wanted is None else (*rates(said == self.wanted), *rates(of_noise == self.wanted))
        return Cell(*plain, *hits)

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
            wanted=first.wanted,
            right=stacked("right"),
            clean=first.clean,
            x_adv=None if any(row.x_adv is None for row in rows) else stacked("x_adv"),
            norm=stacked("norm"),
            said=stacked("said"),
            said_of_noise=stacked("said_of_noise"),
        )
