"""Many radii at once, and the smallest perturbation that fools: both against models whose answer is known."""

import math

import pytest
import torch
from torch import Tensor, nn

from core import compute
from core.attacks import SWEEP_ROWS, Stop, Sweep, balls, minimum_norm, nearest, pgd, sweep
from core.attacks.objectives import targeted, untargeted
from core.attacks.rules import State
from core.compute import for_inference
from core.perturb.recipe import PerturbRecipe
from tests.helpers import Plane, draws, grey, images, tiny, trained

both = pytest.mark.parametrize("norm", ["Linf", "L2"])
EPS = {"Linf": [0.0, 1 / 255, 4 / 255, 8 / 255, 16 / 255], "L2": [0.0, 0.1, 0.5, 1.0, 2.0]}


class Half(nn.Module):
    """Plane with an offset: logits (w . (x - 1/2) + b, 0), so that a grey picture has margin b."""

    def __init__(self, w: Tensor, b: float) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(w), b

    def forward(self, x: Tensor) -> Tensor:
        score = ((x - 0.5) * self.w).flatten(1).sum(1) + self.b
        return torch.stack([score, torch.zeros_like(score)], 1)


def plane(b: float = 0.3, size: int = 4) -> Half:
    return Half(torch.randn(3, size, size, generator=draws(1), dtype=torch.float64), b)


def dual(model: Half, norm: str) -> float:
    """|w|_1 for Linf, |w|_2 for L2."""
    w = model.w.detach()
    return float(w.abs().sum() if norm == "Linf" else w.norm())


def smallest_eps(found: Sweep) -> Tensor:
    """The smallest radius that fools, per image (N,); inf where none does."""
    eps = torch.tensor(found.eps)[:, None].expand_as(found.success)
    return torch.where(found.success, eps, torch.full_like(eps, math.inf)).amin(0)


# Sweep


@both
@pytest.mark.parametrize("targets", [None, [1, 2]], ids=["untargeted", "targeted"])
def test_a_sweep_is_its_radii_attacked_one_by_one(norm, targets):
    """No row of the batch influences another, and neither does another image."""
    model, x, y = tiny().double(), images(2, size=16, dtype=torch.float64), torch.tensor([3, 4])
    t = None if targets is None else torch.tensor(targets)
    together = sweep(model, x, y, balls.NORMS[norm], EPS[norm], steps=4, target=t)
    for e, eps in enumerate(EPS[norm]):
        for i in range(2):
            alone = sweep(
                model,
                x[i : i + 1],
                y[i : i + 1],
                balls.NORMS[norm],
                [eps],
                steps=4,
                target=None if t is None else t[i : i + 1],
            )
            torch.testing.assert_close(together.x_adv[e, i], alone.x_adv[0, 0], rtol=0, atol=1e-6)
            torch.testing.assert_close(together.logits[e, i], alone.logits[0, 0], rtol=0, atol=1e-6)
            torch.testing.assert_close(together.norm[e, i], alone.norm[0, 0], rtol=0, atol=1e-6)


@both
def test_a_row_of_a_sweep_is_pgd_at_that_radius(norm):
    """With steps of 2.5 eps / steps, as it says."""
    model, x, y, eps = tiny().double(), images(2, size=16, dtype=torch.float64), torch.tensor([3, 4]), EPS[norm][2]
    found = sweep(model, x, y, balls.NORMS[norm], EPS[norm], steps=5)
    expected = pgd(untargeted(model, y), x, balls.make(norm, eps), steps=5, step_size=2.5 * eps / 5)
    torch.testing.assert_close(found.x_adv[2], expected)
    t = torch.tensor([1, 2])
    found = sweep(model, x, y, balls.NORMS[norm], EPS[norm], steps=5, target=t)
    expected = pgd(targeted(model, t), x, balls.make(norm, eps), steps=5, step_size=2.5 * eps / 5)
    torch.testing.assert_close(found.x_adv[2], expected)


def test_a_sweep_is_in_float32_unless_another_precision_is_asked_for(monkeypatch):
    """Also where half precision is fast."""
    model, x, y = tiny(), images(2, size=16), torch.tensor([3, 4])
    asked = {"make_ball": balls.L2, "eps_values": [0.5], "steps": 2}
    exact = sweep(model, x, y, **asked)
    monkeypatch.setattr(compute, "has_fast_bf16", lambda on: True)
    assert torch.equal(sweep(model, x, y, **asked).x_adv, exact.x_adv)
    assert not torch.equal(sweep(model, x, y, **asked, precision="bf16").x_adv, exact.x_adv)


def test_a_ball_that_holds_only_the_picture_costs_no_step():
    seen: list[int] = []
    sweep(plane(), grey(1, size=4), torch.tensor([0]), balls.L2, [0.0], steps=5, on_step=lambda i, _: seen.append(i))
    assert seen == []


@both
def test_one_step_of_a_sweep_has_length_eps(norm):
    """FGSM: on a grey picture nothing is clipped, so the first step goes all the way."""
    found = sweep(plane(), grey(1, size=4), torch.tensor([0]), balls.NORMS[norm], [0.05, 0.1], steps=1)
    torch.testing.assert_close(found.norm[:, 0], torch.tensor([0.05, 0.1], dtype=torch.float64), rtol=1e-12, atol=0)


def test_without_steps_a_sweep_is_the_picture_at_every_radius():
    """No step is seen, and none of them asks for an end: all batches come."""
    x, radii = grey(1, size=4), [0.1] * (SWEEP_ROWS + 1)
    found = sweep(plane(), x, torch.tensor([0]), balls.L2, radii, steps=0)
    assert found.eps == tuple(radii)
    assert torch.equal(found.x_adv, x.expand(len(radii), *x.shape))


@both
@pytest.mark.parametrize("random_start", [False, True], ids=["from x", "random start"])
@pytest.mark.parametrize("eps_values", [[0.0], [0.0, 0.1, 0.2]], ids=["alone", "among others"])
def test_radius_zero_of_a_sweep_is_the_picture_bit_for_bit(norm, random_start, eps_values):
    x, y = images(2, size=16), torch.tensor([3, 4])
    found = sweep(tiny(), x, y, balls.NORMS[norm], eps_values, steps=3, random_start=random_start, generator=draws())
    assert torch.equal(found.x_adv[0], x)
    assert found.norm[0].tolist() == [0, 0]
    assert found.x_adv.isfinite().all()


@both
@pytest.mark.parametrize("random_start", [False, True], ids=["from x", "random start"])
def test_a_sweep_measures_its_perturbations_and_they_are_allowed(norm, random_start):
    """The norm is recomputed here from the pictures alone."""
    x, y = images(3, size=16), torch.arange(3)
    found = sweep(tiny(), x, y, balls.NORMS[norm], EPS[norm], steps=4, random_start=random_start, generator=draws())
    delta = (found.x_adv - x).flatten(2).double()
    measured = delta.abs().amax(2) if norm == "Linf" else delta.norm(dim=2)
    torch.testing.assert_close(found.norm.double(), measured, rtol=1e-5, atol=1e-7)
    assert (measured <= torch.tensor(EPS[norm])[:, None] * (1 + 1e-5) + 1e-7).all()
    assert found.x_adv.min() >= 0
    assert found.x_adv.max() <= 1


@both
def test_a_sweep_reports_the_logits_of_its_own_pictures(norm):
    model, x, y = tiny(), images(2, size=16), torch.tensor([3, 4])
    found = sweep(model, x, y, balls.NORMS[norm], EPS[norm], steps=3)
    with torch.no_grad():
        expected = model(found.x_adv.flatten(0, 1)).reshape(found.logits.shape)
    torch.testing.assert_close(found.logits, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(found.success, found.logits.argmax(2) != y)


@both
@pytest.mark.parametrize("b", [0.0371, 0.2, 0.5])
def test_the_smallest_eps_of_a_linear_model_is_the_next_on_the_grid(norm, b):
    """The margin b falls to b - eps |w|_dual: it turns negative at the first eps of the grid above b / |w|_dual."""
    model = plane(b)
    exact = b / dual(model, norm)
    grid = [exact * k / 4.5 for k in range(20)]  # 4 radii are too small, the fifth is enough
    found = sweep(model, grey(1, size=4), torch.tensor([0]), balls.NORMS[norm], grid, steps=10)
    assert found.success[:, 0].tolist() == [False] * 5 + [True] * 15
    assert float(smallest_eps(found)) == pytest.approx(grid[5])


def test_where_no_radius_fools_the_smallest_is_infinite():
    """And each image has its own answer: one fooled at once, one later, one never."""
    model, x = plane(0.3), grey(3, size=4)
    exact = 0.3 / dual(model, "Linf")
    found = sweep(model, x, torch.tensor([1, 0, 0]), balls.Linf, [0.0, exact / 2, exact * 1.1], steps=5)
    assert smallest_eps(found).tolist()[0] == 0
    assert smallest_eps(found).tolist()[1:] == pytest.approx([exact * 1.1] * 2)
    never = sweep(model, x, torch.tensor([0, 0, 0]), balls.Linf, [0.0, exact / 2], steps=5)
    assert smallest_eps(never).tolist() == [math.inf] * 3


@both
def test_targeted_success_means_the_target_and_not_just_any_mistake(norm):
    """Three classes: a large step toward class 1 also passes where class 2 would be wrong but not wanted."""

    class Three(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            s = (x - 0.5).flatten(1).sum(1)
            # For s < -0.1 class 2 wins, for s > 0.2 class 1; at s = 0 class 0 does.
            return torch.stack([torch.zeros_like(s), 5 * (s - 0.2), -(s + 0.1)], 1)

    x, y = grey(1, size=4), torch.tensor([0])
    up = sweep(Three(), x, y, balls.NORMS[norm], [0.0, 0.5], steps=5, target=torch.tensor([1]))
    assert up.success[:, 0].tolist() == [False, True]
    assert up.logits[1, 0].argmax() == 1
    # A target that the ball does not reach: the model is wrong there, and that is no success.
    far = torch.full_like(x, 0.45)  # s = -2.4: the model already says 2
    small = 0.002 if norm == "Linf" else 0.02
    missed = sweep(Three(), far, y, balls.NORMS[norm], [0.0, small], steps=5, target=torch.tensor([1]))
    assert missed.logits.argmax(2)[:, 0].tolist() == [2, 2]
    assert missed.success[:, 0].tolist() == [False, False]
    assert smallest_eps(missed).tolist() == [math.inf]


@both
def test_a_sweep_toward_a_target_raises_its_log_odds(norm):
    """The sign that home-grown code gets wrong: more radius, more of the target."""
    model, x = tiny().double(), images(1, size=16, dtype=torch.float64)
    y = model(x).argmax(1)
    t = (y + 1) % 10
    found = sweep(model, x, y, balls.NORMS[norm], EPS[norm], steps=10, target=t)
    p = found.logits.softmax(2)[:, 0, int(t)]
    assert (p.diff() > 0).all()


@pytest.mark.parametrize("how", ["true", "stop"])
def test_a_stop_keeps_the_current_batch_and_computes_no_other(how):
    """Asked to stop at step 3 of the second batch of three: two batches come back, the second after three steps."""
    seen: list[tuple[int, int]] = []
    model, x = plane(), grey(1, size=4)
    eps = [0.1 + 0.01 * k for k in range(2 * SWEEP_ROWS + 3)]

    def on_step(i: int, state: State) -> bool:
        seen.append((i, len(state.x)))
        if len(seen) == 10 + 4:
            if how == "stop":
                raise Stop
            return True
        return False

    found = sweep(model, x, torch.tensor([0]), balls.Linf, eps, steps=10, relative_step=0.1, on_step=on_step)
    assert found.eps == tuple(eps[: 2 * SWEEP_ROWS])
    assert seen == [(i, SWEEP_ROWS) for i in [*range(10), *range(4)]]
    expected = torch.tensor(eps[: 2 * SWEEP_ROWS], dtype=torch.float64)
    expected[SWEEP_ROWS:] *= 0.3  # three steps of a tenth
    torch.testing.assert_close(found.norm[:, 0], expected)


def test_other_exceptions_go_through_a_sweep():
    """The page cancels by an exception of its own."""

    def on_step(i: int, _: State) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        sweep(plane(), grey(1, size=4), torch.tensor([0]), balls.Linf, [0.1], steps=10, on_step=on_step)


def test_sweeps_over_neighbouring_radii_are_joined_in_order():
    model, x, y, eps = plane(), grey(2, size=4), torch.tensor([0, 1]), [0.01 * k for k in range(2 * SWEEP_ROWS)]
    whole = sweep(model, x, y, balls.L2, eps, steps=4)
    pieces = (eps[:SWEEP_ROWS], eps[SWEEP_ROWS:])
    joined = Sweep.join([sweep(model, x, y, balls.L2, part, steps=4) for part in pieces])
    assert joined.eps == whole.eps == tuple(eps)
    for field in ("x_adv", "logits", "norm", "success"):
        assert torch.equal(getattr(joined, field), getattr(whole, field)), field


def test_a_sweep_draws_from_its_generator_alone():
    model, x, y = plane(), grey(1, size=4), torch.tensor([0])
    make = {"steps": 1, "relative_step": 0.0, "random_start": True}
    first, again, other = (
        sweep(model, x, y, balls.L2, [0.1, 0.2], generator=draws(seed), **make) for seed in (5, 5, 6)
    )
    assert torch.equal(first.x_adv, again.x_adv)
    assert not torch.equal(first.x_adv, other.x_adv)
    assert not torch.equal(first.x_adv[0] - x, (first.x_adv[1] - x) / 2), "one draw for all radii"


# The smallest perturbation


@both
def test_minimum_norm_on_a_linear_model_is_within_half_a_per_cent(norm):
    """The nearest point of the other side is at distance margin / |w|_dual; five images, five margins."""
    w = torch.randn(3, 8, 8, generator=draws(1), dtype=torch.float64)
    model = Plane(w)
    x = 0.5 + 0.02 * torch.randn(5, 3, 8, 8, generator=draws(2), dtype=torch.float64)
    score = model.score(x).detach()
    # Move each along w to a margin of its own; all stay far from 0 and 1.
    wanted = torch.tensor([0.05, 0.2, 0.5, 1.0, 2.0], dtype=torch.float64)
    x = x + ((wanted - score) / (w**2).sum()).reshape(-1, 1, 1, 1) * w
    y = torch.zeros(5, dtype=torch.long)
    nearest, distance = minimum_norm(model, x, y, balls.NORMS[norm], steps=100)
    exact = wanted / (w.abs().sum() if norm == "Linf" else w.norm())
    assert (distance >= exact * (1 - 1e-9)).all(), "nearer than possible"
    assert (distance <= exact * 1.005).all(), (distance / exact).tolist()
    assert (model(nearest).argmax(1) == 1).all()
    torch.testing.assert_close(balls.make(norm, 1.0).norm(nearest - x), distance)


@both
def test_minimum_norm_on_a_linear_model_needs_few_steps(norm):
    """The radius is read off the linear margin: six steps come within a thousandth."""
    model = plane()
    _, distance = minimum_norm(model, grey(1, size=4), torch.tensor([0]), balls.NORMS[norm], steps=6)
    exact = 0.3 / dual(model, norm)
    assert exact * (1 - 1e-9) <= float(distance) <= exact * 1.001


@both
def test_minimum_norm_knows_that_pixels_end(norm):
    """Half of the pixels are black or white already, and the model would like them beyond: the others must do it."""
    model, x = plane(), grey(1, size=4)
    w = model.w.detach()[None]
    stuck = torch.arange(w.numel()).reshape(w.shape) % 2 == 0
    x = torch.where(stuck, torch.where(w > 0, 0.0, 1.0).double(), x)
    model.b = 0.3 - float((w * (x - 0.5)).sum())
    free = w[~stuck]
    exact = 0.3 / float(free.abs().sum() if norm == "Linf" else free.norm())
    _, distance = minimum_norm(model, x, torch.tensor([0]), balls.NORMS[norm], steps=6)
    assert exact * (1 - 1e-9) <= float(distance) <= exact * 1.001


@both
@pytest.mark.parametrize("steps", [7, 8])
def test_all_classes_have_a_part_in_the_first_half_and_one_in_the_second(norm, steps):
    """Three linear classes, each with a pixel of its own: the third counts only while it is the log-odds' gradient."""

    class Three(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.flatten(1)[:, :3] + torch.tensor([0.2, 0.1, 0.08])

    parts = []

    def on_step(_: int, state: State) -> None:
        parts.append(int((state.grad.flatten(1)[:, :3].abs() > 1e-6).sum()))

    y = torch.tensor([0])
    minimum_norm(Three(), grey(1, size=2), y, balls.NORMS[norm], steps=steps, on_step=on_step)
    assert parts == [3] * 4 + [2] * (steps - 4)


@both
def test_minimum_norm_steps_over_a_boundary_that_it_lands_on(norm):
    """Ten linear classes in float32: a step as long as the linear estimate ends where the margin is exactly 0.0."""

    class Ten(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(0.01 * torch.randn(10, 3, 32, 32, generator=draws(3)))

        def forward(self, x: Tensor) -> Tensor:
            return torch.einsum("nchw,kchw->nk", x - 0.5, self.w) + torch.arange(10.0)

    model, x = Ten(), grey(1, size=32, dtype=torch.float32)
    nearest, distance = minimum_norm(model, x, torch.tensor([9]), balls.NORMS[norm], steps=60)
    between = (model.w[9] - model.w[8]).detach()
    exact = 1 / float(between.abs().sum() if norm == "Linf" else between.norm())
    assert float(distance) == pytest.approx(exact, rel=0.05)
    assert model(nearest).argmax() == 8


@both
def test_minimum_norm_does_not_depend_on_the_neighbours(norm):
    w = torch.randn(3, 4, 4, generator=draws(1), dtype=torch.float64)
    x, y = images(4, size=4, dtype=torch.float64), torch.tensor([0, 1, 0, 1])
    _, together = minimum_norm(Plane(w), x, y, balls.NORMS[norm], steps=30)
    alone = [minimum_norm(Plane(w), x[i : i + 1], y[i : i + 1], balls.NORMS[norm], steps=30)[1] for i in range(4)]
    torch.testing.assert_close(together, torch.cat(alone))


@both
def test_where_fooling_is_impossible_the_picture_comes_back_with_distance_inf(norm):
    """A score of w . x + 1 with w >= 0 is positive on all of [0, 1]; the other image, with its label, is easy."""

    class Positive(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            s = 0.01 * x.flatten(1).sum(1) + 1
            return torch.stack([s, torch.zeros_like(s)], 1)

    x = images(2, size=4, dtype=torch.float64)
    nearest, distance = minimum_norm(Positive(), x, torch.tensor([0, 1]), balls.NORMS[norm], steps=20)
    assert distance.tolist() == [math.inf, 0]
    assert torch.equal(nearest, x)


def test_a_model_without_any_gradient_yields_inf_and_no_nan():
    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.tensor([1.0, 0.0]) + 0 * x.flatten(1).sum(1, keepdim=True)

    x = images(2, size=4)
    for norm in balls.NORMS.values():
        nearest, distance = minimum_norm(Constant(), x, torch.zeros(2, dtype=torch.long), norm, steps=10)
        assert distance.tolist() == [math.inf] * 2
        assert torch.equal(nearest, x)


@both
def test_minimum_norm_toward_a_target_arrives_there(norm):
    model, x = tiny(), images(2, size=16)
    t = (model(x).argmax(1) + 3) % 10
    nearest, distance = minimum_norm(model, x, model(x).argmax(1), balls.NORMS[norm], steps=60, target=t)
    found = distance.isfinite()
    assert found.any()
    assert torch.equal(model(nearest[found]).argmax(1), t[found])


@both
def test_the_nearest_pictures_are_pictures(norm):
    """In [0, 1], and at the distance that is reported."""
    model, x = tiny(), images(4, size=16)
    x[:, :, :8], x[:, :, 8:] = 0.0, 1.0  # nothing but corners of the box
    nearest, distance = minimum_norm(model, x, model(x).argmax(1), balls.NORMS[norm], steps=30)
    assert nearest.min() >= 0
    assert nearest.max() <= 1
    found = distance.isfinite()
    torch.testing.assert_close(balls.make(norm, 1.0).norm(nearest - x)[found], distance[found])


@both
def test_the_nearest_pictures_fool_alone_too(norm):
    """They lie on the boundary, where another order of the same sums might undo them: asked one by one, and as NHWC."""
    model, x, _ = trained()
    y = model(x).argmax(1)
    nearest, distance = minimum_norm(model, x, y, balls.NORMS[norm], steps=20)
    assert distance.isfinite().all()
    alone = torch.cat([model(one.contiguous()) for one in nearest.split(1)]).argmax(1)
    other = model(nearest.contiguous(memory_format=torch.channels_last)).argmax(1)
    assert (alone != y).all()
    assert (other != y).all()


@both
def test_the_last_look_only_ever_shortens(norm, monkeypatch):
    """The same search without it: nowhere nearer, mostly further, and what it gives still fools."""
    model, x, y = trained()
    x, y = x[:60], y[:60]
    _, shorter = minimum_norm(model, x, y, balls.NORMS[norm], steps=15)
    monkeypatch.setattr(nearest._Nearest, "shortened", lambda self: self.x)
    images, distance = minimum_norm(model, x, y, balls.NORMS[norm], steps=15)
    assert (shorter <= distance).all()
    assert (shorter < distance * (1 - 1e-4)).float().mean() > 0.5
    assert (model(images).argmax(1) != y).all()


@both
def test_minimum_norm_looks_at_the_model_as_often_as_it_says(norm):
    """Each step a forward and a backward pass, and two forward passes in the end."""

    class Watched(nn.Module):
        """Counts."""

        forwards = backwards = 0

        def forward(self, x: Tensor) -> Tensor:
            self.forwards += 1
            logits = tiny()(x)
            if logits.requires_grad and x.requires_grad:
                logits.register_hook(self.back)
            return logits

        def back(self, _: Tensor) -> None:
            self.backwards += 1

    model = Watched()
    minimum_norm(model, images(2, size=16), torch.tensor([0, 1]), balls.NORMS[norm], steps=7)
    assert (model.forwards, model.backwards) == (9, 7)


@both
def test_the_scale_of_the_logits_does_not_matter(norm):
    class Scaled(nn.Module):
        """The same decisions."""

        def __init__(self, factor: float) -> None:
            super().__init__()
            self.model, self.factor = tiny().double(), factor

        def forward(self, x: Tensor) -> Tensor:
            return self.factor * self.model(x)

    x = images(3, size=16, dtype=torch.float64)
    y = Scaled(1)(x).argmax(1)
    plain, large, small = (minimum_norm(Scaled(f), x, y, balls.NORMS[norm], steps=15)[1] for f in (1, 1000, 1e-3))
    assert plain.isfinite().all()
    torch.testing.assert_close(large, plain)
    torch.testing.assert_close(small, plain)


@both
def test_a_class_that_is_next_but_never_reached_does_not_hold_the_search(norm):
    """Class 1 is next and rises along one pixel, but stops short; class 2 is further and wins along another at 0.3."""

    class Trap(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            a, b = (x[:, 0, 0, k] - 0.5 for k in (0, 1))
            return torch.stack([torch.zeros_like(a), 0.45 * torch.tanh(4 * a) - 0.5, 2 * b - 0.6], 1)

    images, distance = minimum_norm(Trap(), grey(1, size=2), torch.tensor([0]), balls.NORMS[norm], steps=40)
    assert float(distance) == pytest.approx(0.3, rel=0.02)
    assert Trap()(images).argmax() == 2


def test_minimum_norm_can_be_stopped():
    steps: list[int] = []

    def on_step(i: int, state: State) -> bool:
        steps.append(i)
        assert state.x.shape == (1, 3, 4, 4)
        return i == 3

    minimum_norm(plane(), grey(1, size=4), torch.tensor([0]), balls.L2, steps=50, on_step=on_step)
    assert steps == [0, 1, 2, 3]


@pytest.mark.slow
@both
@pytest.mark.parametrize("name", ["resnet9-standard", "resnet9-l2"])
def test_on_shipped_models_minimum_norm_is_hardly_ever_worse_than_the_grid(name, norm, checkpoint, cifar):
    """The answer to "how little does it take?" beside a slider that shows what is enough: one search of 60 steps may
    miss what 21 attacks find, but on few pictures and not by much."""
    model = for_inference(checkpoint(name))
    x, y = cifar.x(range(6)), cifar.y(range(6))
    largest = {"Linf": 20 / 255, "L2": 2.0}[norm]
    grid = [largest * k / 20 for k in range(21)]
    found = sweep(model, x, y, balls.NORMS[norm], grid, steps=PerturbRecipe().steps)
    _, distance = minimum_norm(model, x, y, balls.NORMS[norm], steps=60)
    ratio = torch.where(smallest_eps(found) == distance, 1.0, distance / smallest_eps(found))  # 0 / 0 and inf / inf
    assert (ratio > 1 + 1e-5).sum() <= 1, ratio.tolist()
    assert ratio.max() < 1.25, ratio.tolist()
    assert ratio.median() < 0.95, ratio.tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "norm", "eps"),
    [("resnet9-standard", "L2", 0.25), ("resnet9-l2", "L2", 1.0), ("resnet9-l2", "Linf", 8 / 255)],
)
def test_the_default_attack_is_as_strong_as_twice_as_many_steps_of_constant_length(name, norm, eps, checkpoint, cifar):
    """On 128 test pictures: at most one more is right after ten steps on the cosine than after constant PGD-20."""
    default = PerturbRecipe()
    model = for_inference(checkpoint(name))
    x, y = cifar.x(range(128)), cifar.y(range(128))
    right = {
        setting: int(
            sum(
                (~sweep(model, part, labels, balls.NORMS[norm], [eps], steps=steps, schedule=schedule).success).sum()
                for part, labels in zip(x.split(64), y.split(64), strict=True)
            )
        )
        for setting, schedule, steps in (("now", default.schedule, default.steps), ("before", "constant", 20))
    }
    assert default.steps == 10
    assert right["now"] <= right["before"] + 1, right


def test_no_pictures_have_an_empty_sweep():
    x, y = images(0), torch.zeros(0, dtype=torch.long)
    found = sweep(tiny(), x, y, balls.L2, [0.0, 0.5], steps=1)
    assert found.x_adv.shape == (2, 0, *x.shape[1:])
    assert found.logits.shape == (2, 0, 10)
