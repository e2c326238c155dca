"""Style transfer: Gram matrices, the objective, and layers that are pushed."""

import math

import pytest
import torch

from core.attacks.balls import L2
from core.models import build
from core.models.judge import JUDGE, ROBUST_JUDGE
from core.style import gram, layers, measure, pictures, scene
from core.style.recipe import StyleRecipe
from core.style.transfer import originals, transfer


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


def test_the_judges_of_a_pair_say_what_the_page_says(checkpoint):
    """Both judges look at the last frame; where they agree with nobody else, the file is wrong."""
    for name in (*measure.PAIR, JUDGE, ROBUST_JUDGE):
        checkpoint(name)
    recipe = StyleRecipe(steps=3, side=32)
    found = measure.pairs(1, recipe)
    asked = StyleRecipe(content=found["pairs"][0][0], style=found["pairs"][0][1], steps=3, side=32)
    assert list(found["judges"]) == [JUDGE, ROBUST_JUDGE]
    for judge, seen in found["judges"].items():
        for name in measure.PAIR:
            far, moved = scene.judged(transfer(asked, name), *originals(asked), [judge]).seen[judge]
            assert seen["style"][name]["value"] == pytest.approx(float(far[-1]), abs=1e-4)
            assert seen["content"][name]["value"] == pytest.approx(float(moved[-1]), abs=1e-4)
        standard, robust = (seen["style"][name]["value"] for name in measure.PAIR)
        assert seen["difference"]["value"] == pytest.approx(standard - robust)
        assert seen["better"] == int(standard > robust)
    assert set(found["weights"]) == {*measure.PAIR, JUDGE, ROBUST_JUDGE}
