"""The recipe of the page Beyond the ball."""

from dataclasses import dataclass

from core import worlds
from core.frequency.corruptions import CORRUPTIONS, SEVERITIES
from core.recipes.base import option

NORMS = tuple(float(norm) for norm in range(9))  # of a wave, per channel
LIMITS = {  # of the filters under the slider, in cycles per picture, from the whole picture to almost nothing
    "high": (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0),
    "low": (23.0, 16.0, 14.0, 12.0, 10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0),
}
SOFT = 2.0  # cycles that a soft edge takes
FIRST = {"lens": 4, "filters": 8, "weather": 5, "trades": 0}  # the frame that a view opens at


@dataclass(frozen=True)
class FrequencyRecipe:
    """One picture that a wave, a filter or the weather changes, and networks that look at it.

    Args:
        view: "lens", "filters", "weather" or "trades".
        picture: Picture id, see `core.data.pictures.get`.
        standard: Checkpoint of the first column.
        robust: Checkpoint of the second column.
        u: Cycles of the wave from top to bottom.
        v: Cycles from left to right.
        kind: Which filter: "high" keeps the fine part, "low" the coarse.
        soft: A soft edge, which does not ring.
        corruption: A key of `core.frequency.corruptions.CORRUPTIONS`.
        frame: Where the slider stands; -1 is where the view opens.
        seed: Of the wave's signs, of noise and fog, and of the quiz.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("lens", among=("lens", "filters", "weather", "trades"))
    picture: str = option("")
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    u: int = option(6, low=-16, high=15)
    v: int = option(6, low=-16, high=15)
    kind: str = option("high", among=("high", "low"))
    soft: bool = option(default=False)
    corruption: str = option("fog", among=tuple(CORRUPTIONS))
    frame: int = option(-1, low=-1, high=len(LIMITS["high"]) - 1)
    seed: int = option(0, low=0, high=2**31 - 1)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)

    @property
    def positions(self) -> tuple[float, ...]:
        """What the slider moves along: norms, cut-offs or severities."""
        match self.view:
            case "lens":
                return NORMS
            case "filters":
                return LIMITS[self.kind]
            case _:
                return (0.0, *map(float, SEVERITIES))

    @property
    def at(self) -> int:
        """The frame in sight."""
        return min(self.frame if self.frame >= 0 else FIRST[self.view], len(self.positions) - 1)
