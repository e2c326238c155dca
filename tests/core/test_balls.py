"""The four operations of a ball: what they promise holds for every radius, shape and memory layout."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.attacks.balls import L2, NORMS, Ball, Linf, make
from tests.helpers import REFUSED, draws

properties = settings(deadline=None, derandomize=True, max_examples=60)
balls = pytest.mark.parametrize("ball", [Linf, L2], ids=["Linf", "L2"])

shapes = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5))
radii = st.one_of(st.just(0.0), st.floats(1e-6, 1e3), st.sampled_from([8 / 255, 0.5]))
scales = st.sampled_from([0.0, 1e-30, 1e-6, 1.0, 1e6, 1e30])


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Draw float64 (N, C, H, W): any scale, some entries exactly 0, sometimes a whole row."""
    shape = draw(shapes)
    generator = draws(draw(st.integers(0, 2**32)))
    values = draw(scales) * torch.randn(shape, generator=generator, dtype=torch.float64)
    kept = torch.rand(shape, generator=generator) < draw(st.sampled_from([0.1, 0.7, 1.0]))
    return values * kept


def dual(ball: type[Ball], grad: Tensor) -> Tensor:
    """Compute the dual norm per row: L1 for Linf, L2 for L2, without overflow."""
    flat = grad.flatten(1)
    return flat.abs().sum(1) if ball is Linf else torch.linalg.vector_norm(flat, dim=1)


@balls
@properties
@given(delta=tensors(), eps=radii)
def test_projection_lands_in_the_ball(ball, delta, eps):
    """|P(d)| <= eps."""
    assert (ball(eps).norm(ball(eps).project(delta)) <= eps * (1 + 1e-12)).all()


@balls
@properties
@given(delta=tensors(), eps=radii)
def test_projection_is_idempotent(ball, delta, eps):
    """P(P(d)) = P(d)."""
    once = ball(eps).project(delta)
    torch.testing.assert_close(ball(eps).project(once), once, rtol=1e-12, atol=0)


@balls
@properties
@given(delta=tensors(), slack=st.floats(1.0, 1e3))
def test_projection_is_the_identity_inside(ball, delta, slack):
    """P(d) = d, bit for bit, where |d| <= eps."""
    eps = slack * float(ball(0.0).norm(delta).max())
    assert torch.equal(ball(eps).project(delta), delta)


@balls
@properties
@given(delta=tensors(), eps=radii, seed=st.integers(0, 2**32))
def test_projection_is_the_nearest_point(ball, delta, eps, seed):
    """<d - P(d), b - P(d)> <= 0 for every b in the ball: what makes P(d) the Euclidean-nearest one (convex set)."""
    projected = ball(eps).project(delta)
    other = ball(eps).sample(delta, draws(seed))
    angle = ((delta - projected) * (other - projected)).flatten(1).sum(1)
    assert (angle <= 1e-9 * delta.abs().amax() * (eps + 1e-300)).all()


@balls
@properties
@given(delta=tensors())
def test_projection_to_radius_zero_is_exactly_zero(ball, delta):
    """P(d) = 0 for eps = 0, without 0/0."""
    assert torch.equal(ball(0.0).project(delta), torch.zeros_like(delta))


@balls
@properties
@given(delta=tensors())
def test_projection_to_radius_infinity_is_the_identity(ball, delta):
    """P(d) = d for eps = inf, without inf/inf."""
    assert torch.equal(ball(math.inf).project(delta), delta)


@balls
@properties
@given(delta=tensors(), seed=st.integers(0, 2**32))
def test_each_row_has_its_own_radius(ball, delta, seed):
    """P with eps (N,) is P row by row, 0 and inf among the radii."""
    eps = torch.rand(len(delta), generator=draws(seed), dtype=torch.float64)
    eps[0] = 0
    eps[-1] = math.inf if len(eps) > 1 else eps[-1]
    rows = [ball(float(e)).project(row[None]) for e, row in zip(eps, delta, strict=True)]
    torch.testing.assert_close(ball(eps).project(delta), torch.cat(rows), rtol=0, atol=0)


@balls
@properties
@given(grad=tensors())
def test_steepest_attains_the_dual_norm_with_length_one(ball, grad):
    """|s| = 1 and <g, s> = |g|_dual where g != 0; s = 0 where g = 0; never NaN."""
    step = ball(1.0).steepest(grad)
    zero = (grad == 0).flatten(1).all(1)
    assert torch.equal(step[zero], torch.zeros_like(step[zero]))
    step, grad = step[~zero], grad[~zero]
    torch.testing.assert_close(ball(1.0).norm(step), torch.ones(len(step), dtype=torch.float64))
    torch.testing.assert_close((grad * step).flatten(1).sum(1), dual(ball, grad), rtol=1e-9, atol=0)


@balls
@pytest.mark.parametrize("scale", [1e-42, 1e-38, 1e-30, 1e-10, 1e-7, 1e10, 1e30, 1e38])
def test_steepest_has_no_floor_and_no_overflow_in_float32(ball, scale):
    """s(c g) = s(g) for c > 0: `g / (|g| + 1e-10)` would step 0 for gradients of 1e-30, and squares overflow."""
    torch.set_flush_denormal(False)
    grad = 2 * torch.rand(3, 3, 8, 8, generator=draws()) - 1
    step = ball(1.0).steepest((grad.double() * scale).float())
    tolerance = 1e-5 if scale > 1e-37 else 5e-3  # denormal numbers have few digits
    torch.testing.assert_close(ball(1.0).norm(step), torch.ones(3), rtol=tolerance, atol=0)
    cosine = torch.cosine_similarity(step.flatten(1), ball(1.0).steepest(grad).flatten(1))
    assert (cosine > 1 - tolerance).all()


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
def test_l2_norm_survives_squares_that_do_not_fit_float32(scale):
    """|c d| = c |d|, where c^2 is 0 or infinite in float32."""
    delta = torch.rand(3, 3, 4, 4, generator=draws()) * scale
    expected = torch.linalg.vector_norm(delta.double().flatten(1), dim=1).float()
    torch.testing.assert_close(L2(1.0).norm(delta), expected)


def test_norms_agree_with_torch():
    """max |d_i| and sqrt(sum d_i^2), per row."""
    delta = torch.randn(5, 3, 4, 6, generator=draws(), dtype=torch.float64)
    flat = delta.flatten(1)
    torch.testing.assert_close(Linf(1.0).norm(delta), torch.linalg.vector_norm(flat, math.inf, dim=1))
    torch.testing.assert_close(L2(1.0).norm(delta), torch.linalg.vector_norm(flat, 2, dim=1))


def test_l2_steps_are_not_sign_steps():
    """s = g / |g| keeps the ratios of g; a sign step would not."""
    grad = torch.tensor([3.0, 4.0], dtype=torch.float64).reshape(1, 1, 1, 2)
    torch.testing.assert_close(L2(1.0).steepest(grad).flatten(), torch.tensor([0.6, 0.8], dtype=torch.float64))
    assert Linf(1.0).steepest(grad).flatten().tolist() == [1, 1]


@balls
@properties
@given(like=tensors(), eps=radii, seed=st.integers(0, 2**32))
def test_samples_lie_in_the_ball(ball, like, eps, seed):
    """|d| <= eps; for eps = 0 exactly 0."""
    delta = ball(eps).sample(like, draws(seed))
    assert delta.shape == like.shape
    assert delta.dtype == like.dtype
    assert (ball(eps).norm(delta) <= eps * (1 + 1e-12)).all()


@balls
def test_samples_have_their_own_radius_per_row(ball):
    """|d_i| <= eps_i, and rows with eps 0 do not move."""
    eps = torch.tensor([0.0, 0.1, 10.0])
    norm = ball(1.0).norm(ball(eps).sample(torch.empty(3, 3, 8, 8), draws()))
    assert (norm <= eps * (1 + 1e-6)).all()
    assert norm[0] == 0
    assert (norm[1:] > 0.8 * eps[1:]).all()  # dimension 192: nearly on the surface


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 2), (3, 2, 2), (3, 8, 8)], ids=str)
def test_l2_samples_are_uniform_in_the_ball_and_not_on_its_surface(shape):
    """(|d| / eps)^dim is uniform on [0, 1]: mean 1/2, variance 1/12; and E[d] = 0."""
    n, eps = 20_000 if math.prod(shape) < 100 else 4000, 0.7
    delta = L2(eps).sample(torch.empty(n, *shape, dtype=torch.float64), draws())
    u = (L2(eps).norm(delta) / eps) ** math.prod(shape)
    error = 4 / math.sqrt(n)  # four standard errors, and more
    assert abs(float(u.mean()) - 1 / 2) < error * math.sqrt(1 / 12)
    assert abs(float(u.var()) - 1 / 12) < error * math.sqrt(1 / 180)
    assert delta.mean(0).abs().max() < 5 * eps / math.sqrt(n)


def test_l2_samples_favour_no_direction():
    """Cov d = E[|d|^2] / dim: every coordinate alike, and no two correlated."""
    delta = L2(1.0).sample(torch.empty(20_000, 1, 2, 2, dtype=torch.float64), draws()).flatten(1)
    expected = torch.eye(4, dtype=torch.float64) * (4 / 6) / 4  # E[r^2] = d / (d + 2)
    torch.testing.assert_close(delta.T.cov(), expected, rtol=0, atol=0.01)


def test_linf_samples_are_uniform_in_every_coordinate():
    """d_i ~ U(-eps, eps): mean 0, variance eps^2 / 3, and no two correlated."""
    delta = Linf(0.3).sample(torch.empty(20_000, 1, 2, 2, dtype=torch.float64), draws()).flatten(1)
    torch.testing.assert_close(delta.mean(0), torch.zeros(4, dtype=torch.float64), rtol=0, atol=0.006)
    expected = torch.eye(4, dtype=torch.float64) * 0.3**2 / 3
    torch.testing.assert_close(delta.T.cov(), expected, rtol=0, atol=1e-3)


@balls
def test_samples_are_equal_for_equal_generators_only(ball):
    """The generator is the only source of chance."""
    like = torch.empty(2, 3, 4, 4)
    before = torch.get_rng_state()
    first, again, other = (ball(0.5).sample(like, draws(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@balls
def test_samples_are_drawn_in_the_precision_of_the_images(ball):
    """A float64 draw has more digits than float32 holds; no images have no draws."""
    delta = ball(1.0).sample(torch.empty(2, 1, 2, 2, dtype=torch.float64), draws())
    assert not torch.equal(delta, delta.float().double())
    one = ball(1.0).sample(torch.empty(1, 1, 1, 1, dtype=torch.float64), draws())
    assert float(one.abs()) != float(one.abs().float()), "the radius too"
    assert ball(1.0).sample(torch.empty(0, 3, 4, 4)).shape == (0, 3, 4, 4)


@balls
def test_rows_of_a_sample_differ(ball):
    """Each image has its own draw."""
    delta = ball(0.5).sample(torch.empty(2, 3, 4, 4), draws())
    assert not torch.equal(delta[0], delta[1])


@balls
@pytest.mark.parametrize("eps", [math.inf, torch.tensor([1.0, math.inf])], ids=["number", "per row"])
def test_an_unbounded_ball_cannot_be_sampled(ball, eps):
    """There is no uniform law on the whole space."""
    with pytest.raises(ValueError, match="unbounded ball; give a finite eps"):
        ball(eps).sample(torch.empty(2, 1, 2, 2))


@balls
@properties
@given(delta=tensors(), eps=radii)
def test_rescaling_reaches_the_surface_and_keeps_the_direction(ball, delta, eps):
    """|r(d)| = eps where d != 0, r(d) = 0 where d = 0; signs are kept."""
    scaled = ball(eps).rescale(delta)
    there = (delta != 0).flatten(1).any(1)
    torch.testing.assert_close(ball(eps).norm(scaled), eps * there.double(), rtol=1e-9, atol=0)
    assert ((scaled == 0) | (scaled.sign() == delta.sign())).all()


@balls
@pytest.mark.parametrize("operation", ["project", "steepest", "rescale"])
@pytest.mark.parametrize(
    "layout",
    [
        lambda d: d.contiguous(memory_format=torch.channels_last),
        lambda d: d.transpose(2, 3).contiguous().transpose(2, 3),
        lambda d: torch.stack([d, d], -1)[..., 0],
        lambda d: d.flip(0).flip(0),
    ],
    ids=["channels_last", "transposed", "strided", "flipped"],
)
def test_memory_layout_does_not_matter(ball, operation, layout):
    """The same numbers in any order of memory give the same numbers."""
    delta = torch.randn(3, 3, 4, 5, generator=draws(), dtype=torch.float64)
    expected = getattr(ball(0.1), operation)(delta)
    torch.testing.assert_close(getattr(ball(0.1), operation)(layout(delta)), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(ball(0.1).norm(layout(delta)), ball(0.1).norm(delta), rtol=1e-12, atol=0)


@balls
def test_inputs_are_left_alone(ball):
    """No operation writes into its argument."""
    delta = torch.randn(2, 3, 4, 4, generator=draws())
    copy = delta.clone()
    for operation in (ball(0.1).project, ball(0.1).steepest, ball(0.1).rescale, ball(0.1).norm, ball(0.1).sample):
        operation(delta)
        assert torch.equal(delta, copy)


@balls
@pytest.mark.parametrize(
    "eps",
    [-1e-9, math.nan, torch.tensor([0.1, -0.1]), torch.tensor([math.nan, 1.0]), torch.tensor([1.0, math.nan])],
    ids=str,
)
def test_negative_and_missing_radii_are_refused(ball, eps):
    """eps >= 0, NaN excluded, wherever in the tensor it hides."""
    with pytest.raises(ValueError, match="eps must be a number >= 0, got"):
        ball(eps)


@balls
@pytest.mark.parametrize(
    "eps", [torch.ones(3), torch.ones(1), torch.ones(2, 1), torch.tensor(1.0)], ids=lambda e: str(tuple(e.shape))
)
def test_a_radius_per_image_must_have_the_shape_of_the_batch(ball, eps):
    """eps is (N,), never broadcast."""
    with pytest.raises(
        REFUSED, match=r"eps must be a number or one per image \(2,\), got \(|Type-check error.*__init__"
    ):
        ball(eps).project(torch.ones(2, 1, 2, 2))


def test_balls_are_made_by_name():
    """make("L2", 0.5) = L2(0.5); a ball with a number is a value: equal, hashable."""
    assert make("L2", 0.5) == L2(0.5)
    assert make("Linf", 8 / 255) == Linf(8 / 255)
    assert len({L2(0.5), L2(0.5), L2(1.0), Linf(0.5)}) == 3
    assert set(NORMS) == {"Linf", "L2"}
    with pytest.raises(ValueError, match="norm must be one of Linf, L2, got 'L1'"):
        make("L1", 0.5)


@balls
def test_no_images_have_no_radii(ball):
    """N = 0: an empty batch with an empty eps is a batch."""
    assert ball(torch.empty(0)).project(torch.empty(0, 3, 4, 4)).shape == (0, 3, 4, 4)
