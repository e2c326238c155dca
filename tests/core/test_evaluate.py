"""Accuracies with their intervals, against closed forms, and the warnings."""

import math
import os
import subprocess
import sys
import warnings
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from core import data
from core.attacks import balls
from core.models import checkpoints
from core.train import evaluate
from core.train.evaluate import (
    Rate,
    RobustAccuracy,
    SuspiciousAttack,
    ball_name,
    clean_accuracy,
    model_warnings,
    parse_ball,
    predict,
    robust_accuracy,
)
from tests.app_process import ROOT
from tests.helpers import Plane, draws, grey, images, noise_pictures, tiny, trained

both = pytest.mark.parametrize("norm", ["Linf", "L2"])


def spread(norm: str, margins: list[float]) -> tuple[Plane, Tensor, Tensor, list[float]]:
    """Make a linear model, pictures at those margins, their labels 0, and the radius that each of them needs."""
    w = torch.randn(3, 8, 8, generator=draws(1), dtype=torch.float64)
    w = w - w.mean()  # a grey picture has margin 0
    steps = torch.tensor(margins, dtype=torch.float64) / (w**2).sum()
    x = grey(len(margins)) + steps.reshape(-1, 1, 1, 1) * w
    length = float(w.abs().sum() if norm == "Linf" else w.norm())
    return Plane(w), x, torch.zeros(len(margins), dtype=torch.long), [m / length for m in margins]


# Accuracies


def test_both_denominators_are_there():
    """70 of 100 stay right, 80 were: 70 % of all, 87.5 % of those that were right to begin with."""
    found = RobustAccuracy(Rate(70, 100), Rate(80, 100), 0.5, ())
    assert (found.rate.value, found.of_correct) == (0.7, Rate(70, 80))


# Accuracy


def test_clean_accuracy_counts():
    model, x, _, _ = spread("L2", [-2.0, -1.0, 1.0, 2.0, 3.0])
    assert clean_accuracy(model, x, torch.tensor([1, 1, 0, 1, 0])) == Rate(4, 5)


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_predictions_do_not_depend_on_batches_nor_on_the_mode(batch_size):
    """Batch norm in training mode would mix the images; the mode is restored."""
    model, x = tiny(), images(7, size=16)
    expected = model(x).detach()
    model.train()
    torch.testing.assert_close(predict(model, x, batch_size), expected, rtol=1e-4, atol=1e-4)
    assert all(module.training for module in model.modules())


@both
def test_robust_accuracy_of_a_linear_model_is_the_closed_form(norm):
    """An image stands exactly while eps |w|_dual < margin; one is wrong from the start."""
    model, x, y, radii = spread(norm, [-0.5, 0.1, 0.2, 0.4, 0.8, 1.6])
    for eps in [0.5 * radii[1], *(math.sqrt(a * b) for a, b in pairwise(radii[1:])), 1.5 * radii[-1]]:
        found = robust_accuracy(model, x, y, balls.make(norm, eps), steps=10)
        assert found.rate == Rate(sum(radius > eps for radius in radii), 6)
        assert found.clean == Rate(5, 6)
        assert found.of_correct.n == 5
        assert found.warnings == ()
        assert found.largest == pytest.approx(eps, rel=1e-6)


@both
def test_at_radius_zero_it_is_the_clean_accuracy(norm):
    model, x, y = trained()
    y = torch.where(torch.arange(len(y)) < 20, (y + 1) % 4, y)  # twenty are now wrong
    found = robust_accuracy(model, x, y, balls.make(norm, 0.0), steps=3)
    assert found.rate == found.clean == clean_accuracy(model, x, y) == Rate(180, 200)
    assert found.largest == 0


@both
def test_it_falls_with_the_radius_to_nothing(norm):
    """With an unbounded radius every picture can become every other, so 0 % must be found."""
    model, x, y = trained()
    x, y = x[:60], y[:60]
    unit = {"Linf": 4 / 255, "L2": 0.25}[norm]
    rates = [
        robust_accuracy(model, x, y, balls.make(norm, k * unit), steps=10).rate.value for k in (0.0, 1.0, 2.0, 4.0)
    ]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 1
    assert 0 < rates[2] < 1
    assert robust_accuracy(model, x, y, balls.make(norm, {"Linf": 1.0, "L2": 50.0}[norm]), steps=20).rate.hits == 0


@both
def test_it_does_not_depend_on_the_batch_size(norm):
    model, x, y = trained()
    ball = balls.make(norm, {"Linf": 8 / 255, "L2": 0.5}[norm])
    found = [robust_accuracy(model, x[:45], y[:45], ball, steps=5, batch_size=size) for size in (1, 7, 128)]
    assert found[0].rate == found[1].rate == found[2].rate
    assert 0 < found[0].rate.hits < 45


def test_restarts_never_make_it_better():
    """Rounds only add to what was broken, per image: the restart masks that others got wrong."""
    model, x, y = trained()
    counted = [
        robust_accuracy(model, x[:60], y[:60], balls.L2(0.5), steps=3, restarts=r, generator=draws()).rate.hits
        for r in (0, 1, 3)
    ]
    assert counted == sorted(counted, reverse=True)


def test_an_image_that_one_round_breaks_stays_broken():
    """A model that is wrong only in a thin shell: the log-odds round walks through it, its best iterate is kept.

    The margin |s - 0.3| - 0.1 is negative for 0.2 < s < 0.4, and PGD's last iterate at s = -0.5 is right again.
    """

    class Shell(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            s = (0.5 - x).flatten(1).sum(1)
            lead = (s - 0.3).abs() - 0.1 - (s.detach() > 0.3) * 2 * (s - 0.3)  # the gradient always says: go on
            right = (s - 0.3).abs() - 0.1
            return torch.stack([lead - lead.detach() + right.detach(), torch.zeros_like(s)], 1)

    x = grey(2, size=4)
    found = robust_accuracy(Shell(), x, torch.zeros(2, dtype=torch.long), balls.Linf(0.02), steps=25)
    assert found.rate == Rate(0, 2)


def test_it_can_be_stopped_and_reports_what_was_done():
    model, x, y, _ = spread("L2", [0.1 * k for k in range(1, 11)])
    seen: list[int] = []

    def on_batch(n: int) -> bool:
        seen.append(n)
        return n >= 6

    found = robust_accuracy(model, x, y, balls.L2(1e-6), steps=2, batch_size=3, on_batch=on_batch)
    assert seen == [3, 6]
    assert found.rate == found.clean == Rate(6, 6)


def test_one_radius_for_all():
    model, x, y, _ = spread("L2", [1.0, 2.0])
    with pytest.raises(ValueError, match="one eps"):
        robust_accuracy(model, x, y, balls.L2(torch.tensor([0.1, 0.2])), steps=2)


def test_the_model_comes_back_as_it_was():
    model, x, y = tiny().train(), images(4, size=16), torch.arange(4)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    robust_accuracy(model, x, y, balls.L2(0.5), steps=2)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(module.training for module in model.modules())
    assert all(p.grad is None for p in model.parameters())


# Warnings


class Wrapped(nn.Module):
    """A trained model behind something that misleads attacks."""

    def __init__(self, through) -> None:
        super().__init__()
        self.inner, self.through = trained()[0], through

    def forward(self, x: Tensor) -> Tensor:
        return self.through(self.inner, x)


def detached(model: nn.Module, x: Tensor) -> Tensor:
    return model(x.detach()) + 0 * x.flatten(1).sum(1, keepdim=True)


def saturated(model: nn.Module, x: Tensor) -> Tensor:
    return model(x).sign() * 1e4 + 0 * x.flatten(1).sum(1, keepdim=True)


def quantised(model: nn.Module, x: Tensor) -> Tensor:
    return model((x * 8).round() / 8 + 0 * x)


def shaken(model: nn.Module, x: Tensor) -> Tensor:
    return model(x + 0.05 * torch.randn_like(x))


def probable(model: nn.Module, x: Tensor) -> Tensor:
    return model(x).softmax(1)


@pytest.mark.parametrize(
    ("through", "warning"),
    [
        (detached, "gradient was exactly zero"),
        (saturated, "gradient was exactly zero"),
        (quantised, "gradient was exactly zero"),
        (shaken, "the model is random"),
        (probable, "probabilities, not logits"),
    ],
)
def test_what_misleads_an_attack_is_said_aloud(through, warning):
    """All of these look robust, and none is."""
    _, x, y = trained()
    with pytest.warns(SuspiciousAttack, match=warning):
        found = robust_accuracy(Wrapped(through), x[:8], y[:8], balls.L2(0.5), steps=2)
    assert any(warning in reason for reason in found.warnings)


def test_an_honest_model_gives_no_warnings():
    model, x, y = trained()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert robust_accuracy(model, x[:20], y[:20], balls.L2(0.5), steps=3).warnings == ()
    assert model_warnings(model, x[:20]) == ()


def test_logits_that_are_a_thousand_times_larger_give_no_warnings_and_break_as_well():
    """Where cross-entropy's gradient is 0 in float32, the log-odds still have one."""
    model, x, y = trained()
    confident = Wrapped(lambda inner, x: 1000 * inner(x))
    found, as_usual = (robust_accuracy(m, x[:40], y[:40], balls.L2(0.5), steps=10) for m in (confident, model))
    assert found.warnings == ()
    assert found.rate.hits <= as_usual.rate.hits


def test_a_ball_that_does_not_hold_what_is_in_it_is_warned_of(monkeypatch):
    """A broken projection would make a model look weaker than it is; the measured size tells."""
    model, x, y, _ = spread("L2", [1.0, 2.0])
    monkeypatch.setattr(balls.L2, "project", lambda self, delta: delta)
    with pytest.warns(SuspiciousAttack, match="left the ball"):
        found = robust_accuracy(model, x, y, balls.L2(0.01), steps=5)
    assert found.largest > 0.011


# Balls in words


@pytest.mark.parametrize(
    ("text", "ball", "name"),
    [
        ("L2:0.5", balls.L2(0.5), "L2 0.5"),
        ("L2:1", balls.L2(1.0), "L2 1"),
        ("Linf:8/255", balls.Linf(8 / 255), "Linf 8/255"),
        ("Linf:0.5/255", balls.Linf(0.5 / 255), "Linf 0.5/255"),
        ("L2:0", balls.L2(0.0), "L2 0"),
    ],
)
def test_a_ball_is_read_and_named_as_people_write_it(text, ball, name):
    assert parse_ball(text) == ball
    assert ball_name(ball) == name


@pytest.mark.parametrize("text", ["", "L2", "L2:", "L1:0.5", "L2:x", "L2:1/0", "L2:-1", "L2:nan", "0.5", "Linf:8/x"])
def test_what_is_no_ball_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"L2:0\.5 or Linf:8/255"):
        parse_ball(text)


# The command


def test_a_name_that_is_a_path_is_no_model(monkeypatch):
    monkeypatch.setattr(evaluate.compute, "setup_cpu", lambda: 1)
    with pytest.raises(SystemExit) as ended:
        evaluate.main(["../etc/passwd"])
    assert str(ended.value.code).startswith("no model '../etc/passwd' in checkpoints/")
    assert "\n" not in str(ended.value.code)


def test_the_command_ends_with_a_sentence():
    done = subprocess.run(
        [sys.executable, "-m", "core.train.evaluate", "no-such-model"],
        cwd=ROOT,
        env={**os.environ, "ROBUST_FROG_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("no model 'no-such-model' in checkpoints/")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_the_command_prints_clean_and_robust_accuracy(checkpoint, cifar, monkeypatch, capsys):
    checkpoint("resnet9-standard")
    monkeypatch.setattr(evaluate.compute, "setup_cpu", lambda: 1)
    evaluate.main(["resnet9-standard", "--n", "20", "--steps", "3", "--ball", "Linf:8/255"])
    clean, robust = capsys.readouterr().out.splitlines()
    assert clean.startswith("clean ")
    assert robust.startswith("Linf 8/255 ")
    assert clean.endswith("(n = 20)")
    of_all, of_correct = robust.split("; of those right without attack ")
    assert of_all.endswith("(n = 20)")
    assert of_correct.endswith(f"(n = {round(0.01 * float(clean.split()[1]) * 20)})")


def test_the_command_refuses_a_ball_that_is_none(checkpoint, cifar, monkeypatch):
    checkpoint("resnet9-standard")
    monkeypatch.setattr(evaluate.compute, "setup_cpu", lambda: 1)
    with pytest.raises(SystemExit, match=r"a ball is written L2:0\.5"):
        evaluate.main(["resnet9-standard", "--n", "2", "--ball", "L3:1"])


def test_a_model_of_other_classes_is_refused_by_name(monkeypatch):
    monkeypatch.setattr(checkpoints, "header", lambda _: checkpoints.Header("resnet9", classes=("cat", "dog")))
    monkeypatch.setattr(checkpoints, "load", lambda _: tiny(classes=2))
    monkeypatch.setattr(data, "cifar10", lambda _: noise_pictures(4, classes=10))
    monkeypatch.setattr(evaluate.compute, "setup_cpu", lambda: 1)
    with pytest.raises(SystemExit, match=r"mine knows other classes \(cat, dog\) than the test set"):
        evaluate.main(["mine"])


# ------------------------------------------------------------------------------------- AutoAttack, more steps


def test_autoattack_stays_in_the_ball_and_is_no_kinder_than_pgd():
    """Its APGD against our PGD on the same pictures; torch's global generator is as it was."""
    pytest.importorskip("pyautoattack")
    from core.train.autoattack import autoattack

    model, x, y = trained()
    before = torch.get_rng_state()
    found = autoattack(model, x[:12], y[:12], balls.L2(0.5), attacks=("apgd-ce",))
    assert torch.equal(torch.get_rng_state(), before)
    assert found.largest <= 0.5 * (1 + 1e-4) and found.rate.n == 12
    assert found.rate.hits <= robust_accuracy(model, x[:12], y[:12], balls.L2(0.5), steps=10).rate.hits + 1


def test_autoattack_goes_on_after_the_pictures_that_are_measured():
    """Killed in the second part, it asks for no picture twice, and the sums are those of one run."""
    from core.train.autoattack import continued

    x, y = torch.zeros(50, 3, 4, 4), torch.arange(50)
    x[:, 0, 0, 0] = y / 50
    asked, notes = [], []

    def attack(model, x, y, ball, *, seed, batch_size):
        asked.extend(y.tolist())
        return evaluate.RobustAccuracy(Rate(int((y % 3 == 0).sum()), len(y)), Rate(len(y), len(y)), 0.5, ("odd",))

    def dies(entry):
        notes.append(entry)
        if len(notes) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        continued(None, torch.nn.Identity(), x, y, balls.L2(0.5), dies, part=20, attack=attack)
    assert notes[-1]["n"] == 40 and notes[-1]["doubts"] == ["odd"]
    rate = continued(notes[-1], torch.nn.Identity(), x, y, balls.L2(0.5), notes.append, part=20, attack=attack)
    assert asked == list(range(50)) and rate == Rate(17, 50)
    assert continued(notes[-1], torch.nn.Identity(), x[:30], y[:30], balls.L2(0.5), dies, attack=attack) == rate


def test_without_the_package_autoattack_says_how_to_get_it(monkeypatch):
    from core.train.autoattack import autoattack

    model, x, y = trained()
    monkeypatch.setattr("core.train.autoattack.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install pyautoattack"):
        autoattack(model, x[:1], y[:1], balls.L2(0.5))


def test_an_accuracy_that_still_falls_is_told_from_one_that_has_settled():
    """Two steps against forty: the attack had not finished. Forty against eighty: it had."""
    from core.train.robustness import by_steps

    model, x, y = trained()
    short = by_steps(model, x[:60], y[:60], balls.L2(0.5), counts=(1, 40))
    assert short.falls and "still falls" in short.says
    whole = by_steps(model, x[:60], y[:60], balls.L2(0.5), counts=(40, 80))
    assert not whole.falls and whole.counts == (40, 80)
    stopped = by_steps(model, x[:60], y[:60], balls.L2(0.5), counts=(2, 40), on_step=lambda i, _: i > 8)
    assert len(stopped.rates) == 1 and stopped.says == "Not finished."


def test_autoattack_refuses_fewer_logits_than_its_loss_looks_at():
    pytest.importorskip("pyautoattack")
    from core.train.autoattack import autoattack

    with pytest.raises(ValueError, match="four logits, and this model has 3"):
        autoattack(
            torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 3)),
            images(2, size=2),
            torch.tensor([0, 1]),
            balls.L2(0.5),
        )
