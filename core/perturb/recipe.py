"""The recipe of the Perturb page."""

from dataclasses import dataclass, replace

from core import worlds
from core.attacks.rules import SCHEDULES
from core.recipes.base import option
from core.words import radius
from core.worlds.world import FILM_PIXELS


@dataclass(frozen=True)
class PerturbRecipe:
    """One picture, two models, and one attack on each of them.

    Args:
        picture: Picture id, see `core.data.pictures.get`.
        standard: Checkpoint of the left column.
        robust: Checkpoint of the right column.
        norm: "L2" or "Linf".
        reach: Largest eps of the sweep, a key of its world's `reaches[norm]`; anything else means the norm's default.
        attack: "PGD", or "FGSM": one step of length eps.
        steps: PGD steps.
        schedule: Of the step lengths, see `core.attacks.rules.step_lengths`: "cosine", or "constant", the paper's way.
        precision: Of the gradients: "auto" is bfloat16 where the device is fast at it, "fp32" never. What the models
            say is always float32.
        target: "any" (untargeted), "second" (most likely of the other classes), "least" (likely), or a class name.
        random_start: Start PGD at a uniform draw from the ball instead of at the picture.
        axis: "eps" sweeps the radius; "steps" shows the iterates at one radius.
        frame: Which radius (axis "eps") or iterate (axis "steps") is in view; the default is far enough for a standard
            model to be fooled.
        at: The radius whose iterates axis "steps" shows, one of `eps_labels`; anything else means the sixth of them.
        seed: Of the random start and of the noise control.
        world: In which world, a name of `core.worlds.names`.
        view: "sweep", or "duel": a camera's picture, or this one moving, attacked without end at the radius `at`.
    """

    picture: str = option("")
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    norm: str = option("L2", among=("L2", "Linf"))
    reach: str = option("")
    attack: str = option("PGD", among=("PGD", "FGSM"))
    steps: int = option(10, low=1, high=200)
    target: str = option("any")
    random_start: bool = option(default=False)
    axis: str = option("eps", among=("eps", "steps"))
    frame: int = option(8, low=0, high=200)
    at: str = option("")
    seed: int = option(0, low=0, high=2**31 - 1)
    schedule: str = option("cosine", among=SCHEDULES, before="constant")
    precision: str = option("auto", among=("auto", "fp32"), before="fp32")
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
    view: str = option("sweep", among=("sweep", "duel"), silent=True)

    @property
    def eps_values(self) -> tuple[float, ...]:
        """All radii of the sweep, 0 first, in pixel units."""
        world = worlds.of(self)
        reaches = world.reaches[self.norm]
        largest, intervals = reaches.get(self.reach, reaches[world.reach[self.norm]])
        return tuple(largest * i / intervals for i in range(intervals + 1))

    @property
    def eps_labels(self) -> tuple[str, ...]:
        """The radii as people write them: 8/255, or 0.5."""
        return tuple(radius(eps, self.norm) for eps in self.eps_values)

    @property
    def iterates(self) -> tuple[int, ...]:
        """The steps that axis "steps" shows: all, or every so many where pictures are large, and always the last."""
        total = 1 if self.attack == "FGSM" else self.steps
        every = -(-(total + 1) * worlds.of(self).side ** 2 // FILM_PIXELS)
        return (*range(0, total, every), total)

    @property
    def at_index(self) -> int:
        """Where in the sweep the radius of axis "steps" stands."""
        return self.eps_labels.index(self.at) if self.at in self.eps_labels else 5


def cache_key(recipe: PerturbRecipe) -> PerturbRecipe:
    """Return the recipe with everything at its default that one model's trajectory does not depend on."""
    blank = PerturbRecipe()
    unused = ["standard", "robust", "frame", "view", *(["at"] if recipe.axis == "eps" else [])]
    if recipe.attack == "FGSM":
        unused += ["steps", "schedule"]
    if not recipe.random_start:
        unused.append("seed")
    return replace(recipe, **{name: getattr(blank, name) for name in unused})
