"""Training: it learns what can be learnt, goes on where it was killed, and says when it cannot go on."""

import copy
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.attacks import pgd
from core.attacks.balls import Linf, make
from core.attacks.objectives import untargeted
from core.data.sets import Pictures
from core.models import Classifier, checkpoints
from core.train import InnerAttack, Progress, TrainRecipe, fit, initialise, learning_rate, loop
from core.train import __main__ as command_line
from core.train import batches as batching
from core.train.batches import SHIFT, crop, mix
from tests.helpers import draws, noise_pictures, tiny, two_cues

ROOT = Path(__file__).resolve().parents[2]
RECIPE = TrainRecipe(args={"width": 4, "classes": 4}, epochs=3, batch_size=16, lr=0.05, precision="fp32", seed=5)
ADVERSARY = InnerAttack("L2", 0.5, 2, 0.25)


def accuracy(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """Compute the fraction of images that are classified as y."""
    return float((model(x).argmax(1) == y).float().mean())


def same(a: nn.Module, b: nn.Module) -> bool:
    """Whether all weights and statistics are equal bit for bit."""
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


# What is learnt


def test_a_small_network_learns_noise_by_heart():
    """32 pictures of noise with labels that mean nothing: accuracy 1 after 120 steps, or the loop does not train."""
    pictures = noise_pictures(32)
    args = {"width": 8, "classes": 4}
    recipe = replace(RECIPE, args=args, epochs=30, batch_size=8, augment=False, ema=0.8, weight_decay=0.0)
    model = fit(recipe, pictures)
    assert not any(module.training for module in model.modules())
    assert accuracy(model, pictures.x(), pictures.y()) == 1


def test_adversarial_training_beats_standard_training_under_attack():
    """Two cues: one that an adversary of 8/255 cannot turn but that lies in 15 % of the pictures, and a tint of 5/255.

    Standard training uses the tint: always right, until the adversary turns it, then always wrong. Adversarial
    training has to do with the other cue: less right on clean pictures, but right under attack.
    """
    pictures, test = two_cues(320, honest=0.85), two_cues(200, honest=0.85, seed=1)
    recipe = TrainRecipe(
        args={"width": 4, "classes": 2}, epochs=6, batch_size=32, lr=0.1, augment=False, ema=0.8, precision="fp32"
    )
    x, y = test.x(), test.y()
    clean, robust = {}, {}
    for name, inner in (("standard", None), ("adversarial", InnerAttack("Linf", 8 / 255, 3, 4 / 255))):
        model = fit(replace(recipe, inner=inner), pictures)
        clean[name] = accuracy(model, x, y)
        x_adv = pgd(untargeted(model, y), x, Linf(8 / 255), steps=10, step_size=2 / 255, best=True)
        robust[name] = accuracy(model, x_adv, y)
    assert clean["standard"] > 0.97
    assert robust["standard"] < 0.1
    assert 0.75 < clean["adversarial"] < 0.95
    assert robust["adversarial"] > 0.75


@pytest.mark.parametrize("norm", ["L2", "Linf"])
def test_the_inner_adversary_makes_the_loss_larger_inside_its_ball(norm):
    """It raises the cross-entropy of the very model that trains, and leaves neither ball nor pixel range."""
    eps = {"L2": 0.5, "Linf": 8 / 255}[norm]
    model, pictures = tiny(classes=4), noise_pictures(16)
    x, y = pictures.x(), pictures.y()
    recipe = replace(RECIPE, inner=InnerAttack(norm, eps, 5, eps / 3))
    x_adv = loop.worst(recipe, model, x, y, draws())
    loss = nn.CrossEntropyLoss()
    assert loss(model(x_adv), y) > loss(model(x), y) + 0.02
    assert (make(norm, eps).norm(x_adv - x) <= eps + 1e-6).all()
    assert 0 <= x_adv.min() <= x_adv.max() <= 1
    assert all(p.grad is None for p in model.parameters())


def test_the_inner_adversary_starts_inside_the_ball_and_at_different_radii():
    """Without a step only the start remains: radii spread over (0, eps), not all on the surface."""
    model, x = tiny(classes=4), torch.full((200, 3, 16, 16), 0.5)
    recipe = replace(RECIPE, inner=InnerAttack("L2", 0.5, 0, 0.0))
    norm = make("L2", 0.5).norm(loop.worst(recipe, model, x, torch.zeros(200, dtype=torch.long), draws()) - x)
    assert abs(float(norm.mean()) - 0.25) < 0.05
    assert norm.max() <= 0.5 + 1e-6
    assert norm.min() < 0.05


# Going on


@pytest.mark.parametrize("inner", [None, ADVERSARY], ids=["standard", "adversarial"])
@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path, inner, how):
    """Interrupted in epoch 2 of 3 and started again: bit for bit the weights of the run that was not."""
    pictures, recipe = noise_pictures(64), replace(RECIPE, inner=inner)
    whole = fit(recipe, pictures)

    def interrupt(p: Progress) -> bool:
        if (p.epoch, p.step) == (1, 2) and how == "killed":
            raise KeyboardInterrupt
        return (p.epoch, p.step) == (1, 2)

    if how == "killed":
        with pytest.raises(KeyboardInterrupt):
            fit(recipe, pictures, run=tmp_path, on_progress=interrupt)
    else:
        assert not same(fit(recipe, pictures, run=tmp_path, on_progress=interrupt), whole)
    steps: list[tuple[int, int]] = []
    resumed = fit(recipe, pictures, run=tmp_path, on_progress=lambda p: steps.append((p.epoch, p.step)))
    assert same(resumed, whole)
    assert steps == [(epoch, step) for epoch in (1, 2) for step in range(4)]
    assert {path.name for path in tmp_path.iterdir()} == {"state.pt", "time.json"}


def test_a_finished_run_is_returned_without_training(tmp_path):
    """Three of three epochs are done."""
    pictures = noise_pictures(32)
    first = fit(RECIPE, pictures, run=tmp_path)
    steps: list[Progress] = []
    assert same(fit(RECIPE, pictures, run=tmp_path, on_progress=steps.append), first)
    assert steps == []


@pytest.mark.parametrize("change", [{"lr": 0.06}, {"seed": 6}, {"epochs": 4}, {"inner": ADVERSARY}], ids=str)
def test_a_run_of_another_recipe_in_the_same_folder_is_refused(tmp_path, change):
    """Going on would be neither the one nor the other."""
    pictures = noise_pictures(16)
    fit(RECIPE, pictures, run=tmp_path)
    with pytest.raises(
        ValueError, match=r"holds a run of another recipe or on other pictures; delete it or choose another folder"
    ):
        fit(replace(RECIPE, **change), pictures, run=tmp_path)
    with pytest.raises(ValueError, match=r"another recipe"):
        fit(RECIPE, noise_pictures(32), run=tmp_path)


def test_equal_seeds_give_equal_weights_and_other_seeds_others():
    """Initialisation, order and augmentation come from the seed; torch's global generator is not used."""
    pictures, recipe = noise_pictures(32), replace(RECIPE, epochs=1)
    first = fit(recipe, pictures)
    torch.rand(1)
    assert same(fit(recipe, pictures), first)
    assert not same(fit(replace(recipe, seed=6), pictures), first)


def test_progress_is_reported_every_step():
    """Epoch, step, mean loss and accuracy so far, rate, and a time that runs out."""
    seen: list[Progress] = []
    fit(replace(RECIPE, epochs=2), noise_pictures(70), on_progress=seen.append)
    assert [(p.epoch, p.step, p.steps) for p in seen] == [(e, s, 4) for e in (0, 1) for s in range(4)]
    assert seen[0].loss == pytest.approx(math.log(4), abs=0.4)
    assert all(0 <= p.accuracy <= 1 for p in seen)
    assert [p.rate for p in seen] == [learning_rate(replace(RECIPE, epochs=2), i / 8) for i in range(8)]
    assert seen[-1].eta_s == 0
    assert seen[0].eta_s > 0


def test_each_epoch_hands_out_the_averaged_model():
    """on_epoch(1..epochs, model), the last one being what fit returns."""
    seen: list[tuple[int, Classifier]] = []
    model = fit(RECIPE, noise_pictures(16), on_epoch=lambda done, model: seen.append((done, copy.deepcopy(model))))
    assert [done for done, _ in seen] == [1, 2, 3]
    assert same(seen[-1][1], model)
    assert not same(seen[0][1], model)


# What cannot be done


def test_a_loss_that_is_not_finite_stops_the_run_with_a_sentence(tmp_path):
    """A rate of 1e30; the epochs before are still in the folder."""
    with pytest.raises(FloatingPointError, match=r"the loss is nan at epoch \d, step \d; lower lr \(1e\+30\)"):
        fit(replace(RECIPE, lr=1e30), noise_pictures(64), run=tmp_path)


def test_fewer_pictures_than_a_batch_are_refused():
    """There would be no step."""
    with pytest.raises(ValueError, match=r"need at least one full batch.* 15 pictures, batch_size 16"):
        fit(RECIPE, noise_pictures(15))


# Pieces


@pytest.mark.parametrize("warmup", [0.0, 0.2, 0.5])
def test_the_learning_rate_climbs_to_its_peak_and_falls_to_zero(warmup):
    """0 at t = 0, lr at t = warmup, 0 at t = 1, linear between."""
    recipe = replace(RECIPE, lr=0.3, warmup=warmup)
    assert learning_rate(recipe, 0.0) == (0 if warmup else 0.3)
    assert learning_rate(recipe, warmup) == pytest.approx(0.3)
    assert learning_rate(recipe, warmup / 2) == pytest.approx(0.15 if warmup else 0.3)
    assert learning_rate(recipe, (1 + warmup) / 2) == pytest.approx(0.15)
    assert learning_rate(recipe, 1.0) == pytest.approx(0)
    assert max(learning_rate(recipe, t / 1000) for t in range(1000)) <= 0.3


def padded(n: int = 6) -> tuple[Pictures, Tensor]:
    """Make pictures and their padded form."""
    pictures = noise_pictures(n)
    return pictures, batching.padded(pictures, torch.device("cpu"))


def test_pictures_are_padded_by_reflection():
    """As numpy does it."""
    pictures, wide = padded()
    expected = np.pad(pictures.images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="reflect")
    assert (wide.numpy() == expected).all()


def test_without_augmentation_the_crop_is_the_picture():
    """The middle, not flipped; in the order of rows."""
    pictures, wide = padded()
    rows = torch.tensor([4, 0, 4, 1])
    assert torch.equal(crop(wide, rows, draws(), augment=False), pictures.x(rows.tolist()))


def test_augmentation_only_shifts_and_flips_and_does_both_everywhere():
    """Every crop is one of the 81 shifts x 2 flips of its own picture, and all shifts and both flips occur."""
    _, wide = padded()
    rows = torch.arange(300) % 6
    cut = (crop(wide, rows, draws(), augment=True) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    found = set()
    for row, picture in zip(rows.tolist(), cut, strict=True):
        whole = wide[row].numpy()
        matches = [
            (down, right, flip)
            for down in range(2 * SHIFT + 1)
            for right in range(2 * SHIFT + 1)
            for flip in (False, True)
            if (picture == whole[down : down + 16, right : right + 16][:, :: -1 if flip else 1]).all()
        ]
        assert len(matches) == 1
        found.add(matches[0])
    downs, rights, flips = zip(*found, strict=True)
    assert set(downs) == set(rights) == set(range(2 * SHIFT + 1))
    assert set(flips) == {False, True}
    assert 100 < len(found) <= 162  # the three are drawn independently


def test_augmentation_comes_from_its_generator():
    """Equal draws, equal crops."""
    _, wide = padded()
    rows = torch.arange(6)
    first, again, other = (crop(wide, rows, draws(seed), augment=True) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def batches(epoch: int = 0, rank: int = 0, world: int = 1, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Collect an epoch of (rows as labels, images) with 40 pictures in batches of 16."""
    _, wide = padded(40)
    recipe = replace(RECIPE, augment=False, seed=seed)
    return [(y, x) for x, y, _ in batching.batches(recipe, wide, torch.arange(40), epoch, rank, world)]


def test_an_epoch_sees_every_picture_at_most_once_in_a_new_order():
    """Two full batches of 16 out of 40; images go with their labels; epochs and seeds differ, repetitions do not."""
    found = batches()
    order = torch.cat([y for y, _ in found])
    assert [len(y) for y, _ in found] == [16, 16]
    assert len(set(order.tolist())) == 32
    pictures, _ = padded(40)
    for y, x in found:
        assert torch.equal(x, pictures.x(y.tolist()))
    assert torch.equal(torch.cat([y for y, _ in batches()]), order)
    assert not torch.equal(torch.cat([y for y, _ in batches(epoch=1)]), order)
    assert not torch.equal(torch.cat([y for y, _ in batches(seed=1)]), order)


@pytest.mark.parametrize("world", [2, 4])
def test_processes_share_each_batch(world):
    """Together the processes see what one would see, nothing twice."""
    alone = batches()
    shares = [batches(rank=rank, world=world) for rank in range(world)]
    for step, (y, _) in enumerate(alone):
        parts = [share[step][0] for share in shares]
        assert {len(part) for part in parts} == {16 // world}
        assert sorted(torch.cat(parts).tolist()) == sorted(y.tolist())


def test_averaged_weights_are_an_exponential_average_with_a_short_early_memory():
    """mean <- mean + (1 - d_t)(new - mean), d_t = min(decay, (1 + t) / (10 + t)); counters are copied."""
    mean, new = tiny(), tiny(seed=1)
    new.body.stem[1].num_batches_tracked.fill_(7)
    expected = copy.deepcopy(mean.head.weight)
    for step in (0, 1, 5, 1000):
        loop.average(mean, new, 0.9, step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * new.head.weight
        torch.testing.assert_close(mean.head.weight, expected)
    assert mean.body.stem[1].num_batches_tracked == 7
    assert 0.09 < 1 - min(0.9, 1001 / 1010) < 0.11


@pytest.mark.parametrize(("ema", "equal"), [(0.0, True), (0.9, False)], ids=str)
def test_a_run_returns_the_averaged_weights(tmp_path, ema, equal):
    """With decay 0 they are the last ones."""
    model = fit(replace(RECIPE, ema=ema), noise_pictures(32), run=tmp_path)
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert all(torch.equal(value, state["averaged"][name]) for name, value in model.state_dict().items())
    assert all(torch.equal(value, state["model"][name]) for name, value in model.state_dict().items()) == equal


def test_seeds_of_neighbouring_epochs_and_ranks_do_not_collide():
    """_mix(seed, epoch, rank) is one to one on all that will ever be used."""
    mixed = {mix(seed, epoch, rank) for seed in range(10) for epoch in range(200) for rank in range(9)}
    assert len(mixed) == 10 * 200 * 9
    assert all(0 <= number < 2**63 for number in mixed)


def test_weights_are_drawn_from_the_generator_with_variance_one_third_of_fan_in():
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)); biases 0."""
    model, again = tiny(width=8), tiny(width=8)
    initialise(model, draws(3))
    initialise(again, draws(3))
    assert same(model, again)
    bound = 1 / math.sqrt(model.body.res3.block[0][0].weight[0].numel())
    assert bound * 0.99 < model.body.res3.block[0][0].weight.abs().max() <= bound
    assert (model.head.bias == 0).all()


def test_weight_decay_is_on_matrices_only():
    """Not on biases and batch norms."""
    decayed, free = loop.decayed(tiny(), 5e-4)
    assert decayed["weight_decay"] == 5e-4
    assert free["weight_decay"] == 0
    assert all(p.dim() > 1 for p in decayed["params"])
    assert all(p.dim() <= 1 for p in free["params"])
    assert len(decayed["params"]) + len(free["params"]) == len(list(tiny().parameters()))


# The command


@pytest.fixture
def npz(tmp_path) -> Path:
    """An .npz of 40 pictures in 4 classes."""
    pictures = noise_pictures(40)
    path = tmp_path / "small.npz"
    np.savez(path, images=pictures.images, labels=pictures.labels, classes=np.array(pictures.classes))
    return path


def test_the_command_builds_as_many_logits_as_the_data_has_classes(npz, tmp_path, monkeypatch):
    """Four class names and ten logits do not fit; an .npz of 100 classes would stop with an index error."""
    command(npz, tmp_path / "model.safetensors", monkeypatch)
    assert checkpoints.load("model", folder=tmp_path).head.out_features == 4


def command(npz: Path, out: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    """Run python -m core.train in this process, with one thread."""
    monkeypatch.setenv("ROBUST_FROG_THREADS", "1")
    monkeypatch.setattr("core.compute.setup_cpu", lambda: 1)
    options = ["--width", "4", "--epochs", "1", "--batch-size", "16", "--precision", "fp32"]
    command_line.main(["--data", str(npz), "--out", str(out), *options, *more])


def test_the_command_writes_a_checkpoint_that_says_how_it_was_made(npz, tmp_path, monkeypatch):
    """Architecture, recipe with the adversary, class names; the run's state beside it."""
    out = tmp_path / "model.safetensors"
    command(
        npz, out, monkeypatch, "--norm", "L2", "--eps", "0.25", "--inner-steps", "1", "--limit", "20", "--seed", "9"
    )
    about = checkpoints.header("model", tmp_path)
    assert about.arch == "resnet9"
    assert about.args["width"] == 4
    assert about.classes == ("a", "b", "c", "d")
    assert about.recipe["inner"] == {"norm": "L2", "eps": 0.25, "step_size": 0.25, "steps": 1}
    assert about.recipe["seed"] == 9
    assert about.recipe["epochs"] == 1
    assert (tmp_path / "model.run" / "state.pt").is_file()


def test_names_with_a_point_in_them_have_each_their_own_run(npz, tmp_path, monkeypatch):
    for name in ("a.1", "a.2"):
        command(npz, tmp_path / f"{name}.safetensors", monkeypatch, "--limit", "20")
    assert {path.name for path in tmp_path.glob("a.*.run")} == {"a.1.run", "a.2.run"}


@pytest.mark.parametrize("steps", [1, 7, 10])
def test_the_commands_inner_step_is_eps_for_one_and_a_fifth_for_more(npz, tmp_path, monkeypatch, steps):
    """Appendix C.3 takes 7 steps of eps / 5."""
    seen: list[TrainRecipe] = []

    def remember(recipe: TrainRecipe, *_: object, **__: object) -> Classifier:
        seen.append(recipe)
        return tiny(classes=4)

    monkeypatch.setattr(command_line, "fit", remember)
    command(npz, tmp_path / "m.safetensors", monkeypatch, "--norm", "Linf", "--eps", "0.1", "--inner-steps", str(steps))
    assert seen[0].inner == InnerAttack("Linf", 0.1, steps, 0.1 if steps == 1 else 0.1 / 5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--limit", "8"], "need at least one full batch"),
        (["--lr", "1e30"], "the loss is nan"),
        (["--arch", "alexnet"], "no architecture"),
    ],
    ids=["too few", "diverges", "unknown"],
)
def test_the_command_ends_with_a_sentence(npz, tmp_path, monkeypatch, more, said):
    """Not with a traceback; and it writes no checkpoint."""
    with pytest.raises(SystemExit, match=said):
        command(npz, tmp_path / "model.safetensors", monkeypatch, "--epochs", "3", *more)
    assert not (tmp_path / "model.safetensors").exists()


def test_two_processes_train_one_model(npz, tmp_path):
    """torchrun with gloo: both end well, one file is written, the first process alone speaks."""
    out = tmp_path / "model.safetensors"
    options = [
        "--data",
        npz,
        "--out",
        out,
        "--width",
        "4",
        "--epochs",
        "2",
        "--batch-size",
        "16",
        "--precision",
        "fp32",
    ]
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "core.train",
    ]
    done = subprocess.run(
        [*launch, *map(str, options)],
        cwd=ROOT,
        env={**os.environ, "ROBUST_FROG_THREADS": "1", "ROBUST_FROG_DEVICE": "cpu", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("epoch 2 step 2/2") == 1, done.stderr[-2000:]
    assert checkpoints.names(tmp_path) == ("model",)
    assert not any(p.requires_grad for p in checkpoints.load("model", folder=tmp_path).parameters())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.run", "model.safetensors", "small.npz"]
