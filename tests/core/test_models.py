"""Classifiers: pixels in, the representation in the open, normalisation among the weights."""

import pytest
import torch
from torch import nn

from core.models import ARCHITECTURES, build, evaluating
from core.models.normalization import MEAN, STD
from tests.helpers import images, tiny

every = pytest.mark.parametrize("arch", sorted(ARCHITECTURES))


@every
def test_a_model_is_its_head_on_its_features(arch):
    """model(x) = head(g(x)), and nothing in between."""
    model, x = tiny(arch), images(3, size=32)
    z = model.features(x)
    assert z.shape == (3, model.head.in_features)
    assert torch.equal(model.head(z), model(x))
    torch.testing.assert_close(model(x), z @ model.head.weight.T + model.head.bias)


@every
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_logits_are_one_per_class(arch, classes):
    """(N, K)."""
    assert tiny(arch, classes=classes)(images(1, size=32)).shape == (1, classes)


@pytest.mark.parametrize(
    ("arch", "dimensions", "millions"),
    [
        ("resnet9", 256, 1.65),
        ("resnet18", 512, 11.17),
        ("resnet50", 2048, 23.52),
        ("vgg", 256, 1.18),
        ("densenet", 296, 0.51),
        ("mobilenet", 256, 0.20),
        ("convmixer", 256, 0.43),
    ],
)
def test_sizes_are_as_documented(arch, dimensions, millions):
    """D and the number of parameters of the default size."""
    with torch.device("meta"):
        model = build(arch)
    assert model.head.in_features == dimensions
    assert model.head.out_features == 10
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize("arch", ["resnet18", "resnet50"])
def test_resnets_of_the_literature_begin_at_full_resolution_and_halve_it_thrice(arch):
    """A 3x3 stem of stride 1 and no max-pooling; the number of parameters would not tell."""
    model, x = tiny(arch), images(2, size=32)
    sides = [model.activations(x, block).shape[2:] for block in model.blocks[:-1]]
    assert sides == [(32, 32), (32, 32), (16, 16), (8, 8), (4, 4)]


@every
def test_width_scales_the_representation(arch):
    """D = 8 width."""
    assert tiny(arch, width=8).head.in_features == 64


@every
@pytest.mark.parametrize("size", [16, 32, 48])
def test_pictures_may_have_any_size_from_16_pixels(arch, size):
    """The representation is an average over positions."""
    assert tiny(arch).features(images(2, size=size)).shape == (2, 32)


def test_normalisation_is_the_first_layer():
    """(x - mean) / std, per channel, with the CIFAR-10 constants."""
    model, x = tiny(), images(2, size=16)
    expected = torch.stack([(x[:, c] - MEAN[c]) / STD[c] for c in range(3)], 1)
    torch.testing.assert_close(model.normalize(x), expected)
    torch.testing.assert_close(model.features(x), model.body(expected))


def test_normalisation_belongs_to_the_weights():
    """mean and std are in the state dict, and another mean is another model; neither is trained."""
    model, x = tiny(), images(2, size=16)
    before = model(x)
    assert {"normalize.mean", "normalize.std"} <= model.state_dict().keys()
    assert not {"normalize.mean", "normalize.std"} & dict(model.named_parameters()).keys()
    other = tiny()
    other.normalize.mean += 0.1
    assert not torch.allclose(other(x), before)
    other.load_state_dict(model.state_dict())
    torch.testing.assert_close(other(x), before)


@every
def test_the_last_block_is_the_representation(arch):
    """activations(x, last block) = g(x)."""
    model, x = tiny(arch), images(2, size=32)
    assert torch.equal(model.activations(x, model.blocks[-1]), model.features(x))


@every
def test_activations_are_those_of_each_block_in_order(arch):
    """h_k = block_k(h_{k-1}), h_0 the normalised image."""
    model, x = tiny(arch), images(2, size=32)
    h = model.normalize(x)
    assert len(model.blocks) == len(model.body) > 3
    for name in model.blocks:
        h = getattr(model.body, name)(h)
        assert torch.equal(model.activations(x, name), h)


def test_an_unknown_block_is_refused_with_the_names_there_are():
    """A sentence, not a KeyError."""
    with pytest.raises(ValueError, match="no block 'layer4'; this model has stem, conv1, res1"):
        tiny().activations(images(1, size=16), "layer4")


def test_an_unknown_architecture_is_refused_with_the_names_there_are():
    """A sentence, not a KeyError."""
    with pytest.raises(
        ValueError,
        match="no architecture 'alexnet'; have resnet9, resnet18, resnet50, vgg, densenet, mobilenet, convmixer",
    ):
        build("alexnet")


@every
def test_in_eval_mode_an_image_does_not_depend_on_its_batch(arch):
    """Batch norm uses stored statistics: model(x)_i = model(x_i); in training mode it does not."""
    model, x = tiny(arch), images(4, size=32)
    torch.testing.assert_close(model(x)[:1], model(x[:1]), rtol=1e-4, atol=1e-5)
    model.train()
    assert not torch.allclose(model(x)[:2], model(x[:2]), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("fails", [False, True], ids=["leaves", "raises"])
def test_evaluating_restores_the_mode_of_every_module(fails):
    """Inside all modules evaluate; after, each has its own mode again, also after an exception."""
    model = tiny().train()
    model.body.res1.eval()
    model.head.eval()
    modes = [module.training for module in model.modules()]
    try:
        with evaluating(model) as same:
            assert same is model
            assert not any(module.training for module in model.modules())
            if fails:
                raise OSError("enough")
    except OSError:
        assert fails
    assert [module.training for module in model.modules()] == modes


def test_measuring_does_not_change_batch_statistics():
    """Inside `evaluating`, running means stay."""
    model = tiny().train()
    before = {name: value.clone() for name, value in model.named_buffers()}
    with evaluating(model):
        model(images(4, size=16))
    assert all(torch.equal(value, before[name]) for name, value in model.named_buffers())


@every
def test_every_parameter_and_pixel_has_a_gradient(arch):
    """No block is left out of the graph."""
    model, x = tiny(arch).train(), images(4, size=32).requires_grad_()
    nn.functional.cross_entropy(model(x), torch.arange(4)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert (x.grad != 0).float().mean() > 0.5
