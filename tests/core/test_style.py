"""Style transfer: Gram matrices, the objective, and layers that are pushed."""

import math

import pytest
import torch

from core.attacks.balls import L2
from core.models import build
from core.style import gram, layers, pictures


@pytest.fixture
def network():
    return build("resnet9", width=4).eval().requires_grad_(False)


def test_a_gram_matrix_forgets_where():
    h = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    where = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(gram.gram(h), gram.gram(h.flatten(2)[:, :, where].reshape_as(h)))


def test_the_content_itself_costs_its_style_alone(network):
    content, style = pictures.content("coffee", 32), pictures.style("waves", 32)
    where = gram.layers_of(network)
    far = gram.style_distance(network, where.style, style)(content)
    cost = gram.painted(network, content, style, 4.0)(content)
    torch.testing.assert_close(cost, 2 * far.sqrt())
    assert float(gram.style_distance(network, where.style, style)(style)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", [*pictures.TEXTURES, *pictures.MATERIALS])
def test_every_style_is_a_picture_at_any_side(name):
    for side in (32, 64):
        x = pictures.style(name, side)
        assert x.shape == (1, 3, side, side)
        assert 0 <= float(x.min()) < float(x.max()) <= 1
    assert math.isfinite(float(x.std()))


def test_a_layer_is_pushed_no_further_than_its_map_allows():
    """On the normalised pixels themselves the largest push is eps over the smallest deviation of a channel."""
    network = build("resnet9", width=4).eval().requires_grad_(False)
    x = 0.4 + 0.2 * torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    made = layers.moved(network, "stem", x, L2(0.1), steps=4, generator=torch.Generator().manual_seed(0))
    none = layers.moved(network, "stem", x, L2(0.0), steps=4, generator=torch.Generator().manual_seed(0))
    assert float(none.pushed.abs().max()) == 0
    assert (made.pushed > 0).all()
    assert made.interval(torch.Generator().manual_seed(0))[0] <= made.ratio
