"""A stranger's model becomes one of ours: read, fitted, looked at by the doctor, and written as a checkpoint.

    arrived = receive(Path("theirs.pt"), "timm/resnet18", mean=(0.5,) * 3, std=(0.5,) * 3)
    arrived.findings                         # what the doctor says
    keep(arrived, "theirs")                  # from now on every page offers it

`python -m core.models add` and the page Models are this and nothing else.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from core import worlds
from core.data import pictures
from core.data.decode import PictureError
from core.models import ARCHITECTURES, Classifier, build, checkpoints, doctor, foreign
from core.models.checkpoints import Header
from core.models.findings import Finding
from core.models.fitting import Fitted, fit, stated_normalisation, swap_colours
from core.models.foreign import Weights
from core.models.normalization import Normalize
from core.problems import InputError
from core.types import Images, Labels
from core.worlds import World

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,47}")
SPECIMENS = 200  # pictures that the doctor looks at


@dataclass(frozen=True)
class Arrival:
    """A model that was read and looked at, and is not on disk yet.

    Args:
        model: In eval mode, with the world's order of classes.
        header: What will stand in its checkpoint.
        findings: What the doctor says; empty for a healthy model.
        notes: What was done to it on its way here, a sentence each.
        half: Whether half precision holds its weights without changing a prediction.
    """

    model: Classifier
    header: Header
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    half: bool


def receive(
    path: Path,
    arch: str,
    *,
    world: str = worlds.DEFAULT,
    title: str = "",
    width: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    classes: Sequence[str] | None = None,
    bgr: bool = False,
    most_bytes: int = foreign.MOST_BYTES,
) -> Arrival:
    """Read a file of weights, make the model, and have the doctor look at it.

    Args:
        path: Safetensors, or what torch.save wrote; nothing in it is run.
        arch: A key of `ARCHITECTURES`, "timm/NAME" or "torchvision/NAME".
        world: In which it lives.
        title: For people; by default its architecture and the file's name.
        width: Of a network of this project, where it is not the usual one.
        mean: What it subtracts from pixels in [0, 1], per channel; by default what the file says, else nothing.
        std: What it divides them by; by default what the file says, else 1.
        classes: Class names in the order of its logits; by default the world's own.
        bgr: Whether it was trained on blue, green, red.
        most_bytes: Larger files are refused.

    Raises:
        InputError: If it cannot be read, does not fit, or its classes are not the world's.
    """
    where = worlds.get(world)
    names = tuple(classes) if classes else where.classes
    args = _arguments(arch, len(names), where.side, width)
    with torch.device("meta"):  # shapes first: nothing is made for a file that does not fit
        shapes = build(arch, **args)
    weights = foreign.read(path, most_bytes=most_bytes)
    fitted = fit(weights, shapes, arch)
    model = build(arch, **args)
    model.load_state_dict(model.state_dict() | fitted.state)
    norm = _normalisation(weights, mean, std)
    model.normalize = Normalize(*norm)
    if bgr:
        swap_colours(model)
    _reorder(model, names, where)
    model.eval().requires_grad_(False)
    x, y = specimens(where)
    found = doctor.examine(model, where.classes, x, y)
    half = _survives_half(model, x)
    about = Header(
        arch,
        args,
        title or f"{arch.rpartition('/')[2]}, {path.stem}",
        where.classes,
        {
            "added": path.name,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "kind": weights.kind,
            "mean": [round(v, 6) for v in norm[0]],
            "std": [round(v, 6) for v in norm[1]],
            "doctor": [finding.says for finding in found],
        },
        world=world,
    )
    return Arrival(model, about, found, tuple(_notes(weights, fitted, names, where, norm, half=half)), half)


def _arguments(arch: str, classes: int, side: int, width: int | None) -> dict[str, int]:
    args = {"classes": classes}
    if arch not in ARCHITECTURES and "/" in arch:
        args["side"] = side
    if width is not None:
        args["width"] = width
    return args


def _normalisation(
    weights: Weights, mean: Sequence[float] | None, std: Sequence[float] | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    stated = stated_normalisation(weights) or ((0.0,) * 3, (1.0,) * 3)
    chosen = tuple(float(v) for v in mean or stated[0]), tuple(float(v) for v in std or stated[1])
    if len(chosen[0]) != 3 or len(chosen[1]) != 3 or min(chosen[1]) <= 0:
        raise InputError(f"mean and std are three numbers each, std above 0; got {chosen[0]} and {chosen[1]}")
    return chosen


def _reorder(model: Classifier, names: tuple[str, ...], world: World) -> None:
    """Bring its logits into the world's order; a set of other names is refused."""
    theirs = [_plain(name) for name in names]
    ours = [_plain(name) for name in world.classes]
    if theirs == ours:
        return
    if sorted(theirs) != sorted(ours):
        extra = [name for name in names if _plain(name) not in ours]
        lacking = [name for name in world.classes if _plain(name) not in theirs]
        raise InputError(
            f"its {len(names)} classes are not those of {world.title}: it has {_list(extra) or 'no others'}, and lacks"
            f" {_list(lacking) or 'none'}"
        )
    rows = [theirs.index(name) for name in ours]
    with torch.no_grad():
        model.head.weight.copy_(model.head.weight[rows])
        if model.head.bias is not None:
            model.head.bias.copy_(model.head.bias[rows])


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").split())


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def specimens(world: World, n: int = SPECIMENS) -> tuple[Images, Labels | None]:
    """Return up to n pictures of a world from its first source that is here, and the labels where all are known."""
    for kind in world.sources:
        try:
            ids = pictures.ids(kind)[:n]
        except PictureError:
            continue
        if ids:
            found = [pictures.get(id) for id in ids]
            labels = [picture.label for picture in found]
            x = torch.cat([picture.x for picture in found])
            return x, torch.tensor(labels) if all(label is not None for label in labels) else None
    raise InputError(f"there are no pictures of {world.title} here to look at the model with")


def _survives_half(model: Classifier, x: Images) -> bool:
    """Try whether rounding to half precision changes a prediction on these pictures."""
    state = model.state_dict()
    rounded = {
        name: value.half().to(value.dtype) if value.is_floating_point() else value for name, value in state.items()
    }
    if not all(bool(value.isfinite().all()) for value in rounded.values()):
        return False
    before = {name: value.clone() for name, value in state.items()}
    with torch.no_grad():
        try:
            plain = model(x[:64]).argmax(1)
            model.load_state_dict(rounded)
            return torch.equal(model(x[:64]).argmax(1), plain)
        except RuntimeError:  # the doctor says of what it dies
            return True
        finally:
            model.load_state_dict(before)


def _notes(
    weights: Weights,
    fitted: Fitted,
    names: tuple[str, ...],
    world: World,
    norm: tuple[tuple[float, ...], tuple[float, ...]],
    *,
    half: bool,
) -> list[str]:
    mean, std = (" ".join(f"{v:.4g}" for v in values) for values in norm)
    notes = [f"Read as {weights.kind}; {len(fitted.state)} tensors; pixels minus {mean}, divided by {std}."]
    if weights.refused:
        notes.append(f"Left out, and never run: {_list(weights.refused)}.")
    if fitted.by_order:
        notes.append(
            "Its names are not the network's; tensors were matched by their order and shapes. Check its accuracy."
        )
    elif fitted.prefix:
        notes.append(f"The prefix {fitted.prefix} was taken off its names.")
    if [_plain(name) for name in names] != [_plain(name) for name in world.classes]:
        notes.append(f"Its classes were brought into the order of {world.title}.")
    if not half:
        notes.append("Kept in single precision: in half precision it would predict otherwise.")
    return notes


def keep(arrived: Arrival, name: str, folder: Path | None = None, *, replace: bool = False) -> Path:
    """Write a model as a checkpoint, by default beside those of this project, and return its file.

    Raises:
        InputError: If the name cannot be one, or is taken.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"a model's name is up to 48 small letters, digits, dots and hyphens, not {name[:60]!r}")
    path = checkpoints.path_of(name, folder or checkpoints.FOLDER)
    if path.exists() and not replace:
        raise InputError(f"there is a model {name!r} already; choose another name, or replace it with --replace")
    checkpoints.save(path, arrived.model.state_dict(), arrived.header, half=arrived.half)
    return path
