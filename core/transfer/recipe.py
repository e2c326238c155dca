"""The recipe of the Transfer page."""

from dataclasses import dataclass

from core import worlds
from core.recipes.base import option

# Radii as they stand in the URL, by norm. Linf counts in 1/255, so that an 8-bit picture keeps the perturbation
# exactly.
RADII: dict[str, dict[str, float]] = {
    "L2": {"0.1": 0.1, "0.25": 0.25, "0.5": 0.5, "1": 1.0, "2": 2.0},
    "Linf": {"1/255": 1 / 255, "2/255": 2 / 255, "4/255": 4 / 255, "8/255": 8 / 255, "16/255": 16 / 255},
}
DEFAULT_RADIUS = {"L2": "0.5", "Linf": "8/255"}


@dataclass(frozen=True)
class TransferRecipe:
    """Adversarial examples of some models, shown to others.

    Args:
        view: The "matrix" of all pairs, the "curve" of one pair over eps, the "similarity" of representations, or the
            paper's "figure3".
        numbers: "measured" shows what is in the results file; "live" computes on `n` pictures, here and now.
        norm: "L2" or "Linf".
        eps: Radius, a key of `RADII[norm]`; anything else means the norm's default.
        goal: "untargeted", or "targeted": toward another class, drawn for each picture.
        steps: PGD steps of the live computation and of the pictures shown.
        n: Pictures of the live computation.
        seed: Decides which pictures, which targets, and the noise.
        models: The models of a live matrix; () is all there are but students.
        ensemble: Attack all of those models at once as well.
        source: The model that the examples are made for.
        target: The model that they are shown to.
        show: The "attack", or the "noise" of the same size.
        of: Rates of the pictures that "both" models get right, or of "all".
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("matrix", among=("matrix", "curve", "similarity", "figure3"))
    numbers: str = option("measured", among=("measured", "live"))
    norm: str = option("L2", among=("L2", "Linf"))
    eps: str = option("")
    goal: str = option("untargeted", among=("untargeted", "targeted"))
    steps: int = option(10, low=1, high=100)
    n: int = option(64, low=8, high=2000)
    seed: int = option(0, low=0, high=2**31 - 1)
    models: tuple[str, ...] = option(())
    ensemble: bool = option(default=False)
    source: str = option("resnet9-standard")
    target: str = option("vgg-standard")
    show: str = option("attack", among=("attack", "noise"))
    of: str = option("both", among=("both", "all"))
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)

    @property
    def radius(self) -> tuple[str, float]:
        """The radius as people write it, and in pixel units."""
        label = self.eps if self.eps in RADII[self.norm] else DEFAULT_RADIUS[self.norm]
        return label, RADII[self.norm][label]
