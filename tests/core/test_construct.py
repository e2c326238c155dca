"""Constructed sets: who gets which label, what moved by how much, and that no kill and no sharing changes a byte."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from core import data
from core.attacks.balls import L2
from core.data.sets import CIFAR10_CLASSES, DataError, Pictures
from core.datasets import construct
from core.datasets.construct import ConstructRecipe, build, draw, few, read, read_madry, write_folder
from core.datasets.construct.files import pack
from core.datasets.construct.make import planted
from core.models import Classifier
from tests.helpers import draws, tiny

ROUNDING = (3 * 32 * 32) ** 0.5 / 2 / 255  # the most that 8 bits can add to an L2 distance


def originals(n: int = 24, seed: int = 0) -> Pictures:
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
    return Pictures(images, generator.integers(0, 10, n), CIFAR10_CLASSES, "drawn pictures")


def recipe(kind: str = "det", **fields) -> ConstructRecipe:
    base = {"source": "tiny", "n": 24, "steps": 3, "precision": "fp32", "shard": 8}
    return ConstructRecipe(kind, **{**base, **fields})


@pytest.fixture(scope="module")
def model() -> Classifier:
    return tiny().requires_grad_(False)


# Labels


def test_det_takes_the_next_class_round_the_circle():
    y = torch.arange(10)
    assert draw(recipe("det"), y, 10).labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def test_rand_draws_all_classes_alike_the_own_one_included():
    y = torch.zeros(20_000, dtype=torch.int64)
    counts = draw(recipe("rand"), y, 10).labels.bincount(minlength=10)
    assert (counts - 2000).abs().max() < 4 * (20_000 * 0.1 * 0.9) ** 0.5


def test_other_never_draws_the_own_class_and_all_others_alike():
    y = torch.full((18_000,), 3)
    counts = draw(recipe("rand", labels="other"), y, 10).labels.bincount(minlength=10)
    assert counts[3] == 0
    assert (counts[counts > 0] - 2000).abs().max() < 4 * (18_000 / 9) ** 0.5


@pytest.mark.parametrize("kind", ["robust", "nonrobust"])
def test_inversions_keep_the_label_of_the_picture_that_is_wanted(kind):
    y = originals().y()
    assert torch.equal(draw(recipe(kind), y, 10).labels, y)


def test_an_inversion_starts_at_another_picture_drawn_without_regard_to_the_label():
    n = 5000
    y = torch.arange(n) % 10
    partners = draw(recipe("robust"), y, 10).partners
    assert not (partners == torch.arange(n)).any()
    same = float((y[partners] == y).float().mean())
    assert same == pytest.approx(0.1, abs=4 * (0.09 / n) ** 0.5)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"kind": "D_R"}, "kind must be one of robust"),
        ({"n": 0}, "n must be at least 1"),
        ({"eps": -1.0}, "eps must be >= 0"),
        ({"kind": "robust", "n": 1}, "n = 2 or more, or start at noise"),
        ({"rule": "lbfgs"}, "rule lbfgs has no ball"),
        ({"source": ""}, "needs a source model"),
        ({"labels": "some"}, "labels must be one of all, other"),
    ],
)
def test_a_bad_recipe_is_one_sentence(fields, what):
    with pytest.raises(ValueError, match=what):
        recipe(**fields)


# Pictures


@pytest.mark.parametrize("kind", ["rand", "det"])
@pytest.mark.parametrize("shifts", [False, True])
def test_a_perturbed_picture_stays_in_the_ball_and_says_what_the_source_says_of_it(kind, shifts, model):
    wanted = recipe(kind, eps=0.5, steps=10, shifts=shifts)
    made = few(wanted, model, originals(), on_step=lambda *_: False)
    x, x_adv = originals().x(), made.pictures.x()
    moved = L2(0.5).norm(x_adv - x)
    assert np.allclose(made.delta, moved, atol=1e-5)
    assert (moved > 0.3).all()
    assert (moved <= 0.5 + ROUNDING).all()
    says = model(x_adv).argmax(1).numpy()
    assert np.array_equal(made.success, says == made.pictures.labels)
    t = made.pictures.y()[:, None]
    before, after = (model(images).log_softmax(1).gather(1, t) for images in (x, x_adv))
    assert (after > before).all(), "the attack goes toward the new label"


@pytest.mark.parametrize("rule", ["steepest", "lbfgs"])
@pytest.mark.parametrize("start", ["picture", "noise"])
def test_an_inversion_comes_nearer_to_the_wanted_representation(rule, start, model):
    one, many = (
        few(
            recipe("robust", rule=rule, start=start, steps=s, step_size=0.1),
            model,
            originals(),
            on_step=lambda *_: False,
        )
        for s in (1, 25)
    )
    assert (many.distance < one.distance).mean() > 0.9
    assert np.array_equal(many.pictures.labels, originals().labels)
    wanted, got = model.features(originals().x()), model.features(many.pictures.x())
    assert np.allclose(many.distance, (got - wanted).norm(dim=1) / wanted.norm(dim=1), atol=1e-5)


def test_the_leakage_control_leaves_its_own_class_alone_and_adds_one_pattern_a_class_elsewhere():
    x = torch.full((40, 3, 32, 32), 0.5)
    y, t = torch.randint(10, (2, 40), generator=draws())
    made = planted(x, y, t, 0.5, 0, 10)
    assert torch.equal(made[t == y], x[t == y])
    for k in t.unique():
        rows = (t == k) & (y != k)
        added = made[rows] - x[rows]
        assert torch.allclose(added, added[:1].expand_as(added))
        assert torch.allclose(L2(1.0).norm(added), torch.tensor(0.5), atol=1e-5)
    again = planted(x[:1], torch.tensor([0]), torch.tensor([2]), 0.5, 0, 10)
    assert any(torch.allclose(again[0], other) for other in made[(t == 2) & (y != 2)]), "the batch does not matter"


@pytest.mark.parametrize("fields", [{"kind": "rand"}, {"kind": "robust", "start": "noise"}, {"kind": "robust"}])
def test_shards_do_not_change_a_picture(fields, model):
    whole, cut = (few(recipe(shard=shard, **fields), model, originals(), on_step=lambda *_: False) for shard in (24, 7))
    assert np.array_equal(whole.pictures.labels, cut.pictures.labels)
    difference = np.abs(whole.pictures.images.astype(int) - cut.pictures.images.astype(int))
    assert difference.max() <= 1  # sums of other lengths round otherwise
    assert (difference > 0).mean() < 1e-3


# Files


def test_equal_arrays_are_equal_bytes_whenever_they_are_written():
    arrays = {"a": np.arange(5), "b": np.array("text")}
    first = pack(arrays)
    time.sleep(2.1)  # the zip format counts in two seconds
    assert pack(arrays) == first


def test_a_set_comes_back_as_it_was_and_trainers_can_read_it(model, tmp_path):
    made = build(recipe(), model, originals(), tmp_path / "det.npz")
    assert made is not None
    back = read(tmp_path / "det.npz")
    assert back.recipe == made.recipe
    for name in ("source_labels", "rows", "delta", "success", "distance"):
        assert np.array_equal(getattr(back, name), getattr(made, name))
    plain = data.from_npz(tmp_path / "det.npz")
    assert np.array_equal(plain.images, made.pictures.images)
    assert np.array_equal(plain.labels, (originals().labels + 1) % 10)
    assert [path.name for path in tmp_path.iterdir()] == ["det.npz"], "the parts are gone"


def test_the_image_folder_holds_the_same_pictures(model, tmp_path):
    made = few(recipe(), model, originals(), on_step=lambda *_: False).pictures
    write_folder(made, tmp_path)
    back = data.from_folder(tmp_path)
    assert sorted(image.tobytes() for image in back.images) == sorted(image.tobytes() for image in made.images)
    assert set(back.classes) == set(CIFAR10_CLASSES)


def test_madrys_files_are_read(tmp_path):
    pictures = originals(6)
    torch.save(list(pictures.x().split(2)), tmp_path / "CIFAR_ims")
    torch.save(list(pictures.y().split(2)), tmp_path / "CIFAR_lab")
    back = read_madry(tmp_path)
    assert np.array_equal(back.images, pictures.images)
    assert np.array_equal(back.labels, pictures.labels)


@pytest.mark.parametrize("content", [None, b"no torch file", "one label short"])
def test_what_is_not_madrys_is_one_sentence(content, tmp_path):
    if isinstance(content, bytes):
        (tmp_path / "CIFAR_ims").write_bytes(content)
        (tmp_path / "CIFAR_lab").write_bytes(content)
    elif content:
        torch.save([originals(3).x()], tmp_path / "CIFAR_ims")
        torch.save([originals(2).y()], tmp_path / "CIFAR_lab")
    with pytest.raises(DataError, match=r"CIFAR_ims|CIFAR_lab|as many labels"):
        read_madry(tmp_path)


def test_an_npz_of_something_else_is_one_sentence(tmp_path):
    (tmp_path / "plain.npz").write_bytes(pack({"images": originals().images, "labels": originals().labels}))
    with pytest.raises(DataError, match=r"plain\.npz is not a constructed set"):
        read(tmp_path / "plain.npz")


# Kills, other recipes, several processes


def test_a_build_that_was_stopped_goes_on_to_the_same_bytes(model, tmp_path):
    build(recipe(), model, originals(), tmp_path / "whole.npz")
    assert build(recipe(), model, originals(), tmp_path / "cut.npz", on_shard=lambda done, _: done == 2) is None
    parts = sorted((tmp_path / "cut.npz.parts").glob("*.npz"))
    assert len(parts) == 2
    (tmp_path / "cut.npz.parts" / "000016.npz.part").write_bytes(b"half a shard")
    before = [part.stat().st_mtime_ns for part in parts]
    told, after = [], []

    def look(done, _):
        told.append(done)
        if done == 2:
            after.extend(part.stat().st_mtime_ns for part in parts)

    build(recipe(), model, originals(), tmp_path / "cut.npz", on_shard=look)
    assert told == [1, 2, 3]
    assert after == before
    whole, cut = (tmp_path / "whole.npz").read_bytes(), (tmp_path / "cut.npz").read_bytes()
    assert whole == cut


def test_parts_of_another_recipe_are_refused(model, tmp_path):
    build(recipe(), model, originals(), tmp_path / "set.npz", on_shard=lambda *_: True)
    with pytest.raises(DataError, match="parts of another recipe"):
        build(recipe(eps=1.0), model, originals(), tmp_path / "set.npz")


def test_more_pictures_than_there_are_is_one_sentence(model, tmp_path):
    with pytest.raises(DataError, match="25 pictures were asked for and drawn pictures has 24"):
        build(recipe(n=25), model, originals(), tmp_path / "set.npz")


@pytest.fixture
def command(tmp_path, checkpoint):
    """Start the command on 40 drawn pictures; it makes 5 shards."""
    checkpoint("resnet9-standard")
    root = tmp_path / "cifar"
    root.mkdir()
    pictures = originals(40)
    arrays = {"images": pictures.images, "labels": pictures.labels, "classes": np.array(CIFAR10_CLASSES)}
    (root / "train.npz").write_bytes(pack(arrays))
    environment = {**os.environ, "CIFAR10_DIR": str(root), "ROBUST_FROG_THREADS": "1"}

    def start(out: Path, *launcher: str) -> "subprocess.Popen[bytes]":
        words = [
            "-m",
            "core.datasets.construct",
            "det",
            "-n",
            "40",
            "--shard",
            "8",
            "--steps",
            "6",
            "--precision",
            "fp32",
        ]
        return subprocess.Popen(
            [sys.executable, *launcher, *words, "--out", str(out)],
            cwd=Path(construct.__file__).parents[3],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    return start


def finished(process: "subprocess.Popen[bytes]") -> None:
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said.decode()


def test_neither_a_kill_nor_two_processes_change_a_byte(command, tmp_path):
    together = command(tmp_path / "two.npz", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    killed = command(tmp_path / "killed.npz")
    parts, until = tmp_path / "killed.npz.parts", time.monotonic() + 200
    while time.monotonic() < until and killed.poll() is None and len(list(parts.glob("*.npz"))) < 2:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    finished(command(tmp_path / "killed.npz"))
    finished(together)
    finished(command(tmp_path / "whole.npz"))
    whole = (tmp_path / "whole.npz").read_bytes()
    assert (tmp_path / "killed.npz").read_bytes() == whole
    assert (tmp_path / "two.npz").read_bytes() == whole
