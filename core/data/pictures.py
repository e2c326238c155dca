"""Name one picture and get it: the test set, a photograph, the gallery, an upload.

    get("cifar10/1234").x              # the picture with that index in the test set, (1, 3, 32, 32)
    get("cifar10/02dcd3b0047b")        # the one whose pixels have that fingerprint, whatever order the set is in; so of any set
    get("photo/chelsea")               # scikit-image's cat: there without network and without CIFAR-10
    get("photo-224/chelsea")           # the same at 224 pixels, for networks of photographs
    get("planted/12")                  # drawn by code: see core.data.planted
    from_upload(data, "holiday.jpg")   # any PNG, JPEG, WebP, GIF or BMP, or one clear sentence

An id is short and stable, so it can stand in an address, a recipe or the name of an exported file.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import skimage.data
from jaxtyping import UInt8
from PIL import Image

from core.data import own
from core.data.planted import drawn
from core.data.sets import CIFAR10_CLASSES, DataError, Pictures, cifar10, cifar10_root, from_npz, square
from core.data.decode import PictureError, decode
from core.files.render import from_uint8
from core.types import Images

SIZE = 32  # CIFAR's side, which is what the models take
OF_CIFAR = ("cifar10", "gallery", "photo")  # where pictures of that size come from, the best first
PHOTO = re.compile(r"photo-([1-9][0-9]{1,2})")  # photographs of another size: which
GALLERY = Path(__file__).parents[2] / "assets" / "gallery.npz"
FROG = "02dcd3b0047b"  # fingerprint of a test picture plainly a frog, picked because the two models differ much on it
# They ship inside scikit-image's wheel; only the cat is of a class that CIFAR-10 has.
PHOTOS = {
    "chelsea": ("cat", "cat Chelsea, a photograph"),
    "astronaut": (None, "astronaut, a photograph"),
    "coffee": (None, "cup of coffee, a photograph"),
    "rocket": (None, "rocket, a photograph"),
}
_INDEX = {name: i for i, name in enumerate(CIFAR10_CLASSES)} | {str(i): i for i in range(len(CIFAR10_CLASSES))}


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture, ready for a model.

    Args:
        id: What `get` takes to give it back.
        x: float32 (1, 3, side, side) in [0, 1], each value an exact multiple of 1/255.
        label: Index in the classes of its world, see `core.worlds`; None when unknown.
        caption: A few words, without Markdown.
        source: "CIFAR-10 test set", "photograph", "generated" or "uploaded".
        notes: What was done to it on its way here.
    """

    id: str
    x: Images
    label: int | None
    caption: str
    source: str
    notes: tuple[str, ...] = ()

    @property
    def private(self) -> bool:
        """Whether it is a person's own, which no other may be shown."""
        return self.source == "uploaded"


def get(id: str) -> Picture:
    """Return the picture with that id.

    Raises:
        PictureError: If the id is unknown or its source is not on this computer.
    """
    kind, _, name = id.partition("/")
    match kind:
        case "cifar10" | "gallery":
            return _row(kind, name)
        case "photo" if name in PHOTOS:
            label, caption = PHOTOS[name]
            return Picture(id, from_uint8(_photo(name)), _INDEX.get(label or ""), caption, "photograph")
        case _ if name in PHOTOS and (side := PHOTO.fullmatch(kind)):
            return Picture(id, from_uint8(_photo(name, int(side[1]))), None, PHOTOS[name][1], "photograph")
        case _ if kind == drawn.NAME or kind in own.declared():
            return _row(kind, name)
        case "upload":
            raise PictureError(
                "An uploaded picture lives only in the session that uploaded it; please upload it again."
            )
    raise PictureError("There is no picture of that name.")


def ids(kind: str, label: int | None = None) -> tuple[str, ...]:
    """List the ids of one of `available()`: all, or those of one class.

    Raises:
        PictureError: If that source is not on this computer.
    """
    if kind == "photo":
        return tuple(f"photo/{name}" for name, (known, _) in PHOTOS.items() if label in (None, _INDEX.get(known or "")))
    if PHOTO.fullmatch(kind):  # of classes that nobody has said
        return tuple(f"{kind}/{name}" for name in PHOTOS) if label is None else ()
    pictures = _set(kind)
    known = [_number(kind, name) for name in pictures.classes]
    return tuple(f"{kind}/{i}" for i, y in enumerate(pictures.labels) if label is None or known[y] == label)


def available(sources: tuple[str, ...] = OF_CIFAR) -> tuple[str, ...]:
    """Return which of a world's sources are on this computer; photographs always are."""
    return tuple(kind for kind in sources if kind.startswith("photo") or _present(kind))


def default_id() -> str:
    """Return a frog: of CIFAR-10 if it is here, else of the gallery; with neither, the photograph of a cat."""
    if _present("cifar10") and FROG in _fingerprints("cifar10", cifar10_root()):
        return f"cifar10/{_fingerprints('cifar10', cifar10_root())[FROG]}"
    frogs = [id for kind in available() if kind != "photo" for id in ids(kind, _INDEX["frog"])[:1]]
    return (*frogs, "photo/chelsea")[0]


def from_upload(
    data: bytes, name: str = "", *, at: float = 0.5, label: int | None = None, side: int = SIZE
) -> Picture:
    """Make a square picture of a file's bytes; the same bytes and choices give the same id.

    Args:
        data: The file.
        name: Its name, for the caption.
        at: Where along its longer side the square is cut, from 0 (left, top) to 1.
        label: Index in the classes of its world of what is on it, if somebody has said.
        side: Of the picture, in pixels.

    Raises:
        PictureError: As `core.data.decode.decode`.
    """
    image, notes = decode(data)
    if image.width != image.height:
        notes += ("cut to the square in its middle" if at == 0.5 else "cut to a square",)
    if min(image.size) != side:
        notes += (f"{'reduced' if min(image.size) > side else 'enlarged'} to {side} × {side}",)
    # A file's name is a stranger's text: what could be Markdown or a path is left out.
    words = "".join(c if c.isalnum() or c in " .-" else " " for c in name.replace("\\", "/").rpartition("/")[2])
    caption = " ".join(words.split())[:40] or "your picture"
    x = from_uint8(np.array(square(image, side, at))[None])
    digest = hashlib.sha256(data)
    if at != 0.5 or label is not None:  # another square, or another truth, is another picture to whoever keeps results
        digest.update(f"{at:.3f} {label}".encode())
    if side != SIZE:
        digest.update(f"{side} pixels".encode())
    return Picture(f"upload/{digest.hexdigest()[:12]}", x, label, caption, "uploaded", notes)


def fingerprint(image: UInt8[np.ndarray, "h w 3"]) -> str:
    """Return 12 hex digits of the SHA-256 of the pixels: a name that survives reordering a data set."""
    return hashlib.sha256(image.tobytes()).hexdigest()[:12]


def _row(kind: str, name: str) -> Picture:
    pictures = _set(kind)
    if len(name) == 12:
        name = str(_fingerprints(kind, _root(kind)).get(name, name))
    # Without the first and third check, other scripts' digits and numbers of a megabyte would get through.
    if not (name.isascii() and name.isdecimal() and len(name) < 8 and int(name) < len(pictures)):
        where = {"cifar10": "CIFAR-10 test set", "gallery": "gallery"}.get(kind, pictures.source)
        raise PictureError(f"The {where} has no such picture.")
    of_class = pictures.classes[pictures.labels[int(name)]]
    label = _number(kind, of_class)
    source = {"cifar10": "CIFAR-10 test set", "gallery": "generated"}.get(kind, pictures.source)
    usual = CIFAR10_CLASSES[label] if label is not None and kind in OF_CIFAR else of_class
    caption = f"{usual}, {source} no. {int(name)}"
    return Picture(f"{kind}/{int(name)}", pictures.x([int(name)]), label, caption, source)


def _number(kind: str, name: str) -> int | None:
    """Return the index of a class of that source among those of its world."""
    if kind in OF_CIFAR:
        return _INDEX.get(name)
    return (drawn.WORLD.names if kind == drawn.NAME else own.declared()[kind].classes).index(name)


def _set(kind: str) -> Pictures:
    if kind == drawn.NAME:
        return drawn.load("test")
    if kind in own.declared():
        try:
            return own.load(kind, "test")
        except DataError as error:
            raise PictureError(str(error)) from error
    try:
        return _test_set(cifar10_root()) if kind == "cifar10" else _gallery(GALLERY)
    except DataError as error:
        raise PictureError(str(error) if kind == "cifar10" else f"The gallery is not here: {error}.") from error


def _present(kind: str) -> bool:
    try:
        return bool(len(_set(kind)))
    except PictureError:
        return False


# The caches are keyed by where the pictures are, and hold only public ones. A failure is not kept.
@functools.lru_cache(maxsize=2)
def _test_set(root: Path) -> Pictures:
    return _of_our_size(cifar10("test", root))


@functools.lru_cache(maxsize=8)
def _fingerprints(kind: str, root: Path) -> dict[str, int]:  # noqa: ARG001 - of a set elsewhere they are others
    return {fingerprint(image): i for i, image in enumerate(_set(kind).images)}


def _root(kind: str) -> Path:
    """Return where a set's pictures come from; those that we drew come from nowhere."""
    if kind in own.declared():
        return own.declared()[kind].folder
    return {"cifar10": cifar10_root(), "gallery": GALLERY}.get(kind, Path())


@functools.lru_cache(maxsize=2)
def _gallery(path: Path) -> Pictures:
    return _of_our_size(from_npz(path))


@functools.lru_cache(maxsize=4 * len(PHOTOS))
def _photo(name: str, side: int = SIZE) -> UInt8[np.ndarray, "1 h w 3"]:
    return np.array(square(Image.fromarray(getattr(skimage.data, name)()), side))[None]


def _of_our_size(pictures: Pictures) -> Pictures:
    if pictures.images.shape[1:] != (SIZE, SIZE, 3):
        raise DataError(f"{pictures.source} holds pictures of shape {pictures.images.shape[1:]}, not {SIZE} x {SIZE}")
    return pictures
