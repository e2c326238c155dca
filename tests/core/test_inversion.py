"""Inverting representations: what must come back, what must stay, and what a stop leaves."""

import copy

import pytest
import torch
from torch import nn

from core.attacks import Stop
from core.attacks.rules import Rule, State, lbfgs, steepest
from core.inversion.invert import (
    FAST,
    PAPER,
    UNLIMITED,
    Setting,
    interpolate,
    invert,
    maximise_feature,
    noise_start,
    relative_distance,
    representation,
)
from core.models import Classifier
from tests.helpers import REFUSED, draws, images, tiny

SIZE = 3 * 8 * 8
SHORT = Setting(15, lambda: lbfgs(1.0))


def linear(seed: int = 0) -> Classifier:
    """A classifier whose representation is an invertible linear map of the pixels, of condition 20."""
    basis = torch.linalg.qr(torch.randn(SIZE, SIZE, generator=draws(seed)))[0]
    layer = nn.Linear(SIZE, SIZE, bias=False)
    with torch.no_grad():
        layer.weight.copy_(basis * torch.linspace(1, 0.05, SIZE)[:, None])
    body = nn.Sequential()
    body.add_module("flat", nn.Flatten())
    body.add_module("pool", layer)
    return Classifier(body, nn.Linear(SIZE, 10)).eval().requires_grad_(False)


def test_an_invertible_representation_gives_the_picture_back():
    model, x = linear(), 0.2 + 0.6 * images(3, seed=1)
    made = invert(model, representation(model, x), images(3, seed=2), setting=Setting(400, FAST.make_rule))
    torch.testing.assert_close(made, x, rtol=0, atol=0.01)


def test_the_papers_steps_come_close_too():
    model, x, x0 = linear(), 0.2 + 0.6 * images(2, seed=1), images(2, seed=2)
    objective = relative_distance(model, representation(model, x))
    made = invert(model, representation(model, x), x0, setting=PAPER)
    assert (objective(made) < 0.1 * objective(x0)).all()


def test_the_fast_setting_takes_a_tenth_of_the_steps():
    assert FAST.steps * 10 <= PAPER.steps


@pytest.mark.parametrize("setting", [SHORT, Setting(15, PAPER.make_rule)], ids=["fast", "paper"])
def test_a_batch_is_its_pictures_one_by_one(setting):
    model, x, x0 = linear(), images(4, seed=1), images(4, seed=2)
    z = representation(model, x)
    alone = [invert(model, z[i : i + 1], x0[i : i + 1], setting=setting) for i in range(4)]
    torch.testing.assert_close(invert(model, z, x0, setting=setting), torch.cat(alone), rtol=0, atol=1e-4)


@pytest.mark.parametrize("how", ["true", "raise"])
def test_stop_keeps_the_best_so_far(how):
    model, x, x0 = tiny(), images(2, size=32, seed=1), images(2, size=32, seed=2)
    seen: list[State] = []

    def on_step(i: int, state: State) -> bool:
        seen.append(state)
        if i == 4 and how == "raise":
            raise Stop
        return i == 4

    z = representation(model, x)
    made = invert(model, z, x0, setting=Setting(50, steepest_wild), on_step=on_step)
    assert len(seen) == 5
    best = torch.stack([state.values for state in seen]).amin(0)
    torch.testing.assert_close(relative_distance(model, z)(made), best, rtol=1e-4, atol=1e-5)


def steepest_wild() -> Rule:
    """Steps so long that the last iterate is seldom the best."""
    return steepest(UNLIMITED, [0.5, 0.5, 8.0, 8.0, *[0.5] * 60])


def test_the_result_is_never_worse_than_the_start():
    model, x, x0 = tiny(), images(3, size=32, seed=1), images(3, size=32, seed=2)
    objective = relative_distance(model, representation(model, x))
    assert (objective(invert(model, representation(model, x), x0, setting=SHORT)) <= objective(x0)).all()


def test_nothing_in_the_model_is_touched():
    model = tiny()
    before, training = copy.deepcopy(model.state_dict()), model.training
    x = images(2, size=32)
    invert(model, representation(model, x), images(2, size=32, seed=3), setting=SHORT)
    maximise_feature(model, torch.tensor([0, 1]), x, steps=3, step_size=0.1)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert model.training == training


def test_inputs_are_not_touched():
    model, x0 = tiny(), images(2, size=32, seed=3)
    z = representation(model, images(2, size=32))
    kept = x0.clone(), z.clone()
    invert(model, z, x0, setting=SHORT)
    assert torch.equal(x0, kept[0])
    assert torch.equal(z, kept[1])


def test_a_start_that_is_the_picture_stays_exactly():
    model, x = tiny(), images(2, size=32)
    made = invert(model, representation(model, x), x, setting=SHORT)
    assert made.isfinite().all()
    assert torch.equal(made, x)


def test_pixels_stay_pixels():
    model = tiny()
    made = invert(model, 100 * representation(model, images(2, size=32)), images(2, size=32, seed=1), setting=SHORT)
    assert made.min() >= 0
    assert made.max() <= 1


@pytest.mark.parametrize("block", tiny().blocks)
def test_every_block_can_be_inverted(block):
    model, x, x0 = tiny(), images(1, size=32, seed=1), images(1, size=32, seed=2)
    z = representation(model, x, block)
    objective = relative_distance(model, z, block)
    assert objective(invert(model, z, x0, setting=SHORT, block=block)) < objective(x0)


def test_a_representation_of_another_shape_is_refused():
    model = tiny()
    with pytest.raises(REFUSED, match=r"shape|Type"):
        invert(model, torch.zeros(1, 7), images(1, size=32), setting=SHORT)


def test_the_distance_is_relative():
    model, x = linear(), images(2)
    z = representation(model, x)
    torch.testing.assert_close(relative_distance(model, 2 * z)(x), torch.full((2,), 0.5))


def test_interpolation_ends_exactly_at_its_ends():
    a, b = torch.randn(256, generator=draws(1)), torch.randn(256, generator=draws(2))
    line = interpolate(a, b, 11)
    assert torch.equal(line[0], a)
    assert torch.equal(line[-1], b)
    torch.testing.assert_close(line[5], (a + b) / 2)
    steps = (line[1:] - line[:-1]).norm(dim=1)
    torch.testing.assert_close(steps, steps[:1].expand_as(steps), rtol=1e-3, atol=1e-4)


def test_noise_comes_from_its_generator():
    first, again, other = (noise_start((2, 3, 32, 32), draws(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert abs(float(first.mean()) - 0.5) < 0.005
    assert abs(float(first.std()) - 0.05) < 0.005


def test_maximising_raises_each_pictures_own_coordinate():
    model, x0, index = tiny(), images(3, size=32), torch.tensor([0, 3, 5])
    made = maximise_feature(model, index, x0, steps=10, step_size=0.1)
    of = lambda x: representation(model, x).gather(1, index[:, None])[:, 0]
    assert (of(made) > of(x0)).all()
