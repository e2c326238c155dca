"""The first, fixed map of a network: normalisation, and whitening."""

import pytest
import torch
import torch.nn.functional as F

from core import train
from core.models import build, checkpoints
from core.models.checkpoints import Header
from core.models.normalization import Normalize, Whiten, adaptive_batch_norm
from core.saliency import attribute
from core.train import TrainRecipe
from tests.core.test_experiments import drawn
from tests.helpers import tiny


def smooth(n: int) -> torch.Tensor:
    """Pictures in which neighbours go together, as in photographs, and a little fine noise."""
    draws = torch.Generator().manual_seed(0)
    coarse = torch.rand(n, 3, 8, 8, generator=draws)
    return (F.interpolate(coarse, size=32, mode="bilinear") + 0.01 * torch.randn(n, 3, 32, 32, generator=draws)).clamp(
        0, 1
    )


def neighbours(z: torch.Tensor) -> float:
    """The correlation of horizontal neighbours."""
    return float(torch.corrcoef(torch.stack([z[..., 1:].flatten(), z[..., :-1].flatten()]))[0, 1])


def test_until_it_is_fitted_it_only_normalises():
    x = smooth(2)
    assert torch.equal(Whiten()(x), Normalize()(x))


def test_neighbouring_pixels_hardly_go_together_any_more():
    x = smooth(64)
    whiten = Whiten()
    whiten.fit(x)
    assert neighbours(Normalize()(x)) > 0.9
    assert abs(neighbours(whiten(x)[..., 1:-1, 1:-1])) < 0.4


def test_on_a_patch_it_is_the_inverse_square_root_of_the_covariance():
    """Of whole patches, of which it keeps the centre: here of one pixel, so that nothing is left out."""
    x = smooth(64)
    whiten = Whiten(1, floor=0.0)
    whiten.fit(x)
    covariance = torch.cov(whiten(x).permute(1, 0, 2, 3).flatten(1))
    assert torch.allclose(covariance, torch.eye(3), atol=1e-3)


def test_a_fine_perturbation_is_larger_after_it_than_after_normalisation():
    """Relative to the picture: why it is there."""
    x = smooth(64)
    fine = 0.01 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    whiten = Whiten()
    whiten.fit(x)

    def share(layer: torch.nn.Module) -> float:
        return float((layer(x + fine) - layer(x)).norm() / layer(x).norm())

    assert share(whiten) > 5 * share(Normalize())


def test_it_computes_in_float32_whatever_is_around_it():
    whiten = Whiten()
    whiten.fit(smooth(64))
    x = smooth(2)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(whiten(x), whiten(x.clone()))
        assert whiten(x).dtype == torch.float32


def test_a_whitening_network_is_trained_kept_and_explained(tmp_path):
    """`fit` learns the map from the training pictures; the checkpoint carries it; nothing trains it."""
    pictures = drawn(128, 0)
    recipe = TrainRecipe(args={"width": 4, "whiten": 3}, epochs=1, batch_size=64)
    model = train.fit(recipe, pictures)
    wanted = Whiten(3)
    wanted.fit(pictures.x())
    assert torch.equal(model.normalize.weight, wanted.weight)
    path = tmp_path / "whitened.safetensors"
    checkpoints.save(path, model.state_dict(), Header("resnet9", recipe.args))
    again, _ = checkpoints.read(path)
    assert torch.equal(again.normalize.weight, wanted.weight.half().float())
    x = pictures.x(range(2))
    for method in ("gradient", "guided_backprop", "deep_lift"):
        assert attribute(again, x, torch.tensor([0, 1]), method).isfinite().all(), method


@pytest.mark.parametrize("arch", ["resnet9", "vgg", "densenet", "mobilenet", "convmixer"])
def test_every_architecture_can_begin_with_it(arch):
    model = build(arch, whiten=3)
    assert isinstance(model.normalize, Whiten)
    assert not isinstance(build(arch).normalize, Whiten)


def test_adapted_statistics_are_those_of_the_pictures_and_the_weights_stay():
    model = build("resnet9", width=4).eval()
    x = smooth(60)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    there = adaptive_batch_norm(model, x, batch_size=20)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items()), "only the copy changes"
    first = next(name for name, module in there.named_modules() if isinstance(module, torch.nn.BatchNorm2d))
    seen: list[torch.Tensor] = []
    there.get_submodule(first).register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    there(x)
    norm = there.get_submodule(first)
    assert torch.allclose(norm.running_mean, seen[0].mean((0, 2, 3)), atol=1e-5)
    assert torch.allclose(
        norm.running_var, torch.stack([part.var((0, 2, 3)) for part in seen[0].split(20)]).mean(0), rtol=1e-3
    )
    assert norm.momentum == model.get_submodule(first).momentum
    assert not any(module.training for module in there.modules())
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    for name, value in there.state_dict().items():
        assert torch.equal(value, before[name]) or name.endswith(statistics), name


def test_adapted_statistics_undo_what_all_pictures_have_in_common():
    """Halve the contrast of all pictures about the grey that normalisation takes off (and padding puts back): with the
    old statistics a network says something else, with theirs the same."""
    x = smooth(60)
    model = adaptive_batch_norm(tiny(), x, batch_size=60)
    assert isinstance(model.normalize, Normalize)
    grey = model.normalize.mean
    faint = grey + 0.5 * (x - grey)
    with torch.no_grad():
        wanted = model(x)
        stale = (model(faint) - wanted).norm()
        new = (adaptive_batch_norm(model, faint, batch_size=60)(faint) - wanted).norm()
        again = adaptive_batch_norm(model, x, batch_size=60)(x)
    assert stale > 0.1 * wanted.norm()
    assert new < 0.001 * stale
    assert torch.allclose(again, wanted, atol=1e-4)
