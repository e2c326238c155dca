"""Tasks, and how useful and how robustly useful every feature is for them."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.attacks.balls import Ball, Eps, Linf
from core.problems import InputError
from core.rates import Z, student
from core.types import Features, Images, Labels
from core.usefulness.search import Extremes


@dataclass(frozen=True)
class Task:
    """A question with two answers; the classes of each side count alike, and so do the two sides.

    Args:
        positive: Classes with y = +1.
        negative: Classes with y = -1.
    """

    positive: tuple[int, ...]
    negative: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.positive or not self.negative or set(self.positive) & set(self.negative):
            raise InputError(f"a task needs two different sides, got {self.positive} and {self.negative}")


def against_rest(label: int, classes: int = 10) -> Task:
    """Make the task "is it of this class?"."""
    return Task((label,), tuple(k for k in range(classes) if k != label))


@dataclass(frozen=True)
class Usefulness:
    """The usefulness of D features for one task, each turned so that rho >= 0.

    Args:
        radii: Radii (E), pixel units.
        rho: Usefulness (D).
        rho_half: Half the width of its 95 % interval (D).
        gamma: Robust usefulness at each radius (E, D).
        gamma_half: Half the width of its 95 % interval (E, D).
        sign: Which features were turned: +1 or -1 (D).

    Of a feature that was not searched gamma and its half are NaN.
    """

    radii: tuple[float, ...]
    rho: Tensor
    rho_half: Tensor
    gamma: Tensor
    gamma_half: Tensor
    sign: Tensor

    @property
    def searched(self) -> Tensor:
        """Tell of which features gamma is known (D)."""
        return self.gamma.isfinite().all(0)


@dataclass(frozen=True)
class Measured:
    """What every task's rho and gamma follow from: for each class the mean of f and of how far it can be pushed.

    Args:
        radii: Radii (E), pixel units.
        mean: Class means of the standardised features (K, D).
        mean_var: Variances of these means (K, D).
        worst_case_shift: Class means of how far f can be pushed down [0] and up [1] (2, E, K, D), in standard
            deviations of f.
        shift_var: Variances of these means (2, E, K, D).
        n: Pictures behind the means.
        n_pushed: Pictures behind the pushes.
    """

    radii: tuple[float, ...]
    mean: Tensor
    mean_var: Tensor
    worst_case_shift: Tensor
    shift_var: Tensor
    n: int
    n_pushed: int

    @staticmethod
    def of(f: Features, y: Labels, found: Extremes, y_found: Tensor, classes: int = 10) -> "Measured":
        """Standardise and average.

        gamma is taken as rho minus the mean push: rho is known from many pictures, and how far f can be pushed varies
        little from one to another, so that few of them do.

        Args:
            f: Features of many pictures (M, D), which also fix mean 0 and variance 1.
            y: Their classes (M,).
            found: The extremes around some of them (E, N, D).
            y_found: The classes of those (N,).
            classes: K.

        Raises:
            ValueError: If a class has fewer than two pictures among either.
        """
        deviation, mean = torch.std_mean(f, dim=0, correction=0)
        deviation = deviation.clamp_min(1e-12)
        push = torch.stack([found.f - found.low, found.high - found.f]) / deviation
        means, variances = _by_class((f - mean) / deviation, y, classes)
        pushes, push_variances = _by_class(push.movedim(2, 0), y_found, classes)
        return Measured(
            found.radii, means, variances, pushes.movedim(0, 2), push_variances.movedim(0, 2), len(y), len(y_found)
        )

    def on(self, task: Task) -> Usefulness:
        """Compute rho and gamma of every feature for a task, with y = +1 and y = -1 equally frequent."""
        plus, minus = list(task.positive), list(task.negative)
        rho = (self.mean[plus].mean(0) - self.mean[minus].mean(0)) / 2
        sign = torch.where(rho < 0, -1.0, 1.0)
        rho_var = _var(self.mean_var[plus]) + _var(self.mean_var[minus])
        # Where y f is y = +1 and f, or y = -1 and a turned f, the adversary pushes f down; else up.
        down, up = self.worst_case_shift
        down_var, up_var = self.shift_var
        straight = (down[:, plus].mean(1) + up[:, minus].mean(1)) / 2
        turned = (up[:, plus].mean(1) + down[:, minus].mean(1)) / 2
        straight_var = _var(down_var[:, plus], 1) + _var(up_var[:, minus], 1)
        turned_var = _var(up_var[:, plus], 1) + _var(down_var[:, minus], 1)
        gamma = sign * rho - torch.where(sign > 0, straight, turned)
        shift_var = torch.where(sign > 0, straight_var, turned_var)
        gamma_var = rho_var + shift_var
        # A class has few pushed pictures: Student's t, with Welch and Satterthwaite's degrees of freedom.
        weight = torch.cat([torch.full((len(plus),), 1 / len(plus)), torch.full((len(minus),), 1 / len(minus))]) / 2
        parts = torch.where(
            sign > 0,
            torch.cat([down_var[:, plus], up_var[:, minus]], 1),
            torch.cat([up_var[:, plus], down_var[:, minus]], 1),
        )
        fourth = (weight.to(parts)[:, None] ** 4 * parts**2).sum(1)
        of_class = max(1, self.n_pushed // len(self.mean) - 1)
        freedom = of_class * gamma_var**2 / fourth.clamp_min(1e-30)
        return Usefulness(
            self.radii, sign * rho, Z * rho_var.sqrt(), gamma, student(freedom.clamp(2, 1e6)) * gamma_var.sqrt(), sign
        )

    def at_best(self) -> tuple[Usefulness, Tensor]:
        """Give each feature the class it is most useful for, against the rest; return that class (D) as well."""
        return self._best

    @functools.cached_property
    def _best(self) -> tuple[Usefulness, Tensor]:
        classes = len(self.mean)
        every = [self.on(against_rest(c, classes)) for c in range(classes)]
        best = torch.stack([one.rho for one in every]).argmax(0)

        def chosen(values: list[Tensor]) -> Tensor:
            stack = torch.stack(values)  # (K, ..., D)
            return stack.gather(0, best.expand_as(stack[:1]))[0]

        return (
            Usefulness(
                self.radii,
                chosen([one.rho for one in every]),
                chosen([one.rho_half for one in every]),
                chosen([one.gamma for one in every]),
                chosen([one.gamma_half for one in every]),
                chosen([one.sign for one in every]),
            ),
            best,
        )


def linear_usefulness(
    w: Tensor, x: Images, y: Tensor, make_ball: Callable[[Eps], Ball], radii: Sequence[float]
) -> Usefulness:
    """Compute rho and gamma of linear features w . x in closed form: gamma = rho - eps |w|_dual / std(w . x).

    The ball is not cut off at [0, 1] here, so that gamma is a lower bound of what pictures allow.

    Args:
        w: Directions in pixel space (D, C, H, W).
        x: Pictures (N, C, H, W).
        y: +1 or -1 (N,); the two count alike.
        make_ball: `L2` or `Linf`.
        radii: Radii (E), pixel units.
    """
    flat = w.flatten(1)
    f = x.flatten(1) @ flat.T
    deviation, mean = torch.std_mean(f, dim=0, correction=0)
    deviation = deviation.clamp_min(1e-12)
    f = (f - mean) / deviation
    plus, minus = f[y > 0], f[y < 0]
    rho = (plus.mean(0) - minus.mean(0)) / 2
    half = Z * ((plus.var(0) / len(plus) + minus.var(0) / len(minus)) / 4).sqrt()
    dual = flat.abs().sum(1) if isinstance(make_ball(0.0), Linf) else torch.linalg.vector_norm(flat, dim=1)
    eps = torch.tensor(tuple(radii), dtype=f.dtype, device=f.device)[:, None]
    gamma = rho.abs() - eps * dual / deviation
    return Usefulness(tuple(radii), rho.abs(), half, gamma, half.expand_as(gamma), torch.where(rho < 0, -1.0, 1.0))


def _by_class(values: Tensor, y: Labels, classes: int) -> tuple[Tensor, Tensor]:
    """Average values (N, ...) within each class; return means (K, ...) and the variances of the means."""
    means, variances = [], []
    for c in range(classes):
        own = values[y == c]
        if len(own) < 2:
            raise InputError(f"class {c} has {len(own)} pictures; usefulness needs two or more of each class")
        means.append(own.mean(0))
        variances.append(own.var(0) / len(own))
    return torch.stack(means), torch.stack(variances)


def _var(variances: Tensor, dim: int = 0) -> Tensor:
    """Return the variance of half the mean of independent means."""
    return variances.sum(dim) / (2 * variances.shape[dim]) ** 2
