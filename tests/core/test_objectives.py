"""Objectives: always minimised, one value per image, steep where cross-entropy has gone flat."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks import objectives, pgd
from core.attacks.balls import L2
from core.attacks.objectives import (
    autocast,
    cross_entropy,
    diverging,
    log_odds,
    margin,
    match_features,
    targeted,
    untargeted,
    untargeted_margin,
)
from tests.helpers import REFUSED, draws, images, tiny


def logits(n: int = 50, k: int = 10, *, scale: float = 3.0) -> Tensor:
    """Draw logits (n, k) of that scale."""
    return scale * torch.randn(n, k, generator=draws(), dtype=torch.float64)


def labels(n: int = 50, k: int = 10) -> Tensor:
    """Draw labels (n,)."""
    return torch.randint(0, k, (n,), generator=draws(1))


@pytest.mark.parametrize("k", [2, 3, 10])
def test_log_odds_are_those_of_the_softmax(k):
    """log p_y / (1 - p_y), p the softmax."""
    z, y = logits(k=k), labels(k=k)
    p = z.softmax(1).gather(1, y[:, None])[:, 0]
    torch.testing.assert_close(log_odds(z, y), (p / (1 - p)).log(), rtol=1e-9, atol=1e-9)


def test_untargeted_is_cross_entropy_seen_through_a_monotone_function():
    """CE = softplus(-log-odds)."""
    z, y = logits(), labels()
    value = untargeted(nn.Identity(), y)(z)
    torch.testing.assert_close(F.softplus(-value), F.cross_entropy(z, y, reduction="none"))
    torch.testing.assert_close(cross_entropy(z, y), F.cross_entropy(z, y, reduction="none"))


def test_targeted_is_minus_untargeted():
    """Being taken for t is the opposite of not being taken for t."""
    z, y = logits(), labels()
    assert torch.equal(targeted(nn.Identity(), y)(z), -untargeted(nn.Identity(), y)(z))


def gradient(objective: objectives.Objective, x: Tensor) -> Tensor:
    """Compute the gradient per image, flat."""
    x = x.clone().requires_grad_()
    (grad,) = torch.autograd.grad(objective(x).sum(), x)
    return grad.flatten(1)


@pytest.mark.parametrize(("objective", "sign"), [(untargeted, -1), (targeted, 1)], ids=["untargeted", "targeted"])
def test_steps_have_the_direction_of_cross_entropy(objective, sign):
    """cos(grad value, -+ grad CE) = 1: every normalised step is the very step of CE."""
    model, x, y = tiny().double(), images(6, size=16, dtype=torch.float64), labels(6)
    ours = gradient(objective(model, y), x)
    theirs = sign * gradient(lambda x: F.cross_entropy(model(x), y, reduction="none"), x)
    torch.testing.assert_close(torch.cosine_similarity(ours, theirs), torch.ones(6, dtype=torch.float64))


@pytest.mark.parametrize("objective", [untargeted, targeted, untargeted_margin])
def test_gradient_does_not_vanish_where_that_of_cross_entropy_does(objective):
    """At logits of scale 200, p_y = 1 in float32: grad CE = 0 exactly, and CE-PGD stands still."""
    z = torch.tensor([[200.0, 0.0, -3.0], [0.0, 210.0, 5.0]])
    y = torch.tensor([0, 1])
    assert (gradient(lambda z: cross_entropy(z, y), z) == 0).all()
    assert (gradient(objective(nn.Identity(), y), z).abs().amax(1) > 0.9).all()


@pytest.mark.parametrize("scale", [1.0, 200.0, 1e4], ids=str)
def test_values_and_gradients_are_finite_at_any_scale(scale):
    """No inf - inf from the masked class."""
    z, y = logits(scale=scale).float(), labels()
    for objective in (untargeted, targeted, untargeted_margin):
        assert objective(nn.Identity(), y)(z).isfinite().all()
        assert gradient(objective(nn.Identity(), y), z).isfinite().all()


@pytest.mark.parametrize(
    ("objective", "measure", "sign"),
    [
        (targeted, log_odds, 1),
        (untargeted, log_odds, -1),
        (untargeted_margin, margin, -1),
    ],
    ids=["targeted", "untargeted", "untargeted_margin"],
)
def test_walking_down_makes_a_target_likelier_and_a_label_less_likely(objective, measure, sign):
    """The sign that home-grown attacks get wrong: the odds of t rise, those of y fall."""
    model, x, y = tiny(), images(6, size=16), labels(6)
    x_adv = pgd(objective(model, y), x, L2(1.0), steps=5, step_size=0.3)
    assert (sign * (measure(model(x_adv), y) - measure(model(x), y)) > 0).all()


def test_the_margin_is_negative_exactly_when_the_attack_has_succeeded():
    """z_y - max_{j != y} z_j < 0 iff argmax != y."""
    z, y = logits(200, 4), labels(200, 4)
    right = z.argmax(1) == y
    assert 0 < right.sum() < 200
    assert torch.equal(untargeted_margin(nn.Identity(), y)(z) < 0, ~right)
    assert torch.equal(margin(z, y) > 0, right)


def test_margin_is_the_distance_to_the_runner_up():
    """By hand."""
    z = torch.tensor([[5.0, 3.0, 1.0], [5.0, 3.0, 1.0]])
    assert margin(z, torch.tensor([0, 2])).tolist() == [2, -4]


def test_match_features_is_the_distance_of_representations():
    """|g(x) - z|_2 per image."""
    model, x = tiny(), images(3, size=16)
    z = model.features(images(3, size=16, seed=5))
    torch.testing.assert_close(match_features(model, z)(x), torch.linalg.vector_norm(model.features(x) - z, dim=1))


def test_match_features_rests_where_the_representation_is_reached():
    """At g(x) = z the value is 0 and the gradient 0, not NaN."""
    model, x = tiny(), images(2, size=16)
    objective = match_features(model, model.features(x).detach())
    assert (objective(x) == 0).all()
    assert (gradient(objective, x) == 0).all()


@pytest.mark.parametrize("shape", [(2, 31), (3, 32), (1, 32)], ids=str)
def test_match_features_refuses_a_representation_of_another_shape(shape):
    """(N, D), never broadcast."""
    model, x = tiny(), images(2, size=16)
    with pytest.raises(ValueError, match=r"z must have the shape of g\(x\) \(2, 32\), got"):
        match_features(model, torch.zeros(shape))(x)


def test_diverging_is_minus_the_divergence_from_what_was_said():
    """-KL(p || q) = -sum p log(p / q), p the softmax of what was said; 0 at the same answer, and p is not moved."""
    said, z = logits(k=4).requires_grad_(), logits(k=4).flip(0)
    p, q = said.softmax(1), z.softmax(1)
    torch.testing.assert_close(diverging(nn.Identity(), said)(z), -(p * (p / q).log()).sum(1))
    torch.testing.assert_close(diverging(nn.Identity(), said)(said), torch.zeros(50, dtype=torch.float64))
    assert not diverging(nn.Identity(), said)(z).requires_grad


@pytest.mark.parametrize(("precision", "inside"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_an_objective_is_evaluated_in_the_precision_that_was_asked_for(precision, inside):
    """The products inside are of that type, the values that come out float32 all the same."""
    seen = []

    def objective(x: Tensor) -> Tensor:
        seen.append(x.flatten(1) @ torch.ones(192, 1))
        return seen[-1][:, 0]

    values = autocast(objective, precision)(images(2))
    assert [made.dtype for made in seen] == [inside]
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, images(2).flatten(1).sum(1), rtol=0.01, atol=0)


def test_precision_is_by_default_what_is_fast_here(monkeypatch):
    monkeypatch.setattr(objectives.compute, "has_fast_bf16", lambda on: on.type == "cpu")
    seen = []
    autocast(lambda x: seen.append(x[:, 0, 0] @ torch.ones(8, 1)) or x.flatten(1).sum(1))(images(2))
    assert seen[0].dtype == torch.bfloat16


@pytest.mark.parametrize("objective", [untargeted, targeted, untargeted_margin])
@pytest.mark.parametrize("k", [0, 1])
def test_objectives_refuse_fewer_than_two_classes(objective, k):
    """There are no odds with one class."""
    with pytest.raises(ValueError, match=r"logits \(N, K\) with K >= 2 classes, got \(2, [01]\)"):
        objective(nn.Identity(), torch.zeros(2, dtype=torch.long))(torch.zeros(2, k))


@pytest.mark.parametrize("shape", [(2,), (2, 3, 4)], ids=str)
def test_objectives_refuse_what_are_not_logits(shape):
    """(N, K)."""
    with pytest.raises(REFUSED, match=r"logits"):
        untargeted(nn.Identity(), torch.zeros(2, dtype=torch.long))(torch.zeros(shape))


@pytest.mark.parametrize("objective", [untargeted, targeted, untargeted_margin])
def test_one_value_per_image_that_depends_on_that_image_only(objective):
    """value(batch)_i = value(x_i)."""
    model, x, y = tiny().double(), images(4, size=16, dtype=torch.float64), labels(4)
    whole = objective(model, y)(x)
    assert whole.shape == (4,)
    singles = torch.cat([objective(model, y[i : i + 1])(x[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(whole, singles)


@pytest.mark.parametrize("value", [log_odds, margin, cross_entropy])
def test_labels_may_be_of_any_whole_number_type(value):
    logits, y = torch.randn(3, 5, generator=draws()), torch.tensor([0, 4, 2])
    assert torch.equal(value(logits, y.int()), value(logits, y))


@pytest.mark.parametrize(("y", "said"), [([0, 5], "0 to 5"), ([-1, 2], "-1 to 2")])
def test_a_label_that_is_no_class_is_refused(y, said):
    with pytest.raises(REFUSED, match=f"labels must be 0 to 4, got {said}"):
        log_odds(torch.randn(2, 5, generator=draws()), torch.tensor(y))
