"""The attack that follows a picture that moves."""

import pytest
import torch

from core.attacks import L2, Linf
from core.perturb.duel import Chase, Seen
from tests.helpers import Plane, draws, grey, images, tiny


def chase(seed: int = 1) -> Chase:
    return Chase(tiny(seed=seed), "fp32")


@pytest.mark.parametrize(("norm", "ball"), [("L2", L2(0.5)), ("Linf", Linf(0.02))])
def test_every_frame_stays_in_the_ball_around_that_frame(norm, ball):
    attack = chase()
    for seed in range(4):  # frames that have nothing to do with each other
        x = images(1, size=32, seed=seed)
        seen = attack.follow(x, norm=norm, eps=float(ball.eps), target=None)
        assert float(ball.norm(seen.x_adv - x)) <= float(ball.eps) + 1e-5
        assert seen.norm == pytest.approx(float(ball.norm(seen.x_adv - x)), abs=1e-5)
        assert float(seen.x_adv.min()) >= 0 and float(seen.x_adv.max()) <= 1
        torch.testing.assert_close(seen.clean, attack.model(x)[0])
        torch.testing.assert_close(seen.attacked, attack.model(seen.x_adv)[0])


def test_no_radius_is_no_attack_and_forgets_the_last_one():
    attack, x = chase(), images(1, size=32)
    attack.follow(x, norm="L2", eps=0.5, target=3)
    seen = attack.follow(x, norm="L2", eps=0.0, target=3)
    assert torch.equal(seen.x_adv, x)
    assert (seen.norm, seen.fooled, attack.delta) == (0.0, False, None)


def test_it_goes_on_from_the_frame_before_until_nothing_is_left_to_gain():
    """On a plane the worst perturbation of length eps is known: along the gradient."""
    w = torch.randn(3, 8, 8, generator=draws(5))
    attack, x = Chase(Plane(w), "fp32"), grey(1, dtype=torch.float32)
    way = -w / w.norm()
    reached = []
    for _ in range(3):
        seen = attack.follow(x, norm="L2", eps=0.6, target=1, steps=1)
        reached.append(float(((seen.x_adv - x)[0] * way).sum()))
    assert reached == pytest.approx([0.18, 0.36, 0.54], abs=1e-4)  # one step of 0.3 eps a frame
    seen = attack.follow(x, norm="L2", eps=0.6, target=1)
    torch.testing.assert_close((seen.x_adv - x)[0], 0.6 * way, atol=1e-4, rtol=0)


@pytest.mark.parametrize("side", [1, -1])
def test_without_a_target_it_leads_away_from_what_the_model_says(side):
    """Of a plane the way across is known, from either side."""
    w = torch.randn(3, 8, 8, generator=draws(5))
    x = grey(1, dtype=torch.float32)
    x = x + (0.1 * side - (x * w).sum()) / (w * w).sum() * w
    seen = Chase(Plane(w), "fp32").follow(x, norm="L2", eps=0.6, target=None, steps=4)
    torch.testing.assert_close((seen.x_adv - x)[0], -side * 0.6 * w / w.norm(), atol=1e-4, rtol=0)
    assert seen.fooled


def test_a_smaller_radius_shrinks_what_is_there():
    attack, x = chase(), images(1, size=32)
    attack.follow(x, norm="L2", eps=1.0, target=3, steps=10)
    assert attack.follow(x, norm="L2", eps=0.25, target=3, steps=0).norm == pytest.approx(0.25, abs=1e-4)


def test_another_size_of_picture_begins_anew():
    attack = chase()
    attack.follow(images(1, size=32), norm="L2", eps=0.5, target=None)
    assert attack.follow(images(1, size=16), norm="L2", eps=0.5, target=None).x_adv.shape[-1] == 16


def logits(*largest: int) -> list[torch.Tensor]:
    return [torch.nn.functional.one_hot(torch.tensor(k), 10).float() for k in largest]


@pytest.mark.parametrize(
    ("clean", "attacked", "target", "fooled", "counts"),
    [
        (6, 9, None, True, True),
        (6, 6, None, False, True),
        (6, 9, 9, True, True),
        (6, 3, 9, False, True),  # another answer, but not the one that was asked for
        (9, 9, 9, False, False),  # it says so by itself
    ],
)
def test_fooled_is_another_answer_and_the_one_that_was_asked_for(clean, attacked, target, fooled, counts):
    x = images(1)
    seen = Seen(x, x, *logits(clean, attacked), norm=0.0, target=target)
    assert (seen.fooled, seen.counts) == (fooled, counts)
