"""The recipe of the page "Just bugs?"."""

from dataclasses import dataclass

from core import worlds
from core.recipes.base import option
from core.words import radius

# The radii of the sweep, 0 first: (norm) -> (largest eps, number of intervals, step over eps). The largest and the step
# are Nakkiran's: L2 2.5 in steps of 0.5, Linf 8/255 in steps of 2/255.
SWEEPS = {"L2": (2.5, 10, 0.2), "Linf": (8 / 255, 8, 0.25)}
NEXT = "next"


@dataclass(frozen=True)
class BugsRecipe:
    """One picture, perturbed twice toward the same class; or the squares.

    Args:
        view: The "pair" of perturbations, what was "measured", or the "squares".
        picture: Picture id, see `core.data.pictures.get`.
        victim: The network that both perturbations fool: one as small as the ensemble, or one four times as wide.
        target: The wanted class; "next" is the one after the picture's own, as in D_det.
        norm: "L2" or "Linf".
        steps: PGD steps.
        members: Size of the ensemble that the bug leaves right; 0 makes the bug an ordinary targeted attack.
        frame: Which radius is in view; the default is the largest of the L2 sweep.
        pixel_noise: The squares' pixels are -1 or 1 plus uniform noise of at most this.
        label_noise: Chance that the label of a square is wrong.
        n: Squares to learn from.
        rounds: Rounds of training, five quasi-Newton iterations on all squares each; stop early, or learn all by heart.
        seed: Of the squares, their noise and the network.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("pair", among=("pair", "measured", "squares"))
    picture: str = option("")
    victim: str = option("small/resnet9-standard-1", among=("small/resnet9-standard-1", "resnet9-standard"))
    target: str = option(NEXT)
    norm: str = option("L2", among=("L2", "Linf"))
    steps: int = option(10, low=1, high=100)
    members: int = option(7, low=0, high=7)
    frame: int = option(10, low=0, high=200)
    pixel_noise: float = option(0.1, low=0.0, high=0.5)
    label_noise: float = option(0.1, low=0.0, high=0.4)
    n: int = option(1000, low=50, high=4000)
    rounds: int = option(12, low=1, high=30)
    seed: int = option(0, low=0, high=2**31 - 1)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)

    @property
    def eps_values(self) -> tuple[float, ...]:
        """The radii of the sweep, 0 first, in pixel units."""
        largest, intervals, _ = SWEEPS[self.norm]
        return tuple(largest * i / intervals for i in range(intervals + 1))

    @property
    def eps_labels(self) -> tuple[str, ...]:
        """The radii as people write them: 8/255, or 2.5."""
        return tuple(radius(eps, self.norm) for eps in self.eps_values)

    @property
    def relative_step(self) -> float:
        """Length of a step over eps: Nakkiran's, and never so short that the steps could not reach eps."""
        return max(SWEEPS[self.norm][2], min(1.0, 2.5 / self.steps) if self.steps < 5 else 0.0)
