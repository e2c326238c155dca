"""The recipe of the Gaussian page."""

from dataclasses import dataclass

from core.recipes.base import option

EPS_MOST = 12.0
VARIANCE_LEAST, VARIANCE_MOST = 0.01, 100.0


@dataclass(frozen=True)
class GaussianRecipe:
    """Two classes in the plane with means +mu and -mu and one covariance, and an adversary of budget eps.

    The defaults are the geometry of the paper's figure 4 at its second panel, as measured and inferred from the
    drawing.

    Args:
        mu1: First coordinate of the mean of class +1.
        mu2: Its second coordinate.
        var1: Variance along the first principal axis.
        var2: Variance along the second.
        angle: Direction of the first principal axis, degrees from the x1 axis, anticlockwise.
        eps: L2 budget of the adversary, in the units of the plane.
        shape: Classes are "gaussian", or uniform on an "ellipse" with these means and covariance.
        budget: "each" point moves by at most eps (lemma 1), or by eps in mean square "average" (lemma 2).
        probe1: First coordinate of the point whose worst move is drawn.
        probe2: Its second coordinate.
        view: What stands below the drawing: the "experiment", many "dimensions", or the "paper"'s figures.
        dim: Dimension of the view "dimensions".
        seed: Of the points.
    """

    mu1: float = option(10.0, low=-20, high=20)
    mu2: float = option(-1.0, low=-10, high=10)
    var1: float = option(25.0, low=VARIANCE_LEAST, high=VARIANCE_MOST)
    var2: float = option(0.5, low=VARIANCE_LEAST, high=VARIANCE_MOST)
    angle: float = option(0.0, low=-180, high=180)
    eps: float = option(1.0, low=0, high=EPS_MOST)
    shape: str = option("gaussian", among=("gaussian", "ellipse"))
    budget: str = option("each", among=("each", "average"))
    probe1: float = option(6.0, low=-20, high=20)
    probe2: float = option(3.0, low=-10, high=10)
    view: str = option("experiment", among=("experiment", "dimensions", "paper"))
    dim: int = option(100, low=2, high=100)
    seed: int = option(0, low=0, high=2**31 - 1)
