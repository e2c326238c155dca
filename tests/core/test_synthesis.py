"""Synthesis: class Gaussians, objectives and masks, the studio's tasks, and what is measured."""

import json

import numpy as np
import pytest
import torch

from core.attacks.balls import L2
from core.attacks.objectives import cross_entropy, targeted
from core.data import pictures
from core.data.sets import CIFAR10_CLASSES, DataError, Pictures
from core.files import render
from core.recipes import from_query, to_query
from core.synthesis import measure
from core.synthesis.gaussians import FILE, fit_gaussians, gaussians, save_gaussians
from core.synthesis.paint import REGIONS, excite, keep_coarse, masked, mixture, region, synthesise
from core.synthesis.recipe import REGIONS as NAMES
from core.synthesis.recipe import TASKS, SynthesisRecipe
from core.synthesis.studio import IGNORED, cache_key, kept_steps, objective, script, start, studio
from tests.helpers import REFUSED, draws, images, template_pictures, tiny, trained

PHOTO = "photo/chelsea"
QUICK = SynthesisRecipe(view="studio", picture=PHOTO, steps=3)


# Class Gaussians


def two_classes(n: int = 3000) -> tuple[Pictures, torch.Tensor, torch.Tensor]:
    """Pictures of two classes with known means and covariances of rank 2 in one plane of directions."""
    plane = torch.linalg.qr(torch.randn(3 * 4 * 4, 2, generator=draws(1)))[0].T
    means = 0.5 + 0.1 * images(2, size=4, seed=2)
    roots = torch.tensor([[[0.3, 0.0], [0.0, 0.1]], [[0.1, 0.1], [0.0, 0.2]]])
    parts = []
    for k in range(2):
        x = means[k] + (torch.randn(n, 2, generator=draws(3 + k)) @ roots[k] @ plane).reshape(n, 3, 4, 4)
        parts.append(render.to_uint8(x))
    labels = np.repeat(np.arange(2), n)
    covariance = torch.stack([plane.T @ root.T @ root @ plane for root in roots])
    return Pictures(np.concatenate(parts), labels, ("one", "other"), "made up"), means, covariance


def test_a_file_of_gaussians_gives_back_means_and_covariances(tmp_path):
    train, means, covariance = two_classes()
    path = tmp_path / "gaussians.safetensors"
    save_gaussians(fit_gaussians(train, rank=2), train.classes, "made up", path)
    for k, gaussian in enumerate(gaussians(path)):
        torch.testing.assert_close(gaussian.mean, means[k], rtol=0, atol=0.02)
        found = gaussian.directions.flatten(1).T @ gaussian.directions.flatten(1)
        torch.testing.assert_close(found, covariance[k], rtol=0, atol=3e-3)


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(DataError, match=r"python -m core\.synthesis\.measure gaussians"):
        gaussians(tmp_path / "none.safetensors")


def test_the_file_that_ships_is_small_and_has_all_classes():
    assert FILE.stat().st_size < 1_500_000
    found = gaussians()
    assert len(found) == len(CIFAR10_CLASSES)
    for gaussian in found:
        assert gaussian.mean.shape == (3, 32, 32)
        assert 0 < float(gaussian.mean.min()) < float(gaussian.mean.max()) < 1
        assert float(gaussian.sample(4, draws()).std()) > 0.05


# Objectives


def test_nothing_moves_outside_the_mask():
    model, x = tiny(), images(2, size=32)
    mask = region("left half")
    made = synthesise(masked(targeted(model, torch.tensor([1, 2])), x, mask), x, L2(3.0), steps=4, step_size=0.5)
    changed = (made != x).any(1, keepdim=True)
    assert changed.any()
    assert not (changed & (mask == 0)).any()


def test_a_mask_of_ones_changes_nothing():
    model, x = tiny(), images(2, size=32)
    y = torch.tensor([1, 2])
    moved = x + 0.01 * images(2, size=32, seed=1)
    torch.testing.assert_close(masked(targeted(model, y), x, region("all"))(moved), targeted(model, y)(moved))


@pytest.mark.parametrize(
    ("name", "part"), [("all", 1), ("centre", 1 / 4), ("upper half", 1 / 2), ("right half", 1 / 2)]
)
def test_regions_cover_what_their_names_say(name, part):
    assert float(region(name).mean()) == part
    assert set(region(name).unique().tolist()) <= {0.0, 1.0}


def test_halves_are_complements():
    for one, other in (("upper half", "lower half"), ("left half", "right half")):
        assert torch.equal(region(one) + region(other), region("all"))


def test_an_unknown_region_is_refused():
    with pytest.raises(REFUSED, match="region must be one of"):
        region("edge")


def test_every_region_of_the_recipe_exists():
    assert set(NAMES) == set(REGIONS)


def test_a_mixture_is_the_cross_entropy_to_a_soft_label():
    model, x = tiny(), images(3, size=32)
    a, b = torch.tensor([0, 1, 2]), torch.tensor([3, 4, 5])
    one, other = cross_entropy(model(x), a), cross_entropy(model(x), b)
    torch.testing.assert_close(mixture(model, a, b, 1.0)(x), one)
    torch.testing.assert_close(mixture(model, a, b, 0.25)(x), 0.25 * one + 0.75 * other)
    with pytest.raises(REFUSED, match="share"):
        mixture(model, a, b, 1.5)


def test_keeping_the_coarse_picture_costs_the_squared_distance_of_block_means():
    x = images(2, size=32)
    small = images(2, size=8, seed=1)
    means = x.reshape(2, 3, 8, 4, 8, 4).mean((3, 5))
    expected = 5 * ((means - small) ** 2).flatten(1).sum(1)
    torch.testing.assert_close(keep_coarse(lambda x: x.new_zeros(len(x)), small, 5.0)(x), expected)


def test_exciting_a_feature_raises_it():
    model, x = tiny(), images(2, size=32)
    index = torch.tensor([3, 5])
    made = synthesise(excite(model, index), x, L2(5.0), steps=8, step_size=0.3)
    with torch.no_grad():
        before, after = (model.features(t).gather(1, index[:, None]) for t in (x, made))
    assert (after > before).all()


def test_synthesis_stays_in_ball_and_box_and_gets_there():
    model, x, _ = trained()
    y = torch.arange(16) % 4
    made = synthesise(targeted(model, y), x[:16], L2(1.0), steps=20, step_size=0.2)
    assert ((made - x[:16]).flatten(1).norm(dim=1) <= 1 + 1e-4).all()
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    with torch.no_grad():
        assert (model(made).argmax(1) == y).float().mean() > (model(x[:16]).argmax(1) == y).float().mean() + 0.2


# The studio


@pytest.mark.parametrize("task", TASKS)
def test_every_task_moves_sixteen_pictures_within_the_limit(task):
    recipe = SynthesisRecipe(view="studio", task=task, picture=PHOTO, eps="1", steps=3)
    made = studio(recipe, "tiny", model=tiny())
    assert made.frames.shape == (4, 16, 3, 32, 32)
    assert made.steps == (0, 1, 2, 3)
    torch.testing.assert_close(made.frames[0], made.x0)
    assert float(made.moved.max()) <= 1 + 1e-4
    assert (made.moved[-1] > 0).all()
    assert made.logits.shape == (4, 16, 10)
    assert (made.y is None) == (task == "feature")


@pytest.mark.parametrize("task", ["inpaint", "feature"])
def test_painting_a_region_leaves_the_rest_of_the_picture(task):
    recipe = SynthesisRecipe(view="studio", task=task, picture=PHOTO, steps=3)
    made = studio(recipe, "tiny", model=tiny())
    outside = region(recipe.region) == 0
    assert torch.equal(made.frames[-1] * outside, (pictures.get(PHOTO).x * outside).expand(16, -1, -1, -1))


def test_a_hole_does_not_know_what_was_in_it():
    x = pictures.get(PHOTO)
    inside = region("centre") == 1
    other = x.x.clone()
    other[:, :, 12:20, 12:20] = 0
    recipe = SynthesisRecipe(task="inpaint", picture=PHOTO)
    changed = start(recipe, pictures.Picture(PHOTO, other, None, "", ""))
    assert torch.equal(start(recipe).x0 * inside, changed.x0 * inside)


def test_few_pixels_are_all_that_sharpening_sees():
    recipe = SynthesisRecipe(task="sharpen", coarse="4", picture=PHOTO)
    x = pictures.get(PHOTO)
    blocks = torch.nn.functional.adaptive_avg_pool2d(x.x, 4).repeat_interleave(8, 2).repeat_interleave(8, 3)
    same_means = pictures.Picture(PHOTO, blocks, None, "", "")
    torch.testing.assert_close(start(recipe).x0, start(recipe, same_means).x0, rtol=0, atol=1e-5)


def test_starts_come_from_the_seed_and_not_from_the_model():
    one, same, other = (
        studio(r, "tiny", model=tiny(seed=s))
        for r, s in ((QUICK, 0), (QUICK, 7), (SynthesisRecipe(seed=1, steps=3), 0))
    )
    assert torch.equal(one.x0, same.x0)
    assert not torch.equal(one.x0, other.x0)
    assert not torch.equal(one.frames[-1], same.frames[-1])


def test_each_takes_all_ten_classes():
    assert set(start(QUICK).y.tolist()) == set(range(10))
    assert set(start(SynthesisRecipe(target="cat")).y.tolist()) == {3}
    assert set(start(SynthesisRecipe(target="zebra")).y.tolist()) == set(range(10))


def test_stopping_keeps_what_was_reached():
    made = studio(QUICK, "tiny", model=tiny(), on_step=lambda i, _: i == 2)
    assert made.stopped == 2
    assert made.steps == (0, 1, 2)
    torch.testing.assert_close(made.frames, studio(QUICK, "tiny", model=tiny()).frames[:3])


def test_no_steps_are_no_change():
    made = studio(SynthesisRecipe(steps=0), "tiny", model=tiny())
    assert made.steps == (0,)
    assert torch.equal(made.frames[0], made.x0)


@pytest.mark.parametrize("steps", [0, 1, 7, 30, 31, 300])
def test_frames_begin_with_the_start_and_end_with_the_result(steps):
    kept = kept_steps(steps)
    assert kept[0] == 0
    assert kept[-1] == steps
    assert len(kept) <= 31


def test_a_feature_that_is_not_there_is_refused():
    with pytest.raises(REFUSED, match="no 4095"):
        studio(SynthesisRecipe(task="feature", feature=4095, picture=PHOTO), "tiny", model=tiny())


def test_a_mixture_uses_both_classes():
    recipe = SynthesisRecipe(task="mix", target="cat", second="frog", share=100)
    begun = start(recipe)
    model = tiny()
    torch.testing.assert_close(
        objective(recipe, model, begun, begun.x0[:1])(begun.x0),
        cross_entropy(model(begun.x0), torch.full((16,), CIFAR10_CLASSES.index("cat"))),
    )


def test_recipes_that_paint_the_same_are_one():
    assert cache_key(SynthesisRecipe(task="generate", region="all", frame=3)) == cache_key(SynthesisRecipe())
    assert cache_key(SynthesisRecipe(task="inpaint", region="all")) != cache_key(SynthesisRecipe(task="inpaint"))
    assert set(IGNORED) == set(TASKS)


def test_a_recipe_survives_its_address():
    recipe = SynthesisRecipe(task="mix", target="cat", second="frog", share=20, holds=("cat:3", "frog:9"), eps="none")
    assert from_query(SynthesisRecipe, to_query(recipe)) == (recipe, ())
    assert from_query(SynthesisRecipe, {"eps": "-1", "steps": "x"}) == (SynthesisRecipe(), ("eps", "steps"))


def test_the_script_paints_the_same_pictures(checkpoint, tmp_path, monkeypatch):
    recipe = SynthesisRecipe(view="studio", target="frog", steps=2)
    for name in (recipe.standard, recipe.robust):
        checkpoint(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.print", lambda *_: None)
    exec(compile(script(recipe), "script", "exec"), {})  # noqa: S102
    made = studio(recipe, recipe.robust)
    expected = render.sheet(list(render.to_uint8(made.frames[-1])), 4)
    with render.Image.open(tmp_path / f"{recipe.robust}-painted.png") as saved:
        assert np.array_equal(np.asarray(saved), expected)


# Measuring


def test_measuring_counts_every_network_on_every_picture(monkeypatch):
    monkeypatch.setattr(measure, "load", lambda name: tiny(seed=len(name)))
    *_, found = measure.measure(["a"], ["a", "bcd"], 2, 0, {1.0: 2, 0.5: 1})
    assert set(found["painted"]["a"]) == {"1", "0.5"}
    for row in (found["starts"], *found["painted"]["a"].values()):
        for rate in row["recognised"].values():
            assert rate["n"] == 20
            assert sum(c["hits"] for c in rate["by_class"].values()) == rate["hits"]
            assert all(c["n"] == 2 for c in rate["by_class"].values())
    assert 0 < found["painted"]["a"]["0.5"]["moved_mean"] <= 0.51
    assert json.loads(json.dumps(found)) == found


def test_the_file_of_results_holds_what_the_page_says_of_it():
    if not measure.RESULTS.is_file():
        pytest.skip("not measured yet")
    found = json.loads(measure.RESULTS.read_text())
    assert found["per_class"] >= 100
    assert set(measure.SOURCES) <= set(found["painted"])
    for limits in found["painted"].values():
        for row in limits.values():
            for rate in row["recognised"].values():
                low, high = rate["interval"]
                assert low <= rate["hits"] / rate["n"] == rate["value"] <= high


def test_gaussians_are_fit_class_by_class():
    train = template_pictures(120, contrast=0.08, noise=0.1)
    found = fit_gaussians(train, rank=5)
    assert found["root"].shape == (4, 5, 5)
    torch.testing.assert_close(
        found["mean"][2].float(), train.x(np.flatnonzero(train.labels == 2).tolist()).mean(0), rtol=0, atol=1e-3
    )
    basis = found["basis"].float().flatten(1)
    torch.testing.assert_close(basis @ basis.T, torch.eye(5), rtol=0, atol=2e-3)


def test_a_damaged_file_of_gaussians_says_how_to_make_it(tmp_path):
    path = tmp_path / "class-gaussians.safetensors"
    path.write_bytes(FILE.read_bytes()[:5000])
    with pytest.raises(
        DataError, match=r"class-gaussians\.safetensors is damaged .*python -m core\.synthesis\.measure"
    ):
        gaussians(path)


def test_a_mixture_draws_its_second_class_at_once():
    """A link to a mixture makes the picture that it made before there were worlds, to the last bit."""
    recipe = SynthesisRecipe("studio", task="mix", target="cat", second="dog", share=30, seed=4)
    generator = torch.Generator().manual_seed(4)
    cats = torch.cat([gaussians()[3].sample(1, generator) for _ in range(16)])
    assert torch.equal(start(recipe).x0, 0.3 * cats + (1 - 0.3) * gaussians()[5].sample(16, generator))
