"""Our attack beside those of torchattacks and foolbox: one step is the same step, many are at least as strong."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.attacks import minimum_norm, pgd
from core.attacks.balls import L2, NORMS, make
from core.attacks.objectives import untargeted
from core.models import Classifier
from tests.helpers import draws, tiny, trained

pytestmark = pytest.mark.filterwarnings("ignore")  # those of the other packages

both = pytest.mark.parametrize("norm", ["Linf", "L2"])
EPS = {"Linf": 8 / 255, "L2": 0.5}


def theirs_torchattacks(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    norm: str,
    *,
    eps: float,
    steps: int,
    step_size: float,
    random_start: bool,
    floor: float = 1e-10,
) -> Tensor:
    """Run torchattacks' PGD on a copy of the model, both laid out as it needs them (see the last tests)."""
    torchattacks = pytest.importorskip("torchattacks")
    attack = {"Linf": torchattacks.PGD, "L2": torchattacks.PGDL2}[norm]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        plain = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
        run = attack(plain, eps=eps, alpha=step_size, steps=steps, random_start=random_start)
        run.eps_for_division = floor
        return run(x, y)


def theirs_foolbox(
    model: nn.Module, x: Tensor, y: Tensor, norm: str, *, eps: float, steps: int, step_size: float, random_start: bool
) -> Tensor:
    """Run foolbox's PGD on a copy of the model."""
    foolbox = pytest.importorskip("foolbox")
    attack = {"Linf": foolbox.attacks.LinfPGD, "L2": foolbox.attacks.L2PGD}[norm](
        abs_stepsize=step_size, steps=steps, random_start=random_start
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        wrapped = foolbox.PyTorchModel(copy.deepcopy(model), bounds=(0, 1), device="cpu")
        # attack(...) would swap clean images back in where the attack failed; run is the bare loop
        return attack.run(wrapped, x, foolbox.criteria.Misclassification(y), epsilon=eps)


def target() -> tuple[Classifier, Tensor, Tensor]:
    """The small trained model and its pictures, these contiguous: torchattacks needs that (see below)."""
    model, x, y = trained()
    return model, x.contiguous(), y


peers = pytest.mark.parametrize("theirs", [theirs_torchattacks, theirs_foolbox], ids=["torchattacks", "foolbox"])


@both
@peers
@pytest.mark.parametrize("steps", [1, 5])
def test_steps_from_x_are_the_same_steps(theirs, norm, steps):
    """Cross-entropy and log-odds have one direction: without a random start the images agree to 1e-6.

    In float64, so that after several steps no rounding has turned a sign.
    """
    model, x, y = target()
    model, x, y = copy.deepcopy(model).double(), x[:20].double(), y[:20]
    step_size = EPS[norm] / 3
    # torchattacks divides by |g| + 1e-10, which shortens its steps by 1e-4 on this model already
    floor = {"floor": 1e-30} if theirs is theirs_torchattacks else {}
    expected = theirs(model, x, y, norm, eps=EPS[norm], steps=steps, step_size=step_size, random_start=False, **floor)
    x_adv = pgd(untargeted(model, y), x, make(norm, EPS[norm]), steps=steps, step_size=step_size)
    torch.testing.assert_close(x_adv, expected, rtol=0, atol=1e-6)
    assert (x_adv - x).abs().max() > 1e-3


@both
@peers
def test_one_step_in_float32_is_nearly_the_same_step(theirs, norm):
    """FGSM and FGM in the precision of the app, where the gradient of CE has lost some digits."""
    model, x, y = target()
    x, y = x[:20], y[:20]
    expected = theirs(model, x, y, norm, eps=EPS[norm], steps=1, step_size=EPS[norm], random_start=False)
    x_adv = pgd(untargeted(model, y), x, make(norm, EPS[norm]), steps=1, step_size=EPS[norm])
    if norm == "Linf":  # of 15,360 gradients a few near 0 may have the other sign
        assert ((x_adv - expected).abs() > 1e-6).float().mean() < 1e-3
    else:
        assert L2(1.0).norm(x_adv - expected).max() < 1e-2 * EPS[norm]


def compare(model: Classifier, x: Tensor, y: Tensor, norm: str, how: dict[str, Any]) -> tuple[float, float]:
    """Attack with equal numbers; return our robust accuracy and that of the stronger peer."""

    def survived(x_adv: Tensor) -> float:
        assert (make(norm, 1.0).norm(x_adv - x) <= EPS[norm] + 1e-5).all()
        return float((model(x_adv).argmax(1) == y).float().mean())

    peers = (theirs(model, x, y, norm, eps=EPS[norm], **how) for theirs in (theirs_torchattacks, theirs_foolbox))
    ours = pgd(untargeted(model, y), x, make(norm, EPS[norm]), generator=draws(), best=True, **how)
    return survived(ours), min(map(survived, peers))


@both
def test_robust_accuracy_is_not_above_that_of_the_stronger_peer(norm):
    """Equal eps, steps, step size and a random start: within 1 point of the better of the two, or below.

    40 steps, because the starts differ: uniform in the ball here and in foolbox, nearer to x in torchattacks.
    """
    ours, peer = compare(*target(), norm, {"steps": 40, "step_size": EPS[norm] / 10, "random_start": True})
    assert 0.1 < peer < 0.9  # a number that could have been missed in both directions
    assert ours <= peer + 0.01


@pytest.mark.slow
def test_a_shipped_model_is_no_more_robust_against_us_than_against_the_peers(checkpoint, cifar):
    """The same on 100 CIFAR-10 pictures and the adversarially trained network, L2 0.5, 10 steps from x."""
    model, x, y = checkpoint("resnet9-l2"), cifar.x(range(100)).contiguous(), cifar.y(range(100))
    ours, peer = compare(model, x, y, "L2", {"steps": 10, "step_size": 0.125, "random_start": False})
    assert ours <= peer + 0.01


@both
def test_the_nearest_is_no_further_than_that_of_the_peer(norm):
    """Beside foolbox's DDN in L2 and FMN in Linf: 30 forward and backward passes each, ours the last as two forward."""
    foolbox = pytest.importorskip("foolbox")
    model, x, y = target()
    attack = {"Linf": foolbox.attacks.LInfFMNAttack, "L2": foolbox.attacks.DDNAttack}[norm](steps=30)
    wrapped = foolbox.PyTorchModel(copy.deepcopy(model), bounds=(0, 1), device="cpu")
    theirs = attack.run(wrapped, x, foolbox.criteria.Misclassification(y))
    ours, reported = minimum_norm(model, x, y, NORMS[norm], steps=29)

    def distance(x_adv: Tensor) -> Tensor:
        fooled = model(x_adv).argmax(1) != y
        return torch.where(fooled, make(norm, 1.0).norm(x_adv - x), torch.inf)

    torch.testing.assert_close(distance(ours), reported)
    assert distance(ours).median() <= distance(theirs).median() * 1.001
    assert (distance(ours) <= distance(theirs) * 1.001).float().mean() > 0.8


# What goes wrong elsewhere


def test_radius_zero_gives_nan_elsewhere_and_the_input_here():
    """torchattacks' L2 projection divides 0 by 0."""
    model, x, y = target()
    x, y = x[:2], y[:2]
    theirs = theirs_torchattacks(model, x, y, "L2", eps=0.0, steps=2, step_size=0.0, random_start=False)
    assert theirs.isnan().all()
    assert torch.equal(pgd(untargeted(model, y), x, L2(0.0), steps=2, step_size=0.0), x)


def test_other_memory_layouts_raise_elsewhere_and_work_here():
    """torchattacks' L2 attack calls `view` on images that are channels_last."""
    model, x, y = target()
    x, y = x[:2], y[:2]
    rows = x.contiguous(memory_format=torch.channels_last)
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        theirs_torchattacks(model, rows, y, "L2", eps=0.5, steps=1, step_size=0.1, random_start=False)
    ours = [pgd(untargeted(model, y), each, L2(0.5), steps=1, step_size=0.1) for each in (x, rows)]
    torch.testing.assert_close(ours[0], ours[1], rtol=0, atol=1e-5)


@both
def test_a_confident_model_stalls_the_peers_and_not_us(norm):
    """Logits times 1000: cross-entropy is 0 in float32, its gradient too, and both peers return x. We do not."""

    class Confident(nn.Module):
        """A classifier whose logits are 1000 times as large: the same decisions."""

        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Tensor) -> Tensor:
            return 1000 * self.model(x)

    model, x, y = target()
    x, y = x[:60], y[:60]
    how = {"steps": 10, "step_size": EPS[norm] / 4}

    def survived(model: nn.Module, x_adv: Tensor) -> float:
        return float((model(x_adv).argmax(1) == y).float().mean())

    confident = Confident(model).eval()
    honest = survived(model, pgd(untargeted(model, y), x, make(norm, EPS[norm]), **how))
    ours = survived(confident, pgd(untargeted(confident, y), x, make(norm, EPS[norm]), **how))
    assert ours <= honest + 0.1
    for theirs in (theirs_torchattacks, theirs_foolbox):
        x_adv = theirs(confident, x, y, norm, eps=EPS[norm], random_start=False, **how)
        assert survived(confident, x_adv) > ours + 0.2


def test_the_peers_are_attacked_through_a_copy():
    """torchattacks switches modes and foolbox leaves gradients on weights; our model must not see it."""
    model = tiny()
    theirs_foolbox(
        model,
        torch.rand(1, 3, 16, 16, generator=draws()),
        torch.tensor([0]),
        "L2",
        eps=0.5,
        steps=1,
        step_size=0.1,
        random_start=False,
    )
    assert all(p.grad is None for p in model.parameters())
