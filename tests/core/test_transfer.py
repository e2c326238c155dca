"""Transfer: rates that geometry gives, denominators, likeness of representations, and a measurement that goes on."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from core import data
from core.attacks import pgd
from core.attacks.balls import L2, Linf
from core.attacks.objectives import untargeted
from core.data import pictures
from core.data.sets import DataError
from core.models import checkpoints
from core.rates import Estimate, Rate
from core.transfer import Attack, Cell, Ensemble, Transfer, craft, in_order, linear_cka, transfer_matrix, views
from core.transfer import measure as measuring
from core.transfer.matrix import judge, other_classes
from core.transfer.recipe import RADII, TransferRecipe
from core.transfer.results import PAPER, RESULTS, SETTINGS, Measured, Model, Setting, figure3
from core.transfer.similarity import cka_with_interval, correlation, mantel
from tests.app_process import ROOT
from tests.helpers import REFUSED, Plane, draws, grey, images, noise_pictures, tiny, trained


def directions(*angles: float) -> list[torch.Tensor]:
    """Unit vectors (1, 8, 8) at these angles in one plane, each orthogonal to constant pictures."""
    basis = torch.zeros(2, 3, 8, 8, dtype=torch.float64)
    basis[0, :, ::2], basis[0, :, 1::2] = 1, -1
    basis[1, :, :, ::2], basis[1, :, :, 1::2] = 1, -1
    basis /= basis.flatten(1).norm(dim=1)[:, None, None, None]
    return [math.cos(a) * basis[0] + math.sin(a) * basis[1] for a in angles]


# The matrix


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.2, math.pi / 2, 2.0], ids="{:.1f}".format)
def test_a_linear_pair_transfers_as_geometry_says(angle):
    """An L2 attack on w.x moves eps along -w; it lowers v.x by eps cos(w, v), so the margins in [0, eps cos) fall."""
    eps, (w, v) = 0.5, directions(0.0, angle)
    margins = torch.linspace(0.02, 0.98, 25, dtype=torch.float64)
    # Points with v.x = margin and w.x > 0 large enough to be right for the source.
    across = directions(angle + math.pi / 2)[0]
    side = 1.0 if math.sin(angle) <= 0 else -1.0
    x = (
        grey(25) + margins[:, None, None, None] * v + 3.0 * side * across
        if math.sin(angle)
        else grey(25) + margins[:, None, None, None] * v
    )
    y = torch.zeros(25, dtype=torch.int64)
    found = transfer_matrix({"w": Plane(w)}, {"v": Plane(v)}, x, y, L2(eps), Attack(steps=4))
    expected = int((margins < eps * math.cos(angle)).sum())
    cell = found.cell("w", "v")
    assert cell.fooled == Rate(expected, 25)
    assert cell.fooled_of_all == Rate(expected, 25)


def test_a_model_attacked_under_another_name_is_the_white_box():
    """Identical source and target: the diagonal, and what attacking it directly gives."""
    model, x, y = trained()
    x, y = x[:60], y[:60]
    found = transfer_matrix({"a": model, "b": model}, {"a": model, "b": model}, x, y, Linf(8 / 255), Attack(steps=5))
    cells = [cell.as_json() for cell in found.cells.values()]
    assert all(cell == cells[0] for cell in cells)
    x_adv = pgd(untargeted(model, y), x, Linf(8 / 255), steps=5, step_size=4 / 255)
    right = model(x).argmax(1) == y
    assert found.cell("a", "b").fooled == Rate(int(((model(x_adv).argmax(1) != y) & right).sum()), int(right.sum()))
    assert 0.2 < found.cell("a", "a").fooled.value < 0.8
    assert found.cell("a", "a").noise.value < 0.1


def test_a_copy_with_permuted_classes_is_the_same_model():
    """Class k of the copy stands at another place; asked by name, it answers as the original."""
    model, classes, order = tiny(classes=5), ("a", "b", "c", "d", "e"), [3, 0, 4, 1, 2]
    copy = tiny(classes=5)
    copy.head.load_state_dict({"weight": model.head.weight[order], "bias": model.head.bias[order]})
    names = tuple(classes[k] for k in order)
    x, y = images(12, size=16), torch.arange(12) % 5
    aligned = in_order(copy, names, classes)
    torch.testing.assert_close(aligned(x), model(x))
    torch.testing.assert_close(aligned.features(x), model.features(x))
    found = transfer_matrix({"m": model}, {"m": model, "copy": aligned}, x, y, L2(0.5), Attack(steps=3))
    assert found.cell("m", "m") == found.cell("m", "copy")
    assert in_order(model, classes, classes) is model


def test_other_classes_have_no_transfer():
    """A sentence with both lists."""
    with pytest.raises(ValueError, match=r"different classes .a, b; a, c.; transfer has no meaning"):
        in_order(tiny(classes=2), ("a", "b"), ("a", "c"))


def counted() -> Transfer:
    """One source, one target, six pictures; what each said is written out."""
    return Transfer(
        sources=("s",),
        targets=("t",),
        y=torch.tensor([0, 0, 0, 0, 0, 0]),
        target_labels=torch.tensor([1, 1, 1, 1, 1, 1]),
        correct=torch.tensor([[True, True, True, True, False, False]]),
        clean=torch.tensor([[0, 0, 0, 2, 0, 2]]),
        x_adv=images(6, size=4)[None],
        norm=torch.ones(1, 6),
        predictions=torch.tensor([[[1, 2, 0, 1, 1, 2]]]),
        noise_predictions=torch.tensor([[[0, 0, 1, 2, 0, 2]]]),
    )


def test_both_denominators():
    """Right for both: pictures 0, 1, 2. Fooled among them: 0, 1; of all six: 0, 1, 3, 4, 5."""
    cell = counted().cell("s", "t")
    assert cell == Cell(
        fooled=Rate(2, 3),
        fooled_of_all=Rate(5, 6),
        noise=Rate(1, 3),
        noise_of_all=Rate(3, 6),
        targeted=Rate(1, 3),
        targeted_of_all=Rate(3, 6),
        noise_targeted=Rate(1, 3),
        noise_targeted_of_all=Rate(1, 6),
    )
    assert cell.rate("attack", "both", "untargeted") == Rate(2, 3)
    assert cell.rate("noise", "all", "targeted") == Rate(1, 6)
    assert Cell.of_json(json.loads(json.dumps(cell.as_json()))) == cell
    assert list(cell.as_json())[4:] == ["hit", "hit_of_all", "noise_hit", "noise_hit_of_all"], "as files have them"


def test_an_untargeted_attack_has_no_targeted_success():
    """None is made up."""
    cell = replace(counted(), target_labels=None).cell("s", "t")
    assert cell.targeted is None
    assert "hit" not in cell.as_json()
    with pytest.raises(ValueError, match="was untargeted"):
        cell.rate("attack", "both", "targeted")


def test_a_ball_of_radius_zero_fools_nobody():
    """x_adv is x bit for bit, and of the pictures that both get right none is lost."""
    model, x, y = trained()
    found = transfer_matrix({"m": model}, {"m": model}, x[:9], y[:9], L2(0.0), Attack(steps=3))
    assert torch.equal(found.x_adv[0], x[:9])
    assert found.cell("m", "m").fooled.hits == 0


def test_a_targeted_attack_is_counted_by_what_it_wanted():
    """The white box says the wanted class more often than noise does; wanting the own class is refused."""
    model, x, y = trained()
    wanted = other_classes(y[:60], 4, seed=0)
    found = transfer_matrix({"m": model}, {"m": model}, x[:60], y[:60], L2(2.0), Attack(10, wanted))
    assert found.cell("m", "m").targeted.value > 0.8
    assert found.cell("m", "m").noise_targeted.value < 0.1
    with pytest.raises(ValueError, match="another class than the picture's own"):
        craft(model, x[:2], y[:2], L2(1.0), Attack(1, y[:2]))


def test_wanted_classes_are_any_but_the_own():
    """Uniform over the K - 1 others, and the same for the same seed."""
    y = torch.arange(9000) % 10
    wanted = other_classes(y, 10, seed=3)
    assert not (wanted == y).any()
    assert torch.equal(wanted, other_classes(y, 10, seed=3))
    counts = torch.bincount((wanted - y) % 10, minlength=10)[1:]
    assert counts.min() > 850 and counts.max() < 1150


def test_examples_do_not_depend_on_their_batch():
    """Each picture is attacked by itself."""
    model, x, y = trained()
    whole = craft(model, x[:10], y[:10], L2(0.5), Attack(3))
    parts = craft(model, x[:10], y[:10], L2(0.5), Attack(3, batch=3))
    torch.testing.assert_close(parts, whole, rtol=0, atol=1e-4)


class Watched(nn.Module):
    """Keeps what it was shown."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.seen = model, []

    def forward(self, x):
        self.seen.append(x)
        return self.model(x)


@pytest.mark.parametrize("ball", [L2(0.5), Linf(8 / 255)], ids=["L2", "Linf"])
def test_the_noise_is_as_large_as_the_attack(ball):
    """Picture by picture, after clipping; and the same direction whatever the source."""
    model, x, y = trained()
    x, y, target = x[:8], y[:8], Watched(model)
    x_adv = craft(model, x, y, ball, Attack(3))
    judge({"m": model}, {"t": target}, x, y, x_adv[None], ball)
    clean, attacked, noisy = target.seen
    assert torch.equal(clean, x) and torch.equal(attacked, x_adv)
    assert noisy.min() >= 0 and noisy.max() <= 1
    torch.testing.assert_close(ball.norm(noisy - x), ball.norm(x_adv - x), rtol=0.02, atol=0)
    assert not torch.allclose(noisy, x_adv, atol=1e-3)
    judge({"m": model}, {"t": target}, x, y, x_adv[None], ball)
    assert torch.equal(target.seen[-1], noisy)


def test_an_ensemble_has_the_mean_logits_and_copies_change_nothing():
    """Of a model and itself: the model."""
    a, b, x = tiny(seed=0), tiny(seed=1), images(3, size=16)
    torch.testing.assert_close(Ensemble([a, b])(x), (a(x) + b(x)) / 2)
    torch.testing.assert_close(Ensemble([a, a])(x), a(x))


def test_stopping_keeps_the_complete_rows_and_going_on_does_not_repeat_them():
    """Stopped in the second source; then the first is taken as known."""
    model, x, y = tiny(), images(4, size=16), torch.zeros(4, dtype=torch.int64)
    steps, rows = [], []

    def on_step(i, state):
        steps.append(i)
        return len(steps) > 7

    sources = {"a": model, "b": model, "c": model}
    found = transfer_matrix(sources, {"a": model}, x, y, L2(0.5), Attack(3), on_step=on_step, on_row=rows.append)
    assert found.sources == ("a",)
    assert [row.sources for row in rows] == [("a",)]
    counts = []
    whole = transfer_matrix(
        sources, {"a": model}, x, y, L2(0.5), Attack(3), known=rows, on_step=lambda i, s: counts.append(i)
    )
    assert whole.sources == ("a", "b", "c")
    assert (counts.count(0), counts.count(1)) == (2, 2)
    assert max(counts) == 2, "looks, between which others may come, count as the last step"
    assert transfer_matrix(sources, {"a": model}, x, y, L2(0.5), Attack(3), on_step=lambda i, s: True) is None


def test_verdicts_count_the_same_without_pictures():
    """They are what is kept in memory."""
    found = counted()
    assert found.verdicts().x_adv is None
    assert found.verdicts().cells == found.cells
    assert Transfer.join([found.verdicts(), found]).x_adv is None


# Likeness


def test_cka_of_single_coordinates_is_the_squared_correlation():
    """For d = e = 1 the formula is r^2."""
    a = torch.randn(200, 1, generator=draws())
    b = 0.6 * a + torch.randn(200, 1, generator=draws(1))
    r = np.corrcoef(a[:, 0].numpy(), b[:, 0].numpy())[0, 1]
    assert linear_cka(a, b) == pytest.approx(r**2, abs=1e-6)


def test_cka_ignores_rotation_shift_and_scale():
    """And is symmetric; unrelated representations of many pictures have little in common."""
    a = torch.randn(500, 6, generator=draws())
    rotation, _ = torch.linalg.qr(torch.randn(6, 6, generator=draws(1)))
    assert linear_cka(a, 3 * a @ rotation + 7) == pytest.approx(1.0, abs=1e-6)
    b = torch.randn(500, 9, generator=draws(2))
    assert linear_cka(a, b) == pytest.approx(linear_cka(b, a), abs=1e-9)
    assert linear_cka(a, b) < 0.05


def test_cka_refuses_what_it_cannot_compare():
    """Different pictures raise; a constant representation has no likeness."""
    with pytest.raises(REFUSED):
        linear_cka(torch.ones(3, 2), torch.ones(4, 2))
    assert math.isnan(linear_cka(torch.ones(5, 2), torch.rand(5, 2)))


def test_the_interval_of_cka_covers_the_truth_and_narrows():
    """For (u, u + noise) of equal variance r^2 = 1/2; four times the pictures halve the interval."""

    def estimate(n, seed):
        u = torch.randn(n, 1, generator=draws(seed))
        return cka_with_interval(u, u + torch.randn(n, 1, generator=draws(seed + 1000)))

    found = [estimate(400, seed) for seed in range(40)]
    assert sum(e.interval[0] <= 0.5 <= e.interval[1] for e in found) >= 33
    widths = [np.mean([e.interval[1] - e.interval[0] for e in [estimate(n, s) for s in range(9)]]) for n in (400, 1600)]
    assert widths[1] == pytest.approx(widths[0] / 2, rel=0.3)


def test_the_interval_of_a_correlation_is_fishers():
    """tanh(atanh r -+ 1.96 / sqrt(n - 3)), written out for r = 0.5 and n = 28."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=28)
    a = (a - a.mean()) / a.std()
    e = rng.normal(size=28)
    e = e - e.mean() - (e @ a) / (a @ a) * a
    found = correlation(a.tolist(), (0.5 * a + math.sqrt(0.75) * e / e.std()).tolist())
    assert found.value == pytest.approx(0.5)
    assert found.interval == pytest.approx((0.1560, 0.7358), abs=2e-4)


def test_few_points_say_little():
    """Fewer than four: any r is possible; a constant has none."""
    assert correlation([1.0, 2.0, 3.0], [1.0, 2.0, 4.0]).interval == (-1.0, 1.0)
    assert math.isnan(correlation([1.0] * 4, [1.0, 2.0, 3.0, 4.0]).value)
    assert correlation([1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]).interval == (1.0, 1.0)


def test_shuffling_networks_finds_a_relation_and_no_other():
    """Rates that are the likeness: only relabellings that keep the table do as well. Constant rates: any."""
    names = ["a", "b", "c", "d", "e"]
    table = {
        frozenset(p): v
        for p, v in zip([(x, y) for i, x in enumerate(names) for y in names[:i]], range(10), strict=True)
    }

    def likeness(a, b):
        return float(table.get(frozenset((a, b)), 10.0))

    pairs = {(a, b): likeness(a, b) for a in names for b in names if a != b}
    assert mantel(names, likeness, pairs) == pytest.approx(1 / 120)
    assert mantel(names, likeness, dict.fromkeys(pairs, 0.5)) == 1.0
    assert mantel(names, likeness, {p: -v for p, v in pairs.items()}) > 0.95


# What was measured


def some_results() -> Measured:
    cell = counted().cell("s", "t")
    return Measured(
        about={"n": 6, "seed": 0, "steps": 2, "date": "2026-01-01", "how": "by hand"},
        models={"s": Model("S, standard training", "00", Rate(4, 6)), "t": Model("T", "11", Rate(5, 6))},
        cells={"L2 0.5 targeted": {("s", "s"): cell, ("s", "t"): cell, ("t", "s"): cell, ("t", "t"): cell}},
        similarity={("s", "t"): Estimate(0.5, (0.4, 0.6), 6)},
    )


def test_results_come_back_as_they_were_written(tmp_path):
    """With the interval of every cell in the file, for whoever reads it without us."""
    path = tmp_path / "deep" / "transfer.json"
    some_results().write(path)
    assert Measured.read(path) == some_results()
    rate = json.loads(path.read_text())["cells"]["L2 0.5 targeted"]["s > t"]["fooled"]
    assert rate["interval"] == pytest.approx(Rate(2, 3).interval, abs=1e-4)
    assert Measured.read(tmp_path / "none.json") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"about": {}, "models": {"a": 1}, "cells": {}, "similarity": {}}'])
def test_a_damaged_results_file_is_one_sentence(tmp_path, text):
    """With what to do."""
    path = tmp_path / "transfer.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"transfer.json is damaged .* measure again with"):
        Measured.read(path)


def test_only_models_among_which_all_pairs_are_there_are_complete():
    """While a measurement runs, a newcomer waits, and the others stay in sight."""
    found = some_results()
    cells, name = found.cells["L2 0.5 targeted"], "L2 0.5 targeted"
    assert found.complete(name) == ("s", "t")
    found.models["u"] = found.models["s"]
    cells.update({("u", other): cells["s", "t"] for other in "stu"})
    assert found.complete(name) == ("s", "t")
    assert set(found.matrix(name)) == {("s", "s"), ("s", "t"), ("t", "s"), ("t", "t")}
    cells.update({(other, "u"): cells["s", "t"] for other in "st"})
    assert found.complete(name) == ("s", "t", "u")
    del cells["t", "s"], cells["t", "u"]
    assert found.complete(name) == ("s", "u")
    assert found.complete("L2 3 targeted") == ()
    assert found.matrix("L2 3 targeted") == {}


def test_the_settings_are_those_of_the_issue_and_enough_for_curves():
    """Three balls, both goals, all pictures; every radius of both norms untargeted."""
    whole = {s.name for s in SETTINGS if s.part == 1}
    assert whole == {f"{b} {g}" for b in ("L2 0.5", "L2 1", "Linf 8/255") for g in ("untargeted", "targeted")}
    assert {(s.norm, s.eps) for s in SETTINGS if s.goal == "untargeted"} == {
        (n, e) for n, es in RADII.items() for e in es
    }
    assert Setting("Linf", "8/255").ball == Linf(8 / 255)


def measured(names, tmp_path, models, monkeypatch, stamps=None, **more):
    """Measure tiny models under these names; returns the result and the sources that were attacked."""
    attacked = []
    monkeypatch.setattr(measuring, "load", models.__getitem__)
    monkeypatch.setattr(checkpoints, "stamp", lambda name: (stamps or {}).get(name, name))
    monkeypatch.setattr(measuring.checkpoints, "header", lambda name: checkpoints.Header("resnet9", title=name.upper()))

    def spy(model, *args, **kwargs):
        attacked.append(next(name for name, known in models.items() if known is model))
        return craft(model, *args, **kwargs)

    monkeypatch.setattr(measuring, "craft", spy)
    settings = (Setting("L2", "1"), Setting("L2", "1", "targeted", 0.5))
    options = {"n": 20, "steps": 2, "precision": "fp32", "settings": settings} | more
    found = measuring.measure(
        names, noise_pictures(40, classes=10, size=16), out=tmp_path / "t.json", kept=tmp_path / "kept", **options
    )
    return found, attacked


@pytest.fixture
def models():
    return {name: tiny(seed=k) for k, name in enumerate("abc")}


def test_a_measurement_goes_on_where_it_was(tmp_path, models, monkeypatch):
    """A model that appears later is added: the old sources are not attacked again, and all pairs are there."""
    first, attacked = measured(("a", "b"), tmp_path, models, monkeypatch)
    assert attacked == ["a", "b"] * 2
    assert set(first.cells["L2 1 untargeted"]) == {(s, t) for s in "ab" for t in "ab"}
    second, attacked = measured(("a", "b", "c"), tmp_path, models, monkeypatch)
    assert attacked == ["c", "c"]
    assert set(second.cells["L2 1 targeted"]) == {(s, t) for s in "abc" for t in "abc"}
    assert set(second.similarity) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert second.cells["L2 1 untargeted"]["a", "b"] == first.cells["L2 1 untargeted"]["a", "b"]
    assert second.cells["L2 1 targeted"]["a", "a"].fooled_of_all.n == 10
    assert Measured.read(tmp_path / "t.json").cells == second.cells
    assert measured(("a", "b", "c"), tmp_path, models, monkeypatch)[1] == []


def test_measuring_in_parts_is_measuring_at_once(tmp_path, models, monkeypatch):
    """Examples of the file are those that were judged when they were new."""
    measured(("a",), tmp_path / "1", models, monkeypatch)
    parts, _ = measured(("a", "b"), tmp_path / "1", models, monkeypatch)
    whole, _ = measured(("a", "b"), tmp_path / "2", models, monkeypatch)
    assert parts.cells == whole.cells


def test_examples_of_another_precision_are_not_taken_for_these(tmp_path, models, monkeypatch):
    measured(("a",), tmp_path, models, monkeypatch)
    (tmp_path / "t.json").unlink()
    assert measured(("a",), tmp_path, models, monkeypatch)[1] == []
    (tmp_path / "t.json").unlink()
    assert measured(("a",), tmp_path, models, monkeypatch, precision="bf16")[1] == ["a", "a"]


def test_cells_keep_the_day_on_which_they_were_measured(tmp_path, models, monkeypatch):
    """A row that is added says nothing of the others, and where nothing is added nothing is said anew."""
    monkeypatch.setattr(measuring.results, "today", lambda: "2020-01-01")
    measured(("a", "b"), tmp_path, models, monkeypatch)
    monkeypatch.setattr(measuring.results, "today", lambda: "2020-01-02")
    same, _ = measured(("a", "b"), tmp_path, models, monkeypatch)
    assert same.about["date"] == "2020-01-01" and "others" not in same.about
    old = ["a > a", "a > b", "b > a", "b > b"]
    added, _ = measured(("a", "b", "c"), tmp_path, models, monkeypatch)
    (others,) = added.about["others"]
    assert added.about["date"] == "2020-01-02"
    assert others == {
        "date": "2020-01-01",
        "how": same.about["how"],
        "cells": {"L2 1 untargeted": old, "L2 1 targeted": old},
    }
    assert added.circumstances.startswith("2020-01-02; ") and "; of these 8 cells 2020-01-01; " in added.circumstances
    anew = {"models": models | {"b": tiny(seed=9)}, "stamps": {"b": "new"}}
    again, _ = measured(("a", "b", "c"), tmp_path, monkeypatch=monkeypatch, **anew)
    assert again.about["others"] == [{**others, "cells": {setting: ["a > a"] for setting in others["cells"]}}]
    assert Measured.read(tmp_path / "t.json").about == again.about


def test_weights_that_changed_are_measured_anew(tmp_path, models, monkeypatch):
    """As source and as target; the rest stays."""
    measured(("a", "b"), tmp_path, models, monkeypatch)
    found, attacked = measured(("a", "b"), tmp_path, models | {"b": tiny(seed=9)}, monkeypatch, stamps={"b": "new"})
    assert attacked == ["b", "b"]
    assert found.models["b"].stamp == "new"
    assert set(found.cells["L2 1 untargeted"]) == {(s, t) for s in "ab" for t in "ab"}


def test_another_measurement_is_not_mixed_in(tmp_path, models, monkeypatch):
    """A sentence that names what differs."""
    measured(("a",), tmp_path, models, monkeypatch)
    with pytest.raises(ValueError, match="measured with steps = 2, not 3; delete it"):
        measured(("a",), tmp_path, models, monkeypatch, steps=3)


def test_the_command_refuses_what_is_not_there(monkeypatch, tmp_path):
    """In one sentence."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    with pytest.raises(SystemExit, match="CIFAR-10"):
        measuring.main(["measure", "--out", str(tmp_path / "t.json")])


def test_a_stamp_is_of_the_weights_alone(tmp_path):
    """A new header leaves it, new weights change it."""
    model = tiny()
    about = checkpoints.Header("resnet9", {"width": 4}, "Tiny", data.CIFAR10_CLASSES)
    checkpoints.save(tmp_path / "a.safetensors", model.state_dict(), about)
    before = checkpoints.stamp("a", tmp_path)
    assert len(before) == 12
    checkpoints.annotate(tmp_path / "a.safetensors", replace(about, title="Another"))
    assert checkpoints.stamp("a", tmp_path) == before
    with torch.no_grad():
        model.head.bias += 1
    checkpoints.save(tmp_path / "a.safetensors", model.state_dict(), about)
    assert checkpoints.stamp("a", tmp_path) != before


# What the page computes


@pytest.fixture
def gallery_only(monkeypatch, tmp_path):
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))


@pytest.fixture
def two(checkpoint):
    """Two shipped models, and a recipe that is quick with them."""
    for name in ("resnet9-standard", "resnet9-l2"):
        checkpoint(name)
    return TransferRecipe(
        numbers="live", models=("resnet9-standard", "resnet9-l2"), n=16, steps=2, eps="1", target="resnet9-l2"
    )


def test_pictures_come_from_the_gallery_where_there_is_no_cifar10(gallery_only):
    """Drawn by the seed, each with its class."""
    ids, x, y = views.drawn(TransferRecipe(), 12)
    assert all(id.startswith("gallery/") for id in ids)
    assert len(set(ids)) == len(x) == len(y) == 12
    assert views.drawn(TransferRecipe(), 12)[0] == ids
    assert views.drawn(TransferRecipe(seed=1), 12)[0] != ids


def test_without_any_labelled_picture_it_says_so(gallery_only, monkeypatch):
    """The photographs have no classes to be wrong about, except one."""
    monkeypatch.setattr(pictures, "GALLERY", ROOT / "nowhere.npz")
    monkeypatch.setattr(pictures, "PHOTOS", {"rocket": (None, "rocket")})
    with pytest.raises(pictures.PictureError, match="needs CIFAR-10 or the gallery"):
        views.drawn(TransferRecipe(), 4)


def test_a_live_row_is_the_matrix_of_its_recipe(two, gallery_only):
    """Nothing but what the recipe says goes in."""
    row = views.row(two, "resnet9-standard")
    assert row.targets == views.models_of(two) == ("resnet9-l2", "resnet9-standard")
    _, x, y = views.drawn(two, 16)
    ready = {name: views.load(name) for name in row.targets}
    whole = transfer_matrix({"s": ready["resnet9-standard"]}, ready, x, y, L2(1.0), Attack(2))
    assert [cell.as_json() for cell in row.cells.values()] == [cell.as_json() for cell in whole.cells.values()]
    assert float(row.norm.max()) <= 1.0 + 1e-4


def test_an_ensemble_is_a_source_of_its_own(two, gallery_only):
    """Named by its members; it fools what it attacked."""
    recipe = replace(two, ensemble=True, goal="targeted", eps="2")
    name = views.sources_of(recipe)[-1]
    assert name == "resnet9-l2+resnet9-standard"
    assert views.row(recipe, name).cell(name, "resnet9-standard").noise_targeted is not None


def test_a_stopped_curve_keeps_its_complete_radii(two, gallery_only):
    """Two steps a radius: stopped in the third one."""
    count = []

    def on_step(i, state):
        count.append(i)
        return i >= 4

    assert list(views.curve(two, on_step=on_step)) == ["0.1", "0.25"]
    assert sorted(set(count)) == [0, 1, 2, 3, 4]


def test_examples_are_right_for_both_before_the_attack(two, gallery_only):
    """Only then does it mean anything that one is fooled."""
    found = views.examples(replace(two, goal="targeted"))
    for name in (two.source, two.target):
        assert torch.equal(views.load(name)(found.x).argmax(1), found.y)
    assert not (found.wanted == found.y).any()
    torch.testing.assert_close(L2(1.0).norm(found.x_noisy - found.x), found.norm, rtol=0.02, atol=0)
    assert 1 <= len(found.ids) == len(found.x) <= views.EXAMPLES


class Always(nn.Module):
    """Says the same class of everything."""

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, x):
        return nn.functional.one_hot(torch.full((len(x),), self.k), 10).float()


def test_examples_are_pictures_that_the_target_gets_right(two, gallery_only):
    """Of a target that knows only frogs, frogs; of two that never agree, one sentence."""
    found = views.examples(two, loaded={two.target: Always(6)})
    assert set(found.y.tolist()) == {6}
    with pytest.raises(ValueError, match="none of 24 pictures is right for both models"):
        views.examples(two, loaded={two.source: Always(5), two.target: Always(6)})


def test_an_unknown_radius_is_the_norms_default():
    """As in an old address."""
    assert TransferRecipe(eps="77").radius == ("0.5", 0.5)
    assert TransferRecipe(norm="Linf", eps="0.5").radius == ("8/255", 8 / 255)


def test_the_live_script_runs_without_cifar10(two, monkeypatch, tmp_path):
    """In a process of its own, as whoever copies it would."""
    text = views.script(replace(two, steps=1, n=8))
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "resnet9-standard -> resnet9-l2" in done.stdout and "n = " in done.stdout


@pytest.mark.parametrize("view", ["matrix", "curve", "similarity", "figure3"])
def test_the_scripts_of_measured_views_print_what_the_page_shows(view, two, capsys):
    """The rate of the pair, as it is in the file."""
    recipe = replace(two, view=view, numbers="measured", eps="0.5", source="resnet9-l2", target="resnet9-standard")
    if view != "figure3" and not RESULTS.is_file():
        pytest.skip("nothing is measured; python -m core.transfer measure")
    exec(views.script(recipe), {})  # noqa: S102
    said = capsys.readouterr().out
    if view == "figure3":
        assert "VGG-16: accuracy 0.2794, transfer 0.6567" in said and "r = " in said
    else:
        cell = Measured.read().cells["L2 0.5 untargeted"][recipe.source, recipe.target]
        assert f"resnet9-l2 -> resnet9-standard{', L2 0.5 untargeted' if view == 'curve' else ''}: " in said
        assert str(cell.fooled) in said


def test_the_script_of_a_live_curve_computes_it(two, gallery_only, capsys):
    """Every radius of the norm."""
    exec(views.script(replace(two, view="curve", steps=1, n=8)), {})  # noqa: S102
    assert [line.partition(": ")[0].split()[-1] for line in capsys.readouterr().out.splitlines()] == list(RADII["L2"])


# What ships


def test_the_papers_points_correlate_as_drawn():
    """Figure 3: five points, r as computed from the table in the paper's figure."""
    assert [p.name for p in PAPER] == ["VGG-16", "Inception-v3", "ResNet-18", "DenseNet", "ResNet-50"]
    assert correlation([p.accuracy for p in PAPER], [p.transfer for p in PAPER]).value == pytest.approx(
        0.980, abs=0.001
    )


def test_our_points_of_figure_3_carry_their_intervals(tmp_path):
    """Students as the experiment writes them, beside the measured matrix; a damaged file is one sentence."""
    path = tmp_path / "figure3.json"
    student = {"clean": Rate(300, 1000).as_json(), "n_train": 50, "recipe": {"epochs": 3}, "date": "2026-01-02"}
    student["stamps"] = {"resnet9-standard": "00"}
    path.write_text(json.dumps({"students": {"figure3-vgg": student, "figure3-densenet": student}}))
    rates = (Rate(700, 1000), Rate(800, 1100), Rate(1, 1000), Rate(2, 1100))
    measured = Measured(
        models={"vgg-standard": Model("VGG, standard training", "00", Rate(5, 6))},
        cells={"L2 0.5 untargeted": {("resnet9-standard", "vgg-standard"): Cell(*rates)}},
    )
    how, (ours,) = figure3(path, measured)  # nobody measured the DenseNet
    assert how == {"pictures": 50, "epochs": 3, "date": "2026-01-02", "stamps": {"resnet9-standard": "00"}}
    assert (ours.name, ours.accuracy_rate, ours.transfer_rate) == ("VGG", Rate(300, 1000), Rate(700, 1000))
    assert figure3(tmp_path / "none.json", measured) == ({}, ())
    path.write_text('{"students": [1]}')
    with pytest.raises(DataError, match=r"figure3.json is damaged"):
        figure3(path, measured)


@pytest.mark.skipif(not RESULTS.is_file(), reason="nothing is measured; python -m core.transfer measure")
def test_what_ships_was_measured_on_enough_pictures_and_is_consistent():
    """2,000 pictures for the main settings, all pairs, values that are hits / n.

    A standard model's row peaks at itself.
    """
    found = Measured.read()
    assert found.about["n"] >= 2000
    assert {"seed", "steps", "date", "how"} <= found.about.keys()
    raw = json.loads(RESULTS.read_text())["cells"]
    for setting in SETTINGS:
        cells = found.cells[setting.name]
        kept = found.complete(setting.name)  # a model that appeared later may still be on its way
        assert len(kept) >= 3
        for (source, target), cell in cells.items():
            assert cell.fooled_of_all.n == round(setting.part * found.about["n"])
            assert cell.fooled.n <= min(found.models[m].clean.hits for m in (source, target))
            assert (cell.targeted is not None) == (setting.goal == "targeted")
            for name, rate in raw[setting.name][f"{source} > {target}"].items():
                assert rate["value"] == pytest.approx(rate["hits"] / rate["n"], abs=1e-4)
                assert rate["interval"] == pytest.approx(cell.as_json()[name]["interval"], abs=1e-4)
        if setting.part == 1:
            for source in (name for name in kept if "adversarial" not in found.models[name].title):
                own = cells[source, source].fooled.value
                assert own >= max(cells[source, t].fooled.value for t in kept) - 0.05, (setting.name, source)


def test_wrong_shapes_are_refused():
    """By the type check of the tests, or by the sentence behind it."""
    with pytest.raises(REFUSED):
        craft(tiny(), torch.zeros(1, 8, 8), torch.zeros(1, dtype=torch.int64), L2(1.0), Attack(1))


def test_the_classes_of_the_zoo_are_cifars():
    """So that the matrix means something."""
    for name in checkpoints.names():
        assert checkpoints.header(name).classes == data.CIFAR10_CLASSES


def test_the_readme_quotes_the_matrix_and_the_correlation():
    measured = Measured.read(RESULTS)
    if measured is None:
        pytest.skip("nothing was measured")
    said = " ".join((ROOT / "README.md").read_text("utf-8").split())
    targets = {
        "fools another seed of it in": "resnet9-standard-2",
        "the VGG in": "vgg-standard",
        "the DenseNet in": "densenet-standard",
        "the MobileNet in": "mobilenet-standard",
        "the ConvMixer in": "convmixer-standard",
        "the robust ResNet-9 in": "resnet9-l2",
    }
    for words, target in targets.items():
        rate = measured.cells["L2 0.5 untargeted"]["resnet9-standard", target].fooled
        assert f"{words} {100 * rate.value:.1f} %" in said
    _, ours = figure3()
    r = correlation([p.accuracy for p in ours], [p.transfer for p in ours])
    assert f"r = {r.value:.2f} [{r.interval[0]:.2f}, {r.interval[1]:.2f}]" in said
