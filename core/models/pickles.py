"""Pickles read as data: nothing in them is ever called.

A pickle is a program for a small stack machine, and `pickle.load` runs it: it imports what the file names and calls it.
This reader interprets the same program without importing or calling anything. Numbers, texts, plain containers and
tensors come out as themselves; whatever else the file wants to build comes out as a `Refused` that only knows its name.
So checkpoints made with dill, or by Lightning with half a trainer inside, give up their weights and nothing else.

    tree = read(io.BytesIO(data))     # dicts, lists, tuples, numbers, texts, `Piece`s and `Refused`s
    names(tree)                       # what was refused, e.g. ("robustness.tools.helpers.AverageMeter",)

It admits less than `torch.load(weights_only=True)`, which fails at the first foreign name instead of going round it.
"""

import io
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import torch

from core.problems import InputError

MOST_STEPS = 4_000_000  # of the stack machine; a ResNet-50 with its optimiser takes 30,000
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
        _set(found, key, value)
    return found


def _set(found: dict[Any, Any], key: Any, value: Any) -> None:
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
for _module in ("builtins", "__builtin__"):
    MAKERS |= {f"{_module}.dict": _pairs}
    MAKERS |= {f"{_module}.{kind}": lambda items=(), *_: items for kind in ("list", "tuple", "set", "frozenset")}


def read(file: io.BufferedIOBase) -> Any:
    """Read one pickle, and leave the file right behind it.

    Raises:
        UnreadableError: If it is damaged, or longer than any checkpoint has reason to be.
    """
    try:
        return _Machine().run(file)
    except UnreadableError:
        raise
    except (
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
        OverflowError,
        UnicodeError,
        MemoryError,
    ) as error:
        raise UnreadableError(f"its pickle is damaged ({str(error) or type(error).__name__})") from error


def names(tree: Any) -> tuple[str, ...]:
    """List what was refused, each name once."""
    return tuple(dict.fromkeys(part.name for part in parts(tree) if isinstance(part, Refused | Name)))


def parts(tree: Any) -> Iterator[Any]:
    seen, waiting = set(), [tree]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting.extend(reversed(list(part.values())))
        elif isinstance(part, list | tuple):
            waiting.extend(reversed(part))


def _made(what: Any, args: Any) -> Any:
    """Return what a call would have returned, without calling."""
    if isinstance(what, Name):
        maker = MAKERS.get(what.name)
        return maker(*args) if maker else Refused(what.name)
    return what if isinstance(what, Refused) else Refused(type(what).__name__)


class _Machine:
    """The stack machine: `stack` holds values, `below` the stacks under the marks, `memo` what is named by number.

    Sets are lists here. `left` counts down all that is done, so that no small file keeps a computer busy.
    """

    def __init__(self) -> None:
        self.left = MOST_STEPS
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, file: io.BufferedIOBase) -> Any:
        for opcode, argument, _ in pickletools.genops(cast(IO[bytes], file)):
            if opcode.name == "STOP":
                return self.stack.pop()
            self.spend(1)
            if opcode.name in PLAIN:
                self.push(argument)
            else:
                step = STEPS.get(opcode.name)
                if step is None:
                    raise UnreadableError(f"its pickle has an instruction, {opcode.name}, that no checkpoint needs")
                step(self, argument)
        raise UnreadableError("its pickle ends in the middle")

    def spend(self, steps: int) -> None:
        """Count what is done.

        Raises:
            UnreadableError: If it is too much.
        """
        self.left -= steps
        if self.left < 0:
            raise UnreadableError(f"its pickle takes more than {MOST_STEPS:,} steps; no checkpoint does")

    def push(self, value: Any) -> None:
        self.stack.append(value)

    def marked(self) -> list[Any]:
        """Pop all above the last mark."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def many(self, count: int) -> list[Any]:
        """Pop that many, in the order in which they were pushed."""
        if len(self.stack) < count:
            raise IndexError("an empty stack")
        items = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return items

    def mark(self, _: Any) -> None:
        self.below.append(self.stack)
        self.stack = []

    def put(self, key: Any) -> None:
        self.memo[len(self.memo) if key is None else int(key)] = self.stack[-1]

    def get(self, key: Any) -> None:
        self.push(self.memo[int(key)])

    def extend(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], list):  # an object that was refused stays empty
            self.stack[-1].extend(items)

    def update(self, items: list[Any]) -> None:
        if isinstance(self.stack[-1], dict):
            for key, value in zip(items[::2], items[1::2], strict=True):
                _set(self.stack[-1], key, value)

    def dictionary(self, _: Any) -> None:
        items = self.marked()
        self.push({})
        self.update(items)

    def call(self, count: int) -> None:
        what, args, *_ = self.many(count)
        args = args if isinstance(args, tuple | list) else ()
        self.spend(len(args) + sum(len(part) for part in args[:2] if isinstance(part, tuple | list)))
        self.push(_made(what, args))

    def named(self, _: Any) -> None:
        module, name = self.many(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name that is no text")
        self.push(Name(f"{module}.{name}"))

    def instance(self, named: Any) -> None:
        what, *args = [Name(str(named).replace(" ", "."))] * (named is not None) + self.marked()
        self.push(_made(what, args))

    def persistent(self, key: Any) -> None:
        match key:
            case ("storage", Name(kind), str(name), str(), int(count), *views) if count >= 0 and not any(views):
                if kind not in STORAGES:
                    raise UnreadableError(f"it stores numbers as {kind}, which is not one of PyTorch's plain types")
                self.push(Stored(name, STORAGES[kind], count))
            case _:
                raise UnreadableError("it points outside itself in a way that no PyTorch writes")


def _nothing(machine: _Machine, argument: Any) -> None:
    """Do nothing."""


PLAIN = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
Step = Callable[[_Machine, Any], object]
STEPS: dict[str, Step] = {
    "PROTO": _nothing,
    "FRAME": _nothing,
    "MARK": _Machine.mark,
    "POP": lambda m, _: m.stack.pop() if m.stack else m.marked(),
    "POP_MARK": lambda m, _: m.marked(),
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "EMPTY_SET": lambda m, _: m.push([]),
    "LIST": lambda m, _: m.push(m.marked()),
    "TUPLE": lambda m, _: m.push(tuple(m.marked())),
    "FROZENSET": lambda m, _: m.push(m.marked()),
    "TUPLE1": lambda m, _: m.push(tuple(m.many(1))),
    "TUPLE2": lambda m, _: m.push(tuple(m.many(2))),
    "TUPLE3": lambda m, _: m.push(tuple(m.many(3))),
    "DICT": _Machine.dictionary,
    "APPEND": lambda m, _: m.extend(m.many(1)),
    "APPENDS": lambda m, _: m.extend(m.marked()),
    "SETITEM": lambda m, _: m.update(m.many(2)),
    "SETITEMS": lambda m, _: m.update(m.marked()),
    "ADDITEMS": lambda m, _: m.extend(m.marked()),
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.put,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": lambda m, named: m.push(Name(named.replace(" ", "."))),
    "STACK_GLOBAL": _Machine.named,
    "REDUCE": lambda m, _: m.call(2),
    "NEWOBJ": lambda m, _: m.call(2),
    "NEWOBJ_EX": lambda m, _: m.call(3),
    "INST": _Machine.instance,
    "OBJ": lambda m, _: m.instance(None),
    "BUILD": lambda m, _: m.stack.pop(),  # the state that an object would have been given
    "BINPERSID": lambda m, _: m.persistent(m.stack.pop()),
}
