"""Pictures with labels: CIFAR-10, a folder of images, an `.npz` file.

    train = cifar10("train")               # torchvision's layout or .npz shards in $CIFAR10_DIR
    x, y = train.x(range(8)), train.y(range(8))

No CIFAR-10 picture ships with this project; `download=True` fetches it with torchvision.
"""

import hashlib
import logging
import os
import re
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from PIL import Image

from core.data.decode import PictureError, decode
from core.files.arrays import UNREADABLE
from core.problems import UserError
from core.types import Images, Labels

CIFAR10_CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)
ALSO_CALLED = {"plane": "airplane", "car": "automobile"}  # in tutorials, and in what was trained after them
CIFAR10_VARIABLE = "CIFAR10_DIR"
CIFAR10_SIZES = {"train": 50_000, "test": 10_000}
IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp"}  # of what `decode` reads
log = logging.getLogger(__name__)


class DataError(UserError):
    """A data set that is missing or not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Pictures:
    """A labelled set of 8-bit pictures.

    Args:
        images: uint8 (N, H, W, 3), RGB.
        labels: int64 (N,), indices into classes.
        classes: Class names.
        source: Where they come from, for captions.
    """

    images: UInt8[np.ndarray, "n h w 3"]
    labels: Int64[np.ndarray, " n"]
    classes: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise DataError(f"{len(self.images)} images but {len(self.labels)} labels in {self.source}")
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise DataError(
                f"labels must be 0 to {len(self.classes) - 1}, got {self.labels.min()} to {self.labels.max()}"
                f" in {self.source}"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def fingerprint(self) -> str:
        """12 hex digits of the SHA-256 of pixels, labels and class names: what tells one set from another."""
        digest = hashlib.sha256(repr((self.images.shape, self.classes)).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()[:12]

    def take(self, rows: slice | np.ndarray) -> "Pictures":
        """Return the set of those pictures alone: a slice, their numbers (n,), or a mask (N,)."""
        return replace(self, images=self.images[rows], labels=self.labels[rows])

    def x(self, rows: Iterable[int] | slice = slice(None)) -> Images:
        """Return those pictures as float32 (n, 3, H, W) in [0, 1]."""
        chosen = self.images[rows if isinstance(rows, slice) else np.asarray(list(rows), dtype=int)]
        return torch.from_numpy(np.ascontiguousarray(chosen)).permute(0, 3, 1, 2).float() / 255

    def y(self, rows: Iterable[int] | slice = slice(None)) -> Labels:
        """Return their labels as int64 (n,)."""
        return torch.from_numpy(self.labels[rows if isinstance(rows, slice) else np.asarray(list(rows), dtype=int)])


def cifar10_root() -> Path:
    """Return `$CIFAR10_DIR`, or the per-user cache folder into which a download goes."""
    given = os.environ.get(CIFAR10_VARIABLE)
    if given:
        return Path(given).expanduser()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "robust-frog" / "cifar10"


def cifar10(split: str, root: Path | str | None = None, download: bool = False) -> Pictures:
    """Load CIFAR-10.

    Args:
        split: "train" (50,000) or "test" (10,000).
        root: A folder in torchvision's layout (holding `cifar-10-batches-py`), or with `.npz` shards
            `train*.npz` / `test*.npz` of `images`, `labels`, `classes`. Default: `$CIFAR10_DIR`, else the cache folder.
        download: Fetch it with torchvision (163 MB, shows a progress bar) if it is not there.

    Raises:
        ValueError: If split is neither "train" nor "test".
        DataError: If it is not there or is damaged; the message says what to do.
    """
    if split not in CIFAR10_SIZES:
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    folder = Path(root).expanduser() if root is not None else cifar10_root()
    shards = sorted(folder.glob(f"{split}*.npz"))
    if shards:
        found = _join([from_npz(shard) for shard in shards], f"CIFAR-10 {split} set")
        if len(found) != CIFAR10_SIZES[split] and all(re.search(r"\d$", shard.stem) for shard in shards):
            raise DataError(
                f"the {len(shards)} shards {split}*.npz in {folder} hold {len(found):,} pictures of {CIFAR10_SIZES[split]:,};"
                f" one is missing or foreign (a set of one's own is one file, {split}.npz)"
            )
        return _by_usual_names(found)
    batches = "cifar-10-batches-py"
    if folder.name == batches:
        folder = folder.parent
    if not (folder / batches).is_dir() and not download:
        raise DataError(
            f"CIFAR-10 is not in {folder}. Set {CIFAR10_VARIABLE} to a folder that has it, or fetch it (163 MB): "
            "python -m core.data download"
        )
    return _torchvision(folder, split, download)


def where_in(classes: Sequence[str]) -> list[int] | None:
    """Return where each of CIFAR-10's classes stands among these; None where they are not the same ones.

    They may be in another order, and say plane or car.
    """
    names = [ALSO_CALLED.get(name, name) for name in classes]
    return [names.index(name) for name in CIFAR10_CLASSES] if sorted(names) == sorted(CIFAR10_CLASSES) else None


def _by_usual_names(found: Pictures) -> Pictures:
    """Count the classes as everybody does, whatever order a file has them in."""
    order = where_in(found.classes)
    if order is None or found.classes == CIFAR10_CLASSES:
        return found
    return Pictures(found.images, np.argsort(order)[found.labels], CIFAR10_CLASSES, found.source)


def _torchvision(folder: Path, split: str, download: bool) -> Pictures:
    from torchvision.datasets import CIFAR10  # slow to import, and only needed here

    try:
        found = CIFAR10(str(folder), train=split == "train", download=download)
    except (RuntimeError, OSError, EOFError, HTTPException, tarfile.TarError) as error:
        hint = "check the network and that the folder can be written" if download else "delete it and fetch it again"
        raise DataError(f"CIFAR-10 in {folder} could not be read ({error}); {hint}.") from error
    labels = np.asarray(found.targets, dtype=np.int64)
    return Pictures(found.data, labels, CIFAR10_CLASSES, f"CIFAR-10 {split} set")


def from_npz(path: Path | str, *, grey: bool = False) -> Pictures:
    """Read an `.npz` with `images` uint8 (N, H, W, 3), `labels` (N,) and, optionally, `classes`.

    Args:
        path: The file.
        grey: Take grey pictures too, (N, H, W) or (N, H, W, 1); they get three equal channels.

    Raises:
        DataError: If the file is missing, damaged or holds something else.
    """
    path = Path(path)
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"].astype(np.int64)
            classes = tuple(map(_text, file["classes"].ravel().tolist())) if "classes" in file else None
    except FileNotFoundError as error:
        raise DataError(f"there is no file {path}") from error
    except UNREADABLE as error:
        raise DataError(f"{path.name} is not an .npz of images and labels ({error})") from error
    if grey and (images.ndim == 3 or images.shape[3:] == (1,)):
        images = np.repeat(images.reshape(*images.shape[:3], 1), 3, 3)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] != 3:
        raise DataError(f"images in {path.name} must be uint8 (N, H, W, 3), got {images.dtype} {images.shape}")
    if labels.ndim != 1:
        raise DataError(f"labels in {path.name} must be (N,), got {labels.shape}")
    names = classes or tuple(str(i) for i in range(int(labels.max(initial=0)) + 1))
    return Pictures(images, labels, names, path.stem)


def _text(name: object) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def from_folder(folder: Path | str, size: int = 32) -> Pictures:
    """Read an image folder with one sub-folder a class; pictures are cropped to a square and resized.

    Hidden files and folders, and what archivers leave, do not count. Files of other kinds are left out, which the log says.

    Raises:
        DataError: If there is no picture, or one cannot be read.
    """
    folder = Path(folder)
    classes = tuple(path.name for path in _shown(folder) if path.is_dir()) if folder.is_dir() else ()
    images, labels, others = [], [], set[str]()
    for label, name in enumerate(classes):
        for path in _shown(folder / name):
            if path.suffix.lower() not in IMAGE_SUFFIXES:
                others.add(f"{name}/{path.name}")
                continue
            try:
                images.append(square(decode(path.read_bytes())[0], size))
            except (OSError, PictureError) as error:
                raise DataError(f"{path} is not a picture that can be read: {error}") from error
            labels.append(label)
    if not images:
        raise DataError(f"no pictures in {folder}; expected sub-folders, one a class, with PNG or JPEG files")
    if others:
        log.warning("%s: %d files are no pictures and were left out, among them %s", folder, len(others), min(others))
    return Pictures(np.stack(images), np.asarray(labels, dtype=np.int64), classes, folder.name)


def _shown(folder: Path) -> list[Path]:
    """List what a person put into a folder, by name."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__MACOSX")))


def square(picture: Image.Image, size: int, at: float = 0.5) -> UInt8[np.ndarray, "h w 3"]:
    """Crop the largest square, in the middle or `at` of the way along, and resize it to (size, size, 3), 8-bit RGB."""
    side = min(picture.size)
    left, top = (int(at * (whole - side)) for whole in picture.size)
    cropped = picture.convert("RGB").crop((left, top, left + side, top + side))
    return np.asarray(cropped.resize((size, size), Image.Resampling.LANCZOS))


def _join(parts: list[Pictures], source: str) -> Pictures:
    if len({part.classes for part in parts}) > 1:
        raise DataError(f"the shards of {source} disagree about the class names")
    return Pictures(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        parts[0].classes,
        source,
    )
