"""Pickles read as data: nothing in them is ever called.

A pickle is a program for a small stack machine, and `pickle.load` runs it: it imports what the file names and calls it.
This reader interprets the same program without importing or calling anything. Numbers, texts, plain containers,
tensors and arrays come out as themselves; whatever else the file wants to build comes out as a `Refused` that only
knows its name. So checkpoints made with dill, or by Lightning with half a trainer inside, give up their weights and nothing else.

    tree = read(io.BytesIO(data))     # dicts, lists, tuples, numbers, texts, `Piece`s, `Array`s, `Refused`s
    names(tree)                       # what was refused, e.g. ("robustness.tools.helpers.AverageMeter",)

It admits less than `torch.load(weights_only=True)`, which fails at the first foreign name instead of going round it.
"""

import io
import pickletools
from collections.abc import Callable, Iterator
from typing import IO, Any, cast

from core.data.admitted import STORAGES, Array, Kind, Name, Refused, Stored, UnreadableError, made, put

MOST_STEPS = 4_000_000  # of the stack machine; a ResNet-50 with its optimiser takes 30,000


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
    """List what no checkpoint needs, each name once: what was refused, and arrays."""
    return tuple(dict.fromkeys(part.name for part in parts(tree) if isinstance(part, Refused | Name | Array)))


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
                put(self.stack[-1], key, value)

    def dictionary(self, _: Any) -> None:
        items = self.marked()
        self.push({})
        self.update(items)

    def call(self, count: int) -> None:
        what, args, *_ = self.many(count)
        args = args if isinstance(args, tuple | list) else ()
        self.spend(len(args) + sum(len(part) for part in args[:2] if isinstance(part, tuple | list)))
        self.push(made(what, args))

    def build(self, _: Any) -> None:
        """Give an array its numbers; the state of any other object is dropped."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], Array | Kind):
            self.stack[-1].take(state)

    def named(self, _: Any) -> None:
        module, name = self.many(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name that is no text")
        self.push(Name(f"{module}.{name}"))

    def instance(self, named: Any) -> None:
        what, *args = [Name(str(named).replace(" ", "."))] * (named is not None) + self.marked()
        self.push(made(what, args))

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
    "BUILD": _Machine.build,
    "BINPERSID": lambda m, _: m.persistent(m.stack.pop()),
}
