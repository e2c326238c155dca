"""What the Gaussian page computes: both models of one recipe, the experiment beside the formula, many dimensions.

    recipe = GaussianRecipe(eps=1.0)
    sides(recipe)["robust"].angle          # degrees between the robust model's gradient and the classes' direction
    experiment(recipe)["each"].angles      # the same by sampling and gradient descent

The page, the drawing in the browser and the script offered for copying give the same numbers.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from core.gaussian import theory
from core.gaussian.fit import POINTS, REPEATS, Fit, sampled_variances, standard_draws, train
from core.gaussian.recipe import GaussianRecipe
from core.rates import Estimate
from core.recipes import to_python

SHOWN = 150  # points of each class in the drawing
KAPPAS = (10.0, 100.0, 1000.0)
# Figure 4 of the paper: eps of its panels, and the slope of the line drawn there, measured in the vector graphics.
FIGURE_4 = {0.0: 0.2, 1.0: 1.514, 10.0: 5.781}


@dataclass(frozen=True)
class Side:
    """One model, the plain fit or the robust one, and how it fares.

    Args:
        variances: Of the model's Gaussian along the principal axes (2).
        slope: x2/x1 of the decision line.
        angle: Degrees between input gradient and inter-class direction.
        kappa: Largest over smallest variance.
        clean: Accuracy.
        attacked: Accuracy when every point may move by eps toward the line.
        loss: Expected negative log-likelihood, nats.
        attacked_loss: The same under the adversary who moves points by eps in root mean square.
    """

    variances: Tensor
    slope: float
    angle: float
    kappa: float
    clean: float
    attacked: float
    loss: float
    attacked_loss: float


def truth_of(recipe: GaussianRecipe) -> Tensor:
    """Return the variances (2) of the data along the principal axes."""
    return torch.tensor([recipe.var1, recipe.var2], dtype=torch.float64)


def mu_of(recipe: GaussianRecipe) -> Tensor:
    """Return the mean (2) of class +1, along the principal axes."""
    return theory.turn(torch.tensor([[recipe.mu1, recipe.mu2]], dtype=torch.float64), -recipe.angle)[0]


def sides(recipe: GaussianRecipe) -> dict[str, Side]:
    """Compute the "standard" and the "robust" model in closed form.

    Raises:
        ValueError: If both classes have the same mean.
    """
    truth = truth_of(recipe)
    return {"standard": side(recipe, truth), "robust": side(recipe, theory.robust_fit(truth, recipe.eps))}


def side(recipe: GaussianRecipe, model: Tensor) -> Side:
    """Compute how a model with these variances (2) and the right mean fares."""
    truth, mu, ellipse = truth_of(recipe), mu_of(recipe), recipe.shape == "ellipse"
    return Side(
        variances=model,
        slope=theory.slope(mu, model, recipe.angle),
        angle=theory.angle(mu, model),
        kappa=theory.condition_number(model),
        clean=theory.accuracy(mu, model, truth, ellipse=ellipse),
        attacked=theory.accuracy(mu, model, truth, recipe.eps, ellipse=ellipse),
        loss=theory.loss(model, truth),
        attacked_loss=theory.loss(model, truth, recipe.eps),
    )


def draws(recipe: GaussianRecipe, shape: tuple[int, ...]) -> Tensor:
    """Draw the recipe's points (..., 2), of mean 0 and covariance I."""
    generator = torch.Generator().manual_seed(recipe.seed)
    return standard_draws(shape, generator, ellipse=recipe.shape == "ellipse")


def points(recipe: GaussianRecipe) -> tuple[Tensor, Tensor]:
    """Return the points of the drawing (2 n, 2) in the plane, and their labels +1 or -1 (2 n)."""
    z = draws(recipe, (2, SHOWN, 2)) * truth_of(recipe).sqrt() + mu_of(recipe)
    y = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat_interleave(SHOWN)
    return theory.turn(z.flatten(0, 1) * y[:, None], recipe.angle), y


def moves(recipe: GaussianRecipe, model: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the adversary's best moves (N, 2) in the plane at points x (N, 2), labels y (N), against a model (2)."""
    v = theory.turn(x * y[:, None], -recipe.angle) - mu_of(recipe)
    if recipe.budget == "each":
        delta = theory.worst_move(v, model, recipe.eps)
    else:
        delta = v * theory.linear_adversary(model, truth_of(recipe), recipe.eps)
    return theory.turn(delta * y[:, None], recipe.angle)


def gap(recipe: GaussianRecipe, normal: Tensor) -> float:
    """Measure how far the ellipse that carries class +1 stays from a line through 0; negative where it is cut.

    Args:
        recipe: Of shape "ellipse".
        normal: The line's normal (2), along the principal axes.
    """
    reach = 2 * float((normal.square() * truth_of(recipe)).sum().sqrt())
    return (abs(float(normal @ mu_of(recipe))) - reach) / float(normal.norm())


def experiment(recipe: GaussianRecipe) -> dict[str, Fit]:
    """Fit the robust model to samples, by gradient descent against each kind of adversary: "average" and "each"."""
    v = draws(recipe, (REPEATS, POINTS, 2)) * truth_of(recipe).sqrt()
    u = theory.turn((v + mu_of(recipe)).flatten(0, 1), recipe.angle).reshape(v.shape)
    return {budget: train(u, recipe.eps, budget) for budget in ("average", "each")}


def spectrum(dim: int, kappa: float) -> Tensor:
    """Make variances (D,) of mean 1, from one to the next by the same factor, with this condition number."""
    values = torch.logspace(0, -math.log10(kappa), dim, dtype=torch.float64)
    return values / values.mean()


def relative_eps(recipe: GaussianRecipe) -> float:
    """Return eps over the root mean square distance of a point from its mean: what carries over to other dimensions."""
    return recipe.eps / math.sqrt(recipe.var1 + recipe.var2)


def vulnerability(dim: int, kappas: Tensor, relative: float) -> dict[str, list[float]]:
    """Compute what the adversary adds to the loss, in nats for each dimension, at fixed trace.

    Args:
        dim: Number of dimensions.
        kappas: Condition numbers (K,) of the data.
        relative: eps over the root of the trace.

    Returns:
        The curves (K) of the "standard" and of the "robust" model.
    """
    found: dict[str, list[float]] = {"standard": [], "robust": []}
    eps = relative * math.sqrt(dim)
    for kappa in kappas.tolist():
        truth = spectrum(dim, kappa)
        for name, model in (("standard", truth), ("robust", theory.robust_fit(truth, eps))):
            found[name].append((theory.loss(model, truth, eps) - theory.loss(model, truth)) / dim)
    return found


def alignment(dim: int, kappa: float, relatives: list[float]) -> list[float]:
    """Compute the worst angle (degrees) between a robust gradient and the classes' direction, theorem 3."""
    truth = spectrum(dim, kappa)
    return [_worst_angle(theory.robust_fit(truth, r * math.sqrt(dim))) for r in relatives]


def sampled_alignment(dim: int, kappa: float, relatives: list[float], *, n: int = 200, seed: int = 0) -> list[float]:
    """Compute the same where each point moves by eps, from n points with exactly the second moments of the data."""
    truth = spectrum(dim, kappa)
    v = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    v = v / v.square().mean(0).sqrt() * truth.sqrt()
    found = []
    for relative in relatives:
        eps = relative * math.sqrt(dim)
        found.append(_worst_angle(sampled_variances(v, eps, theory.robust_fit(truth, eps))))
    return found


def figure_4(*, n: int = 500, seed: int = 0) -> list[tuple[float, float, float, Estimate]]:
    """Compare with figure 4: for each panel eps and the line's slope in the paper, by theorem 2, and per point.

    The last is solved on eight samples of n points and their mirror images, with exactly the second moments of the
    data.
    """
    recipe = GaussianRecipe()
    truth, mu = truth_of(recipe), mu_of(recipe)
    z = torch.randn(REPEATS, n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    z = z / z.square().mean(1, keepdim=True).sqrt() * truth.sqrt()
    rows = []
    for eps, printed in FIGURE_4.items():
        model = theory.robust_fit(truth, eps)
        solved = [sampled_variances(torch.cat([v, -v]), eps, model) for v in z]
        slopes = [theory.slope(mu, found) for found in solved]
        rows.append((eps, printed, theory.slope(mu, model), Estimate.of(slopes)))
    return rows


def percent(value: float) -> str:
    """Write a fraction in per cent, never rounding to all or nothing what is not."""
    if 0.9995 <= value < 1:
        return ">99.9 %"
    return "<0.1 %" if 0 < value < 0.0005 else f"{100 * value:.1f} %"


def script(recipe: GaussianRecipe) -> str:
    """Write the view as a Python program that prints its numbers."""
    return to_python(
        recipe,
        ["from core.gaussian.views import experiment, sides"],
        """
        for name, side in sides(recipe).items():
            print(
                f"{name}: angle {side.angle:.2f} degrees, condition number {side.kappa:.3f}, "
                f"accuracy {side.clean:.4f}, attacked {side.attacked:.4f}"
            )
        for budget, fit in experiment(recipe).items():
            found = fit.estimates
            print(
                f"by gradient descent, budget {budget}: angle {found['angles']} degrees, "
                f"condition number {found['condition_numbers']}"
            )
        """,
    )


def _worst_angle(variances: Tensor) -> float:
    return math.degrees(math.acos(min(1.0, theory.worst_cosine(theory.condition_number(variances)))))
