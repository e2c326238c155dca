"""The planted world: what is in a picture, the exact Bayes rule, closed forms, what an attack writes."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from core.data.planted.bayes import bayes_logits, log_joint
from core.data.planted.scenes import disagreeing, draw, pictures, render
from core.data.planted.world import GREY, SHAPES, PlantedWorld, colours, masks, slopes, weaves
from core.models import checkpoints
from core.planted import networks, probes, results, sets, superposition, usefulness, views
from core.planted.recipe import PlantedRecipe
from core.rates import Estimate
from tests.helpers import draws

CALM = PlantedWorld(classes=2, visible=2.0, background=0.5, noise=0.02)
TINY = PlantedRecipe(pictures=128, epochs=1, width=2)


class WeaveReader(nn.Module):
    """The linear network that reads each class's weave."""

    def __init__(self, world: PlantedWorld) -> None:
        super().__init__()
        self.w = nn.Parameter(weaves(world.classes, world.weave).flatten(1) / world.noise)

    def forward(self, x: Tensor) -> Tensor:
        return (x - GREY).flatten(1) @ self.w.T


def test_weaves_are_orthonormal_of_period_four_and_without_anything_smooth():
    """w_i . w_j = [i = j], w(y, x + 4) = w(y, x), U'w = 0 but for what the slopes cut off."""
    w = weaves(10, 0)
    torch.testing.assert_close(w.flatten(1) @ w.flatten(1).T, torch.eye(10), atol=1e-5, rtol=0)
    torch.testing.assert_close(w.roll(4, 3), w)
    assert float((w.flatten(2) @ slopes().T).abs().max()) < 0.05
    assert not torch.allclose(w, weaves(10, 1), atol=0.01), "another seed is another world"


def test_shapes_have_length_one_and_no_two_are_alike():
    """|m| = 1, and the best match between two classes stays below 1."""
    every = masks(10)
    assert every.shape[0] == len(SHAPES)
    torch.testing.assert_close(every.norm(dim=2), torch.ones(every.shape[:2]))
    torch.testing.assert_close(colours().norm(dim=1), torch.ones(len(colours())))
    alike = torch.einsum("sap,tbp->stab", every, every).amax((2, 3))
    assert float((alike - 2 * torch.eye(10)).max()) < 0.98


@pytest.mark.parametrize(("feature", "length"), [("visible", 2.0), ("faint", 0.7)])
def test_a_feature_adds_its_strength_to_a_picture(feature, length):
    """|x - x without it| = strength: everything else, the noise included, stays as it was (rounding aside)."""
    world = replace(CALM, **{feature: length})
    scenes = draw(world, 20, 0)
    delta = render(world, scenes) - render(views.without(world, feature), scenes)
    assert delta.flatten(1).norm(dim=1) == pytest.approx(length, abs=0.05)


def test_the_same_seed_is_the_same_picture_and_a_batch_does_not_matter():
    """Pictures are a function of (world, seed), as 8-bit sets and as tensors."""
    scenes = draw(CALM, 30, 3)
    x = render(CALM, scenes)
    assert torch.equal(x, render(CALM, draw(CALM, 30, 3)))
    torch.testing.assert_close(pictures(CALM, scenes).x(), x, atol=1e-6, rtol=0)
    assert not torch.equal(x, render(CALM, draw(CALM, 30, 4)))


@pytest.mark.parametrize("conflict", [True, False])
def test_features_agree_with_the_label_as_often_as_asked(conflict):
    """P(shape = y) and P(weave = y); where it does not agree the weave is another class's, or missing."""
    world = PlantedWorld(visible_agrees=0.7, faint_agrees=0.6, conflict=conflict, label_noise=0.4)
    scenes = draw(world, 8000, 0)
    assert scenes.y.bincount().tolist() == [2000] * 4
    assert (scenes.shape == scenes.y).float().mean().item() == pytest.approx(0.7, abs=0.02)
    assert (scenes.weave == scenes.y).float().mean().item() == pytest.approx(0.6, abs=0.02)
    assert (scenes.labels == scenes.y).float().mean().item() == pytest.approx(0.6 + 0.4 / 4, abs=0.02)
    assert bool((scenes.weave == 4).any()) != conflict


def test_in_conflict_shape_and_weave_never_agree():
    """And the shape is taken for the truth."""
    swapped = disagreeing(draw(PlantedWorld(), 100, 0), 4)
    assert bool((swapped.shape != swapped.weave).all())
    assert torch.equal(swapped.y, swapped.shape)


def test_the_bayes_rule_is_the_sum_over_all_gaussians():
    """log p(x | s, t) against torch's low-rank Gaussian at every place, size and colour; one constant of x is free."""
    world = PlantedWorld(classes=2, faint=0.3, background=1.0)
    x = render(world, draw(world, 3, 0))
    d = x[0].numel()
    fields = torch.zeros(3, 3, 3, d // 3, dtype=torch.float64)
    for c in range(3):
        fields[c, :, c] = slopes().double()
    factor = world.background * fields.reshape(9, d).T
    diagonal = torch.full((d,), world.noise**2 + (1 / 255) ** 2 / 12, dtype=torch.float64)
    noise = torch.distributions.LowRankMultivariateNormal(torch.zeros(d, dtype=torch.float64), factor, diagonal)
    patterns = torch.cat([weaves(2, 0).flatten(1), torch.zeros(1, d)])
    expected = torch.zeros(3, 2, 3, dtype=torch.float64)
    for s in range(2):
        shapes = torch.einsum("pq,ch->pchq", masks(2)[s], colours()).reshape(-1, d) * world.visible
        for t in range(3):
            means = GREY + shapes + world.faint * patterns[t]
            logs = torch.stack([noise.log_prob(one.flatten().double() - means.double()).logsumexp(0) for one in x])
            expected[:, s, t] = logs
    found = log_joint(world, x).double()
    found, expected = (table - table[:, :1, :1] for table in (found, expected))
    torch.testing.assert_close(found, expected, atol=0.1, rtol=1e-3)


def test_with_a_weave_alone_the_best_accuracy_is_the_normal_integral():
    """Two classes whose means are sqrt(2) f apart: Phi(f / (sqrt(2) sigma))."""
    world = PlantedWorld(classes=2, visible=0.0, faint=0.08)
    scenes = draw(world, 3000, 0)
    right = (bayes_logits(world, render(world, scenes)).argmax(1) == scenes.y).float().mean().item()
    sigma = math.sqrt(world.noise**2 + (1 / 255) ** 2 / 12)
    expected = 0.5 * (1 + math.erf(world.faint / (math.sqrt(2) * sigma) / math.sqrt(2)))
    assert right == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / 3000))


def test_a_weave_that_agrees_half_the_time_with_one_of_two_classes_says_nothing():
    """p(t | y) is the same for both: the posterior is exactly even, whatever the strength."""
    world = PlantedWorld(classes=2, visible=0.0, faint=0.8, faint_agrees=0.5)
    logits = bayes_logits(world, render(world, draw(world, 20, 0)))
    torch.testing.assert_close(logits[:, 0], logits[:, 1])


def test_the_bayes_rule_of_a_weave_alone_is_linear_along_the_difference_of_the_patterns():
    """With two classes and nothing else: d(log-odds)/dx = (w_0 - w_1) f / sigma^2, at every picture."""
    world = PlantedWorld(classes=2, visible=0.0, background=0.0)
    x = render(world, draw(world, 4, 0)).requires_grad_()
    logits = bayes_logits(world, x)
    (grad,) = torch.autograd.grad((logits[:, 0] - logits[:, 1]).sum(), x)
    difference = weaves(2, 0)[0] - weaves(2, 0)[1]
    variance = world.noise**2 + (1 / 255) ** 2 / 12
    torch.testing.assert_close(grad, (difference * world.faint / variance).expand_as(grad), rtol=1e-3, atol=1e-3)


def test_an_attack_on_the_linear_network_writes_the_target_and_erases_its_own():
    """The closed-form optimum toward k is (w_k - w_y) / sqrt(2): cosine 1 / sqrt(2) with both.

    A random one has 0.0144.
    """
    world = replace(CALM, faint=0.4)
    seen = probes.written(WeaveReader(world), world, draw(world, 20, 0), 0.2)
    assert seen.cosine["weave"].numpy() == pytest.approx(1 / math.sqrt(2), abs=0.02)
    assert seen.cosine["own"].numpy() == pytest.approx(1 / math.sqrt(2), abs=0.02)
    assert float(seen.cosine["random"].mean()) == pytest.approx(math.sqrt(2 / math.pi / 3072), rel=0.15)
    assert not bool(seen.success.any()), "undecided is at 0.4 / sqrt(2)"
    assert bool(probes.written(WeaveReader(world), world, draw(world, 20, 0), 0.5).success.all())


def test_who_reads_the_weave_follows_it_and_is_blind_without_it():
    """follows and knockout, on a network of which one knows what it reads."""
    world = replace(CALM, classes=4, faint=0.4)
    asked = probes.rules(world, {"reader": WeaveReader(world)})
    scenes = draw(world, 200, 0)
    followed = probes.follows(world, scenes, asked)
    assert followed["reader"]["weave"].value == 1
    assert followed["bayes"]["shape"].value == 1, "the shape is much stronger evidence"
    curves = probes.knockout(world, scenes, asked)
    assert curves["faint"]["reader"][0].value < 0.5 < curves["faint"]["reader"][4].value
    assert min(rate.value for rate in curves["visible"]["reader"]) == 1


@pytest.mark.parametrize("agrees", [1.0, 0.6])
def test_the_atlas_finds_the_closed_form_of_the_weaves(agrees):
    """rho and gamma = rho - eps / std; clipping and the finite sample are all that separates them."""
    world = PlantedWorld(faint=0.2, faint_agrees=agrees, background=1.0)
    rho, gamma = usefulness.closed_form(world)
    tables = usefulness.measured(world, draw(world, 4000, 1), 8, lambda x: usefulness.weave_features(world, x))
    for c, table in enumerate(tables):
        assert float(table.rho[c]) == pytest.approx(float(rho[c]), abs=0.04)
        assert table.gamma[:, c].numpy() == pytest.approx(gamma[:, c].numpy(), abs=0.06 + 0.03 * 20)
        slope = (table.gamma[1, c] - table.gamma[4, c]) / (usefulness.RADII[4] - usefulness.RADII[1])
        planted = (gamma[1, c] - gamma[4, c]) / (usefulness.RADII[4] - usefulness.RADII[1])
        assert float(slope) == pytest.approx(float(planted), rel=0.05)


def test_the_reader_of_shapes_moves_by_no_more_than_the_perturbation():
    """A maximum of linear functions of length at most 1."""
    world = CALM
    x = render(world, draw(world, 10, 0))
    step = torch.randn(x.shape, generator=draws()) * 0.01
    moved = (usefulness.shape_features(world, x + step) - usefulness.shape_features(world, x)).abs()
    assert bool((moved <= step.flatten(1).norm(dim=1)[:, None]).all())


def test_constructed_sets_carry_the_new_label_and_its_weave():
    """D_det through a network: labels y + 1, and the projection on the label's weave is what the attack moved it to."""
    recipe = replace(TINY, eps=0.3)
    model = networks.train(recipe, "standard")
    built = sets.build(recipe, "det", {"standard": model}, 20)
    assert ((built.original.labels + 1) % 4).tolist() == built.pictures.labels.tolist()
    delta = (built.pictures.x() - built.original.x()).flatten(1)
    assert float(delta.norm(dim=1).max()) <= 0.3 + 0.1  # rounding to 8 bits
    patterns = weaves(4, 0).flatten(1)[torch.from_numpy(built.pictures.labels)]
    assert built.weave == pytest.approx(float((built.pictures.x().flatten(1) * patterns).sum(1).mean()) / recipe.faint)


def test_a_stopped_training_goes_on_where_it_was(tmp_path):
    """Stopping in the second epoch and going on gives the very network of an uninterrupted run."""
    recipe = replace(TINY, epochs=2)
    whole = networks.train(recipe, "robust")
    networks.train(recipe, "robust", run=tmp_path, on_progress=lambda p: p.epoch == 1)
    resumed = networks.train(recipe, "robust", run=tmp_path)
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )


def test_what_a_network_depends_on_is_its_key():
    """The view and the radius of the attack are not in it; the world and the training are."""
    recipe = PlantedRecipe()
    assert replace(recipe, view="attack", eps=1.0, number=7).trained == recipe.trained
    assert replace(recipe, weave=1).trained != recipe.trained != replace(recipe, epochs=9).trained


def test_checkpoints_of_this_world_say_so_and_stay_out_of_the_other_pages(tmp_path):
    """A header names world and classes; the models of CIFAR-10 are listed without them."""
    model = networks.train(TINY, "standard")
    path = checkpoints.path_of("x", tmp_path)
    checkpoints.save(path, model.state_dict(), networks.header(TINY, "standard"))
    loaded, about = checkpoints.read(path)
    assert about.classes == SHAPES[:4]
    assert about.world == "planted" and about.recipe["planted"]["classes"] == 4
    x = render(TINY.world, draw(TINY.world, 4, 0))
    torch.testing.assert_close(loaded(x), model(x), atol=0.02, rtol=0.02)
    assert not [name for name in checkpoints.names() if name.startswith("planted")]
    assert {networks.named("features", side) for side in networks.SIDES} <= set(checkpoints.names(world="planted"))


def test_the_pair_that_ships_is_what_it_is_called():
    """Loaded by name, right on clean pictures: the standard network reads the weave, the robust one the shape."""
    recipe = PlantedRecipe()
    assert networks.shipped(recipe) == "features"
    asked = probes.rules(recipe.world, networks.pair(recipe))
    scenes = networks.fresh(recipe, 100)
    x = render(recipe.world, scenes)
    assert min(probes.accuracy(rule, x, scenes.y).value for rule in asked.values()) > 0.95
    followed = probes.follows(recipe.world, scenes, asked)
    assert followed["standard"]["weave"].value > 0.9
    assert followed["robust"]["shape"].value > 0.9


def test_without_overlap_nothing_is_more_vulnerable():
    """Orthogonal directions: ratio 1. Two features in one dimension, w and -w: sqrt(2)."""
    apart = superposition.Toy(torch.eye(3), torch.zeros(3), ())
    assert superposition.vulnerability(apart).tolist() == [1, 1, 1]
    pair = superposition.Toy(torch.tensor([[1.0, -1.0]]), torch.zeros(2), ())
    torch.testing.assert_close(superposition.vulnerability(pair), torch.full((2,), math.sqrt(2)))


def test_sparse_features_share_dimensions_and_dense_ones_do_not():
    """Five features in two dimensions: more than two are kept only if they rarely meet (Elhage et al. 2022)."""
    sparse = superposition.train_toy(5, 2, 0.95, 0)
    dense = superposition.train_toy(5, 2, 0.0, 0)
    assert int(sparse.stored.sum()) > int(dense.stored.sum())
    assert sparse.losses[-1] < sparse.losses[0]


def test_a_number_over_seeds_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "planted.json"
    results.save({"about": {"date": "today"}, "numbers": {"one": results.aggregated([0.5, 0.7])}}, path)
    assert results.Results(path).of("one") == Estimate.of([0.5, 0.7])
