"""Device, threads, precision, folded models, and the gate for heavy work."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
import torch
from torch import nn

from core import compute
from core.attacks import pgd
from core.attacks.balls import L2
from core.attacks.objectives import untargeted
from core.models import ARCHITECTURES
from tests.helpers import images, tiny


@pytest.fixture
def settings():
    """Give torch its threads and its denormals back."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def test_what_was_measured_says_what_computed_it(monkeypatch):
    """Threads of the CPU say nothing of a measurement on another device."""
    monkeypatch.setattr(compute, "device", lambda: torch.device("cpu"))
    assert compute.at_work(2) == "2 CPU threads"
    monkeypatch.setattr(compute, "device", lambda: torch.device("cuda"))
    assert compute.at_work(2) == "cuda"


@pytest.mark.parametrize("wanted", ["cpu", " CPU ", "cpu:0"])
def test_the_variable_chooses_the_device(monkeypatch, wanted):
    """$ROBUST_FROG_DEVICE, in any case."""
    monkeypatch.setenv("ROBUST_FROG_DEVICE", wanted)
    assert compute.device().type == "cpu"


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")], ids=str
)
def test_without_the_variable_the_fastest_device_is_chosen(monkeypatch, cuda, mps, chosen):
    """cuda, mps, cpu: the first there is."""
    monkeypatch.setenv("ROBUST_FROG_DEVICE", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert compute.device().type == chosen


@pytest.mark.parametrize("wanted", ["cuda", "cuda:1", "quantum"])
def test_a_device_that_is_not_here_is_refused(monkeypatch, wanted):
    """With those that are."""
    monkeypatch.setenv("ROBUST_FROG_DEVICE", wanted)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=f"ROBUST_FROG_DEVICE={wanted} is not available here; this machine has: cpu"):
        compute.device()


def test_a_device_with_a_wrong_number_is_refused(monkeypatch):
    """cpu:x is a sentence too."""
    monkeypatch.setenv("ROBUST_FROG_DEVICE", "cpu:x")
    with pytest.raises(ValueError, match="ROBUST_FROG_DEVICE=cpu:x"):
        compute.device()


def test_heavy_work_refuses_threads_that_are_no_number(settings, monkeypatch):
    """The sentence of setup_cpu."""
    monkeypatch.setenv("ROBUST_FROG_THREADS", "two")
    compute.setup_app.cache_clear()
    with pytest.raises(ValueError, match="ROBUST_FROG_THREADS must be a whole number"):
        compute.setup_app()


def test_threads_come_from_the_argument_or_the_variable_or_the_cores(settings, monkeypatch):
    """In that order."""
    monkeypatch.setenv("ROBUST_FROG_THREADS", "2")
    assert compute.setup_cpu(1) == torch.get_num_threads() == 1
    assert compute.setup_cpu() == torch.get_num_threads() == 2
    monkeypatch.setenv("ROBUST_FROG_THREADS", "")
    assert compute.setup_cpu() == compute.usable_cores() >= 1


@pytest.mark.parametrize("raw", ["0", "-1", "two", "1.5", "1000000"])
def test_threads_must_be_a_whole_number(settings, monkeypatch, raw):
    """>= 1."""
    monkeypatch.setenv("ROBUST_FROG_THREADS", raw)
    with pytest.raises(ValueError, match=f"ROBUST_FROG_THREADS must be a whole number, 1 to 1024, got '{raw}'"):
        compute.setup_cpu()


def test_an_unknown_precision_is_refused():
    """auto, bf16 or fp32."""
    with pytest.raises(ValueError, match="precision must be auto, bf16 or fp32, got 'fp16'"):
        compute.autocast(torch.device("cpu"), "fp16")


@pytest.mark.parametrize(
    ("precision", "fast", "expected"),
    [
        ("fp32", True, torch.float32),
        ("bf16", False, torch.bfloat16),
        ("auto", True, torch.bfloat16),
        ("auto", False, torch.float32),
    ],
    ids=str,
)
def test_precision_is_what_was_asked_or_what_is_fast(monkeypatch, precision, fast, expected):
    """Matrix products come out in that type."""
    monkeypatch.setattr(compute, "has_fast_bf16", lambda on: fast)
    with compute.autocast(torch.device("cpu"), precision):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


@pytest.mark.parametrize("arch", sorted(ARCHITECTURES))
def test_folding_batch_norms_changes_no_logit(arch):
    """conv then norm is one convolution: the same function, the same attack, fewer layers."""
    model, x = tiny(arch), images(3, size=32)
    expected = model(x)
    y = expected.argmax(1)
    attacked = pgd(untargeted(model, y), x, L2(0.5), steps=3, step_size=0.2)
    folded = compute.for_inference(model.train())
    assert folded is model
    behind_a_convolution = [
        norm
        for layers in model.modules()
        if isinstance(layers, nn.Sequential)
        for conv, norm in pairwise(layers)
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    ]
    assert behind_a_convolution == []
    assert not any(module.training for module in model.modules())
    assert not any(p.requires_grad for p in model.parameters())
    torch.testing.assert_close(model(x), expected.detach(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        model.features(x) @ model.head.weight.T + model.head.bias, model(x), rtol=1e-4, atol=1e-4
    )
    again = pgd(untargeted(model, y), x, L2(0.5), steps=3, step_size=0.2)
    torch.testing.assert_close(again, attacked, rtol=0, atol=0.01)


def test_folding_twice_is_folding_once():
    """A folded norm is an identity, and nothing is left to fold."""
    model, x = tiny(), images(2, size=16)
    once = compute.for_inference(model)(x)
    assert torch.equal(compute.for_inference(model)(x), once)


@pytest.fixture
def fresh_setup():
    """Forget what another test has set up, and what this one sets up."""
    compute.setup_app.cache_clear()
    yield
    compute.setup_app.cache_clear()


def test_the_app_computes_as_many_things_at_a_time_as_there_are_cores_with_a_thread_each(
    settings, fresh_setup, monkeypatch
):
    monkeypatch.delenv("ROBUST_FROG_THREADS", raising=False)
    monkeypatch.setattr(compute, "usable_cores", lambda: 2)
    assert compute.setup_app() == 2
    with ThreadPoolExecutor(1) as other:
        assert other.submit(torch.get_num_threads).result() == torch.get_num_threads() == 1


def test_the_app_may_be_given_more_threads(settings, fresh_setup, monkeypatch):
    """$ROBUST_FROG_THREADS, as everywhere."""
    monkeypatch.setenv("ROBUST_FROG_THREADS", "2")
    compute.setup_app()
    assert torch.get_num_threads() == 2


def test_bf16_is_only_claimed_where_it_is_known():
    """A device type nobody measured has none."""
    assert compute.has_fast_bf16(torch.device("meta")) is False
    assert isinstance(compute.has_fast_bf16(torch.device("cpu")), bool)
