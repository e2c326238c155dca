"""From attributions to pictures, to rows of them, and to numbers.

Colours, scales, measures, and what the page computes.
"""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from core.data import pictures
from core.data.pictures import Picture
from core.data.sets import CIFAR10_CLASSES, DataError
from core.files import render
from core.models import checkpoints
from core.perturb import attack
from core.recipes import from_json, from_query, to_json, to_query
from core.saliency import METHODS, attribute, classes, maps, measure, measures, rows, views
from core.saliency.classes import class_means, contrast
from core.saliency.maps import edge_strength, limits, painted, reduced, rms
from core.saliency.measures import (
    class_alignment,
    coherence,
    cosine,
    deletion_insertion,
    edge_alignment,
    edge_correlation,
    gini,
    rank_correlation,
    shuffled,
)
from core.saliency.recipe import SaliencyRecipe
from core.saliency.rows import Row
from core.saliency.views import along, cache_key, explain, several
from tests.app_process import ROOT
from tests.helpers import Plane, draws, images, run_alone, tiny

PHOTO = SaliencyRecipe(picture="photo/chelsea", samples=4)
QUICK = ("gradient", "guided_backprop", "smooth_grad")


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Neither CIFAR-10 nor a gallery: four photographs are all there is."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(pictures, "GALLERY", tmp_path / "none.npz")


def signed(n: int = 2) -> torch.Tensor:
    return torch.randn(n, 3, 8, 8, generator=draws(1))


# Pictures of maps


def test_zero_is_white_for_is_orange_and_against_is_purple():
    values = torch.tensor([-9.0, -1.0, 0.0, 1.0, 9.0]).reshape(1, 1, 1, 5)
    red, green, blue = (painted(values, torch.zeros(1, 3, 1, 5), limit=torch.ones(1))[0, 0, :, c] for c in range(3))
    assert (red[2], green[2], blue[2]) == (247, 247, 247)
    assert red[0] == red[1] < blue[1] == blue[0], "what is beyond the scale has the colour of its end"
    assert red[3] == red[4] > blue[4] == blue[3]


def test_a_map_of_zeros_is_white_and_not_a_division_by_zero():
    """captum#959."""
    for channel in maps.CHANNELS:
        image = painted(torch.zeros(1, 3, 4, 4), images(1, size=4), channel=channel)
        assert set(np.unique(image)) <= {127, 128, 247}


def test_each_channel_can_be_seen_alone_and_they_add_up():
    a = signed()
    parts = [reduced(a, channel) for channel in ("red", "green", "blue")]
    torch.testing.assert_close(sum(parts), reduced(a, "sum"))
    cam = a[:, :1]
    torch.testing.assert_close(reduced(cam, "red"), cam[:, 0])


def test_opacity_lets_the_picture_through():
    x, a = images(2), signed()
    none = painted(a, x, opacity=0.0)
    np.testing.assert_array_equal(none, render.to_uint8(x.mean(1, keepdim=True).expand_as(x)))
    half, full = painted(a, x, opacity=0.5).astype(int), painted(a, x).astype(int)
    assert np.abs(half - (none.astype(int) + full) / 2).max() <= 1


def test_sizes_only_forgets_the_sign():
    x, a = images(2), signed()
    np.testing.assert_array_equal(painted(a, x, absolute=True), painted(-a, x, absolute=True))
    assert not np.array_equal(painted(a, x), painted(-a, x))


def test_a_map_in_its_own_unit_looks_the_same_however_large_it_is():
    x, a = images(2), signed()
    np.testing.assert_array_equal(painted(a, x), painted(1e-6 * a, x))
    torch.testing.assert_close(limits(a), maps.REACH * rms(reduced(a)))


def test_on_a_common_scale_the_same_colour_is_the_same_value():
    """Captum stretches each map by itself, so that two models cannot be compared (captum#1103)."""
    x, a = images(1), signed(1)
    made = {"strong": a, "weak": a / 10}
    relative, common = (Row.of(replace(PHOTO, scale=scale), "", x, made) for scale in ("relative", "common"))
    assert relative.limits["strong"] > 5 * relative.limits["weak"]
    assert common.limits["weak"] == common.limits["strong"] == relative.limits["strong"]
    recipe = replace(PHOTO, scale="common")
    both = torch.cat([a, a / 10])
    wanted = painted(both, x.expand(2, -1, -1, -1), limit=limits(a).expand(2))
    np.testing.assert_array_equal(common.painted(recipe, "weak")[0], wanted[1])


def test_edges_are_where_brightness_changes():
    x = torch.zeros(1, 3, 8, 8)
    x[..., 4:] = 1
    edges = edge_strength(x)[0]
    assert float(edges[:, 3:5].min()) > 0 == float(edges[:, :3].max()) == float(edges[:, 5:].max())


# Measures


def test_cosine_of_known_angles():
    a, b = torch.tensor([[1.0, 0], [1, 1], [0, 0]]), torch.tensor([[0.0, 2], [3, 3], [1, 1]])
    torch.testing.assert_close(cosine(a, b).float(), torch.tensor([0.0, 1.0, 0.0]))


def test_gini_is_zero_for_a_flat_map_and_nearly_one_for_a_single_pixel():
    one = torch.zeros(1, 4, 4)
    one[0, 2, 1] = 5
    assert float(gini(torch.ones(1, 4, 4))) == pytest.approx(0)
    assert float(gini(one)) == pytest.approx(1 - 1 / 16)
    assert float(gini(torch.zeros(1, 4, 4))) == 0


def test_rank_correlation_is_spearmans_with_ties():
    a = torch.randint(0, 5, (3, 6, 6), generator=draws(0)).float()
    b = a + torch.randint(0, 4, (3, 6, 6), generator=draws(1)).float()
    wanted = [spearmanr(p.flatten(), q.flatten()).statistic for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(rank_correlation(a, b), wanted)
    assert float(rank_correlation(torch.zeros(1, 6, 6), a[:1])) == 0


def test_noise_has_no_coherence_and_no_edge_correlation_but_a_high_edge_cosine():
    """Why both are shown: two maps that are nowhere negative have a large cosine whatever they are."""
    x, noise = images(20, size=32), torch.randn(20, 3, 32, 32, generator=draws(3))
    size = maps.magnitude(noise)
    assert abs(float(coherence(reduced(noise)).mean())) < 0.02
    assert abs(float(edge_correlation(size, x).mean())) < 0.02
    assert float(edge_alignment(size, x).mean()) > 0.6
    torch.testing.assert_close(edge_alignment(edge_strength(x), x).float(), torch.ones(20))
    ramp = torch.arange(8.0).repeat(1, 8, 1)
    assert float(coherence(ramp)) > 0.8


def test_deletion_and_insertion_of_a_model_that_looks_at_one_pixel():
    """Its pixel first: the class is gone after the first step and there after it.

    Its pixel last: the other way round.
    """
    w = torch.zeros(1, 3, 8, 8)
    w[0, :, 3, 5] = 100.0
    model, x, y = Plane(w), torch.ones(1, 3, 8, 8), torch.tensor([0])
    best = w.sum(1)
    good, bad = deletion_insertion(model, x, y, best, fill=0.0), deletion_insertion(model, x, y, -best, fill=0.0)
    assert float(good[0]) == pytest.approx(0.5 + 0.5 * 0.05 / 2)
    assert float(bad[0]) > 0.9
    assert float(good[1]) == pytest.approx(1 - 0.5 * 0.05 / 2)
    assert float(bad[1]) < 0.7


def test_shuffling_keeps_the_weights_and_loses_the_function():
    model, x = tiny().requires_grad_(False), images(4, size=32)
    before = model(x)
    null, half = shuffled(model, draws(0)), shuffled(model, draws(0), top_only=True)
    for a, b in zip(model.parameters(), null.parameters(), strict=True):
        torch.testing.assert_close(a.flatten().sort().values, b.flatten().sort().values)
    assert torch.equal(model(x), before), "the model itself is left alone"
    assert float((null(x) - before).abs().mean()) > 0.1
    torch.testing.assert_close(half.activations(x, "res1"), model.activations(x, "res1"))
    assert not torch.allclose(half.activations(x, "conv2"), model.activations(x, "conv2"))


def test_a_model_that_measures_by_the_class_means_is_perfectly_aligned():
    """Logits mean_k . x: the gradient of their difference is the difference of the means."""
    means = torch.randn(3, 3, 8, 8, generator=draws(0))
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 3))
    with torch.no_grad():
        model[1].weight.copy_(means.flatten(1))
    y = torch.tensor([0, 1, 2, 2])
    torch.testing.assert_close(class_alignment(model, images(4), y, means).float(), torch.ones(4))
    torch.testing.assert_close(class_alignment(model, images(4), y, -means).float(), -torch.ones(4))


# What the page computes


def test_an_explanation_is_what_attribute_returns():
    model = tiny()
    for method in ("gradient", "integrated_gradients"):
        made = explain(PHOTO, "unnamed", method, model=model)
        cat = CIFAR10_CLASSES.index("cat")
        x = pictures.get("photo/chelsea").x
        wanted = attribute(model, x, torch.tensor([cat]), method, samples=4)
        torch.testing.assert_close(made.attribution, wanted)
        assert made.target == cat
        assert (made.gap is None) == (method == "gradient")


def test_the_target_is_the_label_the_prediction_or_a_class():
    model, no_label = tiny(), pictures.get("photo/rocket")
    says = int(model(pictures.get("photo/chelsea").x).argmax())
    assert explain(replace(PHOTO, target="prediction"), "", "gradient", model=model).target == says
    assert explain(replace(PHOTO, target="truck"), "", "gradient", model=model).target == 9
    assert explain(PHOTO, "", "gradient", picture=no_label, model=model).target == int(model(no_label.x).argmax())
    with pytest.raises(ValueError, match="no class 'pig'"):
        explain(replace(PHOTO, target="pig"), "", "gradient", model=model)


def test_only_the_settings_of_the_method_are_essential():
    other = replace(PHOTO, view="pictures", opacity=10, scale="common", robust="x", samples=9)
    assert cache_key(other, "gradient") == cache_key(PHOTO, "gradient")
    assert cache_key(other, "smooth_grad") != cache_key(PHOTO, "smooth_grad")
    for field in ("picture", "target", "seed"):
        changed = replace(PHOTO, **{field: 5 if field == "seed" else "truck"})
        assert cache_key(changed, "smooth_grad") != cache_key(PHOTO, "smooth_grad")


def test_without_classes_all_photographs_are_shown(offline):
    assert several(PHOTO) == pictures.ids("photo")


def test_one_of_each_class_or_several_of_one(cifar):
    recipe = SaliencyRecipe(picture="cifar10/3")
    assert [pictures.get(id).label for id in several(recipe)] == list(range(10))
    frogs = several(replace(recipe, only="frog"))
    assert [pictures.get(id).label for id in frogs] == [6] * views.SHOWN
    assert several(replace(recipe, seed=1)) != several(recipe) == several(replace(recipe, picture="cifar10/4"))


def test_gradients_along_an_attack_are_those_at_its_iterates(checkpoint):
    model = checkpoint("resnet9-standard")
    made = along(PHOTO, "resnet9-standard", model=model)
    path = attack(PHOTO.attack, "resnet9-standard", model=model)
    torch.testing.assert_close(made.trajectory.x_adv, path.x_adv)
    y = torch.full((1,), path.y)
    for frame in (0, 7):
        wanted = attribute(model, path.x_adv[frame : frame + 1], y, "gradient")
        torch.testing.assert_close(made.gradients[frame : frame + 1], wanted, rtol=1e-3, atol=1e-5)
    assert len(made.gradients) == PHOTO.attack.steps + 1
    common, own = (rows.frame_limits(replace(PHOTO, scale=s), made.gradients) for s in ("common", "relative"))
    assert bool((common == own[0]).all()) and not bool((own == own[0]).all())


def test_from_class_to_class(cifar, monkeypatch):
    monkeypatch.setattr(classes, "AVERAGED", 5)
    model, recipe = tiny(), SaliencyRecipe(picture="cifar10/3", towards="frog")
    made = contrast(recipe, "", model=model)
    assert (made.towards, made.away, made.averaged) == (6, 9, 5)
    x = pictures.get("cifar10/3").x.requires_grad_()
    logits = model(x)[0]
    (wanted,) = torch.autograd.grad(logits[6] - logits[9], x)
    torch.testing.assert_close(made.gradient, wanted, rtol=1e-3, atol=1e-5)
    means = class_means()
    assert made.cosine == pytest.approx(float(cosine(wanted, (means.x[6] - means.x[9])[None])), rel=1e-3)
    own = cifar.x([int(i) for i in (cifar.labels == 6).nonzero()[0]])
    torch.testing.assert_close(means.x[6], own.mean(0), rtol=0, atol=1e-4)


def test_from_a_class_to_itself_is_refused():
    with pytest.raises(ValueError, match="two different classes, not truck twice"):
        contrast(replace(PHOTO, towards="truck", away="truck"), "", model=tiny())


def test_without_cifar10_the_gallerys_means_are_used_and_said_so(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    means = class_means()
    assert means.x.shape == (10, 3, 32, 32)
    assert "generated pictures" in means.of


def test_a_recipe_survives_url_and_file():
    recipe = SaliencyRecipe("classes", "photo/chelsea", third="vgg-standard", absolute=True, opacity=40, away="dog")
    assert from_query(SaliencyRecipe, to_query(recipe)) == (recipe, ())
    assert from_json(SaliencyRecipe, to_json(recipe)) == recipe


def test_the_script_in_a_process_of_its_own_writes_the_pages_maps(checkpoint, tmp_path):
    """Byte for byte."""
    recipe = SaliencyRecipe("methods", "photo/chelsea", scale="common", opacity=70, samples=3, window=16)
    for name in (recipe.standard, recipe.robust):
        checkpoint(name)
    run_alone(rows.script(recipe), tmp_path)
    for number, row in enumerate(rows.rows(recipe)):
        for name in (recipe.standard, recipe.robust):
            written = (tmp_path / f"{number:02d}-{name}.png").read_bytes()
            assert written == render.png(row.painted(recipe, name)[0])


@pytest.mark.parametrize(("view", "count"), [("pictures", 10), ("classes", 2), ("attack", 1)])
def test_the_rows_of_the_other_views(view, count, cifar, checkpoint, monkeypatch):
    checkpoint("resnet9-standard"), checkpoint("resnet9-l2")
    monkeypatch.setattr(rows, "load", lambda name: tiny(seed=len(name)))
    monkeypatch.setattr(classes, "AVERAGED", 3)
    recipe = SaliencyRecipe(view, "cifar10/3", third="resnet9-l2", method="input_x_gradient", frame=99)
    found = list(rows.rows(recipe))
    assert len(found) == count
    assert view != "attack" or found[0].title == "step 20", "beyond the last frame there is none"
    assert all(list(row.attributions) == ["resnet9-standard", "resnet9-l2"] for row in found), "each model once"


# The command


def test_the_command_measures_every_method_on_the_same_pictures_and_goes_on_after_a_kill(monkeypatch, tmp_path):
    monkeypatch.setattr(measure, "METHODS", {m: METHODS[m] for m in QUICK})
    monkeypatch.setattr(measure, "BATCH", 2)
    monkeypatch.setattr(measure, "load", lambda name: tiny(seed=len(name)))
    monkeypatch.setattr(checkpoints, "stamp", lambda name: "0" * 12)
    x, y, means = images(4, size=32), torch.tensor([0, 1, 2, 3]), images(10, size=32, seed=9)
    found = measure.measure("some", x, y, means, seed=0, samples=2, kept=tmp_path)
    assert found.keys() == {*QUICK, "noise", "edges"}
    assert all(v.shape == (4,) and bool(v.isfinite().all()) for of in found.values() for v in of.values())
    assert "class_alignment" in found["gradient"]
    torch.testing.assert_close(found["edges"]["randomised"].float(), torch.ones(4), msg="edges know of no model")
    assert float(found["noise"]["randomised"].abs().max()) < 0.2
    (tmp_path / f"some-{'0' * 12}-4-2-0-1.npz").unlink()
    asked = []
    monkeypatch.setattr(measure, "_batch", lambda *args, made=measure._batch: asked.append(1) or made(*args))
    again = measure.measure("some", x, y, means, seed=0, samples=2, kept=tmp_path)
    assert len(asked) == 1, "only what was missing"
    for method, of in found.items():
        for key, values in of.items():
            assert torch.equal(values, again[method][key])


def test_a_mean_has_a_bootstrap_interval_about_it():
    values = torch.randn(400, generator=draws(0)) + 2
    found = measure.summary(values)
    low, high = found["interval"]
    assert low < found["mean"] < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15), "the standard error of 400 draws is 1/20"


def test_the_command_writes_its_circumstances(monkeypatch, tmp_path, checkpoint):
    for name in measure.MODELS:
        checkpoint(name)
    monkeypatch.setattr(measure, "run", lambda *_: {"models": {}, "differences": {}})
    measure.main(["measure", "--n", "7", "--seed", "3", "--out", str(tmp_path / "found.json")])
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["n"], found["seed"]) == (7, 3)
    assert found.keys() >= {"date", "profiles", "how", "models", "differences"}


def test_the_command_says_what_is_missing(monkeypatch, tmp_path):
    def gone(*_):
        raise DataError("CIFAR-10 is not here")

    monkeypatch.setattr(measure, "run", gone)
    with pytest.raises(SystemExit, match="CIFAR-10 is not here"):
        measure.main(["measure", "--out", str(tmp_path / "x.json")])


def test_the_shipped_results_are_of_enough_pictures_and_of_every_method():
    path = ROOT / "assets" / "results" / "saliency.json"
    if not path.is_file():
        pytest.skip("not measured yet")
    found = json.loads(path.read_text())
    assert found["n"] >= 500
    assert {"resnet9-standard", "resnet9-l2"} <= found["models"].keys() <= set(measure.MODELS)
    for of in found["models"].values():
        assert of.keys() == {*METHODS, *measure.CONTROLS}
        assert all(value["n"] == found["n"] for row in of.values() for value in row.values())


def test_a_picture_of_its_own_needs_no_source(offline):
    mine = Picture("upload/1", images(1, size=32), None, "mine", "uploaded")
    assert explain(replace(PHOTO, picture=mine.id), "", "gradient", picture=mine, model=tiny()).x.shape == (
        1,
        3,
        32,
        32,
    )
    assert measures.FRACTIONS[0] == 0 and measures.FRACTIONS[-1] == 1
