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
in `problems`, on the page Models and in the log, which has the traceback; the others are there all the same.
"""

import argparse
import atexit
import copy
import hashlib
import importlib.util
import json
import logging
import os
import re
import sys
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from core import worlds
from core.data.own import places
from core.models.classifier import Classifier
from core.models.normalization import Normalize
from core.problems import InputError
from core.recipes.python import PLUGINS
from core.types import Images

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
AS_THEY_ARE = ((0.0,) * 3, (1.0,) * 3)  # mean and std of pixels that nobody normalises
TRIED = 4  # grey, noisy pictures that a network is shown before anybody else sees it
CLOSE = 1e-3  # between logits, as a part of the largest
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
class Plugged:
    """A network out of a file, as `core.models.checkpoints` knows those that have no checkpoint.

    Args:
        path: A file that stands for its weights: it is another one whenever they are.
        arch: What it is, for people.
        title: For people.
        world: In which world it lives.
        recipe: Where it is from, and what was done to it.
        model: In eval mode, frozen, with the world's order of classes.
    """

    path: Path
    arch: str
    title: str
    world: str
    recipe: Mapping[str, Any]
    model: Classifier = field(repr=False)

    def load(self) -> Classifier:
        """Return the network, a copy of one's own."""
        return copy.deepcopy(self.model)


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


def problems() -> tuple[str, ...]:
    """Say what is wrong with the files or with their networks, a sentence each."""
    return found().problems


def _read(files: Sequence[Path]) -> Found:
    networks: dict[str, Plugged] = {}
    wrong: list[str] = []
    for file in files:
        try:
            for said in _run(file):
                try:
                    if said.name in networks:
                        raise InputError(f"{file.name} has a second network {said.name!r}; choose another name")
                    networks[said.name] = _plugged(said, file)
                except InputError as problem:
                    wrong.append(str(problem))
                    log.warning("%s", problem, exc_info=problem.__cause__)
        except InputError as problem:
            wrong.append(str(problem))
            log.warning("%s", problem, exc_info=problem.__cause__)
    return Found(networks, tuple(wrong))


def _run(file: Path) -> list[Network]:
    """Run a file and return the networks that it offers.

    Raises:
        InputError: If it is not there, ends in an error, or offers none.
    """
    if not file.is_file():
        raise InputError(f"there is no plugin {file}")
    spec = importlib.util.spec_from_file_location(f"robust_frog_plugin_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file.name} is no Python file; a plugin's name ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # as dataclasses and pickles in it expect
    if (folder := str(file.parent.resolve())) not in sys.path:
        sys.path.append(folder)  # it may import its neighbours
    offered: list[Network] = []
    before = _collected.set(offered)
    try:
        spec.loader.exec_module(module)
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
        _stand_in(said.name, file, model), f"{type(made).__name__} of {file.name}", said.title, world.name, about, model
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


def opened(network: nn.Module, x: Images, logits: Tensor) -> tuple[Classifier, str]:
    """Take a network apart at its last linear layer: what comes before is the representation.

    Args:
        network: In eval mode; it becomes a part of what is returned.
        x: A few pictures as it takes them (N, 3, H, W).
        logits: What it says of them (N, K).

    Returns:
        The classifier, and a sentence if nothing stands in the open: then its logits are taken for its features.
    """
    classes = logits.shape[1]
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear) and layer.out_features == classes]
    for head in linear[-1:]:
        stop = nn.Identity()
        if not _exchange(network, head, stop):
            continue
        with torch.no_grad():
            z = network(x)
            whole = isinstance(z, Tensor) and z.ndim == 2 and z.shape[1] == head.in_features
            if whole and float((head(z) - logits).abs().max()) <= CLOSE * max(1.0, float(logits.abs().max())):
                return Classifier(nn.Sequential(OrderedDict(_blocks(network))), head), ""
        _exchange(network, stop, head)
    straight = nn.Linear(classes, classes, bias=False)
    with torch.no_grad():
        straight.weight.copy_(torch.eye(classes))
    return (
        Classifier(nn.Sequential(OrderedDict(network=network)), straight),
        "It does not end in a linear layer, so its logits stand for its representation.",
    )


def _blocks(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if type(network) is not nn.Sequential:
        yield "network", network
        return
    yield from ((name, part) for name, part in network.named_children() if not isinstance(part, nn.Identity))


def _exchange(network: nn.Module, old: nn.Module, new: nn.Module) -> bool:
    """Put a layer in the place of another, wherever that is; tell whether it was anywhere."""
    held = [(module, name) for module in network.modules() for name, part in module.named_children() if part is old]
    for module, name in held:
        setattr(module, name, new)
    return bool(held)


def _stand_in(name: str, file: Path, model: Classifier) -> Path:
    """Write a small file that is another one whenever the network is: what a checkpoint's file is to others."""
    digest = hashlib.sha256(file.read_bytes())
    for key, value in sorted(model.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().float().contiguous().numpy().tobytes())
    folder = tempfile.TemporaryDirectory(prefix="robust-frog-plugin-")
    atexit.register(folder.cleanup)
    path = Path(folder.name) / f"{name}.json"
    path.write_text(json.dumps({"plugin": file.name, "network": name, "sha256": digest.hexdigest()}), "utf-8")
    return path


def _first(error: BaseException) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:160]}" if lines else type(error).__name__
