"""The doctor: each sabotaged model gets its sentence, healthy ones get none."""

from collections.abc import Callable
from copy import deepcopy
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from core.data import pictures
from core.data.sets import from_npz
from core.models import build, meaning
from core.models.doctor import examine
from core.models.normalization import Normalize, adaptive_batch_norm
from core.types import Images, Labels
from tests.helpers import images, template_pictures, tiny, trained

CLASSES = ("apple", "brick", "cloud", "drum")


class Sabotaged(nn.Module):
    """A model with something before its pixels and something after its logits."""

    def __init__(
        self, model: nn.Module, before: Callable[[Tensor], Tensor] = lambda x: x, after: Callable = lambda z: z
    ) -> None:
        super().__init__()
        self.model, self.before, self.after = model, before, after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.model(self.before(x)))


class Rounded(torch.autograd.Function):
    """Sixteen levels, honestly differentiated: the gradient is zero almost everywhere."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return (x * 15).round() / 15

    @staticmethod
    def backward(ctx, g: Tensor) -> Tensor:
        return torch.zeros_like(g)


def noisy(z: Tensor) -> Tensor:
    return z + 0.1 * torch.randn(z.shape)


def still_learning() -> nn.Module:
    model = deepcopy(trained()[0])
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.track_running_stats, module.running_mean, module.running_var = False, None, None
    return model


def in_training() -> nn.Module:
    return Sabotaged(trained()[0], after=nn.Dropout(0.5))


def upset(model: nn.Module) -> nn.Module:
    """A model whose classes are called by the wrong names."""
    return Sabotaged(model, after=lambda z: z[:, [1, 2, 3, 0]])


# What expects [-1, 1] undoes that first: to the pages' pixels it is wrong.
SABOTAGED: dict[str, tuple[Callable[[nn.Module], nn.Module], str, str]] = {
    "minus one to one": (lambda m: Sabotaged(m, lambda x: (x + 1) / 2), "pixels", "pixels from -1 to 1"),
    "zero to 255": (lambda m: Sabotaged(m, lambda x: x / 255), "pixels", "pixels from 0 to 255"),
    "normalised": (
        lambda m: Sabotaged(m, lambda x: x * m.normalize.std + m.normalize.mean),
        "pixels",
        "normalised as for CIFAR-10",
    ),
    "blue green red": (lambda m: Sabotaged(m, lambda x: x.flip(1)), "colours", "blue, green, red"),
    "softmax": (lambda m: Sabotaged(m, after=lambda z: z.softmax(1)), "softmax", "probabilities, not logits"),
    "log-softmax": (lambda m: Sabotaged(m, after=lambda z: z.log_softmax(1)), "log-softmax", "log-softmax"),
    "training": (lambda _: in_training(), "training", "training mode"),
    "too many logits": (lambda m: Sabotaged(m, after=lambda z: torch.cat([z, z[:, :1] - 9], 1)), "count", "5 logits"),
    "another order": (upset, "order", "pictures of apple get the logit that is called drum"),
    "rounded pixels": (lambda m: Sabotaged(m, Rounded.apply), "vanishing", "exactly zero for 8 of 8"),
    "saturated": (lambda m: Sabotaged(m, after=lambda z: 1e5 * z), "saturated", "so far apart"),
    "square root of zero": (
        lambda m: Sabotaged(m, after=lambda z: z + (z - z.detach()).abs().sqrt()),
        "gradient",
        "not finite for 8",
    ),
    "detached": (lambda m: Sabotaged(m, lambda x: x.detach()), "detached", "No gradient reaches"),
    "random": (lambda m: Sabotaged(m, after=noisy), "random", "two runs on the same pictures differ"),
    "never loaded": (lambda _: tiny(classes=4, seed=3), "chance", "guessing among 4 classes"),
    "company": (lambda _: still_learning(), "company", "depends on the others in the batch"),
    "one answer": (lambda m: Sabotaged(m, lambda x: 0 * x), "dead", "same logits to every picture"),
    "overflow": (lambda m: Sabotaged(m, after=lambda z: z * torch.inf), "finite", "not finite"),
    "a pair": (lambda m: Sabotaged(m, after=lambda z: (z, z)), "shape", "tuple where logits"),
    "too small": (lambda _: build("torchvision/alexnet", classes=4).eval(), "dead", "cannot take pictures of 16 × 16"),
}


@pytest.mark.parametrize("name", SABOTAGED)
def test_a_sabotaged_model_gets_its_sentence(name):
    """The first that is said names the sabotage, and nothing contradicts it."""
    make, fault, says = SABOTAGED[name]
    model, x, y = trained()
    found = examine(make(model), CLASSES, x, y)
    assert [f.fault for f in found][:1] == [fault], found
    assert says in found[0].says and found[0].remedy.endswith(".") and "\n" not in found[0].says
    assert len(found) == 1, found


@cache
def probed(arch: str) -> tuple[nn.Module, Images, Labels]:
    """A network of another library: random features, statistics and a last layer that fit the templates."""
    train, test = (
        template_pictures(n, contrast=0.3, noise=0.05, size=32, seed=seed) for n, seed in ((300, 0), (120, 1))
    )
    torch.manual_seed(0)
    model = adaptive_batch_norm(build(arch, classes=4), train.x(), 100)
    with torch.no_grad():
        z = model.features(train.x()).double()
        z1 = torch.cat([z, torch.ones(len(z), 1)], 1)
        target = torch.nn.functional.one_hot(train.y(), 4).double()
        w = torch.linalg.solve(z1.T @ z1 + 1.0 * torch.eye(z1.shape[1]), z1.T @ target)
        model.head.weight.copy_(10 * w[:-1].T)
        model.head.bias.copy_(10 * w[-1])
    return model.eval(), test.x(), test.y()


@pytest.mark.parametrize("arch", ["timm/test_resnet", "torchvision/shufflenet_v2_x0_5"])
def test_a_healthy_model_of_another_library_gets_none(arch):
    """And the same network, told of other pixels than it was made for, gets its one."""
    pytest.importorskip(arch.partition("/")[0])
    model, x, y = probed(arch)
    with torch.no_grad():
        assert float((model(x).argmax(1) == y).float().mean()) > 0.7
    assert examine(model, CLASSES, x, y) == ()
    model.normalize = Normalize((0.5,) * 3, (1 / 255,) * 3)
    found, *more = examine(model, CLASSES, x, y)
    model.normalize = Normalize((0.0,) * 3, (1.0,) * 3)
    assert not more, more
    assert found.fault == "pixels" and "[0, 1] as they are" in found.says


@pytest.mark.parametrize("name", ["resnet9-standard", "mobilenet-standard"])
def test_a_shipped_model_gets_none(checkpoint, name):
    gallery = from_npz(pictures.GALLERY)
    assert examine(checkpoint(name), gallery.classes, gallery.x()[::2], gallery.y()[::2]) == ()


def test_without_labels_batch_norm_remembers_what_pixels_were(checkpoint):
    """A network that met normalised pixels in training, run on [0, 1] as they are."""
    model = checkpoint("resnet9-standard")
    x = from_npz(pictures.GALLERY).x()[::4]
    classes = from_npz(pictures.GALLERY).classes
    assert examine(model, classes, x) == ()
    model.normalize = Normalize((0.0,) * 3, (1 / 255,) * 3)
    (found,) = examine(model, classes, x)
    assert found.fault == "pixels" and "batch norm remembers" in found.says


def test_meaning_of_pixels_is_tried_on_the_network_behind_its_normalisation():
    """with_pixels(f, N)(x) = head(body(N(x))): not N after the normalisation that is there."""
    model = tiny()
    x = images(3, size=16)
    norm = meaning.PIXELS["pixels normalised as for CIFAR-10"]
    torch.testing.assert_close(meaning.with_pixels(model, norm)(x), model(x))
    turned = meaning.with_pixels(model, norm, swapped=True)(x)
    torch.testing.assert_close(turned, model(x.flip(1)))


def test_modes_come_back():
    """The model that was in training mode is in training mode after."""
    model = in_training()
    examine(model, CLASSES, trained()[1][:16])
    assert model.training and model.after.training
