"""The paper's datasets: D_R, D_NR, D_rand, D_det, and a control.

    python -m core.datasets.construct {robust,nonrobust,rand,det,leak} --source MODEL --n N --out FILE.npz

Each is the one loop over a training set: D_R and D_NR match a representation (section 3.1), D_rand and D_det perturb
toward a class and take it for the label (section 3.2). A build may be killed and started again.
"""

from core.datasets.construct.build import build, few
from core.datasets.construct.files import Constructed, read, read_madry, write, write_folder
from core.datasets.construct.recipes import KINDS, ConstructRecipe, Draws, draw

__all__ = [
    "KINDS",
    "ConstructRecipe",
    "Constructed",
    "Draws",
    "build",
    "draw",
    "few",
    "read",
    "read_madry",
    "write",
    "write_folder",
]
