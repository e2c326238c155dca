"""The work of the page Dial: each network's part, in the order of radii, so that the dial grows as it is computed."""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from core.attacks import Stop
from core.data.pictures import Picture
from core.dial import scene, views
from core.dial.networks import here
from core.dial.recipe import DialRecipe
from core.dial.views import Position
from pages.ui import work
from pages.ui.judge import logits_of
from pages.ui.store import Loaded, loaded
from pages.ui.work import Piece


@dataclass(frozen=True)
class Job:
    """What the page computes for a recipe and its picture."""

    recipe: DialRecipe
    picture: Picture

    @property
    def group(self) -> Hashable:
        """What Stop ends."""
        return ("dial", self.asked)

    @cached_property
    def asked(self) -> DialRecipe:
        """What a network's part depends on."""
        return views.cache_key(self.recipe)

    @cached_property
    def pieces(self) -> list[Piece[Position | None]]:
        """Each network's part."""
        return [self._piece(loaded(name)) for name in here().values()]

    def _piece(self, one: Loaded) -> Piece[Position | None]:
        def make(on_step: work.Step) -> Position | None:
            try:
                return views.position(self.asked, one.name, picture=self.picture, model=one.model, on_step=on_step)
            except Stop:  # a map that is not finished is none
                return None

        key = ("dial", self.asked, self.picture.id, one.name, one.stamp)
        return Piece(key, make, views.steps_of(self.recipe), self.picture.private)

    def known(self) -> list[Position]:
        """Return what there is from the first network on; of stopped work the best so far."""
        found = []
        stopped = work.is_stopped(self.group)
        for piece in self.pieces:
            value = work.desk().outcome(piece.key, self.group).value if stopped else work.known(piece)
            if value is None:
                break
            found.append(value)
        return found

    def more(self) -> bool:
        """Compute until the next network's part is there; return whether anything was missing."""
        missing = [piece for piece in self.pieces if work.known(piece) is None]
        if not missing or work.is_stopped(self.group):
            return False
        work.ask(self.pieces, group=self.group, text="Turning the dial…", until=missing[:1])
        return True

    def seen(self, made: list[Position]) -> dict[str, Tensor]:
        """Ask the judges, once."""
        key = ("dial-judges", self.asked, self.picture.id, *(one.name for one in made), *(p.key for p in self.pieces))
        return work.kept(
            (key, tuple(one.stopped for one in made)),
            lambda: scene.judged(self.recipe, made, logits_of),
            own=self.picture.private,
        )
