"""What the Perturb page computes: whole and in parts, its control, its targets, and the script that repeats it."""

import io
import math
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from core import worlds
from core.attacks import SWEEP_ROWS
from core.attacks.rules import State
from core.data import pictures
from core.data.pictures import Picture
from core.data.sets import CIFAR10_CLASSES
from core.files import render
from core.models import checkpoints, ready
from core.models.checkpoints import Header
from core.perturb import Trajectory, attack, closest, label_of, noise, parts, scene, script, target_of
from core.perturb.recipe import PerturbRecipe
from tests.helpers import draws, images, run_alone, tiny

both = pytest.mark.parametrize("norm", ["Linf", "L2"])
CAT = CIFAR10_CLASSES.index("cat")
QUICK = PerturbRecipe(picture="made/up", standard="tiny", robust="tiny", steps=3)


@pytest.fixture(autouse=True)
def tiny_is_a_checkpoint(monkeypatch):
    """Under the name "tiny" stands a header with CIFAR-10's classes; all other names stay what they are."""
    header = checkpoints.header
    monkeypatch.setattr(checkpoints, "header", lambda name: Header("resnet9") if name == "tiny" else header(name))


def picture(label: int | None = CAT, seed: int = 0) -> Picture:
    """Noise in 8 bits, of the size the models take."""
    return Picture("made/up", (images(1, size=32, seed=seed) * 255).round() / 255, label, "noise", "generated")


def run(recipe: PerturbRecipe, of: Picture | None = None, model: nn.Module | None = None, **more) -> Trajectory:
    return attack(recipe, "tiny", picture=of or picture(), model=model or tiny(), **more)


def equal(a: Trajectory, b: Trajectory) -> bool:
    """Bit for bit."""
    tensors = ("x", "x_adv", "logits", "norm", "allowed", "success")
    plain = ("positions", "y", "target", "grad_vanished")
    return all(torch.equal(getattr(a, f), getattr(b, f)) for f in tensors) and all(
        getattr(a, f) == getattr(b, f) for f in plain
    )


class Sums(nn.Module):
    """Ten classes; class k likes channel sums in its own way. The logits on grey are 0, 1, ..., 9."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(0.01 * torch.randn(10, 3, 32, 32, generator=draws(3)))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("nchw,kchw->nk", x - 0.5, self.w) + torch.arange(10.0)


def grey(label: int | None) -> Picture:
    return Picture("made/up", torch.full((1, 3, 32, 32), 0.5), label, "grey", "generated")


# Parts


@pytest.mark.parametrize("norm", list(worlds.get().reaches))
def test_parts_are_all_frames_once_in_order_the_clean_one_first(norm):
    for reach in worlds.get().reaches[norm]:
        recipe = PerturbRecipe(norm=norm, reach=reach)
        pieces = parts(recipe)
        assert pieces[0] == (0,)
        assert [i for piece in pieces for i in piece] == list(range(len(recipe.eps_values)))
        assert all(1 <= len(piece) <= SWEEP_ROWS for piece in pieces)


@both
@pytest.mark.parametrize("random_start", [False, True], ids=["from x", "random start"])
@pytest.mark.parametrize("target", ["any", "truck"])
def test_the_parts_joined_are_the_whole_bit_for_bit(norm, random_start, target):
    """The page computes parts as they are wanted, the script everything at once; they must show the same pictures."""
    recipe = replace(QUICK, norm=norm, random_start=random_start, target=target)
    whole = run(recipe)
    pieces = [run(recipe, part=part) for part in range(len(parts(recipe)))]
    assert whole.positions == recipe.eps_values
    assert equal(Trajectory.join(pieces), whole)


def test_the_parts_may_be_computed_in_any_order():
    """Random starts come from the recipe's seed and the part, not from what was computed before."""
    recipe = replace(QUICK, random_start=True)
    n = len(parts(recipe))
    forward, backward = ([run(recipe, part=part) for part in order] for order in (range(n), reversed(range(n))))
    assert all(equal(a, b) for a, b in zip(forward, reversed(backward), strict=True))


def test_the_seed_decides_the_random_start_and_nothing_else():
    with_start = replace(QUICK, random_start=True)
    assert not torch.equal(run(with_start).x_adv, run(replace(with_start, seed=1)).x_adv)
    assert equal(run(QUICK), run(replace(QUICK, seed=1)))


@both
def test_frames_are_measured_and_allowed(norm):
    found = run(replace(QUICK, norm=norm))
    delta = (found.x_adv - found.x).flatten(1)
    measured = delta.abs().amax(1) if norm == "Linf" else delta.norm(dim=1)
    torch.testing.assert_close(found.norm, measured, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found.allowed, torch.tensor(found.positions))
    assert (found.norm <= found.allowed * (1 + 1e-5) + 1e-7).all()
    assert torch.equal(found.x_adv[:1], found.x)
    assert found.x_adv.shape == (len(found.positions), 3, 32, 32)


def test_what_is_said_of_each_frame_is_what_the_model_says():
    model = tiny()
    found = run(QUICK, model=model)
    with torch.no_grad():
        torch.testing.assert_close(found.logits, model(found.x_adv), rtol=1e-4, atol=1e-4)
    assert torch.equal(found.success, found.logits.argmax(1) != CAT)
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(len(found.positions)))


def test_fgsm_is_one_step_of_length_eps():
    """Whatever the number of steps says."""
    recipe = replace(QUICK, attack="FGSM", steps=50)
    found = run(recipe, grey(3), Sums())
    torch.testing.assert_close(found.norm, torch.tensor(recipe.eps_values))
    assert equal(found, run(replace(recipe, attack="PGD", steps=1), grey(3), Sums()))
    steps: list[int] = []
    run(recipe, grey(3), Sums(), on_step=lambda i, _: steps.append(i))
    assert set(steps) == {0}


def test_the_threshold_is_the_first_frame_that_fools():
    """Label 9 of the grey picture: frame 0 is right, and the sweep gets it wrong at some radius."""
    found = run(replace(QUICK, reach="5"), grey(9), Sums())
    k = found.threshold
    assert k is not None and k > 0
    assert found.success[k] and not found.success[:k].any()
    assert run(QUICK, grey(0), Sums()).threshold == 0, "wrong from the start"
    nothing = replace(found, success=torch.zeros_like(found.success))
    assert nothing.threshold is None


# Steps


@both
def test_the_steps_view_shows_every_iterate_from_the_picture_to_the_result(norm):
    recipe = replace(QUICK, norm=norm, axis="steps", steps=6, precision="fp32")  # bfloat16 rounds by batch
    found = run(recipe)
    assert found.positions == tuple(map(float, range(7)))
    assert torch.equal(found.x_adv[:1], found.x)
    torch.testing.assert_close(found.allowed, torch.full((7,), recipe.eps_values[recipe.at_index]))
    as_radius = run(replace(recipe, axis="eps")).x_adv[recipe.at_index]
    torch.testing.assert_close(found.x_adv[-1], as_radius, rtol=0, atol=1e-5)


def test_the_radius_of_the_steps_view_is_chosen():
    recipe = replace(QUICK, axis="steps", norm="Linf", reach="8/255", at="1/255")
    found = run(recipe)
    assert float(found.allowed[0]) == pytest.approx(1 / 255)
    assert float(found.norm.max()) == pytest.approx(1 / 255, rel=1e-4)


# Stopping


def test_a_stop_keeps_the_current_part():
    seen: list[int] = []

    def on_step(i: int, _: State) -> bool:
        seen.append(i)
        return i == 1

    found = run(replace(QUICK, steps=50), part=1, on_step=on_step)
    assert seen == [0, 1]
    assert len(found.x_adv) == len(parts(QUICK)[1])


def test_exceptions_of_the_page_go_through():
    def on_step(i: int, _: State) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(QUICK, on_step=on_step)


# Labels and targets


def test_a_picture_without_a_label_is_held_to_what_the_model_says():
    """Uploads: the first frame is right by definition."""
    model = Sums()
    assert label_of(grey(None), model) == 9
    assert label_of(grey(4), model) == 4
    found = run(QUICK, grey(None), model)
    assert found.y == 9
    assert not found.success[0]


@pytest.mark.parametrize(
    ("target", "label", "expected"),
    [
        ("any", 9, None),
        ("second", 9, 8),
        ("second", 3, 9),  # wrong already: the most likely of the wrong classes is what the model says
        ("least", 9, 0),
        ("least", 0, 1),
        ("second", None, 8),
        ("truck", 3, 9),
        ("airplane", None, 0),
    ],
)
def test_a_target_becomes_a_class(target, label, expected):
    assert target_of(replace(QUICK, target=target), grey(label), Sums(), CIFAR10_CLASSES) == expected


@pytest.mark.parametrize(
    ("target", "label", "said"),
    [
        ("frog", 6, "the picture is a frog already"),
        ("truck", None, "the picture is a truck already"),
        ("pig", 6, "target must be any, second, least or one of airplane"),
        ("", 6, "target must be"),
    ],
)
def test_an_impossible_target_is_refused_with_a_sentence(target, label, said):
    for call in (
        lambda: run(replace(QUICK, target=target), grey(label), Sums()),
        lambda: closest(replace(QUICK, target=target), "tiny", picture=grey(label), model=Sums(), steps=2),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_success_of_a_targeted_attack_is_the_target():
    found = run(replace(QUICK, target="ship", reach="5", steps=10), grey(9), Sums())
    assert found.target == CIFAR10_CLASSES.index("ship")
    assert torch.equal(found.success, found.logits.argmax(1) == found.target)
    assert found.success[-1] and not found.success[0]


# Doubts


class Saturated(nn.Module):
    """Right for ever, with a gradient of exactly zero."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        hot = nn.functional.one_hot(torch.full((len(x),), CAT), 10).float()
        return 1e4 * hot + 0 * x.flatten(1).sum(1, keepdim=True)


@pytest.mark.parametrize("axis", ["eps", "steps"])
def test_a_vanished_gradient_is_flagged(axis):
    """Such a model looks robust at every radius; the page must say that this means nothing."""
    recipe = replace(QUICK, axis=axis)
    found = run(recipe, model=Saturated())
    assert not found.success.any()
    assert found.grad_vanished
    assert not run(recipe).grad_vanished


def test_one_vanished_part_flags_the_whole():
    fine = run(QUICK, part=0)
    assert not fine.grad_vanished
    assert Trajectory.join([fine, replace(fine, grad_vanished=True)]).grad_vanished


def test_a_confident_model_is_no_saturated_one():
    """A hundred times the logits: cross-entropy would be flat here, the log-odds are not."""

    class Loud(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = tiny()

        def forward(self, x: Tensor) -> Tensor:
            return 100 * self.inner(x)

    loud, plain = run(QUICK, model=Loud()), run(QUICK)
    assert not loud.grad_vanished
    assert loud.threshold == plain.threshold


# The control


@both
@pytest.mark.parametrize("seed", [0, 7])
def test_the_control_has_the_size_of_the_attack_within_two_per_cent(norm, seed):
    """Measured on the pictures, after clipping: else "noise does nothing" would compare unlike things."""
    recipe = replace(QUICK, norm=norm, seed=seed)
    found = run(recipe)
    control = noise(recipe, "tiny", found, model=tiny())
    delta = (control.x_adv - found.x).flatten(1)
    measured = delta.abs().amax(1) if norm == "Linf" else delta.norm(dim=1)
    torch.testing.assert_close(measured, found.norm, rtol=0.02, atol=1e-7)
    torch.testing.assert_close(control.norm, measured, rtol=1e-5, atol=1e-7)
    assert torch.equal(control.x_adv[:1], found.x)
    assert control.x_adv.min() >= 0
    assert control.x_adv.max() <= 1


@both
def test_the_control_has_the_size_of_the_attack_on_a_picture_of_black_and_white(norm):
    """Where half of all moves are clipped away."""
    corners = Picture("made/up", (images(1, size=32) > 0.5).float(), CAT, "corners", "generated")
    recipe = replace(QUICK, norm=norm)
    found = run(recipe, corners)
    control = noise(recipe, "tiny", found, model=tiny())
    torch.testing.assert_close(control.norm, found.norm, rtol=0.02, atol=1e-7)


def test_the_control_is_one_direction_that_grows():
    found = run(QUICK, grey(3), Sums())
    delta = (noise(QUICK, "tiny", found, model=Sums()).x_adv - found.x).flatten(1)[1:]
    unit = delta / delta.norm(dim=1, keepdim=True)
    torch.testing.assert_close(unit, unit[-1:].expand_as(unit), rtol=0, atol=1e-5)


def test_the_control_is_judged_by_the_model_that_looks_at_it():
    """And against the label, not against the target."""
    model = Sums()
    found = run(replace(QUICK, target="frog"), grey(9), model)
    control = noise(QUICK, "tiny", found, model=model)
    with torch.no_grad():
        torch.testing.assert_close(control.logits, model(control.x_adv), rtol=1e-4, atol=1e-4)
    assert torch.equal(control.success, control.logits.argmax(1) != 9)


def test_nobody_is_asked_again_what_was_answered():
    """At eps 0 both attacks and the noise have the clean picture; of later frames each model is asked by the other."""
    asked: list[int] = []

    class Counting(nn.Module):
        def __init__(self, seed: int) -> None:
            super().__init__()
            self.inside = tiny(seed=seed)

        def forward(self, x: Tensor) -> Tensor:
            asked.append(len(x))
            return self.inside(x)

    models = Counting(0), Counting(1)
    left, right = (run(QUICK, part=0, model=model) for model in models)  # of the same label and pictures
    asked.clear()
    beside = scene.others(QUICK, left, right, models)
    assert asked == [1]  # the noise, by the left model
    assert torch.equal(beside.left_logits, left.logits) and torch.equal(beside.right_logits, right.logits)
    assert torch.equal(beside.noise_by_right, right.logits)
    left, right = (run(QUICK, part=1, model=model) for model in models)
    asked.clear()
    beside = scene.others(QUICK, left, right, models)
    assert asked == [len(left.x_adv)] * 4
    assert torch.equal(beside.right_logits, ready.asked(models[1], left.x_adv))


def test_the_control_comes_from_the_seed():
    found = run(QUICK)
    first, again, other = (noise(replace(QUICK, seed=s), "tiny", found, model=tiny()) for s in (1, 1, 2))
    assert equal(first, again)
    assert not torch.equal(first.x_adv, other.x_adv)


# The nearest


@both
def test_the_nearest_is_adversarial_and_no_further_than_the_sweep(norm):
    recipe = replace(QUICK, norm=norm, reach={"L2": "5", "Linf": "40/255"}[norm], steps=10)
    model, of = tiny(), picture(None)
    nearest, distance = closest(recipe, "tiny", picture=of, model=model)
    found = run(recipe, of, model)
    assert found.threshold is not None
    assert 0 < distance <= found.positions[found.threshold]
    assert model(nearest).argmax() != found.y


def test_the_nearest_of_a_wrong_picture_is_itself():
    nearest, distance = closest(QUICK, "tiny", picture=grey(0), model=Sums(), steps=3)
    assert distance == 0
    assert torch.equal(nearest, grey(0).x)


def test_where_nothing_is_near_the_distance_is_infinite():
    assert closest(QUICK, "tiny", picture=picture(), model=Saturated(), steps=3)[1] == math.inf


# The script


@pytest.mark.slow
def test_the_script_in_a_process_of_its_own_writes_the_pages_pictures(checkpoint, tmp_path):
    recipe = PerturbRecipe("photo/chelsea", norm="Linf", reach="8/255", steps=3, frame=7, random_start=True, seed=3)
    for name in (recipe.standard, recipe.robust):
        checkpoint(name)
    writes_the_pictures(tmp_path, recipe, run_alone(script(recipe), tmp_path))


@pytest.mark.parametrize(
    "recipe",
    [
        PerturbRecipe(f"cifar10/{pictures.FROG}", target="truck", steps=4, frame=12),
        PerturbRecipe("photo/chelsea", axis="steps", attack="PGD", steps=3, frame=99, target="second"),
    ],
    ids=["test picture by fingerprint", "steps view, frame beyond the last"],
)
def test_other_scripts_write_the_pages_pictures(recipe, checkpoint, request, tmp_path, monkeypatch, capsys):
    for name in (recipe.standard, recipe.robust):
        checkpoint(name)
    if recipe.picture.startswith("cifar10"):
        request.getfixturevalue("cifar")
    monkeypatch.chdir(tmp_path)
    Path("view.py").write_text(script(recipe), encoding="utf-8")
    runpy.run_path("view.py", run_name="__main__")
    writes_the_pictures(tmp_path, recipe, capsys.readouterr().out)


def writes_the_pictures(folder: Path, recipe: PerturbRecipe, said: str) -> None:
    """Byte for byte: PNG against PNG, and pixels against the tensor that this process computes."""
    for name in (recipe.standard, recipe.robust):
        found = attack(recipe, name)
        frame = min(recipe.frame, len(found.x_adv) - 1)
        pixels = render.to_uint8(found.x_adv[frame : frame + 1])[0]
        written = (folder / f"{name}.png").read_bytes()
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(written))), pixels)
        assert written == render.png(pixels)
        assert f"{name}: fooled from frame {found.threshold}, |delta| = {float(found.norm[frame]):.4f}" in said


def test_the_script_holds_the_whole_recipe(tmp_path):
    """Read back by Python itself, with a name that would break out of its quotes."""
    recipe = PerturbRecipe('photo/"); import os; ("', norm="Linf", target="it's", steps=7, random_start=True, seed=2)
    names = {"PerturbRecipe": PerturbRecipe}
    text = script(recipe)
    call = text[text.index("PerturbRecipe(\n") : text.index("\n)\n") + 2]
    assert eval(call, names) == recipe
    compile(text, "view.py", "exec")
