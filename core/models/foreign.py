"""A stranger's weights, read without executing anything.

    found = read(Path("resnet50_l2_eps3.ckpt"))
    found.tensors                      # {"conv1.weight": tensor, ...}, on the CPU
    found.refused                      # what else was in the file and was left out

Understood are safetensors, and what `torch.save` writes (the zip of today and the format before PyTorch 1.6), with the
weights at the top or under a usual name: those of Lightning, of MadryLab's `robustness` (dill pickles) and of most
training scripts.
"""

import io
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.data import pickles
from core.data.admitted import Piece, Stored, UnreadableError
from core.problems import InputError

MOST_BYTES = 4 * 2**30
MOST_HEADER = 16 * 2**20  # of text about the tensors: safetensors' header, torch's pickle
MOST_TENSORS = 20_000
WHERE = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params", "ema")
LEGACY = 0x1950A86A20F9469CFC6C  # how torch.save began before PyTorch 1.6
OURS = "Save it in PyTorch with torch.save(model.state_dict(), FILE), or as safetensors"
# What other files begin with, and what they are.
BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes"),
    (b"GGUF", "a GGUF file of llama.cpp"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself; fetch it with git lfs pull"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)


@dataclass(frozen=True)
class Weights:
    """What a file held.

    Args:
        tensors: The weights by name, in the file's order.
        ordered: Whether that order is the one in which the network was built (safetensors sorts).
        kind: What the file is, for people.
        refused: Names of the objects in it that were left out.
    """

    tensors: Mapping[str, Tensor]
    ordered: bool
    kind: str
    refused: tuple[str, ...] = ()


def read(path: Path, *, most_bytes: int = MOST_BYTES) -> Weights:
    """Read a file of weights.

    Raises:
        InputError: If it is none, or damaged, or too large, or its numbers are not finite; the message says which.
    """
    if path.is_dir():
        raise InputError(f"{path.name} is a folder; name the file of weights in it")
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    size = path.stat().st_size
    if size > most_bytes:
        raise InputError(
            f"{path.name} has {size / 2**20:,.0f} MB, more than the {most_bytes / 2**20:,.0f} that are read"
        )
    try:
        with path.open("rb") as file:
            found = _reader(file.read(512), path)(path, file)
        _check(found.tensors)
    except UnreadableError as problem:
        raise InputError(f"{path.name} cannot be used: {problem}") from problem
    return found


def _reader(start: bytes, path: Path) -> Callable[[Path, io.BufferedIOBase], Weights]:
    """Tell from a file's first bytes how to read it."""
    if not start:
        raise UnreadableError("it is empty")
    for beginning, what in BEGINNINGS:
        if start.startswith(beginning):
            raise UnreadableError(f"it is {what}. {OURS}")
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise UnreadableError("it is a web page: the download failed, and what was saved is the page that said so")
    if start[257:262] == b"ustar":
        raise UnreadableError(f"it is a tar archive; unpack it first. {OURS}")
    if start.startswith(b"PK\x03\x04"):
        return _zip
    if start[8:9] == b"{" or path.suffix == ".safetensors":
        return _safetensors
    if start.startswith(b"\x80") and start[1] in range(2, 6):
        return _legacy
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        raise UnreadableError(f"it is text, not weights. {OURS}")
    raise UnreadableError(f"it is neither safetensors nor a file of PyTorch. {OURS}")


def _check(tensors: Mapping[str, Tensor]) -> None:
    if len(tensors) > MOST_TENSORS:
        raise UnreadableError(f"it holds {len(tensors):,} tensors, more than any network that this program can show")
    for name, value in tensors.items():
        if value.is_complex() or value.is_quantized:
            raise UnreadableError(
                f"{name} holds numbers of type {str(value.dtype).removeprefix('torch.')}, not real ones"
            )
        if value.is_floating_point() and not bool(value.float().isfinite().all()):
            raise UnreadableError(
                f"{name} holds numbers that are not finite (NaN or infinity): the training had failed"
            )


def _safetensors(path: Path, file: io.BufferedIOBase) -> Weights:
    file.seek(0)
    length = struct.unpack("<Q", (file.read(8) + bytes(8))[:8])[0]
    size = path.stat().st_size
    if length > min(MOST_HEADER, size - 8):
        raise UnreadableError(
            f"it says that its header has {length:,} bytes, and the file has {size:,}: it is damaged, or no safetensors"
        )
    try:
        with safe_open(path, framework="pt") as opened:
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        raise UnreadableError(f"its safetensors are damaged ({error})") from error
    if not tensors:
        raise UnreadableError("it holds no tensors")
    return Weights(tensors, ordered=False, kind="safetensors")


def _zip(path: Path, file: io.BufferedIOBase) -> Weights:
    """Read what `torch.save` writes today: a zip, not compressed, of a pickle and the numbers."""
    try:
        archive = zipfile.ZipFile(file)
        entries = {entry.filename: entry for entry in archive.infolist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise UnreadableError(f"it was cut off or is damaged ({error})") from error
    root = next((name.removesuffix("data.pkl") for name in entries if name.split("/", 1)[-1] == "data.pkl"), None)
    if root is None:
        raise UnreadableError(f"it is {_what_zip(entries)}, not weights of PyTorch. {OURS}")
    if any(name.startswith(f"{root}code/") for name in entries):
        raise UnreadableError(f"it is a TorchScript program, which would have to be run. {OURS}")

    def content(name: str, most: int) -> bytes:
        entry = entries.get(root + name)
        if entry is None:
            raise UnreadableError(f"its part {name} is missing: it was cut off or is damaged")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > most:
            raise UnreadableError(f"its part {name} is larger than it can be: {entry.file_size:,} bytes")
        try:
            return archive.read(entry)
        except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
            raise UnreadableError(f"its part {name} is damaged ({error})") from error

    if f"{root}byteorder" in entries and content("byteorder", 16) != b"little":
        raise UnreadableError("it was written by a computer of another byte order")
    tree = pickles.read(io.BytesIO(content("data.pkl", MOST_HEADER)))
    made: dict[str, Tensor] = {}

    def stored(what: Stored) -> Tensor:
        if what.key not in made:
            made[what.key] = _numbers(content(f"data/{what.key}", path.stat().st_size), what)
        return made[what.key]

    return _weights(tree, stored)


def _what_zip(entries: Mapping[str, object]) -> str:
    if "config.json" in entries and "model.weights.h5" in entries:
        return "a model of Keras"
    if entries and all(name.endswith(".npy") for name in entries):
        return "an archive of NumPy arrays"
    return "a zip archive"


def _legacy(path: Path, file: io.BufferedIOBase) -> Weights:
    """Read what `torch.save` wrote before PyTorch 1.6: five pickles, then the numbers."""
    file.seek(0)
    head = pickles.read(file)
    if head != LEGACY:
        made_by = ", ".join(pickles.names(head)[:3])
        raise UnreadableError(
            f"it is a pickle{f' of {made_by}' if made_by else ''} that torch.save did not write; nothing in it was run."
            f" {OURS}"
        )
    _, about, tree, keys = (pickles.read(file) for _ in range(4))
    if not isinstance(about, dict) or about.get("little_endian") is not True or not isinstance(keys, list):
        raise UnreadableError("it was cut off, is damaged, or comes from a computer of another byte order")
    begins: dict[str, int] = {}
    widths = {
        piece.stored.key: piece.stored.dtype.itemsize for piece in pickles.parts(tree) if isinstance(piece, Piece)
    }
    size = path.stat().st_size
    for key in keys:
        if not isinstance(key, str) or key not in widths:
            raise UnreadableError("it was cut off or is damaged: it names numbers that belong to no tensor")
        count = struct.unpack("<q", (file.read(8) + bytes(8))[:8])[0]
        begins[key] = file.tell()
        if count < 0 or begins[key] + count * widths[key] > size:
            raise UnreadableError("it was cut off: it ends before its numbers do")
        file.seek(count * widths[key], io.SEEK_CUR)
    made: dict[str, Tensor] = {}

    def stored(what: Stored) -> Tensor:
        if what.key not in begins:
            raise UnreadableError("it was cut off or is damaged: numbers of a tensor are missing")
        if what.key not in made:
            file.seek(begins[what.key])
            made[what.key] = _numbers(file.read(what.count * what.dtype.itemsize), what)
        return made[what.key]

    return _weights(tree, stored)


def _numbers(data: bytes, what: Stored) -> Tensor:
    if len(data) < what.count * what.dtype.itemsize:
        raise UnreadableError(f"it was cut off: {what.count:,} numbers should be where {len(data):,} bytes are")
    if not what.count:
        return torch.empty(0, dtype=what.dtype)
    return torch.frombuffer(bytearray(data), dtype=what.dtype, count=what.count)


def _weights(tree: Any, stored: Callable[[Stored], Tensor]) -> Weights:
    """Find the weights in what a pickle held, and make those tensors, no others."""
    found, kind = _locate(tree)
    refused = pickles.names(tree)
    if not found:
        whole = f"an object of {refused[0]} itself" if refused else "something else"
        raise UnreadableError(f"it holds {whole}, not weights; nothing in it was run. {OURS}")
    if len(found) > MOST_TENSORS:
        raise UnreadableError(f"it holds {len(found):,} tensors, more than any network that this program can show")
    tensors = {
        name: stored(piece.stored).as_strided(piece.size, piece.stride, piece.offset) if piece.count else torch.empty(0)
        for name, piece in found.items()
    }
    return Weights(tensors, ordered=True, kind=kind, refused=refused)


def _locate(tree: Any) -> tuple[dict[str, Piece], str]:
    """Find the dictionary of weights: the whole tree, or what stands under a usual name in it."""
    if not isinstance(tree, dict):
        return {}, ""
    for name in WHERE:
        inside = tree.get(name)
        if isinstance(inside, dict) and (found := _pieces(inside)):
            if "pytorch-lightning_version" in tree:
                return found, "a checkpoint of Lightning"
            if any(key.startswith("module.attacker.") for key in found):
                return found, "a checkpoint of MadryLab's robustness"
            return found, f"a checkpoint, its weights under {name!r}"
    return _pieces(tree), "a state dict"


def _pieces(tree: Mapping[Any, Any]) -> dict[str, Piece]:
    return {key: value for key, value in tree.items() if isinstance(key, str) and isinstance(value, Piece)}
