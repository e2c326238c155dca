"""Build a constructed set shard by shard; a build that was killed goes on, several processes share it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from core.attacks import Stop
from core.data.sets import DataError, Pictures
from core.datasets.construct.files import Constructed, pack, write
from core.datasets.construct.make import make
from core.datasets.construct.recipes import ConstructRecipe, draw
from core.files.atomic import replace_with
from core.models import Classifier

OnShard = Callable[[int, int], bool | None]  # (shards done, shards in all); True stops
FIELDS = ("images", "delta", "success", "distance")


def build(
    recipe: ConstructRecipe,
    model: Classifier | None,
    pictures: Pictures,
    out: Path,
    *,
    on_shard: OnShard | None = None,
) -> Constructed | None:
    """Construct a set and write it, or finish a build that was interrupted.

    Shards go to the folder `OUT.parts` and are joined at the end. Under `torchrun` each process makes every world-th
    shard and the first joins them.

    Args:
        recipe: What to construct.
        model: The source, in eval mode on its device; None for kind "leak".
        pictures: The original training set.
        out: The `.npz` to write.
        on_shard: Called after each shard that this process made or found; returning True stops, with the shards kept.

    Returns:
        The set; None in processes other than the first, and if it was stopped.

    Raises:
        core.data.DataError: If there are fewer pictures than n, or the parts are of another recipe.
    """
    if recipe.n > len(pictures):
        raise DataError(f"{recipe.n} pictures were asked for and {pictures.source} has {len(pictures)}")
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    chosen = pictures.take(slice(recipe.n))
    draws = draw(recipe, chosen.y(), len(chosen.classes))
    parts = out.with_name(out.name + ".parts")
    if rank == 0:
        _claim(parts, recipe)
    _wait()
    starts = range(0, recipe.n, recipe.shard)
    for k, start in enumerate(starts):
        if k % world != rank:
            continue
        path = parts / f"{start:06}.npz"
        if not path.is_file():
            shard = make(recipe, model, chosen, draws, range(start, min(start + recipe.shard, recipe.n)))
            replace_with(path, pack({name: getattr(shard, name).numpy() for name in FIELDS}))
        if on_shard is not None and on_shard(k + 1, len(starts)):
            return None
    _wait()
    if rank:
        return None
    joined = _join([parts / f"{start:06}.npz" for start in starts])
    labelled = Pictures(joined["images"], draws.labels.numpy(), chosen.classes, out.stem)
    measured = {name: joined[name] for name in FIELDS[1:]}
    made = Constructed(labelled, chosen.labels, np.arange(recipe.n), recipe=recipe, **measured)
    write(made, out)
    shutil.rmtree(parts)
    return made


def few(
    recipe: ConstructRecipe, model: Classifier | None, pictures: Pictures, *, on_step: Callable[[int, int], bool | None]
) -> Constructed:
    """Construct a small set in memory, watched batch by batch.

    Args:
        recipe: What to construct; its n is at most the number of pictures.
        model: The source, in eval mode.
        pictures: The originals.
        on_step: Called with the pictures done and n; returning True raises `core.attacks.Stop`.
    """
    draws = draw(recipe, pictures.y(slice(recipe.n)), len(pictures.classes))
    shards = []
    for start in range(0, recipe.n, recipe.shard):
        shards.append(make(recipe, model, pictures, draws, range(start, min(start + recipe.shard, recipe.n))))
        if on_step(min(start + recipe.shard, recipe.n), recipe.n):
            raise Stop
    joined = {name: torch.cat([getattr(s, name) for s in shards]).numpy() for name in FIELDS}
    labelled = Pictures(joined["images"], draws.labels.numpy(), pictures.classes, recipe.kind)
    measured = {name: joined[name] for name in FIELDS[1:]}
    return Constructed(labelled, pictures.labels[: recipe.n], np.arange(recipe.n), recipe=recipe, **measured)


def _claim(parts: Path, recipe: ConstructRecipe) -> None:
    """Note whose parts these are, or check that they are this recipe's."""
    note, wanted = parts / "recipe.json", json.dumps(asdict(recipe), sort_keys=True)
    if note.is_file() and note.read_text() != wanted:
        raise DataError(f"{parts} holds parts of another recipe; delete the folder or choose another file")
    replace_with(note, wanted.encode())


def _join(paths: list[Path]) -> dict[str, np.ndarray]:
    columns: dict[str, list[np.ndarray]] = {name: [] for name in FIELDS}
    for path in paths:
        with np.load(path, allow_pickle=False) as file:
            for name in FIELDS:
                columns[name].append(file[name])
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def _wait() -> None:
    if dist.is_initialized():
        dist.barrier()
