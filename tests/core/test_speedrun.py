"""What is tried for more robust accuracy a minute: the mathematics of each variation, and runs of equal cost."""

import json
from dataclasses import asdict, replace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from core import compute
from core.attacks import L2
from core.models import build, checkpoints
from core.models.checkpoints import Header
from core.problems import InputError
from core.train import InnerAttack, TrainRecipe, cost, fit, speedrun, timing
from core.train.loop import worst
from core.train.losses import adversary, loss
from core.train.variations import VARIATIONS, recipe
from core.train.weights import adversarial_weights, in_eval, unmoved
from tests.helpers import images, noise_pictures, tiny

INNER = InnerAttack("L2", 0.5, 1, 0.5)
SMALL = TrainRecipe(
    args={"width": 4, "classes": 4}, epochs=2, batch_size=16, lr=0.05, precision="fp32", seed=5, inner=INNER
)


def batch(n: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    return images(n, size=16), torch.arange(n) % 4


def network(seed: int = 1) -> nn.Module:
    model = tiny(classes=4, seed=seed)
    model.requires_grad_(True)
    return model.train()


def statistics(model: nn.Module) -> list[torch.Tensor]:
    return [value.clone() for name, value in model.named_buffers() if "running" in name]


# Batch norm


def test_batch_norm_stands_still_where_it_is_told_to_and_moves_again_after():
    model, (x, _) = network(), batch()
    before = statistics(model)
    with in_eval(model):
        model(x)
    with unmoved(model):
        model(x)
    assert all(torch.equal(a, b) for a, b in zip(before, statistics(model), strict=True))
    model(x)
    assert not all(torch.equal(a, b) for a, b in zip(before, statistics(model), strict=True))


def test_inside_one_it_uses_running_statistics_and_inside_the_other_those_of_the_batch():
    model, (x, _) = network(), batch()
    as_trained, as_used = model(x), None
    model.load_state_dict(network().state_dict())
    with unmoved(model):
        torch.testing.assert_close(model(x), as_trained)
    with in_eval(model):
        inside = model(x)
    as_used = model.eval()(x)
    torch.testing.assert_close(inside, as_used)
    assert not torch.allclose(as_used, as_trained, atol=1e-4)


@pytest.mark.parametrize("still", [True, False])
def test_the_inner_attack_moves_statistics_unless_it_is_told_not_to(still):
    model, (x, y) = network(), batch()
    before = statistics(model)
    worst(replace(SMALL, inner=replace(INNER, eval_mode=still)), model, x, y, torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(before, statistics(model), strict=True)) == still
    assert all(one.training for one in model.modules())


# Adversarial weight perturbation


def test_weights_are_lifted_along_their_gradient_by_a_share_of_their_norm_and_put_back():
    model, (x, y) = network(), batch()
    kept = {name: value.clone() for name, value in model.state_dict().items()}

    def climb() -> torch.Tensor:
        return F.cross_entropy(model(x), y)

    with unmoved(model):
        low = climb()
        slopes = dict(
            zip(
                [n for n, _ in model.named_parameters()],
                torch.autograd.grad(low, list(model.parameters())),
                strict=True,
            )
        )
    with adversarial_weights(model, 0.01, climb):
        for name, value in model.named_parameters():
            move = value.detach() - kept[name]
            if value.dim() > 1:
                torch.testing.assert_close(move.norm(), 0.01 * kept[name].norm(), rtol=1e-3, atol=1e-6)
                along = F.cosine_similarity(move.flatten(), slopes[name].flatten(), dim=0)
                assert along > 0.99, name
            else:
                assert torch.equal(move, torch.zeros_like(move)), "biases and norms stay"
        with unmoved(model):
            assert climb() > low
    assert all(torch.equal(value, kept[name]) for name, value in model.state_dict().items())


def test_without_weight_perturbation_nothing_is_computed():
    model = network()
    with adversarial_weights(model, 0.0, lambda: pytest.fail("not asked for")):
        pass


# TRADES


def test_trades_loss_is_cross_entropy_at_the_picture_and_the_divergence_from_it():
    model, (x, y) = network().eval(), batch()
    asked = replace(SMALL, trades=6.0)
    value, logits = loss(asked, model, x, 1 - x, y)
    p, q = model(x).softmax(1), model(1 - x).softmax(1)
    wanted = F.cross_entropy(model(x), y) + 6 * (p * (p / q).log()).sum(1).mean()
    torch.testing.assert_close(value, wanted)
    torch.testing.assert_close(logits, model(1 - x))
    torch.testing.assert_close(loss(SMALL, model, x, 1 - x, y)[0], F.cross_entropy(model(1 - x), y))


def test_trades_moves_both_predictions():
    model, (x, y) = network(), batch()
    value, _ = loss(replace(SMALL, trades=6.0, label_smoothing=1.0), model, x.requires_grad_(), 1 - x, y)
    (at_x,) = torch.autograd.grad(value, x)
    assert float(at_x.abs().max()) > 0


def test_its_adversary_knows_no_label():
    model, (x, y) = network().eval(), batch()
    asked = replace(SMALL, trades=6.0)
    moved = x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    one, other = (adversary(asked, model, x, labels)(moved) for labels in (y, (y + 1) % 4))
    assert torch.equal(one, other)
    assert not torch.equal(*(adversary(SMALL, model, x, labels)(moved) for labels in (y, (y + 1) % 4)))


def test_trades_without_an_adversary_is_refused():
    with pytest.raises(InputError, match="give the recipe an inner attack"):
        fit(replace(SMALL, trades=6.0, inner=None), noise_pictures(32))


# Recipes


def test_a_recipe_is_written_as_it_was_before_there_was_more_to_say():
    """Runs, headers and students that were made then are those of the same recipe now."""
    plain = SMALL.as_json()
    assert "awp" not in plain and "trades" not in plain and "eval_mode" not in plain["inner"]
    assert plain.keys() == asdict(SMALL).keys() - {"awp", "trades"}
    told = replace(SMALL, awp=0.01, trades=6.0, inner=replace(INNER, eval_mode=True)).as_json()
    assert (told["awp"], told["trades"], told["inner"]["eval_mode"]) == (0.01, 6.0, True)
    assert replace(SMALL, inner=None).as_json()["inner"] is None


@pytest.mark.parametrize("name", VARIATIONS)
def test_every_variation_trains_a_step_and_differs_from_the_baseline(name):
    asked = replace(
        recipe(name, width=4), args={"width": 4, "classes": 4}, epochs=1, batch_size=16, precision="fp32", lr=0.05
    )
    model = fit(asked, noise_pictures(16))
    assert all(bool(value.isfinite().all()) for value in model.parameters())
    assert (recipe(name, width=4).as_json() == recipe("baseline", width=4).as_json()) == (name == "baseline")


def test_an_unknown_variation_is_told_what_there_is():
    with pytest.raises(InputError, match="there is no recipe 'more'; these are: baseline, no-ema"):
        recipe("more", width=8)


# Equal cost


@pytest.mark.parametrize(("minutes", "step_s"), [(4, 0.1), (0.5, 0.05), (30, 0.24), (0.001, 1.0)])
def test_a_budget_is_filled_and_not_exceeded(minutes, step_s):
    one = speedrun.budget(float(minutes), step_s, 45_000, 128)
    steps = one.epochs * (one.pictures // 128)
    assert one.pictures % 128 == 0 and one.pictures <= 45_000
    assert steps * step_s <= max(60 * minutes, step_s)
    assert steps * step_s > 0.93 * 60 * minutes or steps == 1


def test_steps_are_timed_in_turns(monkeypatch):
    order = []
    monkeypatch.setattr(timing, "timed", lambda one, _: order.append(one.seed) or [float(one.seed), 9.0, 1.0])
    found = timing.step_seconds((replace(SMALL, seed=1), replace(SMALL, seed=2)), noise_pictures(16), turns=2)
    assert order == [1, 2, 1, 2] and found == [1.0, 2.0]


def test_a_step_takes_time():
    (seconds,) = timing.step_seconds((SMALL,), noise_pictures(200), turns=1)
    assert 0 < seconds < 10


def test_what_judges_took_no_part():
    pictures = noise_pictures(20)
    training, judges = speedrun.held_out(pictures, 5)
    assert (len(training), len(judges)) == (15, 5)
    assert (judges.images == pictures.images[15:]).all() and (training.images == pictures.images[:15]).all()


@pytest.fixture
def small(monkeypatch):
    """Pictures of four classes in place of CIFAR-10, and a network that is as small."""
    monkeypatch.setattr(speedrun, "HELD", 16)
    monkeypatch.setattr(speedrun, "step_seconds", lambda recipes, _: [0.4, 0.5, 0.6][: len(recipes)])
    monkeypatch.setattr(speedrun.data, "cifar10", lambda _: noise_pictures(64))
    shrunk = lambda name, **more: replace(
        recipe(name, **more), args={"width": 4, "classes": 4}, batch_size=16, precision="fp32", lr=0.01
    )
    monkeypatch.setattr(speedrun, "recipe", shrunk)
    monkeypatch.setattr(speedrun.held_out, "__defaults__", (16,))


def test_the_command_writes_a_row_for_each_run_and_does_none_twice(small, tmp_path, monkeypatch, capsys):
    out = tmp_path / "speedrun.json"
    asked = ["--minutes", "0.05", "--width", "4", "--n", "8", "--out", str(out), "--runs", str(tmp_path / "runs")]
    speedrun.main([*asked, "--recipe", "awp"])
    assert "awp" in capsys.readouterr().out
    monkeypatch.setattr(speedrun, "run", lambda *_: pytest.fail("it is in the table"))
    speedrun.main([*asked, "--recipe", "awp"])
    rows = json.loads(out.read_text())["runs"]
    (row,) = rows.values()
    assert list(rows) == ["awp-w4-0.05min-seed0"]
    assert row["fields"]["awp"] == 0.01 and row["minutes"] == 0.05 and row["times_baseline"] == 1.25
    assert row["clean"]["n"] == 16 and row["L2 0.5"]["n"] == 8 and row["machine"]


def test_recipes_are_timed_together_and_a_run_that_goes_on_keeps_its_plan(small, tmp_path, monkeypatch):
    folders = {name: tmp_path / name for name in ("awp", "trades")}
    training, judges = speedrun.held_out(noise_pictures(64), 16)
    speedrun.plan(folders, 0.05, 4, 0, training)
    plans = {name: json.loads((folder / speedrun.PLAN).read_text()) for name, folder in folders.items()}
    assert {name: plan["step_s"] for name, plan in plans.items()} == {"awp": 0.5, "trades": 0.6}
    assert {plan["baseline_s"] for plan in plans.values()} == {0.4}
    monkeypatch.setattr(speedrun, "step_seconds", lambda *_: pytest.fail("they were timed before"))
    speedrun.plan(folders, 0.05, 4, 0, training)
    row = speedrun.run("awp", 0.05, 4, 0, training, judges, 8, 0, folders["awp"])
    assert row["pictures"] == plans["awp"]["pictures"] and row["times_baseline"] == 1.25


# Operations


def test_operations_of_a_forward_pass_are_those_of_its_layers():
    """By hand: two for each multiplication of each convolution and linear layer."""
    args = {"width": 8}
    counted, model = 0, build("resnet9", **args).eval()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(lambda one, _, out: sizes.append((one, out)))
    sizes: list[tuple[nn.Module, torch.Tensor]] = []
    model(torch.zeros(1, 3, 32, 32))
    for one, out in sizes:
        inputs = one.weight[0].numel()
        counted += 2 * inputs * out.numel()
    assert cost.forward_operations("resnet9", args) == counted


@pytest.mark.parametrize(
    ("made", "passes"),
    [
        ({"inner": None}, 3),
        ({"inner": {"steps": 1}}, 5),
        ({"inner": {"steps": 7}}, 17),
        ({"inner": {"steps": 1}, "awp": 0.01}, 8),
        ({"inner": {"steps": 1}, "trades": 6.0}, 9),
    ],
)
def test_a_picture_costs_its_forward_and_backward_passes(made, passes):
    assert cost.passes(made) == passes


def test_a_training_costs_its_epochs_and_an_unknown_one_nothing():
    made = {"epochs": 16, "inner": {"steps": 1}}
    about = Header("resnet9", {"width": 8}, recipe=made)
    whole = cost.operations(about)
    assert whole == cost.forward_operations("resnet9", {"width": 8}) * 5 * 50_000 * 16
    assert cost.operations(replace(about, recipe={**made, "set": {"n": 10_000}})) is None
    assert cost.operations(replace(about, recipe={"added": "theirs.pt", "epochs": 3})) is None
    assert cost.operations(replace(about, recipe={})) is None


def test_a_network_that_whitens_its_pixels_is_counted_too():
    assert cost.forward_operations("resnet9", {"width": 4, "whiten": 3}) > cost.forward_operations(
        "resnet9", {"width": 4}
    )


def test_a_count_is_written_for_people():
    assert cost.written(7.58e14) == "7.6 × 10¹⁴" and cost.written(3.0) == "3.0 × 10⁰"


def test_the_robust_network_that_ships_has_a_cost(checkpoint):
    checkpoint("resnet9-l2")
    found = cost.operations(checkpoints.header("resnet9-l2"))
    assert found is not None and 1e14 < found < 1e17
    assert L2(0.5) and compute.machine()


def test_counting_operations_leaves_the_modules_of_other_threads_alone(monkeypatch):
    """Hooks on every module of the process make the gradient of an attack beside it fail."""
    seen = []

    class Looks(torch.nn.Conv2d):
        def forward(self, x):
            every = torch.nn.modules.module
            seen.append(len(every._global_forward_pre_hooks) + len(every._global_forward_hooks))
            return super().forward(x)

    monkeypatch.setattr(cost, "build", lambda *_, **__: Looks(3, 4, 1, bias=False))
    cost._forward.cache_clear()
    assert cost.forward_operations("resnet9", {"width": 4}) == 2 * 3 * 4 * 32 * 32
    cost._forward.cache_clear()
    assert seen == [0]
