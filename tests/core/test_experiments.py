"""The experiments at their smallest: whole, resumable, and asserting nothing about science."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from core import train
from core.data.sets import CIFAR10_CLASSES, Pictures
from core.datasets import experiments
from core.datasets.experiments import PLANS, PROFILES, SCALES, Places, plan, run
from core.datasets.experiments.lessons import asked_about, only, unseen, without
from core.models import build, checkpoints
from core.models.normalization import adaptive_batch_norm
from core.train import zoo
from core.transfer.results import TARGETS
from tests.app_process import ROOT


def drawn(n: int, seed: int) -> Pictures:
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % 10
    images = generator.integers(0, 200, (n, 32, 32, 3)) + 5 * labels[:, None, None, None]
    return Pictures(images.astype(np.uint8), labels, CIFAR10_CLASSES, "drawn pictures")


@pytest.fixture(scope="module")
def originals() -> tuple[Pictures, Pictures]:
    return drawn(640, 0), drawn(40, 1)


@pytest.fixture
def places(tmp_path) -> Places:
    return Places(tmp_path / "runs", tmp_path / "checkpoints", tmp_path / "results")


@pytest.mark.parametrize("experiment", list(PLANS))
def test_every_experiment_runs_at_its_smallest(experiment, originals, places, checkpoint):
    checkpoint("resnet9-standard")
    checkpoint("resnet9-l2")
    path = run(experiment, "quick", places, originals=originals)
    found = json.loads(path.read_text())
    assert found["profile"] == "quick"
    assert list(found["students"]) == sorted(student.name for student in plan(experiment, "quick"))
    for student in found["students"].values():
        assert student["n_train"] > 0
        assert student["curve"][-1][0] == student["recipe"]["epochs"]
        for measured in ("clean", "L2 0.25", "L2 0.5"):
            low, high = student[measured]["interval"]
            assert 0 <= low <= student[measured]["value"] <= high <= 1
        assert student["L2 0.5"]["value"] <= student["L2 0.25"]["value"]
    assert not places.weights.exists(), "a student of the quick profile is worth no checkpoint"


def test_what_is_measured_already_is_not_trained_again(originals, places, checkpoint, monkeypatch):
    checkpoint("resnet9-standard")
    first = run("cats-vs-dogs", "quick", places, originals=originals).read_bytes()
    monkeypatch.setattr(train, "fit", None)
    assert run("cats-vs-dogs", "quick", places, originals=originals).read_bytes() == first


def test_new_weights_of_the_source_make_a_new_set_and_a_new_student(originals, places, checkpoint, monkeypatch):
    """A result is of the weights that made the set, not only of its recipe."""
    checkpoint("resnet9-standard")
    first = json.loads(run("table1", "quick", places, names=["student-det"], originals=originals).read_text())
    load = checkpoints.load

    def others(name: str, *args, **kwargs):
        model = load(name, *args, **kwargs)
        with torch.no_grad():
            model.head.bias += 1e-3 * torch.arange(10)
        return model

    monkeypatch.setattr(checkpoints, "load", others)
    monkeypatch.setattr(checkpoints, "stamp", lambda name: "f" * 12)
    second = json.loads(run("table1", "quick", places, names=["student-det"], originals=originals).read_text())
    assert len(list((places.work / "sets").glob("*.npz"))) == len(list((places.work / "students").iterdir())) == 2
    assert first["students"]["student-det"]["identity"] != second["students"]["student-det"]["identity"]


@pytest.mark.parametrize("experiment", list(PLANS))
@pytest.mark.parametrize("profile", PROFILES)
def test_every_plan_is_a_plan(experiment, profile):
    students = plan(experiment, profile)
    names = [student.name for student in students]
    assert len(set(names)) == len(names) > 0


def test_the_settings_of_table_3():
    rand, det = plan("table1", "full")[:2]
    assert (rand.train.lr, rand.train.augment, rand.train.args["whiten"]) == (0.01, True, 0)
    assert (det.train.lr, det.train.augment) == (0.1, False)
    assert (rand.made.eps, rand.made.steps, rand.made.step_size) == (0.5, 100, 0.1)
    robust = plan("figure2", "full")[0]
    assert (robust.made.kind, robust.made.steps, robust.made.step_size) == ("robust", 1000, 0.1)
    assert (robust.train.lr, robust.train.momentum, robust.train.weight_decay) == (0.1, 0.9, 5e-4)


@pytest.mark.parametrize(("experiment", "profile"), [("figure9", "cpu"), ("table1", "slow")])
def test_what_there_is_not_is_one_sentence(experiment, profile):
    with pytest.raises(ValueError, match=f"no .* '{experiment if experiment == 'figure9' else profile}'; have"):
        plan(experiment, profile)


def test_a_student_of_two_experiments_is_trained_once(originals, places, checkpoint, monkeypatch):
    checkpoint("resnet9-standard")
    run("table1", "quick", places, originals=originals)
    fit, trained = train.fit, []
    monkeypatch.setattr(
        train, "fit", lambda recipe, *args, **kwargs: trained.append(recipe.arch) or fit(recipe, *args, **kwargs)
    )
    found = json.loads(run("figure3", "quick", places, originals=originals).read_text())
    assert trained == ["vgg"]
    assert list(found["students"]) == ["figure3-vgg", "student-det"]
    table = json.loads((places.results / "table1.json").read_text())
    assert found["students"]["student-det"] == table["students"]["student-det"]


def test_figure_3_has_the_networks_of_the_zoo():
    """What learns from D_det is built like what is fooled, and the page knows whom to compare with whom."""
    entries = zoo.declared()
    for student in plan("figure3", "cpu"):
        target = entries[TARGETS[student.name]]
        args = {key: value for key, value in student.train.args.items() if key != "whiten"}
        assert (student.train.arch, args) == (target.arch, target.args)
    assert {student.name for student in plan("figure3", "cpu")} == set(TARGETS)


def test_kept_weights_say_what_was_measured_of_them(originals, places, checkpoint, monkeypatch):
    """Also those that were measured before: a header that lacks it is mended by running again."""
    checkpoint("resnet9-standard")
    tiny = replace(experiments.SCALES["quick"], tested=16)
    monkeypatch.setitem(SCALES, "cpu", tiny)
    path = run("table1", "cpu", places, originals=originals)
    students = json.loads(path.read_text())["students"]
    assert sorted(checkpoints.names(places.weights)) == ["student-det", "student-rand"]
    assert checkpoints.names(places.weights, students=False) == ()
    weights = checkpoints.path_of("student-det", places.weights)
    about = checkpoints.header("student-det", places.weights)
    assert about.measured == {name: students["student-det"][name] for name in ("clean", "L2 0.25", "L2 0.5")}
    checkpoints.annotate(weights, replace(about, measured={}))
    run("table1", "cpu", places, originals=originals)
    assert checkpoints.header("student-det", places.weights) == about


def test_the_source_of_two_classes_is_asked_about_these_alone(checkpoint):
    model = checkpoint("resnet9-standard")
    asked = asked_about(model, [5, 3])
    x = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(asked(x), model(x)[:, [5, 3]], atol=1e-5)
    assert model.head.out_features == 10


def test_two_classes_are_counted_anew():
    pair = only(drawn(100, 0), ("dog", "cat"))
    assert pair.classes == ("cat", "dog")
    assert np.array_equal(np.unique(drawn(100, 0).labels[np.isin(drawn(100, 0).labels, [3, 5])]), [3, 5])
    wanted = drawn(100, 0)
    rows = np.isin(wanted.labels, [3, 5])
    assert np.array_equal(pair.images, wanted.images[rows])
    assert np.array_equal(pair.labels, (wanted.labels[rows] == 5).astype(int))


def test_who_never_saw_a_cat_or_a_dog_is_shown_none():
    """Each picture carries its original class in its brightness: none of the lessons is a cat's or a dog's."""
    originals = drawn(200, 0)
    drawn_labels = np.random.default_rng(2).integers(0, 10, 200)
    made = Pictures(originals.images, drawn_labels, originals.classes, "made")
    lessons = unseen(made, originals.labels, ("cat", "dog"))
    rows = [i for i in range(200) if originals.labels[i] not in (3, 5) and drawn_labels[i] in (3, 5)]
    assert np.array_equal(lessons.images, originals.images[rows])
    assert np.array_equal(lessons.labels, drawn_labels[rows] == 5)
    assert lessons.classes == ("cat", "dog")
    rest = without(originals, ("cat", "dog"))
    assert np.array_equal(rest.images, originals.images[~np.isin(originals.labels, [3, 5])])
    assert not np.isin(rest.labels, [3, 5]).any()


def test_students_by_name(originals, places, checkpoint):
    checkpoint("resnet9-standard")
    path = run("cats-vs-dogs", "quick", places, names=["student-unseen"], originals=originals)
    assert list(json.loads(path.read_text())["students"]) == ["student-unseen"]
    run("cats-vs-dogs", "quick", places, names=["student-cats-vs-dogs"], originals=originals)
    assert list(json.loads(path.read_text())["students"]) == ["student-cats-vs-dogs", "student-unseen"]
    with pytest.raises(ValueError, match="cats-vs-dogs has no student control-leak; it has student-cats-vs-dogs"):
        run("cats-vs-dogs", "quick", places, names=["control-leak"], originals=originals)


@pytest.mark.parametrize(("experiment", "name"), [("table1", "student-det"), ("cats-vs-dogs", "student-unseen")])
def test_adaptive_batch_norm_is_measured_beside(experiment, name, originals, places, checkpoint, monkeypatch):
    """Of a model whose batch norms are still there, with original pictures.

    Who never saw a cat or a dog is shown none.
    """
    checkpoint("resnet9-standard")
    shown = []

    def spy(model: torch.nn.Module, x: torch.Tensor) -> torch.nn.Module:
        norms = sum(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())
        shown.append((norms, x.cpu()))
        return adaptive_batch_norm(model, x)

    monkeypatch.setattr(sys.modules["core.datasets.experiments.run"], "adaptive_batch_norm", spy)
    found = json.loads(run(experiment, "quick", places, names=[name], originals=originals).read_text())
    student = found["students"][name]
    assert student["clean renewed"]["n"] == student["clean"]["n"] > 0
    ((norms, x),) = shown
    plain = build("resnet9", width=8)
    assert norms == sum(isinstance(module, torch.nn.BatchNorm2d) for module in plain.modules())
    unseen_pair = name == "student-unseen"
    assert torch.equal(x, (without(originals[0], ("cat", "dog")) if unseen_pair else originals[0]).x())


def test_a_student_that_was_killed_keeps_its_learning_curve(originals, places, checkpoint, monkeypatch):
    checkpoint("resnet9-standard")
    fit = train.fit

    def dies(*args, **kwargs):
        fit(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(train, "fit", dies)
    with pytest.raises(KeyboardInterrupt):
        run("cats-vs-dogs", "quick", places, originals=originals)
    monkeypatch.setattr(train, "fit", fit)
    found = json.loads(run("cats-vs-dogs", "quick", places, originals=originals).read_text())
    assert [point[0] for point in found["students"]["student-cats-vs-dogs"]["curve"]] == [1]
    assert experiments.SCALES["quick"].pair_epochs == 1


def test_the_readme_quotes_what_was_measured():
    """Every row of its table that names a student has that student's figures with their intervals, and each of them."""
    text = (ROOT / "README.md").read_text("utf-8")
    quoted = {row.split("`")[1]: row for row in text.splitlines() if row.startswith(("| `student-", "| `control-"))}
    found = {
        name: student
        for path in (ROOT / "assets" / "results").glob("*.json")
        for name, student in json.loads(path.read_text()).get("students", {}).items()
        if name.startswith(("student-", "control-"))
    }
    assert set(quoted) == set(found)
    for name, row in quoted.items():
        cells = [cell.strip() for cell in row.split("|")]
        assert cells[3] == f"{found[name]['n_train']:,}", name
        measured = [found[name][what] for what in ("clean", "clean renewed", "L2 0.25", "L2 0.5")]
        assert cells[4:8] == [
            f"{100 * rate['value']:.1f} % [{', '.join(f'{100 * bound:.1f}' for bound in rate['interval'])}]"
            for rate in measured
        ], name
    said = " ".join(text.split())
    assert f"that class of {100 * found['student-det']['label + 1']['value']:.1f} % of the pictures" in said
    pair, unseen_pair = (found[name] for name in ("student-cats-vs-dogs", "student-unseen"))
    whole = [
        f"{100 * rate['value']:.0f} %" for rate in (pair["clean"], pair["clean renewed"], unseen_pair["clean renewed"])
    ]
    assert f"With whitening it is at {whole[0]}, with AdaBN at {whole[1]}." in said
    assert f"it tells real cats from real dogs in {whole[2]}." in said
