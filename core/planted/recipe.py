"""The recipe of the Sandbox page: a world, two networks trained in it, and what is asked of them."""

from dataclasses import dataclass, fields

from core.data.planted.world import PlantedWorld
from core.recipes import option
from core.train import InnerAttack, TrainRecipe

VIEWS = ("features", "attack", "usefulness", "datasets", "transfer", "preferred", "superposition")


@dataclass(frozen=True)
class PlantedRecipe(PlantedWorld):
    """A view of the Sandbox; the fields of its world come first.

    Args:
        pictures: Training pictures.
        epochs: Passes over them.
        width: Of `core.models.patchnet`: D = 8 width.
        train_eps: L2 radius of the robust network's adversary in training, pixel units.
        seed: Of the training pictures and of both networks.
        view: Which question.
        eps: L2 radius of the attacks that the page shows, pixel units.
        made: Which constructed set: "rand", "det", "robust" or "nonrobust".
        number: Features of the toy of superposition.
        dimensions: Its dimensions.
        sparsity: Probability that one of its features is 0.
    """

    pictures: int = option(3000, low=100, high=20_000)
    epochs: int = option(8, low=1, high=100)
    width: int = option(4, low=2, high=6)
    train_eps: float = option(0.5, low=0.0, high=1.5)
    seed: int = option(0, low=0, high=10_000)
    view: str = option("features", among=VIEWS)
    eps: float = option(0.5, low=0.0, high=2.0)
    made: str = option("rand", among=("rand", "det", "robust", "nonrobust"))
    number: int = option(5, low=2, high=20)
    dimensions: int = option(2, low=2, high=10)
    sparsity: float = option(0.9, low=0.0, high=0.99)

    @property
    def world(self) -> PlantedWorld:
        """The world alone."""
        return PlantedWorld(**{f.name: getattr(self, f.name) for f in fields(PlantedWorld)})

    @property
    def trained(self) -> tuple[tuple[str, object], ...]:
        """All that the two networks depend on, by name: the key under which a pair is kept."""
        names = [f.name for f in fields(PlantedWorld)] + ["pictures", "epochs", "width", "train_eps", "seed"]
        return tuple((name, getattr(self, name)) for name in names)

    def training(self, *, robust: bool) -> TrainRecipe:
        """Say how the standard or the robust network is trained: alike, but for the adversary of one step."""
        inner = InnerAttack("L2", self.train_eps, 1, 1.25 * self.train_eps) if robust and self.train_eps else None
        return TrainRecipe(
            "patchnet",
            {"width": self.width, "classes": self.classes},
            epochs=self.epochs,
            batch_size=64,
            lr=0.1,
            ema=0.98,
            augment=False,
            precision="fp32",
            inner=inner,
            seed=self.seed,
        )
