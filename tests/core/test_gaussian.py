"""Section 4 in closed form against what numerical optimisation, sampling and gradient descent find."""

import contextlib
import io
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.gaussian import drawing, theory, views
from core.gaussian.fit import sampled_variances, standard_draws, train
from core.gaussian.recipe import GaussianRecipe
from core.recipes import from_json, to_json
from tests.helpers import REFUSED, draws

DOUBLE = torch.float64
variances = st.lists(st.floats(0.01, 100), min_size=2, max_size=6).map(lambda s: torch.tensor(s, dtype=DOUBLE))
budgets = st.floats(0.01, 30)
seeds = st.integers(0, 10**6)
PLANE = torch.tensor([25.0, 0.5], dtype=DOUBLE)
some = settings(max_examples=25)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=draws(seed), dtype=DOUBLE)


# Lemma 1


@some
@given(variances, budgets, seeds)
def test_the_worst_move_satisfies_the_conditions_of_a_global_maximum(model, eps, seed):
    """Of a quadratic on a ball: (lambda Sigma - I) delta = v, |delta| = eps, and lambda Sigma - I >= 0.

    They suffice.
    """
    v = normal(5, len(model), seed=seed) * 3
    delta = theory.worst_move(v, model, eps)
    torch.testing.assert_close(delta.norm(dim=1), torch.full((5,), eps, dtype=DOUBLE), rtol=1e-9, atol=0)
    assert bool((delta * v >= 0).all()), "away from the mean along every axis"
    least = model.argmin()
    penalty = (1 + v[:, least] / delta[:, least]) / model[least]
    torch.testing.assert_close((penalty[:, None] * model - 1) * delta, v, rtol=1e-6, atol=1e-6)
    assert bool((penalty * model.min() >= 1).all())


@some
@given(st.floats(0.05, 50), st.floats(0.05, 50), budgets, seeds)
def test_no_point_of_the_circle_is_worse_than_the_worst_move(a, b, eps, seed):
    model, v = torch.tensor([a, b], dtype=DOUBLE), normal(1, 2, seed=seed) * 5
    turns = torch.linspace(0, 2 * math.pi, 4001, dtype=DOUBLE)
    circle = eps * torch.stack([turns.cos(), turns.sin()], 1)
    found = ((v + theory.worst_move(v, model, eps)).square() / model).sum()
    tried = ((v + circle).square() / model).sum(1).max()
    assert tried <= found * (1 + 1e-12)
    assert found <= tried * (1 + 1e-4)


@pytest.mark.parametrize(
    "v", [[0.0, 0.0], [3.0, 0.0], [0.0, 2.0]], ids=["mean", "no part along the least", "only along it"]
)
@pytest.mark.parametrize("model", [[4.0, 1.0], [1.0, 1.0]], ids=["flat", "round"])
def test_the_hard_case_spends_the_whole_budget_too(v, model):
    """Where v has no part along the smallest axis, lambda = 1 / sigma_min and the move is completed along that axis."""
    v, model, eps = torch.tensor([v], dtype=DOUBLE), torch.tensor(model, dtype=DOUBLE), 2.5
    delta = theory.worst_move(v, model, eps)
    assert float(delta.norm()) == pytest.approx(eps)
    turns = torch.linspace(0, 2 * math.pi, 4001, dtype=DOUBLE)
    circle = eps * torch.stack([turns.cos(), turns.sin()], 1)
    assert ((v + delta).square() / model).sum() >= ((v + circle).square() / model).sum(1).max() - 1e-9


def test_no_budget_moves_nothing():
    assert not theory.worst_move(normal(3, 2), PLANE, 0.0).any()
    assert not theory.linear_adversary(PLANE, PLANE, 0.0).any()


# Theorem 1


def penalised_excess(truth: torch.Tensor, c: float) -> float:
    """tr[(I + (C Sigma - I)^-1)^2] - D: what the squared Mahalanobis distance gains, twice the gain in nats."""
    return float(((1 + 1 / (c * truth - 1)).square()).sum()) - len(truth)


@some
@given(variances, st.floats(1.05, 50))
def test_theorem_1_is_the_gain_under_the_budget_that_has_its_penalty(truth, above):
    """The linear adversary of budget E|M v|^2 with M = (C Sigma - I)^-1 is the penalised one of constant C."""
    c = above / float(truth.min())
    eps = float((truth / (c * truth - 1).square()).sum().sqrt())
    gain = theory.loss(truth, truth, eps) - theory.loss(truth, truth)
    assert 2 * gain == pytest.approx(penalised_excess(truth, c), rel=1e-6, abs=1e-9)


@some
@given(variances, st.floats(1.05, 50), st.floats(0.05, 1))
def test_at_a_fixed_trace_a_round_class_is_least_vulnerable(truth, above, relative):
    even = torch.full_like(truth, float(truth.mean()))
    c = above / float(truth.min())
    assert penalised_excess(even, c) <= penalised_excess(truth, c) * (1 + 1e-9)
    eps = relative * float(truth.sum().sqrt())
    gains = [theory.loss(s, s, eps) - theory.loss(s, s) for s in (even, truth)]
    assert gains[0] <= gains[1] * (1 + 1e-9)


# Theorem 2


@some
@given(variances, budgets)
def test_the_robust_fit_is_the_plain_fit_of_the_moved_points(truth, eps):
    """Theorem 2's fixed point: Sigma_r = (I + M) Sigma (I + M), with the adversary M of Sigma_r and budget eps^2."""
    model = theory.robust_fit(truth, eps)
    m = theory.linear_adversary(model, truth, eps)
    torch.testing.assert_close(truth * (1 + m).square(), model, rtol=1e-7, atol=0)
    assert float((truth * m.square()).sum()) == pytest.approx(eps**2, rel=1e-9), "squared, unlike eq. (27) as printed"


@some
@given(variances, budgets, seeds)
def test_no_other_gaussian_does_better_under_the_adversary(truth, eps, seed):
    """The loss is convex in Sigma^-1, so that a local minimum is the only one."""
    model = theory.robust_fit(truth, eps)
    best = theory.loss(model, truth, eps)
    for size in (0.01, 0.5):
        for other in model * (size * normal(4, len(model), seed=seed)).exp():
            assert theory.loss(other, truth, eps) >= best - 1e-9 * abs(best)


@some
@given(variances)
def test_limits_of_the_robust_fit(truth):
    torch.testing.assert_close(theory.robust_fit(truth, 0.0), truth)
    torch.testing.assert_close(theory.robust_fit(truth, 1e-7), truth, rtol=1e-5, atol=0)
    eps = 1e6
    torch.testing.assert_close(
        theory.robust_fit(truth, eps), torch.full_like(truth, eps**2 / len(truth)), rtol=1e-3, atol=0
    )


def test_the_practical_recipe_gives_the_slopes_that_were_computed_by_hand():
    mu = torch.tensor([10.0, -1.0], dtype=DOUBLE)
    slopes = [theory.slope(mu, theory.robust_fit(PLANE, eps)) for eps in (0.0, 1.0, 5.0, 10.0)]
    assert slopes == pytest.approx([0.2, 0.98, 4.09, 6.00], abs=0.005)


# Theorem 3


@some
@given(variances, budgets, seeds)
def test_a_robust_gradient_is_better_aligned(truth, eps, seed):
    """Theorem 3 for the worst mean; and, our remark, for every mean and every larger budget."""
    truth = truth * torch.linspace(1, 1.5, len(truth), dtype=DOUBLE)
    kappa = theory.condition_number(truth)
    models = [theory.robust_fit(truth, e) for e in (0.0, eps, 2 * eps)]
    if kappa > 1.001:
        kappas = [theory.condition_number(model) for model in models]
        assert kappas[0] > kappas[1] > kappas[2] >= 1
        assert theory.worst_cosine(kappas[0]) < theory.worst_cosine(kappas[1])
    for mu in normal(5, len(truth), seed=seed):
        angles = [theory.angle(mu, model) for model in models]
        assert angles[0] >= angles[1] - 1e-5 and angles[1] >= angles[2] - 1e-5


@some
@given(variances, seeds)
def test_the_worst_cosine_is_attained_and_never_undercut(model, seed):
    bound = theory.worst_cosine(theory.condition_number(model))
    worst = torch.zeros_like(model)
    worst[model.argmax()], worst[model.argmin()] = model.max().sqrt(), model.min().sqrt()
    if model.argmax() != model.argmin():
        assert math.cos(math.radians(theory.angle(worst, model))) == pytest.approx(bound, abs=1e-9)
    for mu in normal(5, len(model), seed=seed):
        assert math.cos(math.radians(theory.angle(mu, model))) >= bound - 1e-9


# Accuracy


@pytest.mark.parametrize("ellipse", [False, True])
@pytest.mark.parametrize("eps", [0.0, 1.0])
def test_accuracy_is_what_moved_points_get(ellipse, eps):
    mu, n = torch.tensor([2.0, -0.5], dtype=DOUBLE), 100_000
    truth, model = torch.tensor([2.0, 0.5], dtype=DOUBLE), torch.tensor([3.0, 1.0], dtype=DOUBLE)
    x = mu + standard_draws((n, 2), draws(), ellipse=ellipse) * truth.sqrt()
    w = mu / model
    counted = float((x @ w - eps * w.norm() > 0).double().mean())
    exact = theory.accuracy(mu, model, truth, eps, ellipse=ellipse)
    assert 0.5 < exact < 0.999
    assert counted == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / n))


def test_draws_have_covariance_one():
    for ellipse in (False, True):
        z = standard_draws((50_000, 2), draws(1), ellipse=ellipse)
        torch.testing.assert_close(z.mT @ z / len(z), torch.eye(2, dtype=DOUBLE), rtol=0, atol=0.03)
        assert not ellipse or float(z.norm(dim=1).max()) <= 2


# The experiment


@pytest.mark.parametrize("eps", [0.0, 1.0, 10.0])
def test_gradient_descent_against_the_linear_adversary_finds_theorem_2(eps):
    """On a sample theorem 2 holds exactly of its own second moments."""
    u = torch.tensor([10.0, -1.0], dtype=DOUBLE) + theory.turn(normal(200, 2) * PLANE.sqrt(), 30.0)[None]
    fit = train(u, eps, "average")
    v = u - u.mean(1, keepdim=True)
    values, vectors = torch.linalg.eigh((v.mT @ v / v.shape[1])[0])
    expected = vectors @ torch.diag(theory.robust_fit(values, eps)) @ vectors.mT
    torch.testing.assert_close(fit.covariance[0], expected, rtol=0.01, atol=0.02)


@pytest.mark.parametrize("eps", [1.0, 5.0])
def test_gradient_descent_against_each_point_finds_what_lemma_1_solves(eps):
    z = normal(200, 2)
    v = torch.cat([z, -z]) * PLANE.sqrt()
    v = v @ torch.linalg.eigh(v.mT @ v)[1]  # into its own axes
    fit = train((v + 3)[None], eps, "each", inner=8)
    solved = sampled_variances(v, eps, theory.robust_fit(v.square().mean(0), eps), steps=80)
    torch.testing.assert_close(fit.covariance[0].diagonal(), solved, rtol=0.02, atol=0)
    moved = v + theory.worst_move(v, solved, eps)
    torch.testing.assert_close(moved.square().mean(0), solved, rtol=1e-3, atol=0)


def test_the_two_adversaries_meet_in_many_dimensions():
    differences = []
    for dim in (2, 60):
        (formula,) = views.alignment(dim, 100.0, [0.4])
        (sampled,) = views.sampled_alignment(dim, 100.0, [0.4])
        differences.append(abs(formula - sampled))
    assert differences[0] > 3 * differences[1]
    assert differences[1] < 0.5


# Views


@pytest.mark.parametrize("budget", ["each", "average"])
def test_turning_everything_changes_no_number(budget):
    still = GaussianRecipe(budget=budget)
    mu = theory.turn(torch.tensor([[10.0, -1.0]], dtype=DOUBLE), 40.0)[0].tolist()
    x, y = torch.tensor([[6.0, 3.0], [-6.0, 3.0]], dtype=DOUBLE), torch.tensor([1.0, -1.0], dtype=DOUBLE)
    turned = replace(still, mu1=mu[0], mu2=mu[1], angle=40.0)
    for name, side in views.sides(still).items():
        other = views.sides(turned)[name]
        for number in ("angle", "kappa", "clean", "attacked", "loss", "attacked_loss"):
            assert getattr(other, number) == pytest.approx(getattr(side, number)), number
        assert math.atan(other.slope) == pytest.approx(math.atan(side.slope) + math.radians(40))
        moves = theory.turn(views.moves(still, side.variances, x, y), 40.0)
        torch.testing.assert_close(views.moves(turned, other.variances, theory.turn(x, 40.0), y), moves)


def test_moves_make_points_unlikely_for_their_own_class():
    recipe = GaussianRecipe(angle=25.0)
    x, y = views.points(recipe)
    for side in views.sides(recipe).values():
        moved = x + views.moves(recipe, side.variances, x, y)
        before, after = (
            ((theory.turn(p * y[:, None], -25.0) - views.mu_of(recipe)).square() / side.variances).sum(1)
            for p in (x, moved)
        )
        assert bool((after > before).all())
        torch.testing.assert_close((moved - x).norm(dim=1), torch.ones(len(x), dtype=DOUBLE))


def test_the_gap_of_an_ellipse_is_the_distance_of_its_nearest_point():
    recipe = GaussianRecipe(mu1=10.0, mu2=6.0, var1=6.25, var2=2.25, shape="ellipse")
    turns = torch.linspace(0, 2 * math.pi, 10_001, dtype=DOUBLE)
    rim = torch.tensor([10.0, 6.0], dtype=DOUBLE) + torch.stack([5 * turns.cos(), 3 * turns.sin()], 1)
    for normal_ in ([0.3, 1.0], [1.0, 0.0]):
        n = torch.tensor(normal_, dtype=DOUBLE)
        assert views.gap(recipe, n) == pytest.approx(float((rim @ n / n.norm()).min()), abs=1e-5)


def test_figure_14_as_a_preset_is_perfectly_robust_and_maximum_likelihood_is_not():
    recipe = GaussianRecipe(mu1=10.0, mu2=2.4, var1=6.25, var2=0.04, eps=4.0, shape="ellipse")
    both = views.sides(recipe)
    assert both["standard"].clean == both["robust"].clean == both["robust"].attacked == 1
    assert both["standard"].attacked == 0


@pytest.mark.parametrize("angle", [0.0, 60.0])
def test_the_picture_is_tinted_by_what_each_model_says(angle):
    recipe = GaussianRecipe(eps=5.0, angle=angle, mu1=9.0, mu2=4.0)
    picture = drawing.drawing(recipe)
    unit, head = drawing.UNIT, 3 * drawing.UNIT
    assert picture.shape == (20 * unit + head, 82 * unit, 3)
    for i, side in enumerate(views.sides(recipe).values()):
        w = theory.turn((views.mu_of(recipe) / side.variances)[None], angle)[0]
        for corner in ((-19.5, 9.5), (19.5, 9.5), (-19.5, -9.5), (19.5, -9.5)):
            row, column = head + (10 - corner[1]) * unit, i * 42 * unit + (corner[0] + 20) * unit
            plus = float(w @ torch.tensor(corner, dtype=DOUBLE)) > 0
            tint = "#" + bytes(picture[int(row), int(column)]).hex()
            assert tint == drawing.TINTS[1 if plus else -1], corner


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "100.0 %"), (0.9999, ">99.9 %"), (0.947, "94.7 %"), (1e-5, "<0.1 %"), (0.0, "0.0 %")]
)
def test_percent_never_rounds_to_all_or_nothing(value, text):
    assert views.percent(value) == text


def test_the_script_runs_and_prints_the_numbers_of_the_view():
    recipe = GaussianRecipe(eps=2.0, angle=10.0)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(views.script(recipe), {})  # noqa: S102
    robust = views.sides(recipe)["robust"]
    assert f"robust: angle {robust.angle:.2f} degrees" in said.getvalue()
    assert "by gradient descent, budget average" in said.getvalue()


def test_the_recipe_survives_a_file():
    recipe = GaussianRecipe(mu1=-3.25, angle=17.0, eps=0.05, shape="ellipse")
    assert from_json(GaussianRecipe, to_json(recipe)) == recipe
    with pytest.raises(ValueError, match="finite"):
        from_json(GaussianRecipe, to_json(recipe).replace("0.05", "NaN"))


# Bad input


def test_bad_numbers_are_one_sentence():
    with pytest.raises(REFUSED, match="variances > 0"):
        theory.robust_fit(torch.tensor([1.0, 0.0], dtype=DOUBLE), 1.0)
    with pytest.raises(REFUSED, match="eps must be a finite number >= 0, got -1"):
        theory.robust_fit(PLANE, -1.0)
    with pytest.raises(ValueError, match="same mean"):
        theory.angle(torch.zeros(2, dtype=DOUBLE), PLANE)
    with pytest.raises(ValueError, match="two dimensions, got 3"):
        standard_draws((4, 3), draws(), ellipse=True)
