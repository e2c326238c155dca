"""The recipe of the Datasets page."""

from dataclasses import dataclass

from core import worlds
from core.recipes.base import option


@dataclass(frozen=True)
class DatasetsRecipe:
    """A few pictures of a constructed set, made through two source models.

    Args:
        view: "build" a few, train on wrong labels "live", the "quiz", the "results" of the experiments, or a "student"
            that looks at a picture.
        kind: "inverted" (D_NR through the left model, D_R through the right one), "rand" or "det".
        standard: Checkpoint of the left column.
        robust: Checkpoint of the right column.
        n: Pictures.
        eps: L2 radius in hundredths of a pixel unit (kinds rand and det); the paper's is 50.
        steps: Gradient steps; the paper's are 100, and 1000 for inversions.
        frame: Which of the frames kept is in view; the default is the last.
        seed: Decides which pictures, targets and starts.
        picture: View "student": the picture, see `core.data.pictures.get`.
        student: View "student": checkpoint of a network that learnt from a constructed set.
        beside: View "student": checkpoint of the network beside it.
        experiment: View "results": which experiment comes first.
        where: View "live": on "cifar10" or in the "planted" world; "" is the best that is here.
        set: View "live": "rand" or "det"; "" is the one that it opens with.
        world: In which world, a name of `core.worlds.names`.
    """

    view: str = option("build", among=("build", "live", "quiz", "results", "student"))
    kind: str = option("rand", among=("inverted", "rand", "det"))
    standard: str = option("resnet9-standard")
    robust: str = option("resnet9-l2")
    n: int = option(12, low=4, high=48)
    eps: int = option(50, low=0, high=500)
    steps: int = option(20, low=1, high=200)
    frame: int = option(200, low=0, high=200)
    seed: int = option(0, low=0, high=2**31 - 1)
    picture: str = option("")
    student: str = option("student-rand")
    beside: str = option("resnet9-standard")
    experiment: str = option("table1", among=("table1", "figure2", "cats-vs-dogs", "controls"), silent=True)
    where: str = option("", among=("", "cifar10", "planted"), silent=True)
    set: str = option("", among=("", "rand", "det"), silent=True)
    world: str = option(worlds.DEFAULT, among=worlds.known, silent=True)
