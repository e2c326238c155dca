"""A person's own labelled pictures: a folder with `world.toml`, found through `$ROBUST_FROG_WORLDS`.

    # shapes/world.toml
    title = "Shapes"
    classes = ["cross", "disc", "ring", "square"]      # in the order in which you count them; matched by name
    side = 64                                          # pixels; pictures of other sizes are cut square and resized

    load("shapes", "test").x()                         # float32 (N, 3, 64, 64)

The pictures lie beside it: sub-folders, one a class; `.npz` of images, labels and classes; Parquet with image bytes, as
Hugging Face writes it; or batches as CIFAR-10's, see `core.data.batches`. Where there are `train` and `test` (folders, or files whose
names begin so) they are kept apart; else every fifth picture of a class is for testing. Grey pictures get three equal channels.
"""

import functools
import logging
import os
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.data import batches
from core.data.decode import PictureError, decode
from core.data.sets import DataError, Pictures, from_folder, from_npz, square

VARIABLE = "ROBUST_FROG_WORLDS"
NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
TAKEN = ("cifar10", "imagenet", "gallery", "photo", "upload", "planted")
SPLITS = ("train", "test")
HELD_OUT = 5  # one picture in so many is for testing, where there is no set for that
SIDES = range(8, 513)
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Declared:
    """What a `world.toml` says.

    Args:
        name: The folder's name.
        folder: Where the pictures are.
        title: For people.
        classes: In the order of the logits.
        side: Of the pictures, in pixels.
    """

    name: str
    folder: Path
    title: str
    classes: tuple[str, ...]
    side: int


def declared() -> dict[str, Declared]:
    """Return what there is, as it was when it was first asked for; what cannot be a world is left out, which the log says."""
    return _declared(os.environ.get(VARIABLE, ""))


@functools.lru_cache(maxsize=8)
def _declared(places: str) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    for place in filter(None, places.split(os.pathsep)):
        root = Path(place).expanduser()
        files = [root / "world.toml"] if (root / "world.toml").is_file() else sorted(root.glob("*/world.toml"))
        if not files:
            log.warning("%s: there is no world.toml in %s, nor in its sub-folders", VARIABLE, root)
        for file in files:
            try:
                one = read(file.resolve())
            except DataError as problem:
                log.warning("left out: %s", problem)
                continue
            found.setdefault(one.name, one)
    return found


def read(path: Path) -> Declared:
    """Read a `world.toml`.

    Raises:
        DataError: If it is not one, or its folder's name cannot be a world's.
    """
    name = path.parent.name
    if not NAME.fullmatch(name) or name in TAKEN or name.startswith("photo-"):
        raise DataError(f"{name}/ cannot be a world: its name is up to 32 small letters, digits and hyphens, and not taken")
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{name}/world.toml cannot be read: {error}") from error
    classes, side = said.get("classes"), said.get("side")
    if not isinstance(classes, list) or len(classes) < 2 or not all(isinstance(c, str) and c.strip() for c in classes):
        raise DataError(f'{name}/world.toml needs classes = ["one", "two", …], two names or more')
    if len({plain(c) for c in classes}) != len(classes):
        raise DataError(f"{name}/world.toml names a class twice")
    if not isinstance(side, int) or side not in SIDES:
        raise DataError(f"{name}/world.toml needs side = a whole number of pixels, {SIDES[0]} to {SIDES[-1]}")
    return Declared(name, path.parent, str(said.get("title") or name), tuple(c.strip() for c in classes), side)


def load(name: str, split: str) -> Pictures:
    """Return a world's pictures, in the order of its classes.

    Args:
        name: Of the world.
        split: "train" or "test".

    Raises:
        DataError: If there is no such world, or its pictures cannot be read or are of other classes.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    there = declared()
    if name not in there:
        raise DataError(f"there is no world {name!r} in the folders that ${VARIABLE} names")
    return _loaded(there[name], split)


@functools.lru_cache(maxsize=4)
def _loaded(world: Declared, split: str) -> Pictures:
    parts = {word: _part(world, word) for word in SPLITS}
    if parts["train"] is None and parts["test"] is None:
        everything = _within(world, world.folder, "")
        if everything is None:
            raise DataError(
                f"there are no pictures beside {world.name}/world.toml: sub-folders named {_list(world.classes)}, an .npz, or"
                " Parquet files"
            )
        test = _held_out(everything.labels)
        found = everything.take(test if split == "test" else ~test)
    else:
        chosen = parts[split] or parts["train" if split == "test" else "test"]
        assert chosen is not None
        found = chosen
    if not len(found):
        raise DataError(f"{world.title} has no pictures to {split} with")
    return Pictures(found.images, found.labels, world.classes, f"{world.title} {split} set")


def _part(world: Declared, split: str) -> Pictures | None:
    folder = world.folder / split
    if folder.is_dir() and split not in map(plain, world.classes):
        return _within(world, folder, "")
    return _within(world, world.folder, split) if not folder.is_dir() else None


def _within(world: Declared, folder: Path, prefix: str) -> Pictures | None:
    """Read what lies in a folder: of files those whose names begin with the prefix; None where there is nothing."""
    if (folder / batches.FOLDER).is_dir():
        found = batches.from_batches(folder / batches.FOLDER, prefix, world.side) if prefix else None
        return _named(world, _by_number(world, found)) if found is not None else None
    arrays, tables = (sorted(folder.glob(f"{prefix}*{suffix}")) for suffix in (".npz", ".parquet"))
    parts = [_named(world, _from_arrays(world, path)) for path in arrays]
    parts += [_named(world, from_parquet(path, world.classes, world.side)) for path in tables]
    if not parts and not prefix and any(path.is_dir() and path.name not in SPLITS for path in folder.iterdir()):
        parts = [_named(world, from_folder(folder, world.side))]
    if not parts:
        return None
    images, labels = (np.concatenate([getattr(part, what) for part in parts]) for what in ("images", "labels"))
    return Pictures(images, labels, world.classes, world.title)


def _from_arrays(world: Declared, path: Path) -> Pictures:
    found = from_npz(path, grey=True)
    if found.images.shape[1:3] != (world.side, world.side):
        images = np.stack([square(Image.fromarray(image), world.side) for image in found.images])
        found = Pictures(images, found.labels, found.classes, found.source)
    return _by_number(world, found)


def _by_number(world: Declared, found: Pictures) -> Pictures:
    """Give pictures the world's names where their file has none: then it counts as the world does."""
    numbered = found.classes == tuple(map(str, range(len(found.classes))))
    if numbered and len(found.classes) <= len(world.classes):
        return Pictures(found.images, found.labels, world.classes, found.source)
    return found


def _named(world: Declared, found: Pictures) -> Pictures:
    """Count the classes as the world does, whatever order a file or the alphabet has them in."""
    order = places(found.classes, world.classes)
    if order is None:
        raise DataError(
            f"the pictures of {world.title} are of other classes than its world.toml says: they are {_list(found.classes)},"
            f" and it says {_list(world.classes)}"
        )
    labels = np.asarray(order, dtype=np.int64)[found.labels] if len(found) else found.labels
    return Pictures(found.images, labels, world.classes, found.source)


def from_parquet(path: Path, classes: Sequence[str], side: int) -> Pictures:
    """Read pictures out of a Parquet file, as Hugging Face writes it: image bytes, and labels that are numbers or names.

    Raises:
        DataError: If pyarrow is missing, or the file holds something else.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(f"reading {path.name} takes pyarrow, which is not installed: pip install pyarrow") from error
    try:
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    first = rows[0] if rows else {}
    image = next((key for key, value in first.items() if _bytes_of(value) is not None), None)
    label = next((key for key in ("label", "labels", "class", "fine_label", "target") if key in first), None)
    if image is None or label is None:
        raise DataError(f"{path.name} needs a column of image bytes and a column label; it has {_list(list(first))}")
    names = list(classes) if all(isinstance(row[label], int) for row in rows) else sorted({str(row[label]) for row in rows})
    images, labels = [], []
    for number, row in enumerate(rows):
        value = row[label] if isinstance(row[label], int) else names.index(str(row[label]))
        try:
            images.append(square(decode(_bytes_of(row[image]) or b"")[0], side))
        except PictureError as error:
            raise DataError(f"{path.name}, row {number}, is not a picture that can be read: {error}") from error
        labels.append(value)
    return Pictures(np.stack(images), np.asarray(labels, dtype=np.int64), tuple(names), path.stem)


def _bytes_of(value: object) -> bytes | None:
    if isinstance(value, dict):
        value = value.get("bytes")
    return value if isinstance(value, bytes) else None


def _held_out(labels: np.ndarray) -> np.ndarray:
    """Mark every fifth picture of each class."""
    test = np.zeros(len(labels), dtype=bool)
    for k in np.unique(labels):
        test[np.flatnonzero(labels == k)[HELD_OUT - 1 :: HELD_OUT]] = True
    return test


def plain(name: str) -> str:
    """Return a class name without case, underscores and superfluous blanks: as names are compared."""
    return " ".join(name.lower().replace("_", " ").split())


def places(theirs: Sequence[str], ours: Sequence[str]) -> list[int] | None:
    """Return for each of their classes where it stands among ours; None where one is not among them."""
    known = {plain(name): k for k, name in enumerate(ours)}
    found = [known.get(plain(name)) for name in theirs]
    return None if None in found else [k for k in found if k is not None]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "nothing"
