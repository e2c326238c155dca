"""The loop: it reaches known optima, stays in the ball and the box, and leaves nothing behind."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from core.attacks import Stop, balls, check_pixels, descend, pgd
from core.attacks.balls import L2, Linf
from core.attacks.objectives import Objective, targeted, untargeted
from core.attacks.rules import State, momentum, steepest
from tests.helpers import REFUSED, Plane, draws, grey, images, tiny, trained

both = pytest.mark.parametrize("norm", ["Linf", "L2"])
EPS = {"Linf": 8 / 255, "L2": 0.5}


def total(x: Tensor) -> Tensor:
    """The simplest objective: the sum of the pixels; its gradient is 1 everywhere."""
    return x.flatten(1).sum(1)


def bowl(centre: float | Tensor) -> Objective:
    """Make an objective with its minimum 0 where all pixels equal centre."""
    return lambda x: ((x - centre) ** 2).flatten(1).sum(1)


# Known optima


@both
@pytest.mark.parametrize("random_start", [False, True], ids=["from x", "random start"])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (3, 3, 4, 5), (8, 1, 7, 2)], ids=str)
def test_pgd_reaches_the_optimum_of_a_linear_model(norm, random_start, shape):
    """min over the ball of w . x is w . x - eps |w|_dual: |w|_1 for Linf, |w|_2 for L2 (N images at once)."""
    w = torch.randn(shape[1:], generator=draws(1), dtype=torch.float64)
    model, x, eps = Plane(w), torch.full(shape, 0.5, dtype=torch.float64), 0.1
    y = torch.zeros(len(x), dtype=torch.long)
    x_adv = pgd(
        untargeted(model, y),
        x,
        balls.make(norm, eps),
        steps=200,
        step_size=0.03,
        random_start=random_start,
        generator=draws(),
    )
    length = w.abs().sum() if norm == "Linf" else (w**2).sum().sqrt()
    torch.testing.assert_close(model.score(x_adv), model.score(x) - eps * length, rtol=0, atol=1e-6)


@both
@pytest.mark.parametrize("t", [0, 1])
def test_targeted_pgd_reaches_the_optimum_on_its_side(norm, t):
    """Toward class 0 the score becomes w . x + eps |w|_dual, toward class 1 w . x - eps |w|_dual."""
    w = torch.randn(3, 4, 4, generator=draws(1), dtype=torch.float64)
    model, x, eps = Plane(w), grey(2, size=4), 0.1
    x_adv = pgd(targeted(model, torch.tensor([t, t])), x, balls.make(norm, eps), steps=10, step_size=0.03)
    length = w.abs().sum() if norm == "Linf" else (w**2).sum().sqrt()
    torch.testing.assert_close(model.score(x_adv) - model.score(x), (1 - 2 * t) * eps * length.expand(2))


def test_pgd_reaches_the_optimum_at_the_edge_of_the_pixel_range():
    """For Linf the box changes the optimum to clamp(x - eps sign w, 0, 1), pixel by pixel."""
    w = torch.randn(3, 8, 8, generator=draws(1))
    x = images(4)
    y = torch.zeros(4, dtype=torch.long)
    x_adv = pgd(untargeted(Plane(w), y), x, Linf(0.3), steps=20, step_size=0.05)
    torch.testing.assert_close(x_adv, (x - 0.3 * w.sign()).clamp(0, 1))


def test_the_projection_comes_before_the_clamp():
    """An L2 step of 2 eps lands on clamp(x - eps w / |w|, 0, 1): what the box takes away is not made up elsewhere.

    That is the order of foolbox, torchattacks and MadryLab/robustness.
    """
    w = torch.randn(3, 8, 8, generator=draws(1))
    x = images(4)
    x_adv = pgd(untargeted(Plane(w), torch.zeros(4, dtype=torch.long)), x, L2(3.0), steps=1, step_size=6.0)
    torch.testing.assert_close(x_adv, (x - 3.0 * w / w.norm()).clamp(0, 1))


@both
def test_each_image_may_have_its_own_radius(norm):
    """A whole eps sweep is one batch: row i reaches w . x - eps_i |w|_dual, row 0 stays with eps 0."""
    w = torch.randn(3, 4, 4, generator=draws(1), dtype=torch.float64)
    model, x = Plane(w), grey(4, size=4)
    eps = torch.tensor([0.0, 0.01, 0.05, 0.2], dtype=torch.float64)
    y = torch.zeros(4, dtype=torch.long)
    x_adv = pgd(untargeted(model, y), x, balls.make(norm, eps), steps=10, step_size=0.5 * eps)
    length = w.abs().sum() if norm == "Linf" else (w**2).sum().sqrt()
    torch.testing.assert_close(model.score(x_adv), model.score(x) - eps * length)


# Step lengths


@both
@pytest.mark.parametrize(
    ("step_size", "travelled"),
    [
        (0.01, [0.03, 0.03]),
        (torch.tensor([0.01, 0.02]), [0.03, 0.06]),
        ([0.01, 0.02, 0.04], [0.07, 0.07]),
        ((0.0, 0.0, 0.05), [0.05, 0.05]),
    ],
    ids=["number", "one per image", "one per step", "tuple"],
)
def test_steps_have_the_length_that_was_asked_for(norm, step_size, travelled):
    """Along a constant gradient |x_adv - x| is the sum of the step lengths, in the ball's own norm."""
    x = grey(2, size=4)
    x_adv = pgd(total, x, balls.make(norm, 10.0), steps=3, step_size=step_size)
    torch.testing.assert_close(
        balls.make(norm, 1.0).norm(x_adv - x), torch.tensor(travelled, dtype=torch.float64), rtol=1e-6, atol=0
    )


@both
def test_momentum_travels_as_its_geometric_series_says(norm):
    """Along a constant gradient v_i = (1 - beta^i) / (1 - beta), so n steps of length s travel s sum v_i."""
    x, beta, ball = grey(2, size=4), 0.5, balls.make(norm, 10.0)
    x_adv = descend(total, x, ball, steps=3, rule=momentum(ball, 0.01, beta))
    torch.testing.assert_close(ball.norm(x_adv - x), torch.full((2,), 0.01 * (1 + 1.5 + 1.75), dtype=torch.float64))


def test_momentum_gets_further_than_steepest_descent_in_a_narrow_valley():
    """On sum h_i (x_i - c)^2 with h from 1 to 300 steepest steps zigzag across; the heavy ball rolls along."""
    h = torch.logspace(0, 2.5, 16, dtype=torch.float64).reshape(1, 1, 4, 4)

    def valley(x: Tensor) -> Tensor:
        return (h * (x - 0.2) ** 2).flatten(1).sum(1)

    x, ball = torch.full((1, 1, 4, 4), 0.9, dtype=torch.float64), L2(float("inf"))
    reached = {
        step: float(valley(descend(valley, x, ball, steps=100, rule=steepest(ball, step))))
        for step in (0.01, 0.03, 0.1)
    }
    rolled = float(valley(descend(valley, x, ball, steps=100, rule=momentum(ball, 0.01))))
    assert rolled < 0.5 * min(reached.values())


def test_a_rule_sees_the_number_of_the_step_and_the_gradient():
    """Any (step, state) -> update is a rule; its update is subtracted as it is."""
    seen: list[int] = []

    def rule(i: int, state: State) -> Tensor:
        seen.append(i)
        return 0.01 * state.grad

    x = grey(1, size=2)
    x_adv = descend(total, x, Linf(1.0), steps=4, rule=rule)
    assert seen == [0, 1, 2, 3]
    torch.testing.assert_close(x_adv, x - 0.04)


# Constraints


@both
@pytest.mark.parametrize("random_start", [False, True], ids=["from x", "random start"])
def test_radius_zero_returns_the_input_bit_for_bit(norm, random_start):
    """eps = 0: x_adv = x, no NaN from 0/0, no rounding."""
    x, y = images(4, size=16), torch.arange(4)
    x_adv = pgd(
        untargeted(tiny(), y),
        x,
        balls.make(norm, 0.0),
        steps=3,
        step_size=0.1,
        random_start=random_start,
        generator=draws(),
    )
    assert torch.equal(x_adv, x)


@both
def test_zero_steps_return_the_input(norm):
    """No step, no change; with a random start, the start."""
    x, ball = images(), balls.make(norm, EPS[norm])
    assert torch.equal(pgd(total, x, ball, steps=0, step_size=1.0), x)
    assert torch.equal(pgd(total, x, ball, steps=0, step_size=1.0, best=True), x)
    started = pgd(total, x, ball, steps=0, step_size=1.0, random_start=True, generator=draws())
    assert torch.equal(started, (x + ball.sample(x, draws())).clamp(0, 1))


@both
@pytest.mark.parametrize("random_start", [False, True], ids=["from x", "random start"])
@pytest.mark.parametrize("best", [False, True], ids=["last", "best"])
def test_ball_and_box_are_never_left(norm, random_start, best):
    """|x_i - x| <= eps and 0 <= x_i <= 1 at every iterate, up to the last bit of float32, for steps far too long."""
    ball = balls.make(norm, EPS[norm])
    x, y = images(4, size=16).round(decimals=1), torch.arange(4)  # many pixels at exactly 0 and 1
    iterates: list[Tensor] = []
    x_adv = pgd(
        untargeted(tiny(), y),
        x,
        ball,
        steps=15,
        step_size=3 * EPS[norm],
        random_start=random_start,
        generator=draws(),
        best=best,
        on_step=lambda _, state: iterates.append(state.x),
    )
    for iterate in [*iterates, x_adv]:
        assert 0 <= iterate.min() <= iterate.max() <= 1
        assert (ball.norm(iterate - x) <= EPS[norm] + 1e-6).all()
    assert ball.norm(x_adv - x).min() > 0.3 * EPS[norm]


@both
def test_the_ball_is_around_the_original_and_not_around_the_last_iterate(norm):
    """50 steps of eps along a constant gradient end at distance eps, not 50 eps."""
    x, ball = grey(2, size=4), balls.make(norm, 0.01)
    x_adv = pgd(total, x, ball, steps=50, step_size=0.01)
    torch.testing.assert_close(ball.norm(x_adv - x), torch.full((2,), 0.01, dtype=torch.float64))


def test_a_given_start_is_brought_into_the_ball():
    """The first iterate is P(start), not start."""
    x = grey(1, size=4)
    first: list[Tensor] = []

    def look(_: int, state: State) -> bool:
        first.append(state.x)
        return True

    descend(total, x, Linf(0.1), steps=1, rule=steepest(Linf(0.1), 0.0), start=x + 0.4, on_step=look)
    torch.testing.assert_close(first[0], x + 0.1)


@pytest.mark.parametrize("k", [1, 2, 4, 8, 16])
def test_linf_radius_of_whole_grey_levels_survives_rounding_to_8_bits(k):
    """round(255 x_adv) differs from 255 x by at most k for eps = k/255 and an 8-bit x."""
    levels = (images(4, size=16) * 255).round()
    x_adv = pgd(untargeted(tiny(), torch.arange(4)), levels / 255, Linf(k / 255), steps=9, step_size=0.37 * k / 255)
    assert ((x_adv * 255).round() - levels).abs().max() == k


@both
def test_random_start_is_uniform_in_the_ball(norm):
    """L2: (|d| / eps)^dim has mean 1/2 and variance 1/12. Linf: every d_i / eps has mean 0 and variance 1/3."""
    x, eps = grey(5000, 3, 2), 0.2
    d = pgd(total, x, balls.make(norm, eps), steps=0, step_size=1.0, random_start=True, generator=draws()) - x
    if norm == "L2":
        u = (L2(eps).norm(d) / eps) ** 12
        assert abs(float(u.mean()) - 1 / 2) < 0.02
        assert abs(float(u.var()) - 1 / 12) < 0.01
    else:
        assert (d / eps).mean(0).abs().max() < 0.05
        assert ((d / eps).var(0) - 1 / 3).abs().max() < 0.03


def test_random_start_comes_from_the_generator_alone():
    """torch's global generator is neither read nor moved."""
    before = torch.get_rng_state()
    pgd(total, images(), L2(0.5), steps=1, step_size=0.1, random_start=True, generator=draws())
    assert torch.equal(torch.get_rng_state(), before)


# Examples do not influence each other


@both
@pytest.mark.parametrize("best", [False, True], ids=["last", "best"])
def test_a_batch_is_its_images_attacked_one_by_one(norm, best):
    """pgd(x)_i = pgd(x_i), batch size 1 included."""
    model, x, y = tiny().double(), images(5, size=16, dtype=torch.float64), torch.arange(5)
    ball = balls.make(norm, EPS[norm])

    def attack(rows: slice) -> Tensor:
        return pgd(untargeted(model, y[rows]), x[rows], ball, steps=6, step_size=EPS[norm] / 3, best=best)

    whole = attack(slice(None))
    torch.testing.assert_close(whole, torch.cat([attack(slice(i, i + 1)) for i in range(5)]), rtol=0, atol=1e-9)
    torch.testing.assert_close(whole, torch.cat([attack(slice(0, 2)), attack(slice(2, 5))]), rtol=0, atol=1e-9)


def test_gradients_are_of_the_sum_and_not_of_the_mean():
    """d sum_j f(x_j) / d x_i = f'(x_i): a rule that uses raw gradients works alike for every batch size."""
    x = images(6, dtype=torch.float64)

    def attack(x: Tensor) -> Tensor:
        return descend(bowl(0.5), x, Linf(1.0), steps=3, rule=lambda _, state: 0.1 * state.grad)

    torch.testing.assert_close(attack(x), 0.5 + 0.8**3 * (x - 0.5))
    torch.testing.assert_close(attack(x), torch.cat([attack(row[None]) for row in x]))


@both
def test_an_image_alone_may_have_a_dead_gradient(norm):
    """A row whose gradient is 0 stays, the others go on, nothing turns to NaN."""
    weight = torch.tensor([0.0, 1.0], dtype=torch.float64)
    x = grey(2, size=4)
    x_adv = pgd(lambda x: weight * total(x), x, balls.make(norm, 0.1), steps=5, step_size=0.1)
    assert torch.equal(x_adv[0], x[0])
    assert float(balls.make(norm, 1.0).norm(x_adv - x)[1]) == pytest.approx(0.1)


# Best iterate


def overshooting() -> tuple[Tensor, Objective, list[Tensor]]:
    """Make rows whose objective |mean - c_i| is passed at different steps, and what records every value."""
    centres = torch.tensor([0.52, 0.58, 0.71, 0.9], dtype=torch.float64)
    seen: list[Tensor] = []

    def objective(x: Tensor) -> Tensor:
        values = (x.flatten(1).mean(1) - centres).abs()
        seen.append(values.detach())
        return values

    return grey(4, size=4), objective, seen


def test_best_keeps_the_lowest_iterate_of_each_image():
    """min over iterates 0..steps of f(x_i), per row, the last one included; and never above the last one's value."""
    x, objective, seen = overshooting()
    ball, steps = Linf(0.5), 8
    last = pgd(objective, x, ball, steps=steps, step_size=0.03)
    assert len(seen) == steps
    seen.clear()
    best = pgd(objective, x, ball, steps=steps, step_size=0.03, best=True)
    assert len(seen) == steps + 1  # one more evaluation judges the last iterate
    values = torch.stack(seen)
    reached = objective(best)
    torch.testing.assert_close(reached, values.amin(0))
    assert len(set(values.argmin(0).tolist())) >= 3  # rows have their best at different steps
    assert (reached <= objective(last)).all()
    assert (reached < objective(last)).any()


def test_best_stays_with_the_lowest_where_values_rise_and_fall_again():
    """Of 3, 1, 2, 1.5 the second is best: what is better than the one before it need not be better than the best."""
    values = iter([3.0, 1.0, 2.0, 1.5])
    kept = pgd(
        lambda x: total(x) - total(x).detach() + next(values), grey(1), Linf(0.5), steps=3, step_size=0.1, best=True
    )
    torch.testing.assert_close(kept, grey(1) - 0.1)


def test_best_counts_the_last_iterate():
    """On a bowl that is still falling, best = last."""
    x = grey(2, size=4)
    kwargs = {"steps": 3, "step_size": 0.01}
    assert torch.equal(pgd(bowl(0.0), x, Linf(0.5), best=True, **kwargs), pgd(bowl(0.0), x, Linf(0.5), **kwargs))


def test_best_counts_the_start():
    """Where every step makes it worse, best = x."""
    x = grey(2, size=4)
    assert torch.equal(pgd(bowl(0.5), x, Linf(0.5), steps=3, step_size=0.1, best=True), x)


def accuracy(model: torch.nn.Module, x: Tensor, y: Tensor) -> float:
    """Compute the fraction of images that are classified as y."""
    return float((model(x).argmax(1) == y).float().mean())


@both
def test_more_steps_are_never_worse_with_best(norm):
    """The iterates of n steps are the first of those of n + k: the minimum cannot rise, for any image."""
    model, x, y = trained()
    x, y = x[:40], y[:40]
    ball, objective = balls.make(norm, EPS[norm]), untargeted(model, y)
    values = [
        objective(pgd(objective, x, ball, steps=steps, step_size=EPS[norm] / 2, best=True)) for steps in (0, 1, 3, 8)
    ]
    for fewer, more in pairwise(values):
        assert (more <= fewer + 1e-5).all()
    assert (values[-1] < values[0] - 1).all()


@both
def test_a_larger_radius_is_never_worse_with_best(norm):
    """Robust accuracy does not rise with eps; it starts at the clean accuracy and ends at 0."""
    model, x, y = trained()
    x, y = x[:60], y[:60]
    survived = [
        accuracy(
            model,
            pgd(
                untargeted(model, y),
                x,
                balls.make(norm, k * EPS[norm]),
                steps=8,
                step_size=k * EPS[norm] / 4,
                best=True,
            ),
            y,
        )
        for k in (0.0, 0.5, 1.0, 2.0, 6.0)
    ]
    assert survived[0] == accuracy(model, x, y)
    assert survived == sorted(survived, reverse=True)
    assert 0.1 < survived[2] < 0.9
    assert survived[-1] == 0


# Watching and stopping


def test_on_step_sees_iterate_i_before_step_i_plus_one():
    """State i holds x_i, f(x_i) and the gradient there; x_0 is the start and the result is never shown."""
    seen: list[tuple[int, State]] = []
    x = grey(2, size=4)
    x_adv = pgd(bowl(0.0), x, Linf(0.5), steps=3, step_size=0.1, on_step=lambda i, state: seen.append((i, state)))
    assert [i for i, _ in seen] == [0, 1, 2]
    for i, state in seen:
        torch.testing.assert_close(state.x, x - 0.1 * i)
        torch.testing.assert_close(state.values, bowl(0.0)(state.x))
        torch.testing.assert_close(state.grad, 2 * state.x)
        assert not (state.x.requires_grad or state.values.requires_grad or state.grad.requires_grad)
    torch.testing.assert_close(x_adv, x - 0.3)


def test_on_step_sees_every_step_once_with_best():
    """The extra evaluation of `best` is not a step."""
    seen: list[int] = []
    pgd(bowl(0.0), grey(1, size=2), Linf(0.5), steps=3, step_size=0.1, best=True, on_step=lambda i, _: seen.append(i))
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("best", [False, True], ids=["last", "best"])
@pytest.mark.parametrize("how", ["true", "stop"])
def test_a_stop_ends_at_once_and_keeps_what_was_reached(how, best):
    """Stopped at step 2 the result is x_2, and the objective is not evaluated again."""
    calls = 0

    def objective(x: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return bowl(0.0)(x)

    def on_step(i: int, _: State) -> bool:
        if i == 2 and how == "stop":
            raise Stop
        return i == 2

    x = grey(2, size=4)
    x_adv = pgd(objective, x, Linf(0.5), steps=1000, step_size=0.1, best=best, on_step=on_step)
    torch.testing.assert_close(x_adv, x - 0.2)
    assert calls == 3


def test_a_stop_with_best_keeps_the_best_of_each_image():
    """Stopped long after the minimum was passed, each row has its minimum."""
    x, objective, seen = overshooting()
    x_adv = pgd(objective, x, Linf(0.5), steps=1000, step_size=0.03, best=True, on_step=lambda i, _: i == 11)
    torch.testing.assert_close(objective(x_adv), torch.stack(seen[:12]).amin(0))


def test_what_on_step_returns_besides_true_does_not_stop():
    """None, the value of a function without return, goes on."""
    x = grey(1, size=2)
    torch.testing.assert_close(pgd(total, x, Linf(0.5), steps=4, step_size=0.1, on_step=lambda *_: None), x - 0.4)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, StopIteration])
def test_other_exceptions_go_through(error):
    """Only Stop is a request; everything else is somebody else's."""

    def on_step(i: int, _: State) -> None:
        raise error("mine")

    with pytest.raises(error, match="mine"):
        pgd(total, grey(1), Linf(0.5), steps=4, step_size=0.1, on_step=on_step)


def test_a_cancel_from_another_thread_ends_the_loop_within_300_ms():
    """10,000 steps on a ResNet-9, cancelled after 0.1 s."""
    asked: list[float] = []
    timer = threading.Timer(0.1, lambda: asked.append(time.monotonic()))
    timer.start()
    x, y = images(4, size=32), torch.arange(4)
    pgd(untargeted(tiny(), y), x, L2(0.5), steps=10_000, step_size=0.1, on_step=lambda *_: bool(asked))
    assert asked
    assert time.monotonic() - asked[0] < 0.3


# Nothing is left behind


@both
@pytest.mark.parametrize("fails", [False, True], ids=["finishes", "raises"])
def test_model_and_images_are_as_before(norm, fails):
    """p.grad None, weights, batch statistics, modes, hooks, x: unchanged, also after an exception."""
    model, x, y = tiny(), images(4, size=16).requires_grad_(), torch.arange(4)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    copy = x.detach().clone()

    def on_step(i: int, _: State) -> None:
        if fails and i == 1:
            raise OSError("enough")

    try:
        x_adv = pgd(
            untargeted(model, y),
            x,
            balls.make(norm, 0.5),
            steps=3,
            step_size=0.1,
            random_start=True,
            best=True,
            on_step=on_step,
        )
        assert not x_adv.requires_grad
        assert x_adv.grad_fn is None
    except OSError:
        assert fails
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())
    assert [module.training for module in model.modules()] == modes
    assert not any(module._forward_hooks or module._backward_hooks for module in model.modules())
    assert x.grad is None
    assert x.requires_grad
    assert torch.equal(x.detach(), copy)


def test_an_attack_works_where_gradients_are_switched_off():
    """Callers may hold torch.no_grad; the loop switches gradients on for itself and off again."""
    x = grey(1)
    with torch.no_grad():
        x_adv = pgd(total, x, Linf(0.1), steps=2, step_size=0.1)
        assert not torch.is_grad_enabled()
    torch.testing.assert_close(x_adv, x - 0.1)


def test_inference_mode_is_refused_in_a_sentence():
    """Unlike `no_grad` it cannot be lifted for tensors that were made under it; torch's own words name no way out."""
    with torch.inference_mode(), pytest.raises(REFUSED, match=r"^gradients are .* use torch\.no_grad instead$"):
        pgd(total, grey(1), L2(0.5), steps=1, step_size=0.1)


def test_frozen_models_can_be_attacked():
    """Weights without gradients are the normal case in the app."""
    model, x = tiny().requires_grad_(False), images(2, size=16)
    x_adv = pgd(untargeted(model, torch.tensor([0, 1])), x, L2(0.5), steps=2, step_size=0.25)
    assert not torch.equal(x_adv, x)


@both
def test_equal_seeds_give_equal_bytes_in_four_threads(norm):
    """Two seeds, each attacked four times at once: same seed same bytes, other seed other bytes."""
    model, x, y = tiny(), images(2, size=16), torch.arange(2)

    def attack(seed: int) -> bytes:
        x_adv = pgd(
            untargeted(model, y),
            x,
            balls.make(norm, EPS[norm]),
            steps=4,
            step_size=0.01,
            random_start=True,
            generator=draws(seed),
        )
        return x_adv.numpy().tobytes()

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(attack, [1, 2] * 4))
    assert len(set(results[0::2])) == len(set(results[1::2])) == 1
    assert results[0] != results[1]


# Inputs


@both
@pytest.mark.parametrize(
    "layout",
    [
        lambda x: x.contiguous(memory_format=torch.channels_last),
        lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
        lambda x: torch.stack([x, x], -1)[..., 1],
        lambda x: x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2),
    ],
    ids=["channels_last", "transposed", "strided", "from NHWC"],
)
def test_memory_layout_does_not_matter(norm, layout):
    """The same pixels in any order of memory give the same attack."""
    model, x, y = tiny().double(), images(3, size=16, dtype=torch.float64), torch.arange(3)
    results = [
        pgd(untargeted(model, y), each, balls.make(norm, EPS[norm]), steps=4, step_size=EPS[norm] / 2, best=True)
        for each in (x, layout(x))
    ]
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("value", [-0.001, 1.001, 255.0, -2.1, float("nan"), float("inf")], ids=str)
def test_pixels_outside_the_range_are_refused_with_a_sentence(value):
    """Normalised or 0-255 inputs are the commonest confusion of all; one stray pixel suffices. NaN too."""
    x = images()
    x[1, 2, 3, 4] = value
    with pytest.raises(
        ValueError, match=r"expected pixels in \[0, 1\], got .*; normalisation belongs inside the model"
    ):
        pgd(total, x, Linf(0.1), steps=1, step_size=0.1)


def test_one_rounding_error_outside_the_range_is_forgiven():
    """0 and 1 missed by one unit in the last place; what comes back is in the range."""
    x = images()
    x[0, 0, 0, 0] = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    x[0, 0, 0, 1] = torch.nextafter(torch.tensor(0.0), torch.tensor(-1.0))
    x_adv = pgd(total, x, Linf(0.1), steps=1, step_size=0.1)
    assert 0 <= x_adv.min() <= x_adv.max() <= 1


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.zeros(3, 8, 8), r"float images \(N, C, H, W\), got torch.float32 \(3, 8, 8\)|f32\[3,8,8\]"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), r"float images \(N, C, H, W\), got torch.uint8|u8\[1,3,8,8\]"),
    ],
    ids=["no batch", "bytes"],
)
def test_what_is_not_a_float_batch_is_refused(x, said):
    """(N, C, H, W), float."""
    with pytest.raises(REFUSED, match=said):
        check_pixels(x)


def test_negative_numbers_of_steps_are_refused():
    """steps >= 0."""
    with pytest.raises(ValueError, match="steps must be >= 0, got -1"):
        pgd(total, images(), Linf(0.1), steps=-1, step_size=0.1)


@both
def test_an_empty_batch_comes_back_empty(norm):
    """N = 0 is a batch."""
    x = torch.zeros(0, 3, 8, 8)
    assert pgd(total, x, balls.make(norm, 0.1), steps=2, step_size=0.1).shape == x.shape


@both
def test_gradients_that_are_not_numbers_are_refused(norm):
    """A NaN gradient gives x back under Linf, which looks like robustness, and NaN pictures under L2."""
    with pytest.raises(ValueError, match=r"^the gradient at step 0 is not a number"):
        pgd(lambda x: float("nan") * total(x), grey(2), balls.make(norm, 0.1), steps=2, step_size=0.1)


@pytest.mark.parametrize("step_size", [torch.ones(3), [0.1]], ids=["three for one image", "one for two steps"])
def test_a_wrong_number_of_step_sizes_is_refused(step_size):
    """Three for one image would make three images of it; one for two steps is an index error."""
    with pytest.raises(ValueError, match="step"):
        pgd(total, grey(1), Linf(0.1), steps=2, step_size=step_size)


def test_the_result_never_shares_memory_with_the_input():
    """Whoever writes into x_adv must not change x, also for 0 steps or a stop at once."""
    x = images()
    assert pgd(total, x, Linf(0.1), steps=0, step_size=0.1).data_ptr() != x.data_ptr()
