"""What may come out of a pickle that is read as data: plain containers, arrays, tensors not yet made, and names.

`MAKERS` is the whole list of what a file may have made, each by a function of ours that computes nothing. Whatever
else a file wants to build is a `Refused`.
"""

from collections.abc import Callable
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from core.problems import InputError

MOST_AXES = 16  # of a tensor
MOST_LONG = 2**48  # of an axis


class UnreadableError(InputError):
    """A pickle that cannot be read; the message says why."""


@dataclass(frozen=True)
class Refused:
    """Stands where the file wanted an object of its own; knows nothing but the name of its maker."""

    name: str


@dataclass(frozen=True)
class Name:
    """A name that a file asked for, e.g. "torch._utils._rebuild_tensor_v2"."""

    name: str


@dataclass(frozen=True)
class Stored:
    """Numbers that lie elsewhere in the file: their key, type and count."""

    key: str
    dtype: torch.dtype
    count: int


@dataclass(frozen=True)
class Piece:
    """A tensor that was not made yet: a view of stored numbers."""

    stored: Stored
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def count(self) -> int:
        """Number of its elements."""
        count = 1
        for n in self.size:
            count *= n
        return count


@dataclass(frozen=True)
class Kind:
    """The type of an array's numbers, e.g. "u1"."""

    code: str

    def take(self, state: Any) -> None:
        """Read what else the file says of it: the order of its bytes.

        Raises:
            UnreadableError: If that is another computer's.
        """
        if isinstance(state, tuple) and state[1:2] == (">",):
            raise UnreadableError("its arrays were written by a computer of another byte order")


class Array:
    """An array of NumPy, whose numbers come after it is made."""

    name = "numpy.ndarray"

    def __init__(self) -> None:
        self.values: np.ndarray = np.empty(0, dtype=np.uint8)

    def take(self, state: Any) -> None:
        """Fill it with (version, shape, type, whether columns come first, numbers), as NumPy writes.

        Raises:
            UnreadableError: If the numbers are not as many as the shape says.
        """
        match state:
            case (_, tuple(shape), Kind(code), columns_first, bytes() | bytearray() | str() as numbers):
                # Python 2 wrote them as text, of which each letter is a byte.
                data = numbers.encode("latin-1") if isinstance(numbers, str) else bytes(numbers)
                self.values = _array(data, code, shape, "F" if columns_first else "C")
            case _:
                raise UnreadableError("it describes an array in a way that no NumPy writes")


def _array(data: bytes, code: str, shape: tuple[Any, ...], order: Any) -> np.ndarray:
    whole = all(type(n) is int and 0 <= n < MOST_LONG for n in shape) and len(shape) <= MOST_AXES
    if not whole or math.prod(shape) * np.dtype(code).itemsize != len(data):
        raise UnreadableError(f"an array of shape {list(shape)[:MOST_AXES]} has {len(data):,} bytes, which do not fit")
    return np.frombuffer(data, dtype=code).reshape(shape, order="F" if order == "F" else "C")


def _kind(code: Any = "", *_: Any) -> "Kind | Refused":
    name = str(code).lstrip("|<=")
    return Kind(name) if name in NUMBERS else Refused("numpy.dtype")


def _bytes(text: Any, *_: Any) -> bytes:
    """Return the bytes that Python 3 writes as a text of Latin letters where a protocol has no bytes."""
    return text.encode("latin-1") if isinstance(text, str) else b""


def _frombuffer(data: Any, kind: Any, shape: Any, order: Any, *_: Any) -> Array:
    found = Array()
    found.take((1, shape, kind, order == "F", data))
    return found


NUMBERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"b1", "f2", "f4", "f8"}
KINDS = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
STORAGES = {f"torch.{kind}Storage": dtype for kind, dtype in KINDS.items()}


def _piece(stored: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Piece:
    """Describe a tensor; its every element must lie inside what is stored, and each place is used once at most."""
    numbers = (offset, *size[:MOST_AXES], *stride[:MOST_AXES])
    sound = isinstance(stored, Stored) and len(size) == len(stride) <= MOST_AXES
    if not sound or not all(type(n) is int and 0 <= n < MOST_LONG for n in numbers):
        raise UnreadableError("it describes a tensor in a way that no PyTorch writes")
    made = Piece(stored, offset, tuple(size), tuple(stride))
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if made.count > stored.count or (made.count and last >= stored.count):
        raise UnreadableError(
            f"a tensor of shape {list(size)} reaches beyond the {stored.count:,} numbers that it is made of"
        )
    return made


def _pairs(items: Any = (), *_: Any) -> dict[Any, Any]:
    if isinstance(items, dict):
        return items
    found: dict[Any, Any] = {}
    for key, value in items:
        put(found, key, value)
    return found


def put(found: dict[Any, Any], key: Any, value: Any) -> None:
    if isinstance(
        key, str | int | float | bytes | None
    ):  # anything larger could take forever to hash, and names no weight
        found[key] = value


# All that a file may have made, each by a function of ours that computes nothing.
MAKERS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _pairs,
    "collections.defaultdict": lambda *_: {},
    "torch._utils._rebuild_tensor": _piece,
    "torch._utils._rebuild_tensor_v2": _piece,
    "torch._utils._rebuild_parameter": lambda data, *_: data,
    "torch._utils._rebuild_parameter_with_state": lambda data, *_: data,
    "torch.Size": lambda size=(), *_: tuple(size),
}
for _module in ("numpy.core", "numpy._core"):
    MAKERS |= {f"{_module}.multiarray._reconstruct": lambda *_: Array(), f"{_module}.numeric._frombuffer": _frombuffer}
MAKERS |= {"numpy.dtype": _kind, "_codecs.encode": _bytes}
for _module in ("builtins", "__builtin__"):
    MAKERS |= {f"{_module}.dict": _pairs}
    MAKERS |= {f"{_module}.{kind}": lambda items=(), *_: items for kind in ("list", "tuple", "set", "frozenset")}


def made(what: Any, args: Any) -> Any:
    """Return what a call would have returned, without calling."""
    if isinstance(what, Name):
        maker = MAKERS.get(what.name)
        return maker(*args) if maker else Refused(what.name)
    return what if isinstance(what, Refused) else Refused(type(what).__name__)
