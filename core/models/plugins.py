"""Networks that are Python: any nn.Module, out of a file that whoever owns the machine names at start, never an upload.

    # mine.py
    from core.models.plugins import network

    @network("mine", title="My network", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    def mine():
        model = MyNet()
        model.load_state_dict(torch.load("mine.pt", weights_only=True))
        return model

`make app PLUGIN=mine.py`, `streamlit run app.py -- --plugin mine.py`, or `$ROBUST_FROG_PLUGINS`, which names several:
each file is run once, and its networks are models of their world like any other. What is wrong with one is a sentence
in `found().problems`, on the page Models and in the log, which has the traceback; the others are there all the same.
"""

import argparse
import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from core import worlds
from core.data.own import places
from core.models.apart import opened
from core.models.classifier import Classifier
from core.models.normalization import Normalize
from core.models.plugged import Plugged, stand_in
from core.problems import InputError
from core.recipes.python import PLUGINS

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
AS_THEY_ARE = ((0.0,) * 3, (1.0,) * 3)  # mean and std of pixels that nobody normalises
TRIED = 4  # grey, noisy pictures that a network is shown before anybody else sees it
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Network:
    """What a file says of a network; see `network`."""

    name: str
    make: Callable[[], nn.Module]
    title: str
    world: str
    mean: Sequence[float] | None
    std: Sequence[float] | None
    classes: Sequence[str] | None


@dataclass(frozen=True)
class Found:
    """What the files held.

    Args:
        networks: By name.
        problems: What was wrong, a sentence each.
    """

    networks: Mapping[str, Plugged] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


_collected: ContextVar[list[Network] | None] = ContextVar("networks of the file that is being run", default=None)
_known: dict[str, Found] = {}
_lock = threading.RLock()


def network(
    name: str,
    *,
    title: str = "",
    world: str = worlds.DEFAULT,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    classes: Sequence[str] | None = None,
) -> Callable[[Callable[[], nn.Module]], Callable[[], nn.Module]]:
    """Offer the network that a function returns: pictures (N, 3, H, W) to logits (N, K).

    Args:
        name: What it is called in addresses and recipes: small letters, digits, dots and hyphens.
        title: For people; by default its name.
        world: In which it lives.
        mean: What is subtracted from pixels in [0, 1] before it sees them, per channel; by default nothing.
        std: What divides them then; by default 1.
        classes: Class names in the order of its logits; by default the world's own.
    """

    def offer(make: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
        if (here := _collected.get()) is not None:
            here.append(Network(name, make, title or name, world, mean, std, classes))
        return make

    return offer


def begin(arguments: Sequence[str]) -> None:
    """Take the files that a command line names with `--plugin`, and run all that there are.

    Raises:
        SystemExit: If the command line is not one.
    """
    parser = argparse.ArgumentParser(prog="streamlit run app.py --")
    parser.add_argument("--plugin", action="append", default=[], metavar="FILE", help="a Python file of networks")
    given = parser.parse_args(arguments).plugin
    os.environ[PLUGINS] = os.pathsep.join(filter(None, [os.environ.get(PLUGINS, ""), *given]))
    found()


def found() -> Found:
    """Return what the files hold that `$ROBUST_FROG_PLUGINS` names; they are run when this is first asked."""
    named = os.environ.get(PLUGINS, "")
    with _lock:
        if named not in _known:
            _known[named] = Found()  # what a file is told that asks while it is run
            _known[named] = _read([Path(part).expanduser() for part in named.split(os.pathsep) if part])
        return _known[named]


def _read(files: Sequence[Path]) -> Found:
    networks: dict[str, Plugged] = {}
    wrong: list[str] = []
    for file in files:
        with _said(wrong):
            for offered in _run(file):
                with _said(wrong):
                    if offered.name in networks:
                        raise InputError(f"{file.name} has a second network {offered.name!r}; choose another name")
                    networks[offered.name] = _plugged(offered, file)
    return Found(networks, tuple(wrong))


@contextmanager
def _said(wrong: list[str]) -> Iterator[None]:
    """Note what cannot be used and go on without it; the log has where it happened, too."""
    try:
        yield
    except InputError as problem:
        wrong.append(str(problem))
        log.warning("%s", problem, exc_info=problem.__cause__)


def _run(file: Path) -> list[Network]:
    """Run a file and return the networks that it offers.

    Raises:
        InputError: If it is not there, ends in an error, or offers none.
    """
    if not file.is_file():
        raise InputError(f"there is no plugin {file}")
    if file.suffix != ".py":
        raise InputError(f"{file.name} is no Python file; a plugin's name ends in .py")
    name = f"robust_frog_plugin_{file.stem}"
    loader = _AsItIs(name, str(file))
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module  # as dataclasses and pickles in it expect
    if (folder := str(file.parent.resolve())) not in sys.path:
        sys.path.append(folder)  # it may import its neighbours
    offered: list[Network] = []
    before = _collected.set(offered)
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise InputError(f"{file.name} ended in an error, so its networks are not here: {_first(error)}") from error
    finally:
        _collected.reset(before)
    if not offered:
        raise InputError(
            f'{file.name} offers no network: write @network("name") above a function that returns one'
            " (from core.models.plugins import network)"
        )
    return offered


class _AsItIs(SourceFileLoader):
    """Compiles the file each time: what Python keeps compiled knows a file's date to the second and nothing else."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - how Python calls it
        return self.source_to_code(self.get_data(self.path), self.path)


def _plugged(said: Network, file: Path) -> Plugged:
    """Make a network, look whether it is one, and take it apart.

    Raises:
        InputError: If it is none, or not of its world.
    """
    called = f"the network {said.name!r} of {file.name}"
    if not NAME.fullmatch(said.name):
        raise InputError(f"{called} needs a name of up to 48 small letters, digits, dots and hyphens")
    from core.models import checkpoints  # which asks this module in turn

    if (checkpoints.FOLDER / f"{said.name}{checkpoints.SUFFIX}").exists():
        raise InputError(f"{called} has the name of a checkpoint; choose another one")
    if said.world not in worlds.known():
        raise InputError(f"{called} says that it lives in {said.world!r}; the worlds are {', '.join(worlds.known())}")
    world = worlds.get(said.world)
    mean, std = _normalisation(said, called)
    try:
        made = said.make()
    except Exception as error:
        raise InputError(f"{called} could not be made: {_first(error)}") from error
    if not isinstance(made, nn.Module):
        raise InputError(f"{called} is a {type(made).__name__}, not an nn.Module")
    made.eval().requires_grad_(False)
    for module in made.modules():
        if hasattr(module, "inplace"):
            vars(module)["inplace"] = False  # else a layer writes over what its neighbour showed
    plain = isinstance(made, Classifier)
    draws = torch.Generator().manual_seed(0)
    x = (0.5 + 0.1 * torch.randn(TRIED, 3, world.side, world.side, generator=draws)).clamp(0, 1)
    x = x if plain else Normalize(mean, std)(x)
    try:
        with torch.no_grad():
            logits = made(x)
    except Exception as error:
        raise InputError(f"{called} cannot take pictures of {world.side} pixels: {_first(error)}") from error
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != TRIED:
        what = f"shape {list(logits.shape)}" if isinstance(logits, Tensor) else type(logits).__name__
        raise InputError(f"{called} returns {what} where logits (N, K) should be")
    order = _order(said, world, logits.shape[1], called)
    model, note = (made, "") if isinstance(made, Classifier) else opened(made, x, logits)
    if not plain or said.mean or said.std:
        model.normalize = Normalize(mean, std)
    with torch.no_grad():
        model.head.weight.copy_(model.head.weight[order])
        if model.head.bias is not None:
            model.head.bias.copy_(model.head.bias[order])
    model.eval().requires_grad_(False)
    kept = {key: [round(v, 6) for v in getattr(model.normalize, key).flatten().tolist()] for key in ("mean", "std")}
    about: dict[str, Any] = {"plugin": file.name, **kept}
    if note:
        about["note"] = note
    return Plugged(
        stand_in(said.name, file, model), f"{type(made).__name__} of {file.name}", said.title, world.name, about, model
    )


def _normalisation(said: Network, called: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mean, std = tuple(said.mean or AS_THEY_ARE[0]), tuple(said.std or AS_THEY_ARE[1])
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise InputError(f"{called}: mean and std are three numbers each, std above 0; got {mean} and {std}")
    return mean, std


def _order(said: Network, world: worlds.World, logits: int, called: str) -> list[int]:
    """Return which logit is each class of the world."""
    names = tuple(said.classes or world.classes)
    if len(names) != logits:
        whose = "it names" if said.classes else f"{world.title} has"
        raise InputError(
            f"{called} gives {logits} logits, and {whose} {len(names)} classes ({', '.join(names[:3])}, …)"
        )
    order = places(world.classes, names)
    if order is None or len(names) != len(world.classes):
        raise InputError(
            f"{called} knows other classes than {world.title}: {', '.join(names[:8])}; the world has"
            f" {', '.join(world.classes[:8])}"
        )
    return order


def _first(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__
