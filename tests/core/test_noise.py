"""Noise of a given length, the control beside every attack: as far as was asked, whatever the range takes away."""

import math

import pytest
import torch

from core.attacks import balls
from core.attacks.noise import noise_of_length
from tests.helpers import draws, grey, images

both = pytest.mark.parametrize("norm", ["Linf", "L2"])


def direction(n: int = 3, size: int = 8) -> torch.Tensor:
    return torch.randn(n, 3, size, size, generator=draws(4), dtype=torch.float64)


@both
def test_in_the_middle_of_the_range_it_goes_straight_there(norm):
    """x + length d / |d|, each picture as far as was asked of it, however long its direction is."""
    x, way, length = grey(3), direction(), torch.tensor([0.0, 0.05, 0.2], dtype=torch.float64)
    moved, reached = noise_of_length(x, way * 1e3, length, norm)
    unit = way.sign() if norm == "Linf" else way / way.flatten(1).norm(dim=1)[:, None, None, None]
    torch.testing.assert_close(moved, x + length[:, None, None, None] * unit)
    torch.testing.assert_close(reached, length)


def test_what_clipping_takes_away_is_made_up():
    """Half of the pixels are at an end of the range, where every other step is lost."""
    x, length = images(3, dtype=torch.float64), torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    x[:, :, ::2] = x[:, :, ::2].round()
    moved, reached = noise_of_length(x, direction(), length, "L2")
    assert 0 <= moved.min() <= moved.max() <= 1
    torch.testing.assert_close(reached, length, rtol=0.02, atol=0)
    torch.testing.assert_close(balls.L2(1.0).norm(moved - x), reached)
    once = (x + balls.L2(length).rescale(direction())).clamp(0, 1)
    assert (balls.L2(1.0).norm(once - x) < 0.9 * length).all(), "nothing was taken away"


@both
def test_where_there_is_no_way_or_no_room_it_stays_a_picture(norm):
    """No direction: x itself, also in float32, where a length over nothing overflows. No room: the corner."""
    x = torch.stack([grey(1)[0], torch.ones(3, 8, 8), grey(1)[0]]).float()
    way = torch.ones(3, 3, 8, 8)
    way[0] = 0
    moved, reached = noise_of_length(x, way, torch.tensor([0.1, 0.1, 50.0]), norm)
    assert torch.equal(moved[:2], x[:2])
    assert torch.equal(moved[2], torch.ones_like(x[2]))
    assert reached.tolist() == pytest.approx([0, 0, 0.5 if norm == "Linf" else 0.5 * math.sqrt(192)])
