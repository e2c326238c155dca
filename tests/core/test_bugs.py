"""Bugs: the objective and its closed form, whom it spares, the squares, and what is measured."""

import json
import math
import runpy
from pathlib import Path

import pytest
import torch
from torch import nn

from core.attacks import pgd
from core.attacks.balls import L2, Linf
from core.attacks.objectives import cross_entropy, targeted
from core.bugs import bug, craft, ensemble, measure, results, squares, students, views
from core.bugs.craft import SETTINGS, Setting, kept
from core.bugs.recipe import BugsRecipe
from core.bugs.squares import Brightness, draw, learn, standing
from core.data import pictures
from core.data.sets import DataError
from core.models import checkpoints, ready
from core.rates import Rate
from core.recipes import from_query, to_query
from core.results import stale
from core.train import TrainRecipe, zoo
from tests.helpers import Plane, draws, grey, images, noise_pictures, run_alone, tiny, trained


def orthogonal() -> tuple[torch.Tensor, torch.Tensor]:
    """Two unit vectors (3, 8, 8), orthogonal to each other and to constant pictures."""
    w, v = torch.zeros(2, 3, 8, 8, dtype=torch.float64)
    w[:, ::2], w[:, 1::2] = 1, -1
    v[:, :, ::2], v[:, :, 1::2] = 1, -1
    return w / w.norm(), v / v.norm()


# The objective


def test_with_an_empty_ensemble_the_steps_are_those_of_the_targeted_attack():
    """CE is a monotone function of the log-odds, so every normalised step is the same."""
    model, x = tiny().double(), images(6, size=16, dtype=torch.float64)
    y, t = torch.arange(6), torch.arange(6) + 1
    for ball in (L2(0.5), Linf(8 / 255)):
        steps = {"steps": 5, "step_size": ball.eps / 4}
        torch.testing.assert_close(
            pgd(bug(model, [], y, t), x, ball, **steps), pgd(targeted(model, t), x, ball, **steps)
        )


def test_it_is_the_sum_that_the_discussion_writes():
    """L(f, x, t) + mean_i L(f_i, x, y), per picture."""
    f, others, x = tiny(), [tiny(seed=3), tiny(seed=7)], images(5, size=16)
    y, t = torch.arange(5), torch.arange(5) + 2
    wanted = cross_entropy(f(x), t) + (cross_entropy(others[0](x), y) + cross_entropy(others[1](x), y)) / 2
    torch.testing.assert_close(bug(f, others, y, t)(x), wanted)


def test_a_linear_pair_has_the_closed_form_bug():
    """Orthogonal w and v at a point where neither has an opinion.

    Delta = eps (v - w) / sqrt 2, y being class 0, t class 1.
    """
    w, v = orthogonal()
    x, eps = grey(2), 0.5
    y, t = torch.zeros(2, dtype=torch.int64), torch.ones(2, dtype=torch.int64)
    x_adv = pgd(bug(Plane(w), [Plane(v)], y, t), x, L2(eps), steps=200, step_size=0.01)
    torch.testing.assert_close(x_adv - x, (eps * (v - w) / math.sqrt(2)).expand(2, -1, -1, -1), atol=0.02, rtol=0)
    assert bool((Plane(w)(x_adv).argmax(1) == t).all())
    assert bool((Plane(v)(x_adv).argmax(1) == y).all())


def test_a_member_that_is_the_victim_forbids_everything():
    """Both terms pull equally and oppositely where they cancel: nothing is left to find for this ensemble."""
    w, _ = orthogonal()
    y, t = torch.zeros(1, dtype=torch.int64), torch.ones(1, dtype=torch.int64)
    x = grey(1)
    x_adv = pgd(bug(Plane(w), [Plane(w)], y, t), x, L2(0.5), steps=20, step_size=0.1)
    torch.testing.assert_close(Plane(w).score(x_adv), torch.zeros(1, dtype=torch.float64), atol=0.11, rtol=0)


def test_a_spared_network_says_the_truth_of_a_bug_and_is_fooled_by_a_feature():
    """The member shares the victim's data; only the objective decides whether it falls."""
    model, x, y = trained()
    right = model(x).argmax(1) == y
    x, y = x[right][:40], y[right][:40]
    other, t = _shifted(model), (y + 1) % 4
    setting = Setting("Linf", "16/255", 16 / 255, 4 / 255)
    feature, spared = (craft.craft(model, members, x, y, t, setting) for members in (None, [other]))
    fooled, kept_right = (float((other(one).argmax(1) == y).float().mean()) for one in (feature, spared))
    assert kept_right > fooled + 0.2
    assert float(setting.ball.norm(spared - x).max()) <= setting.eps + 1e-6


def _shifted(model: nn.Module) -> nn.Module:
    """A network much like the given one: it sees the picture moved by a pixel."""

    class Moved(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return model(x.roll(1, 3))

    return Moved()


# Who takes part


def test_nobody_judges_what_he_took_part_in():
    for victim in (ensemble.VICTIM, ensemble.WIDE):
        judges = ensemble.judges(victim)
        assert victim not in judges
        assert not set(judges) & {ensemble.VICTIM, *ensemble.MEMBERS}
    declared = zoo.declared()
    assert {ensemble.VICTIM, *ensemble.MEMBERS, *ensemble.JUDGES, ensemble.TWIN} <= declared.keys()
    assert len({declared[name].arch for name in ensemble.MEMBERS}) >= 3


def test_the_small_networks_are_small_and_offered_by_no_box():
    files = [checkpoints.path_of(name) for name in (ensemble.VICTIM, *ensemble.MEMBERS)]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 12_000_000
    assert not set(checkpoints.names()) & {ensemble.VICTIM, *ensemble.MEMBERS}


# What the page shows


@pytest.fixture
def small(monkeypatch):
    """Untrained networks in place of all weights."""
    monkeypatch.setattr(ready, "load", lambda name: tiny(seed=len(name)))
    return BugsRecipe(picture="photo/chelsea", steps=2, members=2)


def test_both_kinds_have_the_recipe_s_radii_and_stay_inside(small):
    for kind in views.KINDS:
        found = views.made(small, kind)
        assert found.positions == small.eps_values
        assert torch.equal(found.x_adv[0], found.x[0])
        assert bool((found.norm <= found.allowed + 1e-5).all())
        assert found.target == (found.y + 1) % 10
    with pytest.raises(ValueError, match="kind must be one of feature, bug"):
        views.made(small, "ghost")


def test_without_members_the_bug_is_the_feature(small):
    alone = BugsRecipe(picture=small.picture, steps=2, members=0, norm="Linf")
    feature, bugged = (views.made(alone, kind) for kind in views.KINDS)
    torch.testing.assert_close(feature.x_adv, bugged.x_adv, atol=1e-4, rtol=0)
    assert views.likeness(feature, bugged, len(alone.eps_values) - 1) == pytest.approx(1, abs=1e-3)


def test_a_target_must_be_another_class():
    assert views.target_of(BugsRecipe(), 9) == 0
    assert views.target_of(BugsRecipe(target="truck"), 3) == 9
    with pytest.raises(ValueError, match="is a frog already"):
        views.target_of(BugsRecipe(target="frog"), 6)
    with pytest.raises(ValueError, match="target must be next or one of"):
        views.target_of(BugsRecipe(target="unicorn"), 6)


def test_the_recipe_survives_the_address():
    recipe = BugsRecipe(view="squares", norm="Linf", victim=ensemble.WIDE, members=2, pixel_noise=0.3, rounds=3)
    assert from_query(BugsRecipe, to_query(recipe)) == (recipe, ())
    assert from_query(BugsRecipe, {"victim": "../secret"})[1] == ("victim",)


def script_of(view: str, checkpoint) -> str:
    for name in (ensemble.VICTIM, *ensemble.MEMBERS, *ensemble.JUDGES):
        checkpoint(name)
    return views.script(BugsRecipe(view=view, picture=pictures.ids("gallery")[0], steps=1, members=1, n=100, rounds=1))


def test_the_script_of_a_pair_runs_in_a_process_of_its_own(tmp_path, checkpoint):
    assert run_alone(script_of("pair", checkpoint), tmp_path)
    assert (tmp_path / "bug.png").is_file()


@pytest.mark.parametrize("view", ["measured", "squares"])
def test_the_scripts_of_the_other_views_run(view, tmp_path, checkpoint, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("view.py").write_text(script_of(view, checkpoint), encoding="utf-8")
    runpy.run_path("view.py", run_name="__main__")
    assert view == "measured" or capsys.readouterr().out
    assert not Path("bug.png").exists()


# The squares


def test_squares_are_what_nakkiran_draws():
    x, y, labels = draw(400, 0.1, 0.25, draws())
    z = 4 * (x - 0.5)
    assert float((z.mean((1, 2, 3)) - (2 * y - 1)).abs().max()) < 0.01
    assert 1.09 < float(z.abs().max()) <= 1.1 + 1e-5
    assert Rate(int((labels != y).sum()), 400).interval[0] < 0.25 < Rate(int((labels != y).sum()), 400).interval[1]


def test_the_sum_of_all_pixels_stands_until_nine_tenths():
    x, y, _ = draw(40, 0.1, 0.0, draws())
    at = standing(Brightness(), x, y, (0.0, 0.5, 0.9, 1.1))
    assert [rate.hits for rate in at] == [40, 40, 40, 0]


def test_what_knows_every_label_is_fooled_by_a_hundredth_and_what_stopped_early_is_not():
    """Both networks are right about new squares; only the labels learnt by heart tell them apart."""
    late, early = learn(BugsRecipe()), learn(BugsRecipe(rounds=1))
    small = late.eps.index(squares.SMALL)
    assert late.rounds[-1].trained.value > 0.99
    assert late.rounds[-1].tested.value > 0.95
    assert late.network[small].value < 0.2
    assert early.network[small].value == 1.0
    assert early.rounds[-1].trained.value < 0.97


@pytest.mark.parametrize("clean", ["pixel_noise", "label_noise"])
def test_both_noises_are_needed(clean):
    seen = learn(BugsRecipe(n=300, rounds=8, **{clean: 0.0}))
    assert seen.network[seen.eps.index(squares.SMALL)].value == 1.0


def test_what_falls_within_a_radius_falls_within_all_larger():
    seen = learn(BugsRecipe(n=200, rounds=6))
    for rates in (seen.network, seen.linear):
        hits = [rate.hits for rate in rates]
        assert hits == sorted(hits, reverse=True)


def test_learning_can_be_stopped():
    assert len(learn(BugsRecipe(n=100, rounds=20), lambda number, _: number == 2).rounds) == 3


# What is measured


def test_shards_that_are_there_are_not_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(craft, "SHARD", 3)
    x, y = images(7, size=16), torch.arange(7)
    arguments = (tiny(), [tiny(seed=2)], x, y, y + 1, SETTINGS[1])
    made = kept(tmp_path, *arguments)
    torch.testing.assert_close(made, craft.craft(*arguments), atol=1e-5, rtol=0)
    (tmp_path / "000003.npy").unlink()
    monkeypatch.setattr(craft, "craft", lambda *rest: torch.zeros_like(rest[2]))
    again = kept(tmp_path, *arguments)
    assert torch.equal(again[:3], made[:3])
    assert torch.equal(again[3:6], torch.zeros(3, 3, 16, 16))
    assert torch.equal(again[6:], made[6:])


def test_a_measurement_counts_what_the_networks_say(tmp_path, monkeypatch):
    monkeypatch.setattr(measure.ready, "load", lambda name: tiny(seed=len(name)))
    monkeypatch.setattr(measure.ensemble, "judges", lambda victim: ("judge", "another"))
    x, y = images(8, size=16), torch.arange(8)
    case = measure.Case(x, y, (y + 1) % 10, "victim", tmp_path)
    found = case.measured(SETTINGS[1], 2)
    (folder,) = tmp_path.iterdir()
    x_adv = torch.cat([torch.from_numpy(__import__("numpy").load(path)) for path in sorted(folder.iterdir())])
    said = tiny(seed=5)(x_adv).argmax(1)
    assert Rate.from_json(found["judges"]["judge"]["hit"]) == Rate(int((said == case.target).sum()), 8)
    assert Rate.from_json(found["ensemble"]).n == 16
    assert found["norm"] <= SETTINGS[1].eps + 1e-6


def test_a_student_is_asked_about_both_labels(tmp_path, monkeypatch):
    monkeypatch.setattr(students.ready, "load", lambda _: tiny(classes=4))
    monkeypatch.setattr(students.ensemble, "load", lambda _: [tiny(classes=4, seed=2)])
    train = TrainRecipe(args={"width": 4, "classes": 4}, epochs=1, batch_size=16, augment=False)
    lessons = students.Lessons(32, setting=SETTINGS[1], train=train)
    found = students.student("bug", lessons, noise_pictures(32), noise_pictures(24, seed=1), tmp_path)
    assert Rate.from_json(found["clean"]).n == Rate.from_json(found["next renewed"]).n == 24
    assert Rate.from_json(found["success"]).n == 32


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "bugs.json"
    assert results.read(path) == {}
    path.write_text('{"attacks": {"L2 2.5": {"bug": {}}}}')
    with pytest.raises(DataError, match=r"bugs\.json is damaged .*; measure again with: python -m core\.bugs measure"):
        results.read(path)


def test_writing_a_part_leaves_the_others(tmp_path):
    path = tmp_path / "bugs.json"
    measure.write(path, about={"n": 1})
    measure.write(path, wide={"n": 2})
    assert json.loads(path.read_text()) == {"about": {"n": 1}, "wide": {"n": 2}}


def test_shipped_numbers_are_of_the_shipped_weights():
    found = results.read()
    if not found:
        pytest.skip("nothing was measured yet: python -m core.bugs measure")
    assert stale(found) == ()
    for kinds in found.get("attacks", {}).values():
        assert {"feature", "bug"} >= kinds.keys()
        for one in kinds.values():
            assert len(one["judges"]) == len(ensemble.JUDGES)
