"""What a student learns from: a constructed set or original pictures, of all classes or of some.

Sets are kept in a folder, and are built unless they are there; a build that was killed goes on.
"""

import json
import logging
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from torch import nn

from core import compute, results
from core.data.sets import Pictures
from core.datasets import construct
from core.datasets.construct import Constructed, ConstructRecipe
from core.datasets.experiments.plans import Student
from core.models import Classifier, checkpoints

log = logging.getLogger("core.datasets.experiments")


@dataclass(frozen=True)
class Places:
    """Where things are kept: `work` holds sets and runs, `weights` the students to keep, `results` the JSON files."""

    work: Path = checkpoints.FOLDER.parent / "runs"
    weights: Path = checkpoints.FOLDER
    results: Path = results.FOLDER


def taught(
    student: Student, originals: int, places: Places, training: Pictures
) -> tuple[Pictures, Pictures, Constructed | None]:
    """Return what a student learns from, all original pictures of that kind, and the constructed set.

    Args:
        student: Who learns.
        originals: How many pictures a student of original ones gets.
        places: Where sets are kept.
        training: The original training set.
    """
    if student.subset == "unseen":
        made = _set(replace(student, classes=()), places, training)
        assert made is not None
        return unseen(made.pictures, made.source_labels, student.classes), without(training, student.classes), made
    own = only(training, student.classes)
    made = _set(student, places, own)
    if made is None:
        return own.take(slice(originals)), own, None
    if student.subset == "moved":
        return made.pictures.take(made.pictures.labels != made.source_labels), own, made
    return made.pictures, own, made


def sources(student: Student) -> tuple[str, ...]:
    """Name the network that made a student's set; none where no network took part."""
    return (student.made.source,) if student.made is not None and student.made.source else ()


def _set(student: Student, places: Places, training: Pictures) -> Constructed | None:
    return None if student.made is None else constructed(student.made, places, training, student.classes)


def constructed(
    recipe: ConstructRecipe, places: Places, training: Pictures, classes: tuple[str, ...] = ()
) -> Constructed:
    """Return a set from the folder `sets` of these places, where it is built unless it is there; a build goes on.

    Args:
        recipe: What to construct; of the pictures that there are, if it asks for more.
        places: Where to keep it.
        training: The originals.
        classes: The source model is asked about these classes alone, which are those of `training`; empty is all.
    """
    recipe = replace(recipe, n=min(recipe.n, len(training)))
    of = "-".join((recipe.kind, *classes))
    path = places.work / "sets" / f"{of}-{short({**asdict(recipe), 'weights': weights_of(recipe)})}.npz"
    if path.is_file():
        return construct.read(path)
    here = compute.device()
    model = checkpoints.load(recipe.source) if recipe.source else None
    if model is not None and classes:
        names = checkpoints.header(recipe.source).classes
        model = asked_about(model, [names.index(name) for name in training.classes])
    if model is not None:
        compute.for_inference(model, here)

    def report(done: int, total: int) -> bool:
        log.info("%s: shard %d of %d", path.stem, done, total)
        return False

    made = construct.build(recipe, model, training, path, on_shard=report)
    assert made is not None
    return made


def only(pictures: Pictures, classes: tuple[str, ...]) -> Pictures:
    """Keep the pictures of some classes, with labels counted anew; no classes keeps all."""
    if not classes:
        return pictures
    old = [pictures.classes.index(name) for name in classes]
    rows = np.isin(pictures.labels, old)
    labels = np.searchsorted(np.array(sorted(old)), pictures.labels[rows])
    names = tuple(pictures.classes[i] for i in sorted(old))
    return Pictures(pictures.images[rows], labels.astype(np.int64), names, f"{pictures.source}, {' and '.join(names)}")


def without(pictures: Pictures, classes: tuple[str, ...]) -> Pictures:
    """Leave the pictures of some classes out; labels stay as they are."""
    return pictures.take(~np.isin(pictures.labels, [pictures.classes.index(name) for name in classes]))


def unseen(made: Pictures, source_labels: np.ndarray, classes: tuple[str, ...]) -> Pictures:
    """Keep the pictures that are labelled as some classes and show none of them, with labels counted anew."""
    shown = np.isin(source_labels, [made.classes.index(name) for name in classes])
    return only(made.take(~shown), classes)


def asked_about(model: Classifier, rows: Sequence[int]) -> Classifier:
    """Make a copy of a model that has the logits of these classes alone, in this order."""
    copied = deepcopy(model)
    head = nn.Linear(model.head.in_features, len(rows)).to(model.head.weight)
    with torch.no_grad():
        head.weight.copy_(model.head.weight[list(rows)])
        head.bias.copy_(model.head.bias[list(rows)])
    copied.head = head
    return copied.eval().requires_grad_(False)


def weights_of(made: ConstructRecipe | None) -> str:
    """Tell the source's weights apart: what they made is made anew once they are others."""
    return checkpoints.stamp(made.source) if made is not None and made.source else ""


def short(content: object) -> str:
    """Return ten digits that tell settings apart, for names of files and folders."""
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:10]
