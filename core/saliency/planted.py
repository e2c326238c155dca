"""In the world whose features are known: how much of a map lies on each of them, beside what chance would put there."""

from torch import Tensor

from core.data.planted import drawn, marks
from core.data.planted.marks import fraction
from core.data.planted.world import weaves


def shares(attribution: Tensor, id: str) -> tuple[str, ...]:
    """Say how much of one map (1, C or 1, H, W) lies on the planted features of the picture with that id.

    The shape is a place: what counts is the part of the map's absolute values on its pixels, by chance its area. The
    weaves are directions: what counts is the part of the map's squared length in their span, which takes a map of the
    three channels. Nothing is said of pictures that the planted world did not draw.
    """
    here = marks.of(id, 0)
    if here is None:
        return ()
    within, area = float(marks.within(attribution, here.inside)), float(here.inside.float().mean())
    found = [f"in the shape {fraction(within)} (area {fraction(area)})"]
    if attribution.shape[1] == 3:
        on, chance = float(marks.share(attribution, _weaves())), marks.by_chance(_weaves())
        found.append(f"on the weaves {fraction(on)} (chance {fraction(chance)})")
    return tuple(found)


def readouts(gradients: Tensor, id: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Say the same of each frame of a film (F, C, H, W), as a scrubber's readouts."""
    here = marks.of(id, 0)
    if here is None:
        return ()
    within, on = marks.within(gradients, here.inside).tolist(), marks.share(gradients, _weaves()).tolist()
    return ("in the shape", tuple(map(fraction, within))), ("on the weaves", tuple(map(fraction, on)))


def _weaves() -> Tensor:
    return weaves(drawn.WORLD.classes, drawn.WORLD.weave).flatten(1)
