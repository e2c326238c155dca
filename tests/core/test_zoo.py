"""The declared models: every entry is one that can be built, and the results say of whom they are."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from core.models import ARCHITECTURES, build, checkpoints
from core.train import InnerAttack, TrainRecipe, fetch, zoo
from core.train.evaluate import Rate, ball_name
from core.train.zoo import RESULTS, chosen, declared, record
from tests.app_process import ROOT

ENTRIES = declared()
GOOD = """
[one]
title = "One"
arch = "resnet9"
args = { width = 4 }
seed = 1
cpu = { epochs = 2, lr = 0.1 }
full = { epochs = 3, inner = { norm = "L2", eps = 0.5, steps = 7, step_size = 0.1 } }
"""


@pytest.fixture
def declaring(tmp_path):
    """A function from the text of a zoo.toml to what is declared there."""

    def read(text: str) -> dict[str, zoo.Entry]:
        path = tmp_path / "zoo.toml"
        path.write_text(text, encoding="utf-8")
        return declared(path)

    return read


@pytest.fixture
def results(tmp_path, monkeypatch):
    path = tmp_path / "results" / "zoo.json"
    monkeypatch.setattr(zoo, "RESULTS", path)
    return path


# What is declared


def ordinary(name: str) -> bool:
    """Tell from its name whether a model is trained without an adversary: the dial's left end is."""
    return "standard" in name or name == "dial/l2-0"


@pytest.mark.parametrize(
    ("name", "profile"), [(name, one) for name, entry in ENTRIES.items() for one in entry.profiles]
)
def test_every_entry_has_a_recipe_for_each_profile(name, profile):
    entry = ENTRIES[name]
    assert "full" in entry.profiles
    recipe = entry.recipe(profile)
    assert isinstance(recipe, TrainRecipe)
    assert (recipe.arch, recipe.args, recipe.seed) == (entry.arch, entry.args, entry.seed)
    assert recipe.epochs > 0
    assert (recipe.inner is None) == ordinary(name)
    with torch.device("meta"):
        build(entry.arch, **entry.args)


@pytest.mark.parametrize("name", [name for name in ENTRIES if not ordinary(name)])
def test_robust_models_are_trained_in_the_ball_that_their_name_says(name):
    """The inner steps together reach the boundary."""
    for profile in ENTRIES[name].profiles:
        inner = ENTRIES[name].recipe(profile).inner
        assert isinstance(inner, InnerAttack)
        assert inner.norm.lower() in name
        if name.startswith("dial/"):
            assert name == f"dial/{inner.norm.lower()}-{inner.eps:g}"
        assert inner.steps * inner.step_size >= inner.eps


def test_the_models_that_the_pages_open_with_are_declared():
    from core.perturb.recipe import PerturbRecipe

    assert {PerturbRecipe().standard, PerturbRecipe().robust} <= ENTRIES.keys()


def test_no_two_models_share_a_seed_or_a_title_and_the_dial_has_one_seed():
    dial = {entry.seed for entry in ENTRIES.values() if entry.name.startswith("dial/")}
    others = [entry.seed for entry in ENTRIES.values() if not entry.name.startswith("dial/")]
    assert len(dial) == 1
    assert len({*others}) == len(others)
    assert not dial & {*others}
    assert len({entry.title for entry in ENTRIES.values()}) == len(ENTRIES)


def test_a_declaration_becomes_an_entry(declaring):
    (entry,) = declaring(GOOD).values()
    assert (entry.name, entry.title, entry.arch, entry.args, entry.seed) == ("one", "One", "resnet9", {"width": 4}, 1)
    assert entry.recipe("cpu") == TrainRecipe(arch="resnet9", args={"width": 4}, seed=1, epochs=2, lr=0.1)
    assert entry.recipe("full").inner == InnerAttack(norm="L2", eps=0.5, steps=7, step_size=0.1)


def test_an_unknown_architecture_is_refused_with_the_names_there_are(declaring):
    with pytest.raises(ValueError, match=r"zoo\.toml, one: arch must be one of .*resnet9"):
        declaring(GOOD.replace('"resnet9"', '"resnet99"'))


@pytest.mark.parametrize("profile", ["gpu", ""])
def test_an_unknown_profile_is_refused_with_those_there_are(declaring, profile):
    with pytest.raises(ValueError, match=r"one has no profile .*; it has cpu, full"):
        declaring(GOOD)["one"].recipe(profile)


@pytest.mark.parametrize(
    "change",
    [
        ("epochs = 2", "epoch = 2"),
        ("lr = 0.1 }", "lr = 0.1, inner = { norm = 'L2', eps = 0.5, steps = 1, step_size = 0.5, radius = 1 } }"),
    ],
    ids=["recipe", "inner attack"],
)
def test_an_unknown_field_is_refused_with_model_and_profile(declaring, change):
    with pytest.raises(ValueError, match=r"zoo\.toml, one, cpu: .*(epoch|radius)"):
        declaring(GOOD.replace(*change))["one"].recipe("cpu")


@pytest.mark.parametrize("field", ["title", "seed"])
def test_a_lacking_field_is_refused_with_a_sentence(declaring, field):
    lines = [line for line in GOOD.splitlines() if not line.startswith(field)]
    with pytest.raises(ValueError, match=rf"zoo\.toml, one: .*{field}"):
        declaring("\n".join(lines))


def test_models_are_chosen_by_name_in_that_order_or_all():
    names = list(ENTRIES)
    assert [entry.name for entry in chosen([], "full")] == names
    assert [entry.name for entry in chosen([names[2], names[0]], "full")] == [names[2], names[0]]
    with pytest.raises(ValueError, match=rf"does not declare nobody; it has {names[0]}"):
        chosen([names[0], "nobody"], "cpu")


def test_what_only_a_gpu_trains_is_left_out_on_a_cpu_unless_it_is_named():
    alone = [name for name, entry in ENTRIES.items() if "cpu" not in entry.profiles]
    assert alone
    assert {entry.name for entry in chosen([], "cpu")} == ENTRIES.keys() - set(alone)
    with pytest.raises(ValueError, match=f"{alone[0]} has no profile 'cpu'; it has full"):
        chosen([alone[0]], "cpu")[0].recipe("cpu")


# Results


def test_a_record_leaves_the_others_as_they_are(results):
    record("a", {"title": "A"})
    record("b", {"title": "B"})
    record("a", {"title": "new"})
    assert json.loads(results.read_text()) == {"a": {"title": "new"}, "b": {"title": "B"}}
    assert [path.name for path in results.parent.iterdir()] == ["zoo.json"]


def test_a_record_that_cannot_be_written_leaves_the_old_one(results):
    record("a", {"title": "A"})
    with pytest.raises(TypeError):
        record("b", {"title": object()})
    assert json.loads(results.read_text()) == {"a": {"title": "A"}}


def test_a_rate_is_recorded_with_its_counts_and_interval():
    assert Rate(5, 10).as_json() == {
        "value": 0.5,
        "interval": pytest.approx([0.236593, 0.763407], abs=1e-6),
        "hits": 5,
        "n": 10,
    }


def test_a_network_of_another_world_is_not_asked_about_cifar10():
    with pytest.raises(ValueError, match=r"of the world 'planted'.*core\.train\.evaluate"):
        zoo.measure("planted-seed-standard", 10)


def test_a_measurement_goes_into_header_and_results(results, tmp_path, monkeypatch):
    """Both say the same, weights stay as they were, clean accuracy is of all pictures and the rest of the first n."""
    from tests.helpers import noise_pictures, tiny

    path = tmp_path / "tiny.safetensors"
    about = checkpoints.Header("resnet9", {"width": 4, "classes": 4}, "Tiny", tuple("abcd"))
    model = tiny(classes=4)
    checkpoints.save(path, model.state_dict(), about)
    before = checkpoints.read(path)[0].state_dict()
    monkeypatch.setattr(checkpoints, "path_of", lambda name, folder=None: path)
    monkeypatch.setattr(checkpoints, "load", lambda name: checkpoints.read(path)[0])
    monkeypatch.setattr(checkpoints, "header", lambda name: checkpoints.read(path)[1])
    monkeypatch.setattr(zoo.data, "cifar10", lambda split: noise_pictures(30))
    monkeypatch.setattr(zoo, "MEASURED_STEPS", 2)
    monkeypatch.setenv("ROBUST_FROG_DEVICE", "cpu")
    measured = zoo.measure("tiny", 10, precision="fp32")
    assert measured["clean"]["n"] == 30
    for ball in zoo.MEASURED_BALLS:
        entry = measured[ball_name(ball)]
        assert entry["n"] == 10
        assert entry["doubts"] == []
    kept, now = checkpoints.read(path)
    assert now == replace(about, measured=json.loads(json.dumps(measured)))
    assert json.loads(results.read_text())["tiny"]["measured"] == now.measured
    assert all((value == before[key]).all() for key, value in kept.state_dict().items())


# What is shipped


def shipped() -> dict[str, dict]:
    """The results of the models whose weights are here."""
    if not RESULTS.is_file():
        pytest.skip("nothing has been measured yet; python -m core.train.zoo measure does")
    return {name: entry for name, entry in json.loads(RESULTS.read_text()).items() if name in checkpoints.names()}


def test_results_and_headers_say_the_same():
    for name, entry in shipped().items():
        about = checkpoints.header(name)
        assert entry["measured"] == about.measured, name
        assert entry["recipe"] == about.recipe, name
        assert entry["title"] == about.title == ENTRIES[name].title, name


def test_shipped_weights_are_of_the_declared_architecture_and_seed():
    for name in set(checkpoints.names()) & ENTRIES.keys():
        about = checkpoints.header(name)
        assert (about.arch, about.args) == (ENTRIES[name].arch, ENTRIES[name].args)
        if "profile" not in about.recipe:
            continue  # not yet what `core.train.zoo build` made
        assert about.recipe["seed"] == ENTRIES[name].seed


def test_results_count_right_and_robust_accuracy_falls_with_the_radius():
    for name, entry in shipped().items():
        measured = entry["measured"]
        for what, rate in measured.items():
            if what == "how":
                continue
            assert rate["value"] == pytest.approx(rate["hits"] / rate["n"]), (name, what)
            assert rate["interval"] == pytest.approx(list(Rate(rate["hits"], rate["n"]).interval))
            assert not rate.get("doubts"), (name, what, rate["doubts"])
        values = [measured[what]["value"] for what in ("L2 0.25", "L2 0.5", "L2 1")]
        assert values == sorted(values, reverse=True), name


def test_the_readme_quotes_measured_figures():
    """Every row of its table that names a model has that model's figures, rounded to one decimal."""
    readme = (ROOT / "README.md") if (ROOT / "README.md").is_file() else None
    if readme is None:
        pytest.skip("there is no README.md yet")
    found = shipped()
    rows = [line for line in readme.read_text("utf-8").splitlines() if line.startswith("|")]
    for name, entry in found.items():
        for row in rows:
            if f"`{name}`" not in row:
                continue
            measured = {f"{100 * rate['value']:.1f}" for what, rate in entry["measured"].items() if what != "how"}
            told = re.sub(r"\S+ × 10\S+|L\w+ \S+:", "", row.partition(f"`{name}`")[2])  # without operations and radii
            quoted = set(re.findall(r"\b\d{1,2}\.\d\b", told))
            assert quoted <= measured, f"{name}: {sorted(quoted - measured)} in the README, measured {sorted(measured)}"


def test_all_weights_together_stay_below_48_mb():
    assert sum(path.stat().st_size for path in checkpoints.FOLDER.glob("*")) < 48_000_000


def test_weights_are_fp16():
    """Half the download, and what is measured is what is shipped."""
    from safetensors import safe_open

    for name in checkpoints.names():
        with safe_open(checkpoints.path_of(name), framework="pt") as file:
            kinds = {str(file.get_tensor(key).dtype) for key in file.keys()}  # noqa: SIM118 - not a mapping
        assert kinds <= {"torch.float16", "torch.int64"}, name


# The command


def test_the_command_lists_what_is_declared_and_what_is_here(monkeypatch, capsys):
    monkeypatch.setattr(zoo.compute, "setup_cpu", lambda: 1)
    zoo.main(["list"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [*ENTRIES, *fetch.sources()]
    for line in lines[: len(ENTRIES)]:
        name = line.split()[0]
        missing = "missing" if "cpu" in ENTRIES[name].profiles else "for a GPU"
        assert line.removeprefix(name).strip().startswith("here" if checkpoints.path_of(name).is_file() else missing)


def test_the_command_ends_with_one_sentence():
    done = subprocess.run(
        [sys.executable, "-m", "core.train.zoo", "build", "nobody"],
        cwd=ROOT,
        env={**os.environ, "ROBUST_FROG_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("zoo.toml does not declare nobody; it has")
    assert done.stderr.count("\n") == 1


def test_what_is_not_there_is_not_measured(monkeypatch):
    monkeypatch.setattr(zoo.compute, "setup_cpu", lambda: 1)
    with pytest.raises(SystemExit) as ended:
        zoo.main(["measure", "nobody"])
    assert str(ended.value.code).startswith("no model 'nobody' in checkpoints/")
    assert "\n" not in str(ended.value.code)


def test_what_is_here_is_not_trained_again(tmp_path, monkeypatch):
    path = tmp_path / "one.safetensors"
    path.touch()
    monkeypatch.setattr(checkpoints, "path_of", lambda name, folder=None: path)
    monkeypatch.setattr(zoo, "fit", lambda *args, **more: pytest.fail("it trains"))
    assert zoo.build(ENTRIES["resnet9-standard"], "cpu") == path


def test_architectures_of_the_zoo_are_known():
    assert {entry.arch for entry in ENTRIES.values()} <= ARCHITECTURES.keys()


# The table, and what a training took


def test_the_table_says_what_headers_say_and_leaves_empty_columns_out(tmp_path, monkeypatch):
    from core.train import board
    from tests.helpers import tiny

    rate = Rate(50, 100).as_json()
    told = {"clean": Rate(9, 10).as_json(), "L2 0.5": rate}
    monkeypatch.setattr(checkpoints, "path_of", lambda name, *_: tmp_path / f"{name}.safetensors")
    about = checkpoints.Header("resnet9", {"width": 4}, "T", recipe={"epochs": 2, "inner": None}, measured=told)
    checkpoints.save(tmp_path / "a.safetensors", tiny().state_dict(), about)
    spent = {**about.recipe, "minutes": 12.3, "machine": "abacus, 2 cores"}
    strong = {**told, "AutoAttack L2 0.5": Rate(20, 50).as_json()}
    checkpoints.save(tmp_path / "b.safetensors", tiny().state_dict(), replace(about, measured=strong, recipe=spent))
    head, _, one = board.table(["a"]).splitlines()[1:-1]
    assert "AutoAttack" not in head and "training" not in head and "PGD, L2 1" not in head
    assert one.startswith("| `a` | 90.0 % | 50.0 % | ")
    head, _, one, two = board.table(["a", "b"]).splitlines()[1:-1]
    assert "AutoAttack | training | operations" in head
    assert "| L2 0.5: 40.0 % (n = 50) | 12 min on abacus, 2 cores | " in two and "|  |  | " in one


def test_minutes_are_counted_while_a_network_trains_and_go_on_after_a_stop(tmp_path, monkeypatch):
    from core.train import fit, state
    from tests.helpers import noise_pictures

    clock = iter(range(0, 10_000, 60))
    monkeypatch.setattr(state.time, "monotonic", lambda: float(next(clock)))
    recipe = TrainRecipe(args={"width": 4, "classes": 4}, epochs=3, batch_size=16, lr=0.01, precision="fp32")
    fit(recipe, noise_pictures(32), run=tmp_path, on_progress=lambda p: p.epoch == 2)
    before = state.spent(tmp_path)["minutes"]
    fit(recipe, noise_pictures(32), run=tmp_path)
    after = state.spent(tmp_path)
    assert 0 < before < after["minutes"] and after["machine"]
    assert state.spent(tmp_path / "none") == {}


def test_minutes_that_were_not_counted_are_timed_from_some_steps(tmp_path, monkeypatch):
    from core.train import board, cost
    from tests.helpers import noise_pictures, tiny

    entry = zoo.Entry("a", "A", "resnet9", {"width": 4}, 1, {"cpu": {"epochs": 3, "batch_size": 10}})
    monkeypatch.setattr(zoo, "declared", lambda: {"a": entry})
    monkeypatch.setattr(checkpoints, "path_of", lambda name, *_: tmp_path / f"{name}.safetensors")
    monkeypatch.setattr(board.data, "cifar10", lambda _: noise_pictures(105))
    monkeypatch.setattr(board.timing, "step_seconds", lambda *_: [2.0])
    about = checkpoints.Header("resnet9", {"width": 4}, "A", recipe={"epochs": 3, "profile": "cpu"})
    checkpoints.save(tmp_path / "a.safetensors", tiny().state_dict(), about)
    stamp = checkpoints.stamp("a", tmp_path)
    assert board.clock("a") == 1.0  # 3 epochs of 10 steps of 2 s
    made = checkpoints.header("a", tmp_path)
    assert cost.minutes(made).startswith("1 min on ") and cost.minutes(made).endswith("from the time of some steps")
    assert checkpoints.stamp("a", tmp_path) == stamp
    counted = {"epochs": 3, "profile": "cpu", "minutes": 7.0, "machine": "abacus"}
    checkpoints.save(tmp_path / "a.safetensors", tiny().state_dict(), replace(about, recipe=counted))
    assert board.clock("a") == 7.0, "what was counted is not timed"
