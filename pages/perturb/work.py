"""The work of the Perturb page: both models attacked part by part, and how little it takes to fool each."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from torch import Tensor

from core import perturb
from core.data.pictures import Picture
from core.perturb import Trajectory
from core.perturb.recipe import PerturbRecipe, cache_key
from pages.ui import work
from pages.ui.store import loaded
from pages.ui.work import Piece

T = TypeVar("T")
CLOSEST_STEPS = 20
MORE_S = 1.0  # between frames that are added while the rest is computed


@dataclass(frozen=True)
class Job:
    """What the page computes for a recipe and its picture."""

    recipe: PerturbRecipe
    picture: Picture

    @property
    def group(self) -> Hashable:
        """What Stop ends."""
        return ("perturb", cache_key(self.recipe), *self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The models, each once."""
        return tuple(dict.fromkeys((self.recipe.standard, self.recipe.robust)))

    @cached_property
    def parts(self) -> dict[tuple[str, int | None], Piece[Trajectory]]:
        """Each model's parts of the sweep, first parts first."""
        steps = 1 if self.recipe.attack == "FGSM" else self.recipe.steps
        every = [None] if self.recipe.axis == "steps" else list(range(len(perturb.parts(self.recipe))))

        def piece(name: str, part: int | None) -> Piece[Trajectory]:
            one, asked = loaded(name), cache_key(self.recipe)
            attack = partial(perturb.attack, self.recipe, name, picture=self.picture, model=one.model, part=part)
            key = ("perturb", asked, name, one.stamp, part)
            return Piece(key, lambda on_step: attack(on_step=on_step), steps, self.picture.private, first=part == 0)

        return {(name, part): piece(name, part) for part in every for name in self.names}

    @cached_property
    def nearest(self) -> dict[str, Piece[tuple[Tensor, float]]]:
        """Each model's nearest adversarial picture and its distance."""

        def piece(name: str) -> Piece[tuple[Tensor, float]]:
            one, recipe = loaded(name), self.recipe
            find = partial(perturb.closest, recipe, name, steps=CLOSEST_STEPS, picture=self.picture, model=one.model)
            key = ("closest", self.picture.id, name, one.stamp, recipe.norm, recipe.target)
            return Piece(key, lambda on_step: find(on_step=on_step), CLOSEST_STEPS, self.picture.private)

        return {name: piece(name) for name in self.names}

    def known(self, name: str) -> Trajectory | None:
        """Return what is computed so far of one model's trajectory."""
        ready = []
        for piece in (piece for (n, _), piece in self.parts.items() if n == name):
            if (found := work.known(piece)) is None:
                break
            ready.append(found)
        return Trajectory.join(ready) if ready else None

    def more(self, shown: int | None = None) -> bool:
        """Compute until there are further frames of both models, or the rest; return whether there is more to show.

        Args:
            shown: Frames of both models that the page has drawn; others may have been finished while it drew.
        """
        missing = [part for (_, part), piece in self.parts.items() if work.known(piece) is None]
        late = [piece for piece in self.nearest.values() if work.known(piece) is None]
        if not (missing or late) or work.is_stopped(self.group):
            return shown is not None and self._beyond(shown)
        now = [piece for (_, part), piece in self.parts.items() if part == missing[0]] if missing else late
        first = now[0] is next(iter(self.parts.values()))
        everything: list[Piece[Any]] = [*self.parts.values(), *self.nearest.values()]
        work.ask(
            everything,
            group=self.group,
            text="Attacking both models…",
            until=now,
            linger=0.0 if first else MORE_S,
        )
        return True

    def _beyond(self, frames: int) -> bool:
        found = [self.known(name) for name in self.names]
        return all(one is not None and len(one.x_adv) > frames for one in found)

    @property
    def complete(self) -> bool:
        """Whether all of it is there."""
        everything: list[Piece[Any]] = [*self.parts.values(), *self.nearest.values()]
        return all(work.known(piece) is not None for piece in everything)

    def kept(self, what: Hashable, frames: int, make: Callable[[], T]) -> T:
        """Return a small thing that follows from both trajectories, of that many frames."""
        return work.kept((self.group, self.stamps, what, frames), make, own=self.picture.private)

    @property
    def stamps(self) -> tuple[str, ...]:
        """Of the weights."""
        return tuple(loaded(name).stamp for name in self.names)
