"""A world of somebody's own: four classes of grey pictures in folders, and everything that can be wrong with one."""

import io
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from core import perturb, worlds
from core.data import batches, own, pictures
from core.data.sets import DataError
from core.inversion import starts
from core.inversion.recipe import InvertRecipe
from core.models import checkpoints, pair
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.recipes import from_json, to_json
from core.saliency.classes import class_means
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import several
from core.train.__main__ import main as train
from tests.helpers import tiny
from tests.own_world import CLASSES, SIDE, TOML, as_folders, drawn

ORDER = ("ring", "disc", "square", "cross")  # as its world.toml counts, which is not the alphabet


@pytest.fixture
def shapes(tmp_path, monkeypatch):
    """The folder of a world called shapes, which the variable names."""
    folder = as_folders(tmp_path, each=10)
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    return folder


def some(n: int = 12) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(1)
    labels = np.arange(n) % len(CLASSES)
    return np.stack([drawn(CLASSES[k], draws) for k in labels]), labels


def declare(folder, text: str = TOML):
    folder.mkdir()
    (folder / "world.toml").write_text(text, encoding="utf-8")
    return folder


def test_folders_are_counted_as_the_file_says_and_every_fifth_picture_is_held_out(shapes):
    for split, each in (("train", 8), ("test", 2)):
        found = own.load("shapes", split)
        assert found.classes == ORDER
        assert found.images.shape == (4 * each, SIDE, SIDE, 3)
        assert np.bincount(found.labels).tolist() == [each] * 4
        assert (found.images[..., 0] == found.images[..., 2]).all(), "grey: three equal channels"
    of_ring = Image.open(shapes / "ring" / "004.png")
    assert np.array_equal(own.load("shapes", "test").x()[own.load("shapes", "test").labels == 0][0, 0] * 255, of_ring)


def test_it_is_a_world_like_another(shapes):
    world = worlds.get("shapes")
    assert "shapes" in worlds.names()
    assert (world.title, world.classes, world.side, world.sources) == ("Shapes", ORDER, SIDE, ("shapes",))
    assert world.reach["L2"] in world.reaches["L2"] and world.reaches["L2"][world.reach["L2"]][0] == 4.0
    picture = pictures.get(worlds.first_picture(world))
    assert picture.x.shape == (1, 3, SIDE, SIDE)
    assert picture.caption == f"{ORDER[picture.label]}, Shapes test set no. 0"
    assert {pictures.get(id).label for id in pictures.ids("shapes", 2)} == {2}
    recipe = PerturbRecipe(world="shapes", picture="shapes/0")
    assert from_json(PerturbRecipe, to_json(recipe)) == recipe


def test_without_the_variable_there_is_no_such_world(monkeypatch):
    monkeypatch.delenv(own.VARIABLE, raising=False)
    assert "shapes" not in worlds.known()
    with pytest.raises(InputError, match="there is no world 'shapes'"):
        worlds.get("shapes")
    with pytest.raises(InputError, match="world must be one of cifar10, planted, imagenet"):
        from_json(PerturbRecipe, to_json(replace(PerturbRecipe(), world="shapes")))


def npz(folder) -> None:
    images, labels = some()
    np.savez(folder / "pictures.npz", images=images, labels=labels, classes=np.array(CLASSES))


def two_splits(folder) -> None:
    images, labels = some()
    for split in own.SPLITS:
        np.savez(folder / f"{split}.npz", images=images, labels=labels, classes=np.array(CLASSES))


def parquet(folder) -> None:
    arrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    images, labels = some()
    rows = []
    for image, k in zip(images, labels, strict=True):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        rows.append({"image": {"bytes": file.getvalue(), "path": None}, "label": CLASSES[k]})
    write_table(arrow.Table.from_pylist(rows), folder / "train-00000.parquet")


def batches_of(folder, *, protocol: int = 2, meta: bool = True, names: tuple[str, ...] = CLASSES) -> None:
    """CIFAR-10's layout as torchvision unpacks it: rows of 3 x 64 x 64 numbers, a channel after the other."""
    folder = folder / batches.FOLDER
    folder.mkdir()
    images, labels = some()
    rows = np.repeat(images[:, None], 3, 1).reshape(len(images), -1)
    for name, part in (("data_batch_1", slice(0, 8)), ("data_batch_2", slice(8, 12)), ("test_batch", slice(0, 12))):
        batch = {"batch_label": name, "labels": labels[part].tolist(), "data": rows[part], "filenames": ["a.png"] * 12}
        (folder / name).write_bytes(pickle.dumps(batch, protocol))
    if meta:
        (folder / batches.META).write_bytes(pickle.dumps({"label_names": list(names)}, protocol))


@pytest.mark.parametrize("write", [npz, two_splits, parquet, batches_of])
def test_other_layouts_say_the_same(write, tmp_path, monkeypatch):
    write(declare(tmp_path / "shapes"))
    monkeypatch.setenv(own.VARIABLE, str(tmp_path / "shapes"))
    found = own.load("shapes", "train")
    images, labels = some()
    assert found.classes == ORDER
    first = found.images[[found.classes[k] == "cross" for k in found.labels]][0, ..., 0]
    assert np.array_equal(first, images[CLASSES.index("cross")])
    if write is not npz:
        assert [ORDER[k] for k in found.labels] == [CLASSES[k] for k in labels]


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_batches_are_read_whoever_pickled_them(protocol, tmp_path, monkeypatch):
    batches_of(declare(tmp_path / "shapes"), protocol=protocol, meta=False)
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    images, labels = some()
    assert np.array_equal(own.load("shapes", "test").images[..., 1], images)
    assert own.load("shapes", "train").labels.tolist() == labels.tolist(), "no names: as world.toml counts"


def test_a_batch_of_python_2_is_read_too(tmp_path):
    """Bytes were texts there, and the array's numbers are one: this is how the original batches begin."""
    folder = tmp_path / batches.FOLDER
    folder.mkdir()
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01K\x0c\x86"
    array += b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    array += b"U\x0cabcdefghi\xff\x00ltb"
    (folder / "test_batch").write_bytes(b"\x80\x02}(U\x04data" + array + b"U\x06labels](K\x02eu.")
    found = batches.from_batches(folder, "test", 2)
    assert found.images[0, 0, 0].tolist() == list(b"aei") and found.images[0, 1, 1].tolist() == [*b"dh", ord("l")]
    assert found.labels.tolist() == [2] and found.classes == ("0", "1", "2")


class Payload:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it was run')",))


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        ({"data": Payload(), "labels": [0]}, "needs arrays data and labels, and has data, labels"),
        ({"data": np.zeros((2, 3072), np.uint8)}, "needs arrays data and labels, and has data"),
        ({"data": np.zeros((2, 3072), np.float32), "labels": [0, 1]}, "must be uint8"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [0]}, "as many labels"),
        ({"data": np.zeros((1, 100), np.uint8), "labels": [0]}, None),
        ({"data": np.zeros((1, 101), np.uint8), "labels": [0]}, "which is 3 side side for no side"),
        (Payload(), "it holds Refused, not a dictionary"),
        (b"junk", "cannot be read"),
    ],
)
def test_a_batch_that_is_none_is_one_sentence_and_nothing_is_run(batch, says, tmp_path):
    folder = tmp_path / batches.FOLDER
    folder.mkdir()
    (folder / "test_batch").write_bytes(batch if isinstance(batch, bytes) else pickle.dumps(batch))
    if says is None:
        assert batches.from_batches(folder, "test", 32).images.shape == (1, 32, 32, 3), "grey, 10 pixels"
        return
    with pytest.raises(DataError, match=says):
        batches.from_batches(folder, "test", 32)


def test_batches_of_other_classes_are_refused_with_both_lists(tmp_path, monkeypatch):
    batches_of(declare(tmp_path / "shapes"), names=("cross", "disc", "ring", "star"))
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match="they are cross, disc, ring, star, and it says ring"):
        own.load("shapes", "train")


def test_labels_without_names_count_as_the_file_does(tmp_path, monkeypatch):
    images, labels = some()
    np.savez(declare(tmp_path / "shapes") / "train.npz", images=images, labels=labels)
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    assert own.load("shapes", "train").labels.tolist() == labels.tolist()


def test_other_classes_are_refused_with_both_lists(tmp_path, monkeypatch):
    as_folders(tmp_path, each=5, toml='classes = ["ring", "disc"]\nside = 64\n')
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match=r"they are cross, disc, ring, square, and it says ring, disc"):
        own.load("shapes", "test")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("side = 64", "needs classes"),
        ('classes = ["a", "A "]\nside = 64', "names a class twice"),
        ('classes = ["a", "b"]', "needs side"),
        ('classes = ["a", "b"]\nside = 4000', "needs side"),
        ("classes = [", "cannot be read"),
    ],
)
def test_a_file_that_declares_no_world_is_one_sentence_and_the_others_are_there(text, says, shapes, tmp_path, caplog):
    declare(tmp_path / "broken", text)
    own._declared.cache_clear()
    assert tuple(own.declared()) == ("shapes",)
    assert says in caplog.text and "broken/" in caplog.text


def test_a_folder_without_pictures_is_refused(tmp_path, monkeypatch):
    declare(tmp_path / "empty")
    monkeypatch.setenv(own.VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match=r"there are no pictures beside empty/world\.toml"):
        own.load("empty", "train")


def test_a_model_of_another_order_is_brought_into_the_worlds_and_one_of_other_classes_refused(shapes, tmp_path):
    model, x = tiny(classes=4), pictures.get("shapes/0").x
    about = checkpoints.Header("resnet9", {"width": 4, "classes": 4}, "Mine", classes=CLASSES, world="shapes")
    checkpoints.save(tmp_path / "mine.safetensors", model.state_dict(), about, half=False)
    loaded = checkpoints.load("mine", folder=tmp_path)
    assert checkpoints.header("mine", tmp_path).classes == ORDER
    with torch.no_grad():
        expected = model(x)[:, [CLASSES.index(name) for name in ORDER]]
        torch.testing.assert_close(loaded(x), expected)
    wrong = replace(about, classes=("cross", "disc", "ring", "star"))
    checkpoints.save(tmp_path / "wrong.safetensors", model.state_dict(), wrong, half=False)
    with pytest.raises(checkpoints.CheckpointError, match=r"it knows cross, disc, ring, star, and the world has ring"):
        checkpoints.load("wrong", folder=tmp_path)
    assert checkpoints.names(tmp_path, world="shapes") == ("mine", "wrong")


def test_it_can_be_trained_attacked_explained_and_inverted(shapes, tmp_path, capsys, monkeypatch):
    """On a network of a few steps: that it all fits together, not that it learnt anything."""
    train(
        [
            "--world",
            "shapes",
            "--out",
            str(tmp_path / "s.safetensors"),
            "--width",
            "4",
            "--epochs",
            "1",
            "--batch-size",
            "8",
        ]
    )
    assert "clean accuracy on Shapes test set" in capsys.readouterr().out
    about = checkpoints.header("s", tmp_path)
    assert (about.world, about.classes, about.title) == ("shapes", ORDER, "ResNet-9, standard training")
    assert about.measured["clean"]["n"] == 8
    model = checkpoints.load("s", folder=tmp_path)
    monkeypatch.setattr(checkpoints, "header", lambda *_: about)
    recipe = PerturbRecipe(world="shapes", picture="shapes/1", standard="s", axis="steps", steps=2, target="square")
    assert perturb.attack(recipe, "s", model=model).x_adv.shape == (3, 3, SIDE, SIDE)
    assert class_means(worlds.get("shapes")).x.shape == (4, 3, SIDE, SIDE)
    assert [pictures.get(id).label for id in several(SaliencyRecipe(world="shapes", picture="shapes/0"))] == [
        0,
        1,
        2,
        3,
    ]
    x0, _ = starts.start_of(InvertRecipe(world="shapes", picture="shapes/0"))
    assert x0.shape == (1, 3, SIDE, SIDE)
    assert pair.opening(worlds.get("shapes")) == pair.Pair("", "")


def test_a_network_of_timm_learns_from_it(shapes, tmp_path, capsys):
    """It is told how many classes there are and how large pictures are; the file is a checkpoint like any other."""
    pytest.importorskip("timm")
    out = tmp_path / "v.safetensors"
    few = ["--epochs", "1", "--batch-size", "16", "--no-augment", "--arch", "timm/test_vit"]
    train(["--world", "shapes", "--out", str(out), *few])
    about, model = checkpoints.header("v", tmp_path), checkpoints.load("v", folder=tmp_path)
    assert (about.title, about.args) == ("test_vit, standard training", {"classes": 4, "side": SIDE})
    assert model(pictures.get("shapes/0").x).shape == (1, 4)
    assert "clean accuracy on Shapes test set" in capsys.readouterr().out
