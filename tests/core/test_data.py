"""Pictures from files: the right numbers, or a sentence that says what is wrong and what to do."""

import io
import os
import pickle
import re
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.data.sets import (
    CIFAR10_CLASSES,
    CIFAR10_SIZES,
    DataError,
    Pictures,
    cifar10,
    cifar10_root,
    from_folder,
    from_npz,
    square,
)
from tests.helpers import REFUSED, noise_pictures

ROOT = Path(__file__).resolve().parents[2]


def write_npz(path: Path, pictures: Pictures, **other: object) -> Path:
    """Write the pictures, or other arrays in their places; None leaves one out."""
    arrays = {"images": pictures.images, "labels": pictures.labels, "classes": np.array(pictures.classes), **other}
    np.savez_compressed(path, **{name: value for name, value in arrays.items() if value is not None})
    return path


def test_images_become_float_nchw_in_zero_one():
    """x[i, c, h, w] = images[i, h, w, c] / 255, float32, contiguous or not."""
    pictures = noise_pictures(5)
    x = pictures.x()
    assert x.dtype == torch.float32
    assert x.shape == (5, 3, 16, 16)
    assert 0 <= x.min() < 0.01
    assert 0.99 < x.max() <= 1
    assert torch.equal((x * 255).round().permute(0, 2, 3, 1).byte(), torch.from_numpy(pictures.images))


def test_rows_are_those_asked_for_in_that_order():
    """A range, a list, a slice; twice the same, none at all."""
    pictures = noise_pictures(9)
    whole, labels = pictures.x(), pictures.y()
    for rows in (range(2, 5), [7, 0, 7], slice(1, 8, 2), []):
        at = list(range(9))[rows] if isinstance(rows, slice) else [int(i) for i in rows]
        assert torch.equal(pictures.x(rows), whole[at])
        assert torch.equal(pictures.y(rows), labels[at])
        assert pictures.y(rows).dtype == torch.int64


@pytest.mark.parametrize("rows", [slice(1, 3), np.array([2, 0]), np.array([False, True, True, False])])
def test_what_is_taken_keeps_its_labels_classes_and_source(rows):
    images = np.arange(4 * 2 * 2 * 3, dtype=np.uint8).reshape(4, 2, 2, 3)
    whole = Pictures(images, np.array([3, 1, 0, 2]), ("a", "b", "c", "d"), "four")
    part = whole.take(rows)
    assert (part.images == images[rows]).all() and (part.labels == whole.labels[rows]).all()
    assert (len(part), part.classes, part.source) == (2, whole.classes, "four")


def test_changing_the_tensor_does_not_change_the_picture():
    """x is a copy."""
    pictures = noise_pictures(2)
    before = pictures.images.copy()
    pictures.x().zero_()
    assert (pictures.images == before).all()


@pytest.mark.parametrize("labels", [[0, 1, 4], [0, -1, 2]], ids=["too high", "negative"])
def test_labels_without_a_class_are_refused(labels):
    """0 <= label < number of classes."""
    images = np.zeros((3, 4, 4, 3), np.uint8)
    with pytest.raises(DataError, match=r"labels must be 0 to 3, got .* in here"):
        Pictures(images, np.array(labels), tuple("abcd"), "here")


def test_images_and_labels_must_be_as_many():
    """One label per image."""
    with pytest.raises((DataError, *REFUSED), match=r"3 images but 2 labels in here|Type-check error"):
        Pictures(np.zeros((3, 4, 4, 3), np.uint8), np.zeros(2, np.int64), ("a",), "here")


# .npz

# numpy leaves an archive open that it cannot read.
leaky = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_an_npz_comes_back_as_it_was(tmp_path):
    """images, labels, classes; the source is the file's name."""
    pictures = noise_pictures(6)
    found = from_npz(write_npz(tmp_path / "noise.npz", pictures))
    assert (found.images == pictures.images).all()
    assert (found.labels == pictures.labels).all()
    assert found.classes == pictures.classes
    assert found.source == "noise"
    assert len(found) == 6


@pytest.mark.parametrize("kind", [np.int32, np.uint8, np.float64])
def test_labels_of_any_number_type_become_int64(tmp_path, kind):
    """What torch's losses want."""
    pictures = noise_pictures(6)
    found = from_npz(write_npz(tmp_path / "a.npz", pictures, labels=pictures.labels.astype(kind)))
    assert found.labels.dtype == np.int64
    assert (found.labels == pictures.labels).all()


def test_without_class_names_classes_are_numbers(tmp_path):
    """As many as the largest label says."""
    pictures = noise_pictures(20, classes=4)
    assert from_npz(write_npz(tmp_path / "a.npz", pictures, classes=None)).classes == ("0", "1", "2", "3")


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((6, 8, 8, 3), np.float32),
        np.zeros((6, 3, 8, 8), np.uint8),
        np.zeros((6, 8, 8), np.uint8),
        np.zeros((6, 8, 8, 4), np.uint8),
    ],
    ids=["float", "NCHW", "grey", "RGBA"],
)
def test_images_of_another_form_are_refused(tmp_path, images):
    """uint8 (N, H, W, 3)."""
    with pytest.raises(DataError, match=r"images in a.npz must be uint8 \(N, H, W, 3\), got"):
        from_npz(write_npz(tmp_path / "a.npz", noise_pictures(6), images=images))


def test_a_label_out_of_range_in_a_file_is_refused(tmp_path):
    """The same sentence as for pictures made in memory."""
    with pytest.raises(DataError, match="labels must be 0 to 1, got 0 to 3"):
        from_npz(write_npz(tmp_path / "a.npz", noise_pictures(20, classes=4), classes=np.array(["a", "b"])))


@pytest.mark.parametrize("missing", ["images", "labels"])
def test_an_npz_without_images_or_labels_is_refused(tmp_path, missing):
    """And says which."""
    with pytest.raises(DataError, match=f"a.npz is not an .npz of images and labels .*{missing}"):
        from_npz(write_npz(tmp_path / "a.npz", noise_pictures(6), **{missing: None}))


def test_class_names_may_be_bytes(tmp_path):
    """As Python 2, HDF5 and `np.array([b"cat"])` have them."""
    path = tmp_path / "old.npz"
    np.savez(
        path, images=np.zeros((2, 8, 8, 3), np.uint8), labels=np.arange(2), classes=np.array([b"cat", "é".encode()])
    )
    assert from_npz(path).classes == ("cat", "é")


def changed(path: Path, at: tuple[int, int], change: Callable[[int], int]) -> None:
    """Change a byte in the local and in the central header of each member of an archive."""
    raw = bytearray(path.read_bytes())
    for signature, offset in zip((b"PK\x03\x04", b"PK\x01\x02"), at, strict=True):
        for found in re.finditer(re.escape(signature), bytes(raw)):
            raw[found.start() + offset] = change(raw[found.start() + offset])
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("at", "change"), [((6, 8), lambda flags: flags | 1), ((8, 10), lambda _: 9)], ids=["locked", "deflate64"]
)
def test_an_archive_that_python_cannot_open_is_refused(tmp_path, at, change):
    path = tmp_path / "strange.npz"
    write_npz(path, noise_pictures(4))
    changed(path, at, change)
    with pytest.raises(DataError, match=r"strange\.npz is not an \.npz of images and labels"):
        from_npz(path)


def test_an_array_larger_than_memory_is_refused(tmp_path):
    header = io.BytesIO()
    shape = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 32, 32, 3)}
    np.lib.format.write_array_header_1_0(header, shape)
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as file:
        file.writestr("images.npy", header.getvalue())
    with pytest.raises(DataError, match=r"huge\.npz is not"):
        from_npz(tmp_path / "huge.npz")


def test_labels_that_are_words_are_refused(tmp_path):
    """Words belong in classes."""
    with pytest.raises(DataError, match=r"not an .npz of images and labels"):
        from_npz(write_npz(tmp_path / "a.npz", noise_pictures(2), labels=np.array(["cat", "dog"])))


class Bomb:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, victim: Path) -> None:
        self.victim = victim

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        return Path.write_text, (self.victim, "executed")


def test_pickles_inside_an_npz_are_refused_and_never_executed(tmp_path):
    """numpy keeps object arrays as pickles."""
    bomb = np.array([Bomb(tmp_path / "victim")], dtype=object)
    path = write_npz(tmp_path / "a.npz", noise_pictures(1), classes=bomb)
    with pytest.raises(DataError, match=r"not an .npz of images and labels"):
        from_npz(path)
    assert not (tmp_path / "victim").exists()


@leaky
@pytest.mark.parametrize("keep", [0.01, 0.5, 0.99], ids=str)
def test_a_truncated_npz_is_refused(tmp_path, keep):
    """A copy that broke off."""
    path = write_npz(tmp_path / "a.npz", noise_pictures(20))
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(DataError, match=r"a.npz is not an .npz"):
        from_npz(path)


@leaky
@pytest.mark.parametrize("content", [b"no archive", b"PK\x03\x04 hardly one"], ids=["text", "zip magic"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    """Whatever its suffix says."""
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"a.npz is not an .npz"):
        from_npz(tmp_path / "a.npz")


def test_an_empty_file_is_refused(tmp_path):
    """A copy that never began."""
    (tmp_path / "a.npz").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.npz is not an \.npz"):
        from_npz(tmp_path / "a.npz")


def test_an_npy_in_disguise_is_refused(tmp_path):
    """One array, not an archive of several."""
    with (tmp_path / "a.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(DataError, match=r"a\.npz is not an \.npz"):
        from_npz(tmp_path / "a.npz")


def test_an_archive_with_a_damaged_stream_is_refused(tmp_path):
    """Bytes overwritten in the middle."""
    path = write_npz(tmp_path / "a.npz", noise_pictures(20))
    content = bytearray(path.read_bytes())
    content[60:100] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npz is not an \.npz"):
        from_npz(path)


@pytest.mark.parametrize("shape", [(6, 1), ()], ids=["column", "single number"])
def test_labels_of_another_form_are_refused(tmp_path, shape):
    """(N,): a column (N, 1) would go through and break the loss much later."""
    with pytest.raises(DataError, match="labels"):
        from_npz(write_npz(tmp_path / "a.npz", noise_pictures(6), labels=np.zeros(shape, np.int64)))


def test_a_missing_npz_is_refused(tmp_path):
    """With its path."""
    with pytest.raises(DataError, match=r"there is no file .*nowhere.npz"):
        from_npz(tmp_path / "nowhere.npz")


# CIFAR-10


def test_shards_are_joined_in_the_order_of_their_names(tmp_path, monkeypatch):
    """train-0.npz, train-1.npz; test.npz is another split."""
    parts = [noise_pictures(5, seed=seed) for seed in (0, 1, 2)]
    monkeypatch.setitem(CIFAR10_SIZES, "train", 10)
    for name, part in zip(("train-1.npz", "train-0.npz", "test.npz"), parts, strict=True):
        write_npz(tmp_path / name, part)
    train = cifar10("train", tmp_path)
    assert (train.images == np.concatenate([parts[1].images, parts[0].images])).all()
    assert (train.labels == np.concatenate([parts[1].labels, parts[0].labels])).all()
    assert train.source == "CIFAR-10 train set"
    assert (cifar10("test", tmp_path).images == parts[2].images).all()


def test_numbered_shards_of_which_one_is_missing_are_refused_with_both_counts(tmp_path, monkeypatch):
    monkeypatch.setitem(CIFAR10_SIZES, "train", 15)
    for k in range(2):
        write_npz(tmp_path / f"train-{k}.npz", noise_pictures(5, seed=k))
    with pytest.raises(DataError, match=r"2 shards train\*\.npz in .* hold 10 pictures of 15; one is missing"):
        cifar10("train", tmp_path)
    write_npz(tmp_path / "train-2.npz", noise_pictures(5, seed=2))
    assert len(cifar10("train", tmp_path)) == 15
    write_npz(tmp_path / "test.npz", noise_pictures(4))  # one file is whatever somebody made it
    assert len(cifar10("test", tmp_path)) == 4


def test_cifar10s_classes_may_stand_in_any_order_in_a_file(tmp_path):
    """Label k means what the file says, and then what everybody says."""
    order = [3, 0, 9, 1, 2, 4, 5, 6, 8, 7]
    names = ["car" if CIFAR10_CLASSES[k] == "automobile" else CIFAR10_CLASSES[k] for k in order]
    write_npz(tmp_path / "test.npz", noise_pictures(10), labels=np.arange(10), classes=np.array(names))
    found = cifar10("test", tmp_path)
    assert found.classes == CIFAR10_CLASSES
    assert found.labels.tolist() == order


def test_shards_that_disagree_about_the_classes_are_refused(tmp_path):
    """Label 3 must mean the same in all."""
    write_npz(tmp_path / "train-0.npz", noise_pictures(5, classes=4))
    write_npz(tmp_path / "train-1.npz", noise_pictures(5, classes=5))
    with pytest.raises(DataError, match="shards of CIFAR-10 train set disagree about the class names"):
        cifar10("train", tmp_path)


def write_torchvision(folder: Path) -> Path:
    """Write CIFAR-10 in torchvision's layout, two pictures a batch. torchvision will find the sums wrong."""
    batches = folder / "cifar-10-batches-py"
    batches.mkdir()
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        content = {"data": np.zeros((2, 3072), np.uint8), "labels": [0, 1]}
        (batches / name).write_bytes(pickle.dumps(content))
    (batches / "batches.meta").write_bytes(pickle.dumps({"label_names": list(CIFAR10_CLASSES)}))
    return folder


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-py"], ids=["folder", "folder of batches"])
def test_a_damaged_torchvision_folder_is_refused_with_the_remedy(tmp_path, inner):
    """torchvision checks md5 sums; its complaint becomes a sentence with what to do."""
    pytest.importorskip("torchvision")
    write_torchvision(tmp_path)
    with pytest.raises(DataError, match=r"CIFAR-10 in .* could not be read .*; delete it and fetch it again"):
        cifar10("train", tmp_path / inner)


@pytest.mark.parametrize(("split", "n"), [("train", 10), ("test", 2)])
def test_torchvisions_layout_is_read(tmp_path, monkeypatch, split, n):
    """uint8 NHWC, int64 labels, our class names; with torchvision's check of the sums switched off."""
    datasets = pytest.importorskip("torchvision.datasets")
    write_torchvision(tmp_path)
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    found = cifar10(split, tmp_path)
    assert found.images.shape == (n, 32, 32, 3)
    assert found.images.dtype == np.uint8
    assert found.labels.tolist() == [0, 1] * (n // 2)
    assert found.classes == CIFAR10_CLASSES
    assert found.source == f"CIFAR-10 {split} set"


def test_missing_cifar10_is_refused_with_the_remedy(tmp_path, monkeypatch):
    """Name the variable and the command; nothing is downloaded unasked."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    with pytest.raises(DataError, match=r"CIFAR-10 is not in .*Set CIFAR10_DIR .* python -m core.data download"):
        cifar10("test")


def test_an_unknown_split_is_refused(tmp_path):
    """train or test."""
    with pytest.raises(ValueError, match="split must be 'train' or 'test', got 'validation'"):
        cifar10("validation", tmp_path)


def test_the_folder_is_the_variable_or_the_cache(monkeypatch, tmp_path):
    """$CIFAR10_DIR, else $XDG_CACHE_HOME/robust-frog/cifar10, else ~/.cache/..."""
    monkeypatch.setenv("CIFAR10_DIR", "~/pictures")
    assert cifar10_root() == Path.home() / "pictures"
    monkeypatch.delenv("CIFAR10_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cifar10_root() == tmp_path / "robust-frog" / "cifar10"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cifar10_root() == Path.home() / ".cache" / "robust-frog" / "cifar10"


def test_cifar10_has_ten_thousand_test_pictures_a_thousand_of_each_class(cifar):
    """Counts, classes, and the mean colour that everybody reports."""
    assert len(cifar) == CIFAR10_SIZES["test"]
    assert cifar.images.shape == (10_000, 32, 32, 3)
    assert cifar.classes == CIFAR10_CLASSES
    assert np.bincount(cifar.labels).tolist() == [1000] * 10
    mean = cifar.x(range(2000)).mean((0, 2, 3))
    torch.testing.assert_close(mean, torch.tensor([0.494, 0.485, 0.450]), rtol=0, atol=0.01)


# Image folders


def write_folder(root: Path) -> Path:
    """Write two classes: a wide red picture and a high one, and a file that is no picture."""
    for name, size in (("cat", (40, 20)), ("ant", (20, 40))):
        (root / name).mkdir(parents=True)
        Image.new("RGB", size, (255, 0, 0)).save(root / name / "1.png")
    Image.new("RGB", (24, 24), (0, 0, 255)).save(root / "ant" / "0.jpg")
    (root / "ant" / "notes.txt").write_text("not a picture")
    (root / "README.md").write_text("not a class")
    return root


def test_a_folder_has_one_class_a_sub_folder(tmp_path):
    """In alphabetical order; other files do not count."""
    found = from_folder(write_folder(tmp_path / "pets"), size=16)
    assert found.classes == ("ant", "cat")
    assert found.labels.tolist() == [0, 0, 1]
    assert found.images.shape == (3, 16, 16, 3)
    assert found.images[0, 8, 8, 2] > 200  # 0.jpg, blue
    assert found.images[2, 8, 8].tolist() == [255, 0, 0]
    assert found.source == "pets"


@pytest.mark.parametrize("left", [".ipynb_checkpoints/x.png", "__MACOSX/cat/._a.png", "cat/._a.png", ".git/config"])
def test_what_tools_leave_in_a_folder_is_no_class_and_no_picture(tmp_path, left):
    for name in ("cat/a.png", "dog/b.gif", left):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if name != left:
            Image.new("RGB", (32, 32)).save(tmp_path / name)
    (tmp_path / left).write_bytes(b"\0\5\x16\7\0")
    found = from_folder(tmp_path)
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 1]


def test_files_that_are_left_out_of_a_folder_are_named_in_the_log(tmp_path, caplog):
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "cat" / "a.png")
    assert len(from_folder(tmp_path)) == 1
    assert not caplog.records
    Image.new("RGB", (32, 32)).save(tmp_path / "cat" / "b.tiff")
    assert len(from_folder(tmp_path)) == 1
    assert "1 files are no pictures and were left out, among them cat/b.tiff" in caplog.text


def test_a_picture_that_cannot_be_read_is_refused(tmp_path):
    """With its path."""
    write_folder(tmp_path)
    (tmp_path / "cat" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(DataError, match=r"broken.png is not a picture that can be read"):
        from_folder(tmp_path)


@pytest.mark.parametrize("make", [lambda p: p, lambda p: p / "nowhere"], ids=["empty", "missing"])
def test_a_folder_without_pictures_is_refused(tmp_path, make):
    """With what was expected."""
    with pytest.raises(DataError, match=r"no pictures in .*; expected sub-folders, one a class"):
        from_folder(make(tmp_path))


@pytest.mark.parametrize(
    ("width", "height"), [(30, 10), (10, 30), (31, 10), (10, 10)], ids=["wide", "high", "odd", "square"]
)
def test_a_square_is_the_middle_of_the_picture(width, height):
    """The largest centred square; nothing is stretched."""
    ramp = np.zeros((height, width, 3), np.uint8)
    ramp[..., 0] = np.arange(width)
    ramp[..., 1] = np.arange(height)[:, None]
    cut = square(Image.fromarray(ramp), 10)
    assert cut.shape == (10, 10, 3)
    assert cut.dtype == np.uint8
    left, top = (width - 10) // 2, (height - 10) // 2
    assert (cut == ramp[top : top + 10, left : left + 10]).all()


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_pictures_of_any_mode_become_rgb(mode):
    """Grey, transparent, palette, print."""
    assert square(Image.new("RGB", (20, 20), (255, 255, 255)).convert(mode), 8).tolist() == [[[255] * 3] * 8] * 8


@pytest.mark.slow
def test_the_command_says_where_cifar10_is(tmp_path):
    """python -m core.data where: the folder and the counts."""
    for split in ("train", "test"):
        write_npz(tmp_path / f"{split}.npz", noise_pictures(3))
    command = [sys.executable, "-m", "core.data", "where"]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "CIFAR10_DIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}: 3 + 3 pictures\n"), done.stderr


def test_the_command_says_what_to_do_where_cifar10_is_not(tmp_path, monkeypatch):
    """The sentence, and an exit status."""
    monkeypatch.setenv("CIFAR10_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["core.data", "where"])
    with pytest.raises(SystemExit, match="CIFAR-10 is not in"):
        runpy.run_module("core.data.__main__", run_name="__main__")
