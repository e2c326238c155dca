"""What is known of two classes along their singular vectors, and what it says of every linear construction."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core import data
from core.files.arrays import UNREADABLE, load_arrays, save_arrays
from core.files.once import once_a_state
from core.models import checkpoints
from core.problems import InputError

FILE = checkpoints.FOLDER.parent / "assets" / "usefulness" / "linear.npz"
PAIR = ("truck", "frog")  # y = +1, y = -1


@dataclass(frozen=True)
class Linear:
    """A linear feature's usefulness, on training and on test pictures.

    Args:
        rho: E[y f(x)] on training pictures.
        rho_test: The same on test pictures (with the training pictures' sign).
        deviation: std(a.x) / |a| on training pictures: what eps is divided by.
        deviation_test: The same on test pictures.
    """

    rho: float
    rho_test: float
    deviation: float
    deviation_test: float

    def gamma(self, eps: float) -> float:
        """Robust usefulness inside an L2 ball, on training pictures."""
        return self.rho - eps / self.deviation

    def gamma_test(self, eps: float) -> float:
        """The same on test pictures."""
        return self.rho_test - eps / self.deviation_test


@dataclass(frozen=True)
class Known:
    """Statistics of the two classes along the singular vectors, strongest first.

    Args:
        deviation: Standard deviation along each (P), pixel units.
        difference: Half the difference of the class means along each (P), on training pictures.
        deviation_test: As deviation, on test pictures (P).
        difference_test: As difference, on test pictures (P).
        shown: Indices of the vectors in `vectors` (V).
        vectors: Unit vectors (V, 3, 32, 32).
        covariance_test: Of the test pictures along these (V, V).
        sizes: Sizes of the ensembles that were measured on test pictures (T).
        ensemble_test: Half the class difference and deviation of each on test pictures (T, 2).
        ensembles: Their unit vectors (T, 3, 32, 32).
        n: Training pictures.
        n_test: Test pictures.
    """

    deviation: Tensor
    difference: Tensor
    deviation_test: Tensor
    difference_test: Tensor
    shown: tuple[int, ...]
    vectors: Tensor
    covariance_test: Tensor
    sizes: tuple[int, ...]
    ensemble_test: Tensor
    ensembles: Tensor
    n: int
    n_test: int

    @property
    def rho(self) -> Tensor:
        """Usefulness of every single vector on training pictures (P)."""
        return (self.difference / self.deviation).abs()

    @property
    def rho_test(self) -> Tensor:
        """Usefulness of every single vector on test pictures (P), turned as on the training pictures."""
        return self.difference.sign() * self.difference_test / self.deviation_test

    @property
    def chance(self) -> float:
        """Mean usefulness that a random direction shows on the training pictures: sqrt(2 / pi n)."""
        return float((2 / (torch.pi * self.n)) ** 0.5)

    def single(self, i: int) -> Linear:
        """Describe the i-th singular vector."""
        return Linear(
            float(self.rho[i]), float(self.rho_test[i]), float(self.deviation[i]), float(self.deviation_test[i])
        )

    def ensemble(self, size: int) -> Linear:
        """Describe the sum of the `size` weakest vectors, each with the sign of its usefulness.

        Raises:
            ValueError: If that size was not measured.
        """
        t = self._size(size)
        difference, deviation = self.difference[-size:], self.deviation[-size:]
        spread = float(deviation.square().sum().sqrt())
        test_difference, test_deviation = (float(v) for v in self.ensemble_test[t])
        return Linear(
            float(difference.abs().sum()) / spread, test_difference / test_deviation, spread / size**0.5, test_deviation
        )

    def containment(self, robust: int, brittle: int, alpha: float) -> Linear:
        """Describe (1 - alpha) a_brittle + alpha a_robust, each turned so that it is useful.

        Raises:
            ValueError: If one of the vectors is not among those shown, or alpha is not in [0, 1].
        """
        r, b = self._index(robust), self._index(brittle)
        if robust == brittle:
            raise InputError("the containment needs two different directions")
        if not 0 <= alpha <= 1:
            raise InputError(f"alpha must be in [0, 1], got {alpha}")
        weights = torch.tensor([alpha, 1.0 - alpha])
        rows = torch.tensor([robust, brittle])
        signs = self.difference[rows].sign() * weights
        length = float(weights.norm())
        spread = float((weights * self.deviation[rows]).norm())
        among = torch.tensor([r, b])
        spread_test = float((signs @ self.covariance_test[among][:, among] @ signs).sqrt())
        return Linear(
            float(signs @ self.difference[rows]) / spread,
            float(signs @ self.difference_test[rows]) / spread_test,
            spread / length,
            spread_test / length,
        )

    def containment_vector(self, robust: int, brittle: int, alpha: float) -> Tensor:
        """Return the mixture's unit vector (3, 32, 32)."""
        signs = self.difference.sign()
        mixed = alpha * signs[robust] * self.vector(robust) + (1 - alpha) * signs[brittle] * self.vector(brittle)
        return mixed / mixed.norm()

    def vector(self, i: int) -> Tensor:
        """Return one of the shown vectors (3, 32, 32)."""
        return self.vectors[self._index(i)]

    def _index(self, i: int) -> int:
        if i not in self.shown:
            raise InputError(f"direction {i} is not among those kept; the nearest is {self.nearest(i)}")
        return self.shown.index(i)

    def nearest(self, i: int) -> int:
        """Return the shown vector nearest to the i-th."""
        return min(self.shown, key=lambda k: abs(k - i))

    def _size(self, size: int) -> int:
        if size not in self.sizes:
            raise InputError(f"an ensemble of {size} was not measured; have {', '.join(map(str, self.sizes))}")
        return self.sizes.index(size)


def save(known: Known, path: Path = FILE) -> None:
    """Write everything as numbers, the vectors with 8 bits a pixel."""
    levels = {}
    for name in ("vectors", "ensembles"):
        stack = getattr(known, name).flatten(1)
        levels[name] = (stack / stack.abs().amax(1, keepdim=True) * 127).round().to(torch.int8).numpy()
    plain = {
        name: getattr(known, name).numpy()
        for name in ("deviation", "difference", "deviation_test", "difference_test", "covariance_test", "ensemble_test")
    }
    counts = {"shown": np.array(known.shown), "sizes": np.array(known.sizes)}
    counts |= {"n": np.array(known.n), "n_test": np.array(known.n_test)}
    save_arrays(path, {**plain, **levels, **counts}, compressed=True)


def load(path: Path = FILE) -> Known:
    """Read what `save` wrote.

    Raises:
        core.data.DataError: If it is not there or is damaged.
    """
    if not path.is_file():
        raise data.DataError(f"{path.name} is not there; make it with: python -m core.usefulness.linear build")
    return _load(path)


@once_a_state(2)
def _load(path: Path) -> Known:
    try:
        a = {key: torch.from_numpy(np.asarray(value)) for key, value in load_arrays(path).items()}
    except UNREADABLE as error:
        raise data.DataError(
            f"{path.name} is damaged ({error}); make it again: python -m core.usefulness.linear build"
        ) from error

    def unit(levels: Tensor) -> Tensor:
        flat = levels.float()
        side = round((flat.shape[1] / 3) ** 0.5)
        return (flat / flat.norm(dim=1, keepdim=True)).reshape(-1, 3, side, side)

    return Known(
        a["deviation"],
        a["difference"],
        a["deviation_test"],
        a["difference_test"],
        tuple(a["shown"].tolist()),
        unit(a["vectors"]),
        a["covariance_test"],
        tuple(a["sizes"].tolist()),
        a["ensemble_test"],
        unit(a["ensembles"]),
        int(a["n"]),
        int(a["n_test"]),
    )
