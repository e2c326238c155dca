"""Attribution methods: exact where the answer is known, equal to captum's, safe on shared models, else refused."""

import re
import threading

import captum.attr
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.attacks import Stop
from core.attacks.objectives import cross_entropy
from core.data import pictures
from core.models import build
from core.saliency import METHODS, against, attribute, log_odds, logit
from core.saliency.attribution import ROWS
from core.train import initialise
from tests.app_process import ROOT
from tests.helpers import REFUSED, draws, images, tiny

# Captum announces its hooks at each call; the program silences that where it imports captum.
NOISY = [m for m, about in METHODS.items() if "noise" in about.settings]
ARCHITECTURES = ["resnet9", "resnet18", "vgg", "mobilenet"]
FEW = {"samples": 6, "window": 8}


def explained(model: nn.Module, x: Tensor, y: Tensor, method: str, seed: int = 0, **settings) -> Tensor:
    return attribute(model, x, y, method, generator=draws(seed), **{**FEW, **settings})


def linear(classes: int = 3, *, seed: int = 0) -> nn.Sequential:
    """Logits W x + b of pictures (N, 3, 8, 8)."""
    head = nn.Linear(192, classes)
    with torch.no_grad():
        head.weight.copy_(torch.randn(classes, 192, generator=draws(seed)))
    return nn.Sequential(nn.Flatten(), head).eval()


def pair(n: int = 2, size: int = 32) -> tuple[Tensor, Tensor]:
    return images(n, size=size), torch.arange(n) % 10


# Known answers


def test_on_a_linear_model_every_gradient_method_is_exact():
    """grad = w; x * w; IG = DeepLift = (x - x0) * w for any number of points.

    Gradient SHAP too where there is no noise.
    """
    model, (x, y) = linear(), (images(4), torch.tensor([0, 1, 2, 1]))
    w = model[1].weight.detach()[y].reshape(x.shape)
    wanted = {
        "gradient": w,
        "smooth_grad": w,
        "var_grad": torch.zeros_like(w),
        "guided_backprop": w,
        "input_x_gradient": x * w,
        "integrated_gradients": (x - 0.5) * w,
        "deep_lift": (x - 0.5) * w,
        "gradient_shap": (x - 0.5) * w,
    }
    for method, value in wanted.items():
        noise = 0.0 if method == "gradient_shap" else 0.3
        torch.testing.assert_close(
            explained(model, x, y, method, score=logit, noise=noise), value, rtol=1e-4, atol=2e-5
        )


def test_occlusion_is_the_fall_of_the_score():
    """On a linear model, covering a square with x0 takes away the sum of (x - x0) * w in it."""
    model, x, y = linear(), images(2), torch.tensor([2, 0])
    shares = ((x - 1.0) * model[1].weight.detach()[y].reshape(x.shape)).sum(1)
    found = explained(model, x, y, "occlusion", window=1, baseline="white")
    torch.testing.assert_close(found, shares[:, None].expand_as(found), rtol=1e-4, atol=1e-4)


def test_guided_backprop_on_silu_keeps_what_is_positive_of_its_gradient():
    """For z = W1 x and f = w2 . silu(z): W1^T relu(silu'(z) w2)."""
    first, second = nn.Linear(12, 20), nn.Linear(20, 2)
    model = nn.Sequential(nn.Flatten(), first, nn.SiLU(), second).eval()
    x, y = images(3, size=2), torch.tensor([0, 1, 0])
    z = first(x.flatten(1)).detach()
    slope = torch.sigmoid(z) * (1 + z * (1 - torch.sigmoid(z)))
    wanted = F.relu(slope * second.weight.detach()[y]) @ first.weight.detach()
    torch.testing.assert_close(explained(model, x, y, "guided_backprop", window=1), wanted.reshape(x.shape))


SMALL = {"densenet": {"growth": 4, "depth": 2}, "convmixer": {"width": 16, "depth": 2}}


@pytest.mark.parametrize("arch", ["resnet9", "mobilenet", "convmixer", "densenet", "resnet18", "resnet50"])
def test_shares_are_complete(arch):
    """They add up to f(x) - f(x0); for DeepLift that also proves that its rule reached every SiLU, GELU and ReLU6.

    Integrated Gradients are held where the network is smooth; with kinks the sum over points converges slowly.
    """
    model = build(arch, **SMALL.get(arch, {"width": 4}))
    initialise(model, draws(0))
    model.double().eval()
    x, y = images(2, size=32, dtype=torch.float64), torch.tensor([1, 4])
    gap = (model(x) - model(torch.full_like(x, 0.5))).gather(1, y[:, None])[:, 0].detach()
    torch.testing.assert_close(explained(model, x, y, "deep_lift").flatten(1).sum(1), gap)
    if arch in ("resnet9", "convmixer"):
        total = explained(model, x, y, "integrated_gradients", samples=64).flatten(1).sum(1)
        torch.testing.assert_close(total, gap, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["resnet9-standard", "resnet9-l2", "vgg-standard"])
def test_deeplift_is_complete_on_real_pictures(name, checkpoint, cifar):
    """Of the VGG too, where pooling follows ReLU: with weights drawn at random the gap is too small to be seen."""
    model = checkpoint(name)
    x, y = cifar.x(range(6)), cifar.y(range(6))
    gap = (model(x) - model(torch.full_like(x, 0.5))).gather(1, y[:, None])[:, 0]
    found = explained(model, x, y, "deep_lift").flatten(1).sum(1)
    torch.testing.assert_close(found, gap, rtol=0, atol=0.01)


@pytest.mark.parametrize("name", ["resnet9-standard", "resnet9-l2"])
def test_shares_are_complete_on_the_shipped_models(name, checkpoint):
    model, x = checkpoint(name), pictures.get("photo/chelsea").x
    y = model(x).argmax(1)
    gap = float((model(x) - model(torch.full_like(x, 0.5)))[0, y])
    assert float(explained(model, x, y, "deep_lift").sum()) == pytest.approx(gap, rel=1e-3)
    assert float(explained(model, x, y, "integrated_gradients", samples=128).sum()) == pytest.approx(gap, rel=0.02)


def test_the_loss_gradient_points_away_from_the_cross_entropys():
    model, (x, y) = tiny(), pair(3)
    leaf = x.clone().requires_grad_()
    (loss,) = torch.autograd.grad(cross_entropy(model(leaf), y).sum(), leaf)
    angle = F.cosine_similarity(explained(model, x, y, "gradient").flatten(1), -loss.flatten(1))
    torch.testing.assert_close(angle, torch.ones(3))


def test_log_odds_are_those_of_softmax():
    logits = torch.randn(5, 4, generator=draws(1), dtype=torch.float64)
    p = logits.softmax(1)
    torch.testing.assert_close(log_odds(logits), (p / (1 - p)).log())


def test_against_a_class_explains_the_difference_of_two_logits():
    model, (x, y) = tiny(), pair(2)
    away = torch.full_like(y, 7)
    wanted = explained(model, x, y, "gradient", score=logit) - explained(model, x, away, "gradient", score=logit)
    torch.testing.assert_close(explained(model, x, y, "gradient", score=against(7)), wanted, rtol=1e-3, atol=1e-6)


def test_without_noise_smoothgrad_is_the_gradient_and_vargrad_is_zero():
    model, (x, y) = tiny(), pair(2)
    gradient = explained(model, x, y, "gradient", score=logit)
    torch.testing.assert_close(explained(model, x, y, "smooth_grad", noise=0.0), gradient, rtol=1e-3, atol=1e-6)
    assert float(explained(model, x, y, "var_grad", noise=0.0).abs().max()) < 1e-9


# The same as captum's own calls, on a network that captum knows all rules for


@pytest.fixture(scope="module")
def relu() -> nn.Module:
    """A ResNet with ReLUs that are not shared."""
    return tiny("resnet18", width=4)


def plain(model: nn.Module, method: str, x: Tensor, y: Tensor) -> Tensor:
    """What captum itself says."""
    x, attr, base = x.clone().requires_grad_(), captum.attr, torch.full_like(x, 0.5)
    layer, samples = model.body[-2], FEW["samples"]
    draw = {"nt_samples": samples, "stdevs": 0.15, "target": y, "abs": False}
    calls = {
        "gradient": lambda: attr.Saliency(model).attribute(x, target=y, abs=False),
        "input_x_gradient": lambda: attr.InputXGradient(model).attribute(x, target=y),
        "grad_cam": lambda: attr.LayerAttribution.interpolate(
            attr.LayerGradCam(model, layer).attribute(x, target=y), (32, 32), "bilinear"
        ),
        "guided_backprop": lambda: attr.GuidedBackprop(model).attribute(x, target=y),
        "guided_grad_cam": lambda: attr.GuidedGradCam(model, layer).attribute(x, target=y, interpolate_mode="bilinear"),
        "deep_lift": lambda: attr.DeepLift(model).attribute(x, base, target=y),
        "integrated_gradients": lambda: attr.IntegratedGradients(model).attribute(x, base, target=y, n_steps=samples),
        "occlusion": lambda: attr.Occlusion(model).attribute(x, (3, 8, 8), (3, 4, 4), baselines=base, target=y),
        "smooth_grad": lambda: attr.NoiseTunnel(attr.Saliency(model)).attribute(x, nt_type="smoothgrad", **draw),
        "var_grad": lambda: attr.NoiseTunnel(attr.Saliency(model)).attribute(x, nt_type="vargrad", **draw),
    }
    torch.manual_seed(0)  # captum draws from the global generator, in the same order
    return calls[method]().detach()


@pytest.mark.parametrize("method", [m for m in METHODS if m != "gradient_shap"])
def test_a_method_agrees_with_a_plain_captum_call(method, relu):
    x, y = pair(2)
    found = explained(relu, x, y, method, score=logit)
    torch.testing.assert_close(found, plain(relu, method, x, y), rtol=1e-3, atol=1e-5)


def test_gradient_shap_agrees_with_captum_where_both_draw_the_same(relu, monkeypatch):
    """The same noise, baselines and places on the line: captum takes them from two global generators."""
    x, y = pair(2)
    several = images(3, size=32, seed=5)
    ours, copies = draws(0), 2 * FEW["samples"]
    noise = torch.randn(copies, 3, 32, 32, generator=ours)
    alpha = torch.rand(copies, 1, 1, 1, generator=ours).numpy()
    which = torch.randint(3, (copies,), generator=ours).numpy()
    monkeypatch.setattr(torch, "normal", lambda mean, std: mean + std * noise)
    monkeypatch.setattr(np.random, "uniform", lambda low, high, size: alpha.reshape(size))
    monkeypatch.setattr(np.random, "choice", lambda rows, size: which)
    theirs = captum.attr.GradientShap(relu).attribute(
        x.clone().requires_grad_(), several, n_samples=FEW["samples"], stdevs=0.15, target=y
    )
    monkeypatch.undo()
    found = explained(relu, x, y, "gradient_shap", baseline=several)
    torch.testing.assert_close(found, theirs.detach(), rtol=1e-3, atol=1e-5)


def test_captum_alone_is_silently_wrong_on_silu():
    """Why activations are dressed: else Guided Backprop is the plain gradient, and DeepLift's shares do not add up."""
    model, (x, y) = tiny(), pair(1)
    gradient = explained(model, x, y, "gradient", score=logit)
    torch.testing.assert_close(plain(model, "guided_backprop", x, y), gradient)
    torch.testing.assert_close(plain(model, "deep_lift", x, y), gradient * (x - 0.5), rtol=1e-3, atol=1e-6)
    assert not torch.allclose(explained(model, x, y, "guided_backprop"), gradient, rtol=0.1)
    assert not torch.allclose(explained(model, x, y, "deep_lift"), gradient * (x - 0.5), rtol=0.1)


# Many threads, one model


def test_three_threads_on_one_model_get_the_bits_of_one():
    """Every method mixed: hooks on a shared model would make nearly all of these wrong, without an exception."""
    model, x, y = tiny(width=2), images(1, size=16), torch.tensor([3])
    settings = {"samples": 2, "window": 8, "noise": 0.1}
    alone = {m: attribute(model, x, y, m, generator=draws(1), **settings) for m in METHODS}
    wrong: list[str] = []

    def work(offset: int) -> None:
        for i in range(100):
            method = list(METHODS)[(i + offset) % len(METHODS)]
            found = attribute(model, x, y, method, generator=draws(1), **settings)
            if not torch.equal(found, alone[method]):
                wrong.append(method)

    threads = [threading.Thread(target=work, args=(4 * k,)) for k in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_left_on_model_or_pictures(method):
    model, (x, y) = tiny().requires_grad_(False), pair(1)
    before = x.clone()
    explained(model, x, y, method)
    with pytest.raises(Stop):
        explained(model, x, y, method, on_step=lambda i: True)
    assert torch.equal(x, before) and not x.requires_grad and x.grad is None
    for module in model.modules():
        assert not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
        assert not module.training and "input" not in vars(module)
    assert any(isinstance(module, nn.SiLU) for module in model.modules())
    assert all(weight.grad is None and not weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize("method", NOISY)
def test_the_generator_decides_the_noise(method):
    model, (x, y) = tiny(), pair(1)
    torch.manual_seed(1)
    first = explained(model, x, y, method, seed=3)
    torch.manual_seed(2)
    assert torch.equal(explained(model, x, y, method, seed=3), first)
    assert not torch.allclose(explained(model, x, y, method, seed=4), first)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in NOISY])
def test_pictures_of_a_batch_do_not_influence_each_other(method):
    model, (x, y) = tiny(), pair(3)
    together = explained(model, x, y, method)
    alone = torch.cat([explained(model, x[i : i + 1], y[i : i + 1], method) for i in range(3)])
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-5)


# Bounds and stops


class Counting(nn.Module):
    """A linear model that writes down how many pictures it is given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.rows = linear(), []

    def forward(self, x: Tensor) -> Tensor:
        self.rows.append(len(x))
        return self.inner(x)


@pytest.mark.parametrize("method", ["smooth_grad", "gradient_shap", "integrated_gradients", "occlusion", "deep_lift"])
def test_memory_is_bounded_whatever_is_asked(method):
    """DeepLift needs each picture's baseline beside it, hence twice the rows."""
    model, n = Counting().eval(), 2 * ROWS + 3
    rows: list[int] = []
    model.inner.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    explained(model, images(n), torch.zeros(n, dtype=torch.long), method, samples=3)
    explained(model, images(2), torch.zeros(2, dtype=torch.long), method, samples=3 * ROWS, window=1)
    assert rows and max(rows) <= (2 * ROWS if method == "deep_lift" else ROWS)


def test_stop_ends_the_work_at_the_next_evaluation():
    model, (x, y) = tiny(), pair(1)
    seen: list[int] = []

    def on_step(i: int) -> bool:
        seen.append(i)
        return i == 2

    with pytest.raises(Stop):
        explained(model, x, y, "integrated_gradients", samples=8 * ROWS, on_step=on_step)
    assert seen == [0, 1, 2]


# Refusals


@pytest.mark.parametrize(
    ("method", "settings", "problem"),
    [
        ("magic", {}, "no method 'magic'; have gradient, "),
        ("smooth_grad", {"samples": 0}, "samples must be >= 1"),
        ("smooth_grad", {"noise": -0.1}, "noise >= 0"),
        ("occlusion", {"window": 40}, "window 1 to 32"),
        ("integrated_gradients", {"baseline": "pink"}, "baseline must be one of black, grey, white"),
        ("integrated_gradients", {"baseline": torch.zeros(1, 3, 8, 8)}, "a baseline must be pictures of shape"),
    ],
)
def test_a_wrong_setting_is_one_sentence(method, settings, problem):
    x, y = pair(1)
    with pytest.raises(ValueError, match=problem):
        explained(tiny(), x, y, method, **settings)


def test_a_model_in_training_mode_is_refused():
    x, y = pair(1)
    with pytest.raises(ValueError, match="eval mode"):
        attribute(tiny().train(), x, y, "gradient")


def test_pixels_out_of_range_and_targets_of_another_length_are_refused():
    x, y = pair(2)
    with pytest.raises(ValueError, match=r"pixels in \[0, 1\]"):
        attribute(tiny(), x * 255, y, "gradient")
    with pytest.raises(REFUSED):
        attribute(tiny(), x, y[:1], "gradient")


@pytest.mark.parametrize("method", ["guided_backprop", "deep_lift"])
def test_a_module_without_a_rule_is_refused_rather_than_passed_through(method):
    model = nn.Sequential(nn.Flatten(), nn.LayerNorm(192), nn.Linear(192, 3)).eval()
    with pytest.raises(ValueError, match="no rule for LayerNorm"):
        attribute(model, images(1), torch.tensor([0]), method, window=2)
    attribute(model, images(1), torch.tensor([0]), "gradient")


class Twice(nn.Module):
    """One ReLU, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.relu, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(), linear()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.relu(self.first(self.relu(self.first(x)))))


def test_deeplift_refuses_a_module_that_is_used_twice_by_name():
    x, y = pair(2, size=8)
    with pytest.raises(REFUSED, match="uses one module twice: relu"):
        explained(Twice().eval(), x, y, "deep_lift")


@pytest.mark.parametrize("method", [method for method in METHODS if method != "occlusion"])
def test_inference_mode_is_refused_in_a_sentence(method):
    model, (x, y) = tiny(), pair(1)
    with torch.inference_mode(), pytest.raises(REFUSED, match=r"use torch\.no_grad instead"):
        explained(model, x, y, method)


@pytest.mark.parametrize("method", METHODS)
def test_no_pictures_have_no_attributions(method):
    model, (x, y) = tiny(), pair(2)
    some, none = explained(model, x, y, method), explained(model, x[:0], y[:0], method)
    assert none.shape == (0, *some.shape[1:])


def test_grad_cam_needs_a_feature_map():
    with pytest.raises(ValueError, match="needs a Classifier"):
        attribute(linear(), images(1), torch.tensor([0]), "grad_cam")


@pytest.mark.parametrize("arch", ARCHITECTURES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_an_answer_for_every_architecture(arch, method):
    x, y = pair(1)
    found = explained(tiny(arch), x, y, method, samples=2, window=16)
    assert found.shape == ((1, 1, 32, 32) if method == "grad_cam" else (1, 3, 32, 32))
    assert bool(found.isfinite().all())
    assert float(found.abs().max()) > 0 or method == "guided_grad_cam", (
        "that one is 0 where no place speaks for a class"
    )


def test_captum_is_imported_in_one_place_only():
    """Elsewhere its methods would meet shared models without a twin."""
    places = [*(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py"), ROOT / "app.py"]
    found = [
        path.name for path in places if re.search(r"^\s*(import|from) captum", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert found == ["attribution.py"]
