"""Usefulness: linear features in closed form, the search against it, classes and pairs, switched heads, Goh."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core import data
from core.attacks.balls import L2, Linf
from core.data import own, pictures
from core.data.pictures import fingerprint
from core.data.planted import drawn
from core.data.planted.features import closed_form
from core.models import checkpoints
from core.problems import InputError
from core.rates import Rate
from core.usefulness import Extremes, Measured, Task, against_rest, extremes, heads, linear_usefulness, measure
from core.usefulness import atlas as atlases
from core.usefulness import linear as goh
from core.usefulness.atlas import Atlas
from core.usefulness.choice import Brush
from core.usefulness.heads import clean_accuracy, head_of, masked, order_by_gamma, refit, rewired
from core.usefulness.measure import normal_equations, spread
from tests.helpers import REFUSED, draws, grey, images, noise_pictures, tiny
from tests.own_world import as_folders

RADII = (0.05, 0.1, 0.2)


def weights(d: int = 5, *, seed: int = 0, size: int = 6) -> torch.Tensor:
    return torch.randn(d, 3, size, size, generator=draws(seed))


def near_grey(n: int = 12, *, seed: int = 1, size: int = 6) -> torch.Tensor:
    """Images so far from black and white that no ball of these radii reaches either."""
    return (0.5 + 0.02 * torch.randn(n, 3, size, size, generator=draws(seed))).clamp(0.4, 0.6)


def scores(w: torch.Tensor):
    return lambda x: x.flatten(1) @ w.flatten(1).T


def dual(w: torch.Tensor, ball) -> torch.Tensor:
    return w.flatten(1).norm(dim=1) if ball is L2 else w.flatten(1).abs().sum(1)


# The search


@pytest.mark.parametrize("ball", [L2, Linf])
@settings(max_examples=8)
@given(seed=st.integers(0, 1000))
def test_the_extremes_of_a_linear_feature_are_exact(ball, seed):
    """inf w.(x + delta) = w.x - eps |w|_dual, and sup likewise."""
    w, x = weights(3, seed=seed), near_grey(3, seed=seed + 1)
    found = extremes(scores(w), x, ball, RADII)
    reach = torch.tensor(RADII)[:, None, None] * dual(w, ball)
    torch.testing.assert_close(found.low, found.f - reach, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found.high, found.f + reach, atol=1e-4, rtol=1e-4)


def test_the_box_only_helps_the_feature():
    """White pictures cannot get whiter: an infimum over [0, 1] is never below the one without the box."""
    w, x = weights(4), images(5, size=6)
    found = extremes(scores(w), x, L2, RADII)
    reach = torch.tensor(RADII)[:, None, None] * dual(w, L2)
    assert bool((found.low >= found.f - reach - 1e-5).all())
    assert bool((found.low < found.f).all())


def test_extremes_only_widen_with_the_radius():
    found = extremes(tiny().features, images(2, size=16), L2, (0.1, 0.3, 0.6))
    stack = torch.stack([found.f, *found.low])
    assert bool((stack[1:] <= stack[:-1]).all())
    stack = torch.stack([found.f, *found.high])
    assert bool((stack[1:] >= stack[:-1]).all())
    assert float((found.f - found.low[-1]).mean()) > 0


def test_what_a_small_ball_holds_counts_for_the_larger_ones():
    """|s - 0.08| along one direction: steps of a larger ball jump over the minimum, and must not lose it."""
    w = torch.ones(1, 3, 4, 4) / 48**0.5
    found = extremes(lambda x: (scores(w)(x - 0.5) - 0.08).abs(), grey(2, size=4, dtype=torch.float32), L2, (0.05, 0.3))
    torch.testing.assert_close(found.low[0], torch.full((2, 1), 0.03), atol=1e-4, rtol=0)
    assert bool((found.low[1] <= found.low[0]).all())


def test_batches_do_not_matter_and_pictures_do_not_meet():
    model, x = tiny(), images(3, size=8)
    whole = extremes(model.features, x, L2, (0.2, 0.4), rows=10_000)
    parts = Extremes.join([extremes(model.features, one, L2, (0.2, 0.4), rows=7) for one in x.split(1)])
    torch.testing.assert_close(parts.low, whole.low, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(parts.high, whole.high, atol=1e-4, rtol=1e-3)


def test_a_walk_through_growing_balls_nearly_reaches_what_a_long_attack_does():
    model, x = tiny(), images(2, size=8)
    short = extremes(model.features, x, L2, (0.1, 0.2, 0.3))
    long = extremes(model.features, x, L2, (0.3,), steps=40)
    reached = (short.f - short.low[-1]).sum() / (long.f - long.low[-1]).sum()
    assert 0.8 < float(reached) < 1.05


def test_it_stops_when_told_and_keeps_whole_pictures():
    model, x = tiny(), images(3, size=8)
    d = model.head.in_features
    found = extremes(model.features, x, L2, (0.2,), rows=2 * d, on_rows=lambda done, of: done < of and done >= 4 * d)
    assert found.f.shape == (2, d)
    assert found.low.shape == (1, 2, d)
    torch.testing.assert_close(found.f, model.features(x[:2]).detach(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("radii", [(), (0.0, 0.1), (0.2, 0.1), (0.1, 0.1)])
def test_radii_must_grow(radii):
    with pytest.raises(ValueError, match="radii must grow"):
        extremes(tiny().features, images(1, size=8), L2, radii)


# The definitions


@pytest.mark.parametrize("ball", [L2, Linf])
@settings(max_examples=8)
@given(seed=st.integers(0, 1000))
def test_gamma_is_rho_minus_the_dual_norm_on_linear_features(ball, seed):
    """The search over the ball and the closed form are the same numbers."""
    w, x = weights(3, seed=seed), near_grey(10, seed=seed + 1)
    y = torch.arange(10) % 2
    f = scores(w)(x)
    measured = Measured.of(f, y, extremes(scores(w), x, ball, RADII), y, classes=2)
    found, exact = measured.on(Task((1,), (0,))), linear_usefulness(w, x, 2 * y - 1, ball, RADII)
    torch.testing.assert_close(found.rho, exact.rho, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.gamma, exact.gamma, atol=2e-2, rtol=1e-3)
    torch.testing.assert_close(found.rho_half, exact.rho_half, atol=1e-5, rtol=1e-4)
    assert bool((exact.rho >= 0).all())


def test_usefulness_is_the_mean_of_y_f():
    """With as many of each answer, rho is E[y f] over the pictures, gamma E[inf y f]; a turned feature counts alike."""
    model, x = tiny(), images(20, size=8)
    y = torch.arange(20) % 2
    found = extremes(model.features, x, L2, (0.2,))
    measured = Measured.of(found.f, y, found, y, classes=2)
    got = measured.on(Task((1,), (0,)))
    deviation, mean = torch.std_mean(found.f, dim=0, correction=0)
    f, low, high = ((v - mean) / deviation for v in (found.f, found.low[0], found.high[0]))
    sign = (2 * y - 1)[:, None]
    rho = (sign * f).mean(0)
    inf_y_f = torch.where(rho < 0, torch.where(sign > 0, -high, low), torch.where(sign > 0, low, -high)).mean(0)
    torch.testing.assert_close(got.rho, rho.abs(), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(got.gamma[0], inf_y_f, atol=1e-4, rtol=1e-3)
    turned = measured.on(Task((0,), (1,)))
    torch.testing.assert_close(turned.rho, got.rho)
    torch.testing.assert_close(turned.gamma, got.gamma)
    torch.testing.assert_close(turned.sign, -got.sign)


def test_each_feature_gets_its_best_class():
    measured = toy_atlas().measured
    best, label = measured.at_best()
    every = torch.stack([measured.on(against_rest(c, 4)).rho for c in range(4)])
    torch.testing.assert_close(best.rho, every.amax(0))
    assert label.tolist() == every.argmax(0).tolist()
    for k, c in enumerate(label.tolist()):
        torch.testing.assert_close(best.gamma[:, k], measured.on(against_rest(c, 4)).gamma[:, k])


def test_a_pair_asks_only_its_two_classes():
    """rho is half the difference of the two class means, in standard deviations over all pictures."""
    atlas = toy_atlas()
    z = (atlas.z - atlas.centre) / atlas.deviation
    got = atlas.measured.on(Task((1,), (3,)))
    torch.testing.assert_close(got.rho, ((z[atlas.y == 1].mean(0) - z[atlas.y == 3].mean(0)) / 2).abs())
    assert got.gamma[0] == pytest.approx((got.rho - (0.2 + 0.3 * torch.arange(8)) / atlas.deviation).tolist(), abs=1e-4)


def test_an_interval_holds_the_truth_as_often_as_it_says():
    """Of 95 % intervals for the usefulness of a feature that is y + noise, about 95 % hold the true one."""
    held, n, runs = 0, 200, 300
    generator = draws(3)
    for _ in range(runs):
        y = torch.arange(n) % 2
        f = 0.3 * (2.0 * y[:, None] - 1) + torch.randn(n, 1, generator=generator)
        nothing = Extremes((0.1,), f, f[None], f[None])
        got = Measured.of(f, y, nothing, y, classes=2).on(Task((1,), (0,)))
        held += abs(float(got.rho) - 0.3 / math.sqrt(1 + 0.09)) < float(got.rho_half)
    low, high = Rate(held, runs).interval
    assert low < 0.96 and high > 0.93, held / runs


def test_few_pushed_pictures_widen_the_interval_of_gamma():
    """With four pictures a class, 95 % intervals hold the true gamma about as often as they say: Student's t, not Z."""
    d, n, classes, generator = 400, 2000, 3, draws(5)
    held = total = 0
    for _ in range(5):
        y = torch.arange(n) % classes
        f = torch.randn(n, d, generator=generator) + 0.5 * (y == 0)[:, None]
        few = torch.arange(4 * classes) % classes
        push = 0.5 + 0.4 * torch.randn(len(few), d, generator=generator)
        around = torch.zeros(len(few), d)
        found = Extremes((0.1,), around, (around - push)[None], (around + push)[None])
        got = Measured.of(f, y, found, few, classes).on(against_rest(0, classes))
        deviation = math.sqrt(1 + 0.25 * (1 / 3) * (2 / 3))
        truth = (0.25 - 0.5) / deviation
        held += int(((got.gamma[0] - truth).abs() < got.gamma_half[0]).sum())
        total += d
    assert 0.93 < held / total < 0.985, held / total


@pytest.mark.parametrize(("plus", "minus"), [((), (1,)), ((1,), ()), ((1, 2), (2, 3))])
def test_a_task_needs_two_different_sides(plus, minus):
    with pytest.raises(ValueError, match="two different sides"):
        Task(plus, minus)


def test_every_class_must_be_there():
    found = extremes(tiny().features, images(2, size=8), L2, (0.1,))
    with pytest.raises(ValueError, match="class 2 has 0 pictures"):
        Measured.of(found.f.repeat(2, 1), torch.tensor([0, 0, 1, 1]), found, torch.tensor([0, 1]), classes=3)


# The atlas and its file


def toy_atlas(n: int = 80, d: int = 8, classes: int = 4, seed: int = 0) -> Atlas:
    """An atlas of made-up features: coordinate k is high for class k mod 4, and less and less robust."""
    y = torch.arange(n) % classes
    z = torch.randn(n, d, generator=draws(seed))
    z += 2.0 * (torch.arange(d)[None] % classes == y[:, None])
    push = 0.2 + 0.3 * torch.arange(d, dtype=torch.float32)
    found = Extremes((0.1, 0.25), z, torch.stack([z - push, z - 2 * push]), torch.stack([z + push, z + 2 * push]))
    deviation, centre = torch.std_mean(z, dim=0, correction=0)
    gram, cross = normal_equations((z - centre) / deviation, y, classes)
    names = tuple(f"{i:012x}" for i in range(n))
    about = {
        "model": "toy",
        "radii": [0.1, 0.25],
        "n": n,
        "n_pushed": n,
        "seed": seed,
        "date": "2026-01-02",
        "how": "toy",
    }
    measured = Measured.of(z, y, found, y, classes)
    return Atlas("toy", measured, centre, deviation, z, y, names, gram, cross, about)


def test_an_atlas_comes_back_from_its_file(tmp_path):
    atlas = toy_atlas()
    atlases.save(atlas, tmp_path)
    back = atlases.load("toy", tmp_path)
    assert (back.name, back.radii, back.pictures, back.about) == (atlas.name, atlas.radii, atlas.pictures, atlas.about)
    torch.testing.assert_close(back.y, atlas.y)
    torch.testing.assert_close(back.z, atlas.z, atol=2e-3, rtol=2e-3)
    for task in range(4):
        torch.testing.assert_close(
            back.measured.on(against_rest(task, 4)).gamma,
            atlas.measured.on(against_rest(task, 4)).gamma,
            atol=5e-3,
            rtol=5e-3,
        )
    told = json.loads((tmp_path / "results" / "usefulness-toy.json").read_text())
    found, _ = atlas.measured.at_best()
    assert told["summary"]["by_radius"]["0.25"]["gamma_above_0"] == int((found.gamma[1] > 0).sum())


def test_a_missing_or_damaged_atlas_is_one_sentence(tmp_path):
    with pytest.raises(data.DataError, match="have not been measured"):
        atlases.load("toy", tmp_path)
    (tmp_path / "usefulness").mkdir(exist_ok=True)
    atlases.path_of("toy", tmp_path).write_bytes(b"no")
    with pytest.raises(data.DataError, match="damaged"):
        atlases.load("toy", tmp_path)


def test_every_prefix_holds_the_classes_about_equally_often():
    y = torch.arange(1000) % 10
    rows = spread(y, 35, seed=1)
    assert len(set(rows)) == 35
    counts = torch.bincount(y[rows], minlength=10)
    assert int(counts.max() - counts.min()) <= 1
    assert rows[:20] == spread(y, 20, seed=1)
    assert rows != spread(y, 35, seed=2)


def test_a_class_with_few_pictures_is_passed_over_when_it_has_no_more():
    y = torch.tensor([0, 0, 0, 0, 1, 2, 2, 2])
    rows = spread(y, 100, seed=1)
    assert sorted(rows) == list(range(8))
    assert [int(y[i]) for i in rows] == [0, 1, 2, 0, 2, 0, 2, 0]


def test_a_planted_feature_is_measured_as_a_network_is(tmp_path, monkeypatch):
    """The atlas of what was planted has the closed form's rho and gamma, and knows its pictures by their pixels."""
    (tmp_path / "results").mkdir()
    measure.measure(("planted",), 16, 0, "fp32", tmp_path / "work", tmp_path, world="planted")
    atlas = atlases.planted("planted", tmp_path)
    assert atlas is not None and atlases.planted("cifar10", tmp_path) is None
    assert (atlas.world, atlas.source, len(atlas.centre)) == ("planted", "planted", 8)
    rho, gamma = closed_form(drawn.WORLD, atlas.radii)
    for c, name in enumerate(drawn.WORLD.names):
        found, labels = atlases.lookup(atlas, name)
        assert float(found.rho[c]) == pytest.approx(float(rho[c]), abs=0.06) and set(labels) == {c}
        assert found.gamma[:, c].numpy() == pytest.approx(gamma[:, c].numpy(), abs=0.06, rel=0.1)
        assert float(found.gamma[-1, 4 + c]) > float(found.gamma[-1, c]), "the shape outlives the weave"
    assert pictures.get(f"planted/{atlas.pictures[5]}").id == "planted/5"
    with pytest.raises(InputError, match="is a network of the world cifar10, and this measures in planted"):
        measure.measure(("resnet9-l2",), 16, 0, "fp32", tmp_path / "work", tmp_path, world="planted")


@pytest.mark.parametrize(("world", "says"), [("imagenet", "no pictures whose classes are known"), ("shapes", "train")])
def test_where_nothing_can_be_measured_there_is_one_sentence(world, says, tmp_path, monkeypatch):
    as_folders(tmp_path, each=5)
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    with pytest.raises(SystemExit, match=says):
        measure.main(["measure", "--world", world])


def test_what_ships_is_what_the_json_says():
    """The counts that the README may quote are those of the arrays that the page shows."""
    names = (*atlases.names(), *atlases.names(world="planted"))
    if not names:
        pytest.skip("no atlas is here; make it with: python -m core.usefulness measure")
    for name in names:
        atlas = atlases.load(name)
        told = json.loads((atlases.ASSETS / "results" / f"usefulness-{name}.json").read_text())
        counted = atlases.summary(atlas)
        assert told["n_pushed"] == atlas.measured.n_pushed
        for radius, line in counted["by_radius"].items():
            assert abs(line["gamma_above_0"] - told["summary"]["by_radius"][radius]["gamma_above_0"]) <= 3, radius


# Heads


def test_a_head_with_all_on_is_the_models_own():
    model, atlas = tiny(classes=4, width=1), toy_atlas()
    head = masked(model, atlas, torch.ones(8).bool())
    torch.testing.assert_close(head.weight, model.head.weight)
    torch.testing.assert_close(head.bias, model.head.bias)


def test_what_is_off_says_the_same_of_every_picture():
    model, atlas = tiny(classes=4, width=1), toy_atlas()
    on = torch.arange(8) < 3
    for kind in ("masked", "refit"):
        head = head_of(kind, model, atlas, on)
        other = torch.where(on, atlas.z, torch.randn(atlas.z.shape, generator=draws(5)))
        torch.testing.assert_close(head(atlas.z), head(other), atol=1e-4, rtol=1e-4)
    held = torch.where(on, atlas.z, atlas.centre)
    torch.testing.assert_close(head_of("masked", model, atlas, on)(atlas.z), model.head(held), atol=1e-4, rtol=1e-4)


def test_the_refit_head_is_least_squares():
    """Against numpy's solver on the same standardised features."""
    atlas = toy_atlas()
    on = torch.tensor([True, False] * 4)
    z = ((atlas.z - atlas.centre) / atlas.deviation)[:, on]
    a = torch.cat([z, torch.ones(len(z), 1)], 1).double().numpy()
    wanted, *_ = np.linalg.lstsq(a, torch.nn.functional.one_hot(atlas.y, 4).double().numpy(), rcond=None)
    torch.testing.assert_close(
        refit(atlas, on)(atlas.z) / 10, torch.from_numpy(a @ wanted).float(), atol=5e-3, rtol=5e-3
    )


def test_switching_useful_features_off_costs_accuracy():
    atlas = toy_atlas()
    whole, half, none = (clean_accuracy(atlas, refit(atlas, torch.arange(8) < k)) for k in (8, 2, 0))
    assert whole.n == 80
    assert whole.hits > half.hits > none.hits - 1


def test_a_rewired_model_shares_the_body():
    model = tiny(classes=4)
    head = torch.nn.Linear(model.head.in_features, 4)
    x = images(2, size=8)
    other = rewired(model, head)
    torch.testing.assert_close(other.features(x), model.features(x))
    torch.testing.assert_close(other(x), head(model.features(x)))
    assert model.head is not head


def test_features_are_ranked_by_gamma():
    atlas = toy_atlas()
    rank = order_by_gamma(atlas, 0.25)
    found, _ = atlas.measured.at_best()
    ordered = found.gamma[1][rank.argsort()]
    assert bool((ordered[1:] <= ordered[:-1]).all())
    with pytest.raises(ValueError, match=r"not 0\.3"):
        order_by_gamma(atlas, 0.3)


def test_no_third_kind_of_head():
    with pytest.raises(ValueError, match="masked or refit"):
        head_of("other", tiny(classes=4, width=1), toy_atlas(), torch.ones(8).bool())


# The brush


@given(
    st.sampled_from(["standard", "robust"]),
    st.tuples(*[st.integers(-9900, 9900).map(lambda v: v / 1000)] * 4),
    st.integers(0, 50),
)
def test_a_brush_comes_back_from_its_text(side, box, frame):
    assert Brush.parse(str(Brush(side, box, frame))) == Brush(side, box, frame)


@pytest.mark.parametrize(
    "text",
    ["", "left,0,1,0,1,3", "standard,0,1,0,1", "standard,0,1,0,nan,3", "standard,0,1,0,1,3.5", "robust,a,b,c,d,e"],
)
def test_what_is_no_brush_is_none(text):
    assert Brush.parse(text) is None


# Goh


def two_classes(n: int = 300, *, seed: int = 0, size: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures with a strong direction that tells the classes apart, and much else of all sizes."""
    generator = draws(seed)
    y = torch.where(torch.arange(n) % 2 == 0, 1, -1)
    p = 3 * size * size
    mixing = torch.linalg.qr(torch.randn(p, p, generator=draws(7)))[0] * torch.logspace(-1, -4, p)
    x = 0.5 + torch.randn(n, p, generator=generator) @ mixing.T
    x += 0.1 * y[:, None] * mixing[:, 0] / mixing[:, 0].norm()
    return x.reshape(n, 3, size, size), y


@pytest.fixture(scope="module")
def known() -> goh.Known:
    return goh.analyse(*two_classes(seed=0), *two_classes(seed=1), vectors=12, sizes=8)


def by_hand(a: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """E[y f] and std(a.x) / |a| from the pictures themselves."""
    s = x.flatten(1) @ a.flatten()
    deviation = float(s.std(correction=0))
    return float((s[y > 0].mean() - s[y < 0].mean()) / 2) / deviation, deviation / float(a.norm())


def test_single_directions_are_what_the_pictures_say(known):
    x, y = two_classes(seed=0)
    for i in known.shown:
        rho, deviation = by_hand(known.vector(i), x, y)
        assert known.single(i).rho == pytest.approx(abs(rho), abs=1e-3)
        assert known.single(i).deviation == pytest.approx(deviation, rel=1e-2)


def test_constructions_are_what_the_pictures_say_train_and_test(known):
    x, y = two_classes(seed=0)
    x_test, y_test = two_classes(seed=1)
    strong, weak = known.shown[0], known.shown[-2]
    made = [(vector, known.ensemble(m)) for vector, m in zip(known.ensembles, known.sizes, strict=True)]
    made += [
        (known.containment_vector(strong, weak, a), known.containment(strong, weak, a)) for a in (0.0, 0.01, 0.3, 1.0)
    ]
    for vector, feature in made:
        rho, deviation = by_hand(vector, x, y)
        rho_test, deviation_test = by_hand(vector, x_test, y_test)
        assert feature.rho == pytest.approx(rho, abs=2e-3)
        assert feature.rho_test == pytest.approx(rho_test, abs=2e-3)
        assert feature.deviation == pytest.approx(deviation, rel=1e-2)
        assert feature.deviation_test == pytest.approx(deviation_test, rel=1e-2)


def test_gamma_of_a_direction_is_the_general_closed_form(known):
    x, y = two_classes(seed=0)
    feature, vector = known.single(known.shown[0]), known.vector(known.shown[0])
    exact = linear_usefulness(vector[None], x, y, L2, (0.05,))
    assert feature.gamma(0.05) == pytest.approx(float(exact.gamma), abs=5e-3)


def test_a_containment_is_as_useful_as_its_strong_part_and_not_robust(known):
    strong, weak = known.shown[0], known.shown[-2]
    alone, mixed = known.single(strong), known.containment(strong, weak, 0.05)
    assert mixed.rho > 0.9 * alone.rho
    assert mixed.deviation < 0.2 * alone.deviation
    eps = 0.5 * alone.rho * alone.deviation
    assert alone.gamma(eps) > 0 > mixed.gamma(eps)


def test_goh_comes_back_from_its_file(known, tmp_path):
    goh.save(known, tmp_path / "goh.npz")
    back = goh.load(tmp_path / "goh.npz")
    assert (back.shown, back.sizes, back.n, back.n_test) == (known.shown, known.sizes, known.n, known.n_test)
    torch.testing.assert_close(back.deviation, known.deviation)
    torch.testing.assert_close(back.vectors, known.vectors, atol=6e-3, rtol=0)
    assert back.ensemble(known.sizes[2]) == known.ensemble(known.sizes[2])


def test_what_goh_does_not_have_is_one_sentence(known, tmp_path):
    for act in (
        lambda: known.ensemble(10**6),
        lambda: known.containment(0, 0, 0.5),
        lambda: known.containment(0, known.shown[-1], 1.5),
        lambda: known.vector(-5),
    ):
        with pytest.raises(REFUSED):
            act()
    with pytest.raises(data.DataError, match=r"core\.usefulness\.linear build"):
        goh.load(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"no")
    with pytest.raises(data.DataError, match="damaged"):
        goh.load(tmp_path / "bad.npz")


# Commands


def test_the_measuring_command_goes_on_where_it_stopped(tmp_path, monkeypatch):
    """A tiny model on made-up pictures: blocks are kept, a second call reads them, and the file says what was done."""
    made = noise_pictures(60, classes=10, size=32, seed=4)
    made = data.Pictures(made.images, np.arange(60) % 10, made.classes, "noise")
    monkeypatch.setattr(measure.labelled, "load", lambda world, split: made)
    monkeypatch.setattr(checkpoints, "header", lambda name: checkpoints.Header("resnet9"))
    monkeypatch.setattr(measure, "load_model", lambda name: tiny(width=1))
    monkeypatch.setattr(checkpoints, "stamp", lambda name: "0" * 12)
    monkeypatch.setattr(measure, "TRAINED", 30)
    monkeypatch.setattr(measure, "CHECKED", 5)
    monkeypatch.setattr(measure, "SHIPPED", 20)
    monkeypatch.setattr(measure, "RADII", (0.1, 0.25))
    calls = []
    real = measure.extremes
    monkeypatch.setattr(measure, "extremes", lambda *a, **k: calls.append(1) or real(*a, **k))
    (tmp_path / "results").mkdir()
    measure.measure(("toy",), 20, 0, "fp32", tmp_path / "work", tmp_path)
    assert len(calls) == 2
    first = atlases.load("toy", tmp_path)
    measure.measure(("toy",), 20, 0, "fp32", tmp_path / "work", tmp_path)
    assert len(calls) == 2, "finished blocks are not computed again"
    again = atlases.load("toy", tmp_path)
    torch.testing.assert_close(again.measured.worst_case_shift, first.measured.worst_case_shift)
    assert (first.about["n"], first.about["n_pushed"], len(first.z)) == (60, 20, 20)
    assert first.pictures[0] == fingerprint(made.images[0])
    assert set(first.about["check"]["push_reached"]) == {"0.1", "0.25"}
    assert 0.5 < first.about["check"]["push_reached"]["0.25"] < 1.2


# The file of measured heads


@pytest.fixture
def heads_file(tmp_path, monkeypatch):
    """Heads that cost nothing: how often they were measured stands in them. A function that runs the command."""
    counted = []

    def made(name, *_):
        counted.append(name)
        return [{"of": name, "nth": len(counted)}]

    monkeypatch.setattr(heads, "measure", made)
    monkeypatch.setattr(checkpoints, "stamp", lambda name: f"{name}, {len(counted)}")
    out = tmp_path / "heads.json"

    def run(*arguments: str) -> dict:
        heads.main(["measure", *arguments, "--out", str(out)])
        return json.loads(out.read_text("utf-8"))

    return run


def test_heads_of_one_network_leave_those_of_the_others(heads_file):
    before = heads_file("one", "other")
    after = heads_file("other")
    assert after["models"] == {"one": before["models"]["one"], "other": [{"of": "other", "nth": 3}]}
    assert after["stamps"] == {"one": "one, 1", "other": "other, 3"}
    assert after["measured"].keys() == {"one", "other"} and after["measured"]["one"] == before["measured"]["one"]


def test_heads_measured_before_each_had_a_date_keep_that_of_their_file():
    old = {"date": "2020-01-01", "how": "long ago", "n": 5, "stamps": {"one": "a"}, "models": {"one": []}}
    new = {"date": "2026-01-01", "how": "now", "n": 5, "stamps": {"other": "b"}}
    found = heads.joined(old, "other", [1], new)
    assert found["measured"]["one"] == {"date": "2020-01-01", "how": "long ago"}
    assert found["measured"]["other"] == {"date": "2026-01-01", "how": "now"}


def test_heads_measured_otherwise_do_not_stand_beside_others(heads_file):
    heads_file("one", "other")
    with pytest.raises(SystemExit, match="was measured with"):
        heads_file("one", "--n", "200")
    with pytest.raises(SystemExit, match="was measured with"):
        heads_file("one", "--seed", "1")
    assert heads_file("one", "other", "--n", "200")["n"] == 200
    assert heads_file("one", "--n", "50", "--anew")["models"].keys() == {"one"}
