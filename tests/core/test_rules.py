"""Rules of the loop: what makes quasi-Newton steps worth their memory, and what must never happen with them."""

import math

import pytest
import torch
from torch import Tensor

from core.attacks import descend
from core.attacks.balls import L2
from core.attacks.rules import Rule, State, lbfgs, momentum, steepest, step_lengths
from tests.helpers import draws, images

ANYWHERE = L2(math.inf)
SIZE = 3 * 8 * 8
each_rule = pytest.mark.parametrize(
    "make",
    [lambda: lbfgs(1.0), lambda: steepest(ANYWHERE, 0.1), lambda: momentum(ANYWHERE, 0.1)],
    ids=["lbfgs", "steepest", "momentum"],
)


def ill_conditioned(target: Tensor, condition: float = 1e3):
    """|A (x - target)| with singular values from 1 to 1 / condition, in a random basis."""
    basis = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=draws(5), dtype=torch.float64))[0].to(target.dtype)
    a = basis * torch.logspace(0, -math.log10(condition), SIZE, dtype=target.dtype)[:, None]
    return lambda x: torch.linalg.vector_norm((x - target).flatten(1) @ a.T, dim=1)


def ran(rule: Rule, objective, x: Tensor, steps: int = 60) -> Tensor:
    return descend(objective, x, ANYWHERE, steps=steps, rule=rule, best=True)


def inner(n: int, seed: int) -> Tensor:
    """Images away from the ends of the pixel range, where nothing is clipped."""
    return 0.3 + 0.4 * images(n, seed=seed)


def test_lbfgs_goes_where_steepest_descent_does_not_with_the_same_steps():
    target, x = inner(3, 1), inner(3, 2)
    objective = ill_conditioned(target)
    quick = objective(ran(lbfgs(1.0), objective, x))
    for step_size in (0.01, 0.03, 0.1, 0.3):
        plain = objective(ran(steepest(ANYWHERE, step_size), objective, x))
        assert (quick < 0.5 * plain).all()


def test_lbfgs_needs_few_steps_for_a_round_bowl():
    target, x = inner(2, 1), inner(2, 2)
    objective = ill_conditioned(target, condition=1)
    assert (objective(ran(lbfgs(1.0), objective, x, 15)) < 1e-3 * objective(x)).all()


def test_no_step_of_lbfgs_goes_uphill():
    """The update is subtracted, so it must point along the gradient, wherever the iterates are sent."""
    rule, x = lbfgs(1.0), images(4, seed=1)
    for i in range(30):
        state = State(images(4, seed=10 + i), torch.rand(4, generator=draws(i)) + 0.1, images(4, seed=50 + i) - 0.5)
        update = rule(i, state)
        assert ((update * state.grad).flatten(1).sum(1) > 0).all()
        assert update.isfinite().all()
    assert x.shape == update.shape


def test_no_step_of_lbfgs_is_longer_than_its_trust():
    rule = lbfgs(0.5)
    for i in range(20):
        grown = 0.5 * 1.5**i
        update = rule(i, State(images(2, seed=i), torch.full((2,), 2.0 - i / 20), 100 * (images(2, seed=90 + i) - 0.5)))
        assert (update.flatten(1).norm(dim=1) <= min(grown, 20) * (1 + 1e-4)).all()


def by_the_book(states: list[State], radius: float, memory: int) -> list[Tensor]:
    """The updates for one picture (D,), from the matrix of Nocedal & Wright (2006), eq. 6.17, and a trust radius."""
    updates, pairs, trust = [], [], radius
    for i, now in enumerate(states):
        grad = (now.values[0] * now.grad).flatten()
        step = trust * grad / grad.norm()
        if i:
            before = states[i - 1]
            pairs.append(((now.x - before.x).flatten(), grad - (before.values[0] * before.grad).flatten()))
            trust = min(20, max(1e-3, trust * (1.5 if now.values[0] < before.values[0] else 0.5)))
            s, y = pairs[-1]
            useful = s @ y > 1e-10 * (y @ y)
            inverse = torch.eye(len(grad), dtype=grad.dtype) * (s @ y / (y @ y) if useful else 1.0)
            for s, y in pairs[-memory:]:
                if s @ y > 1e-10 * (y @ y):
                    across = torch.eye(len(grad), dtype=grad.dtype) - torch.outer(y, s) / (s @ y)
                    inverse = across.T @ inverse @ across + torch.outer(s, s) / (s @ y)
            step = inverse @ grad
            step = step if step @ grad > 0 else trust * grad / grad.norm()
        updates.append(step * min(1, trust / float(step.norm())))
    return updates


@pytest.mark.parametrize("memory", [3, 20])
@pytest.mark.parametrize("scale", [1e-3, 1.0], ids=["flat", "steep"])
def test_lbfgs_is_that_of_the_book_whatever_the_states(memory, scale):
    """Pairs of any curvature, values that rise, fall and stay; more steps than are remembered, radii at both bounds."""
    for values in (
        range(60, 34, -1),
        [2.0] * 26,
        (3 + torch.rand(26, generator=draws(3), dtype=torch.float64)).tolist(),
    ):
        states = [
            State(
                images(1, size=2, seed=i, dtype=torch.float64),
                torch.tensor([float(value)], dtype=torch.float64),
                scale * (images(1, size=2, seed=100 + i, dtype=torch.float64) - 0.3),
            )
            for i, value in enumerate(values)
        ]
        rule = lbfgs(0.5) if memory == 20 else lbfgs(0.5, memory)
        updates = [rule(i, state).flatten() for i, state in enumerate(states)]
        for ours, books in zip(updates, by_the_book(states, 0.5, memory), strict=True):
            torch.testing.assert_close(ours, books, rtol=1e-6, atol=1e-12)


@each_rule
def test_rows_of_a_batch_do_not_influence_each_other(make):
    target, x = inner(4, 1), inner(4, 2)
    basis = ill_conditioned(torch.zeros(1, 3, 8, 8))

    def towards(t: Tensor):
        return lambda images: basis(images - t)

    together = ran(make(), towards(target), x, 12)
    alone = torch.cat([ran(make(), towards(target[i : i + 1]), x[i : i + 1], 12) for i in range(4)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


@each_rule
def test_a_zero_gradient_moves_nothing_and_makes_no_nan(make):
    x = images(2)
    made = descend(lambda x: 0 * x.flatten(1).sum(1) + 1, x, ANYWHERE, steps=5, rule=make())
    torch.testing.assert_close(made, x)


def test_a_start_that_is_the_solution_stays_and_makes_no_nan():
    """The norm has no derivative there."""
    x = inner(2, 1)
    objective = ill_conditioned(x)
    made = ran(lbfgs(1.0), objective, x, 5)
    assert torch.equal(made, x)
    assert (objective(made) == 0).all()


def test_a_row_that_is_done_does_not_hold_up_the_others():
    target = inner(2, 1)
    x = torch.cat([target[:1], inner(1, 2)])
    objective = ill_conditioned(target, 1)
    made = ran(lbfgs(1.0), objective, x, 20)
    assert torch.equal(made[0], target[0])
    assert objective(made)[1] < 1e-2 * objective(x)[1]


def test_step_sizes_that_do_not_fit_are_refused():
    state = State(images(2), torch.ones(2), images(2))
    with pytest.raises(ValueError, match="one per image"):
        steepest(ANYWHERE, torch.ones(3))(0, state)
    with pytest.raises(ValueError, match="there is a step 2"):
        steepest(ANYWHERE, [0.1])(1, state)


# Step lengths


def test_the_cosine_falls_from_eps_to_nearly_nothing_and_can_cross_the_ball():
    lengths = step_lengths("cosine", 10)
    assert lengths[0] == 1
    assert lengths[5] == pytest.approx(0.5)
    assert lengths[-1] == pytest.approx((1 - math.cos(math.pi / 10)) / 2)
    assert list(lengths) == sorted(lengths, reverse=True)
    assert sum(lengths) == pytest.approx(5.5)


def test_constant_steps_are_the_customary_ones_and_a_single_step_is_fgsm_either_way():
    assert step_lengths("constant", 20) == (0.125,) * 20
    assert step_lengths("constant", 1) == step_lengths("cosine", 1) == (1.0,)
    assert step_lengths("constant", 0) == step_lengths("cosine", 0) == ()
    with pytest.raises(ValueError, match="one of cosine, constant"):
        step_lengths("linear", 3)


def test_a_length_for_each_step_may_differ_by_image():
    state = State(images(2), torch.zeros(2), torch.ones(2, 3, 8, 8))
    rule = steepest(ANYWHERE, [torch.tensor([1.0, 2.0]), 3.0])
    assert rule(0, state).flatten(1).norm(dim=1).tolist() == pytest.approx([1, 2])
    assert rule(1, state).flatten(1).norm(dim=1).tolist() == pytest.approx([3, 3])


def test_momentum_takes_a_length_for_each_step_and_image():
    """The velocity is that of unit steps; each step is as long as is asked of it."""
    state = State(images(2), torch.zeros(2), torch.ones(2, 3, 8, 8))
    rule = momentum(ANYWHERE, [torch.tensor([1.0, 2.0]), 3.0], beta=0.5)
    assert rule(0, state).flatten(1).norm(dim=1).tolist() == pytest.approx([1, 2])
    assert rule(1, state).flatten(1).norm(dim=1).tolist() == pytest.approx([4.5, 4.5])
