"""Constructed sets as files: the same bytes for the same arrays, whole or not at all.

For example:

    set = read(Path("d-det.npz"))       # images, new labels, source labels, recipe and what was measured
    write_folder(set, Path("d-det"))    # one PNG a picture, one sub-folder a class
    read_madry(Path("ddet_CIFAR"))      # the authors' released CIFAR_ims / CIFAR_lab
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from core import worlds
from core.data.sets import DataError, Pictures, from_npz
from core.datasets.construct.recipes import ConstructRecipe
from core.files.atomic import replace_with
from core.files.render import to_uint8

EPOCH = (1980, 1, 1, 0, 0, 0)  # of the zip format; the time of writing would make equal files differ


@dataclass(frozen=True)
class Constructed:
    """A constructed set.

    Args:
        pictures: The images and their *new* labels, what a trainer sees.
        source_labels: Labels of the originals (N,).
        rows: Which pictures of the training set the originals are (N,).
        delta: L2 distance from the original (N,), pixel units.
        success: Whether the source model says the new label (N,).
        distance: Relative distance of the representation from the wanted one (N,); zero for perturbed sets.
        recipe: How it was made.
    """

    pictures: Pictures
    source_labels: np.ndarray
    rows: np.ndarray
    delta: np.ndarray
    success: np.ndarray
    distance: np.ndarray
    recipe: ConstructRecipe


def pack(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Write an `.npz` that `numpy.load` reads; equal arrays give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array, order="C"), allow_pickle=False)
    return buffer.getvalue()


def write(made: Constructed, path: Path) -> None:
    """Write a constructed set as `.npz`; `core.data.from_npz` reads its images and labels too."""
    arrays = {
        "images": made.pictures.images,
        "labels": made.pictures.labels,
        "source_labels": made.source_labels,
        "rows": made.rows,
        "delta": made.delta,
        "success": made.success,
        "distance": made.distance,
        "classes": np.array(made.pictures.classes),
        "recipe_json": np.array(json.dumps(asdict(made.recipe), sort_keys=True)),
    }
    replace_with(path, pack(arrays))


def read(path: Path) -> Constructed:
    """Read what `write` wrote.

    Raises:
        core.data.DataError: If it is missing, damaged, or an `.npz` of something else.
    """
    pictures = from_npz(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in ("source_labels", "rows", "delta", "success", "distance")}
            recipe = ConstructRecipe(**json.loads(str(file["recipe_json"])))
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path.name} is not a constructed set ({error}); make one with: python -m core.datasets.construct"
        ) from error
    return Constructed(pictures, recipe=recipe, **arrays)


def write_folder(made: Pictures, folder: Path) -> None:
    """Write a set as an image folder for other people's trainers: `frog/00017.png`, lossless."""
    for name in made.classes:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for row, (image, label) in enumerate(zip(made.images, made.labels, strict=True)):
        Image.fromarray(image).save(folder / made.classes[label] / f"{row:05}.png")


def read_madry(folder: Path) -> Pictures:
    """Read a set as MadryLab released it: `CIFAR_ims` and `CIFAR_lab`, each a saved list of tensors.

    Raises:
        core.data.DataError: If the files are missing or hold something else.
    """
    try:
        images, labels = (_joined(folder / name) for name in ("CIFAR_ims", "CIFAR_lab"))
    except FileNotFoundError as error:
        raise DataError(
            f"{folder} must hold CIFAR_ims and CIFAR_lab; {Path(str(error.filename)).name} is not there"
        ) from error
    except Exception as error:  # torch.load raises many kinds for a file that is not one
        raise DataError(f"CIFAR_ims and CIFAR_lab in {folder} are not lists of tensors ({error})") from error
    if images.dim() != 4 or images.shape[1] != 3 or len(images) != len(labels):
        raise DataError(
            f"{folder}: expected images (N, 3, H, W) and as many labels, got {tuple(images.shape)} and {len(labels)}"
        )
    return Pictures(to_uint8(images), labels.long().flatten().numpy(), worlds.get().classes, folder.name)


def _joined(path: Path) -> Tensor:
    """Load a list of tensors, or one tensor, as one; scalars are joined too. Nothing but tensors is unpickled."""
    found = torch.load(path, map_location="cpu", weights_only=True)
    parts = [found] if isinstance(found, Tensor) else list(found)
    return torch.cat(
        [torch.as_tensor(part).reshape(-1) if torch.as_tensor(part).dim() == 0 else part for part in parts]
    )
