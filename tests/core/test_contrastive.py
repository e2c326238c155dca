"""A learner without labels: its loss, its views, its trainings, and what is read from them."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from core import results
from core.data.sets import Pictures
from core.datasets.experiments import Places
from core.debate import views
from core.debate.measured import Number
from core.errors import learners, learnt, parts
from core.errors.contrastive import (
    COLLAPSED,
    PROJECTION,
    Contrastive,
    beginning,
    nt_xent,
    represented,
    spread,
)
from core.errors.leakage import fit_linear
from core.models import checkpoints
from core.train import InnerAttack, TrainRecipe, fit
from tests.helpers import draws, images, noise_pictures, tiny

LOSS_FN = Contrastive(dims=8)
RECIPE = TrainRecipe(args={"width": 4}, epochs=3, batch_size=16, lr=0.05, augment=False, precision="fp32", seed=5)


def points(n: int = 6, d: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    both = torch.randn(2, n, d, generator=draws(seed))
    return both[0], both[1]


# The loss


def test_nt_xent_of_two_pictures_by_hand():
    """Two pictures, each twice the same point, at a right angle: -log(e / (e + 1 + 1)) at temperature 1."""
    z = torch.eye(2)
    loss, right = nt_xent(z, 3 * z, 1.0)
    assert float(loss) == pytest.approx(math.log(1 + 2 / math.e), abs=1e-6)
    assert right.tolist() == [True] * 4


def test_nt_xent_is_the_loop_of_the_paper():
    first, second = points()
    z, n, t = torch.cat([first, second]).tolist(), len(first), 0.3

    def similar(i: int, j: int) -> float:
        return sum(a * b for a, b in zip(z[i], z[j], strict=True)) / (math.hypot(*z[i]) * math.hypot(*z[j]))

    losses = []
    for i in range(2 * n):
        others = [math.exp(similar(i, k) / t) for k in range(2 * n) if k != i]
        losses.append(-math.log(math.exp(similar(i, (i + n) % (2 * n)) / t) / sum(others)))
    assert float(nt_xent(first, second, t)[0]) == pytest.approx(sum(losses) / len(losses), rel=1e-5)


def test_nt_xent_does_not_mind_order_sides_or_lengths():
    first, second = points()
    loss, right = nt_xent(first, second, 0.5)
    rows = torch.randperm(len(first), generator=draws(1))
    for one, other in ((first[rows], second[rows]), (second, first), (7 * first, second / 3)):
        torch.testing.assert_close(nt_xent(one, other, 0.5)[0], loss)
    torch.testing.assert_close(nt_xent(first[rows], second[rows], 0.5)[1], right[torch.cat([rows, rows + len(rows)])])
    shifted, _ = nt_xent(first, second.roll(1, 0), 0.5)
    assert not torch.isclose(shifted, loss), "which two belong together decides the loss"


def test_views_that_agree_have_a_lower_loss():
    first, second = points(32, 16)
    perfect, right = nt_xent(first, first, 0.2)
    random, wrong = nt_xent(first, second, 0.2)
    assert float(perfect) < 1
    assert float(random) > 3
    assert right.all() and float(wrong.float().mean()) < 0.2


# Views


def test_views_are_pictures_and_seeded():
    x = images(20, size=16)
    x[:5], x[5:10] = 0.0, 1.0
    view = LOSS_FN.view(x, draws(3))
    assert view.shape == x.shape and float(view.min()) >= 0 and float(view.max()) <= 1
    assert torch.equal(view, LOSS_FN.view(x, draws(3)))
    assert not torch.equal(view, LOSS_FN.view(x, draws(4)))


def test_a_view_cuts_mirrors_and_takes_colour_as_it_says():
    """A ramp from left to right stays one: some views run the other way, none shows less than its smallest part."""
    ramp = torch.linspace(0, 1, 32).expand(200, 3, 32, 32)
    view = replace(LOSS_FN, jitter=0.0, grey=0.0, area=0.25).view(ramp, draws())
    across = view[:, 0, 16, -1] - view[:, 0, 16, 0]
    assert 60 < int((across < 0).sum()) < 140
    assert float(across.abs().min()) > 0.35 and float(across.abs().max()) > 0.9
    torch.testing.assert_close(view[:, :, 5], view[:, :, 20])
    coloured = images(50, size=16)
    grey = replace(LOSS_FN, grey=1.0).view(coloured, draws())
    torch.testing.assert_close(grey[:, :1].expand_as(grey), grey)
    still = replace(LOSS_FN, grey=0.0, jitter=0.0)
    flat = images(4, size=1).expand(4, 3, 8, 8)
    torch.testing.assert_close(still.view(flat, draws()), flat)


# Learning


def test_it_learns_to_tell_pictures_apart_without_a_label():
    """Sixty-four pictures of four colours each: asked about new views, the loss is lower, and the points stay apart."""
    colours = np.random.default_rng(0).integers(0, 256, (64, 2, 2, 3), dtype=np.uint8)
    pictures = Pictures(colours.repeat(8, 1).repeat(8, 2), np.arange(64) % 4, tuple("abcd"), "colours")
    recipe, x = replace(RECIPE, epochs=10, lr=0.1, ema=0.5), pictures.x()
    loss_fn = replace(LOSS_FN, jitter=0.0, grey=0.0)
    before = beginning(recipe, loss_fn).eval()
    after = fit(recipe, pictures, start=before, loss_fn=loss_fn)
    with torch.no_grad():
        losses = [float(loss_fn(recipe, model, x, draws(9))[0]) for model in (before, after)]
        assert losses[1] < losses[0] - 0.15
        assert spread(after(x)) > COLLAPSED


def test_the_representation_lies_before_the_projection():
    model = beginning(RECIPE, LOSS_FN).eval()
    x = images(3, size=16)
    assert model.blocks[-1] == PROJECTION and model(x).shape == (3, LOSS_FN.dims)
    torch.testing.assert_close(represented(model, x, batch_size=2), model.activations(x, "pool"))
    plain = tiny()
    torch.testing.assert_close(represented(plain, x), plain.features(x))


def test_a_killed_run_goes_on_and_another_lesson_is_refused(tmp_path):
    pictures = noise_pictures(32)

    def trained(run=None, loss_fn=LOSS_FN, **more):
        return fit(RECIPE, pictures, run=run, start=beginning(RECIPE, loss_fn), loss_fn=loss_fn, **more)

    trained(tmp_path, on_progress=lambda p: (p.epoch, p.step) == (1, 0))
    resumed, whole = trained(tmp_path).state_dict(), trained().state_dict()
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)
    with pytest.raises(ValueError, match="another recipe"):
        trained(tmp_path, replace(LOSS_FN, temperature=0.5))


def test_a_lesson_without_labels_has_no_adversary():
    with pytest.raises(ValueError, match="this loss has none"):
        fit(replace(RECIPE, inner=InnerAttack("L2", 0.5, 1, 0.5)), noise_pictures(16), loss_fn=LOSS_FN)


def test_collapse_is_noticed():
    draw = torch.randn(200, 16, generator=draws())
    assert spread(draw) == pytest.approx(1, abs=0.05)
    assert spread(torch.ones(200, 16) + 0.01 * draw) < COLLAPSED


def test_a_probe_can_live_with_a_feature_that_never_varies():
    """One of them is what a collapsed network has to offer: the probe then says one class, and is no NaN."""
    y = torch.arange(40) % 2
    features = torch.stack([torch.full((40,), 0.3), y.float()], 1)
    assert torch.equal(fit_linear(features, y, 2).predict(features), y)
    assert torch.isfinite(fit_linear(features[:, :1], y, 2).weight).all()


# What is measured


@pytest.fixture
def sources(monkeypatch):
    """Small networks in place of those that make D_R and D_NR."""
    monkeypatch.setattr(checkpoints, "load", lambda name, **_: tiny(seed=len(name)))
    monkeypatch.setattr(checkpoints, "stamp", lambda name: f"{len(name):012}")


def test_it_measures_at_its_smallest_and_goes_on(sources, tmp_path, monkeypatch):
    pictures, test = noise_pictures(128, classes=10), noise_pictures(40, classes=10, seed=1)
    kept = []

    def measured() -> dict:
        learners.measure("quick", pictures, test, tmp_path / "runs", Places(work=tmp_path), kept.append)
        return json.loads(json.dumps(kept[-1]))

    found = measured()
    assert learnt.whole(found) and len(kept) == len(learnt.LEARNERS) * len(learnt.SETS)
    assert found["weights"].keys() == set(learners.PAIR.values())
    for run in found["runs"].values():
        assert {run[probe]["n"] for probe in learnt.PROBES} == {40}
    same = [learnt.span(found, "untrained", kind, "fresh").value for kind in learnt.SETS]
    assert len(set(same)) == 1, "the same network and the same probe, whatever the set"
    monkeypatch.setattr(learners, "_taught", None)
    assert measured() == found


def test_the_part_is_declared_with_the_networks_that_make_the_sets():
    (part,) = (part for part in parts.parts() if part.name == "learners")
    assert part.command == ("core.errors", "measure", "learners")
    assert set(part.weights()) == set(learners.PAIR.values())


def test_twice_as_many_pictures_as_a_set_has_are_there():
    assert all(2 * scale.pictures <= 50_000 for scale in learners.SCALES.values())


# What is said


def number(value: float, half: float = 0.01) -> Number:
    return Number(value, (value - half, value + half), 1000, "")


@pytest.mark.parametrize(
    ("without", "says"),
    [
        ((0.55, 0.5, 0.3), "As Li et al. found: without labels the probe's accuracy changes by −25 points on D_NR"),
        ((0.55, 0.3, 0.52), "We found otherwise: without labels the probe's accuracy changes by −3 points on D_NR"),
        ((0.55, 0.5, 0.5), "Not told apart at this size"),
    ],
)
@pytest.mark.parametrize(("untrained", "more"), [(0.1, "more than a network"), (0.54, "no better than a network")])
def test_the_claim_is_read_from_what_each_set_loses(without, says, untrained, more):
    numbers = [number(v) for none, labels in zip(without, (0.6, 0.55, 0.55), strict=True) for v in (labels, none)]
    told = views.reading("li", [*numbers, number(untrained)])
    assert told.startswith(says) and more in told


@pytest.mark.parametrize(
    ("hits", "says"), [(600, "did teach it something"), (300, "nothing that this probe"), (100, "made it worse")]
)
def test_transfer_is_read_against_the_untrained_network(hits, says):
    rates = {"contrastive-nonrobust-0": hits, "contrastive-robust-0": 500, "contrastive-original-0": 700}
    runs = {name: {"fresh": rate(n)} for name, n in {**rates, "untrained-nonrobust-0": 300}.items()}
    assert says in learnt.of_fresh({"runs": runs})


def rate(hits: int) -> dict:
    value = hits / 1000
    return {"value": value, "interval": [value - 0.03, value + 0.03], "n": 1000, "hits": hits}


def test_a_span_covers_all_seeds():
    runs = {f"contrastive-robust-{seed}": {"own": rate(hits)} for seed, hits in enumerate((400, 500))}
    span = learnt.span({"runs": runs}, "contrastive", "robust", "own")
    assert (span.value, span.low, span.high, span.n) == pytest.approx((0.45, 0.37, 0.53, 1000))


def test_what_is_in_the_file_is_of_these_settings():
    """The results that ship were measured with the profile's settings of today."""
    found = (results.read(results.FOLDER / "errors.json") or {}).get("learners")
    if found is None:
        pytest.skip("not measured yet")
    scale = learners.SCALES[found["profile"]]
    assert found["pictures"] == scale.pictures
    assert found["supervised"] == scale.supervised.as_json()
    assert found["contrastive"] == {**scale.contrastive.as_json(), "lesson": learners.LOSS_FN.__dict__}
    assert learnt.whole(found)
