"""An atlas measured at once, on few pictures: for a page that shows networks whose features no command has measured.

    plan("shapes", model)                          # how many pictures and features that is
    found = measure("shapes-standard")             # an Atlas
    have = atlases(recipe)                         # of both networks of a recipe, and
    look(recipe, "standard", have=have)            # whatever takes a recipe takes these along

It is what `core.usefulness.measure` does, on a part of the pictures: rho of every feature from some of them, and the
search in the balls, around a few, for a part of the features: the most useful one of each class, and others drawn at
random. Nothing is written to a file.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch

from core import compute, results, worlds
from core.attacks import Stop
from core.attacks.balls import L2
from core.data import Pictures, labelled
from core.data.pictures import fingerprint
from core.models import Classifier, checkpoints
from core.models.ready import placed
from core.problems import InputError
from core.train.cost import counted
from core.types import Features, Images, Labels
from core.usefulness.atlas import SHIPPED, Atlas, path_of
from core.usefulness.choice import loaded
from core.usefulness.definitions import Measured
from core.usefulness.measure import RADII, batches, normal_equations, spread
from core.usefulness.recipe import UsefulnessRecipe
from core.usefulness.search import Extremes, extremes

TAUGHT = 2000  # training pictures behind the normal equations, at most
OPERATIONS = 6e12  # of all searches, see `core.train.cost`: about half a minute on one core
FEWEST = 16  # features that are searched, however large the network or many the classes
AROUND = 8  # pictures around which features are searched, at least: two of each class are
AT_ONCE = 250  # pictures of 32 pixels a side whose features are computed together
ROWS = 48  # gradients of such pictures computed together: about a second, so that Stop is quick

OnCount = Callable[[int], bool | None]  # called with the number of the step; True ends it with what there is


@dataclass(frozen=True)
class Plan:
    """How much is measured of a network.

    Args:
        seen: Test pictures behind rho.
        taught: Training pictures behind the normal equations.
        around: Test pictures around which features are searched.
        features: How many are searched.
        of: Of how many.
        together: Features that are searched together.
        at_once: Pictures whose features are computed together.
        rows: Gradients computed together.
    """

    seen: int
    taught: int
    around: int
    features: int
    of: int
    together: int
    at_once: int
    rows: int

    @property
    def steps(self) -> int:
        """How often `measure` calls its `on_step`."""
        reading = sum(-(-n // self.at_once) for n in (self.seen, self.taught))
        return reading + sum(-(-len(part) * 2 * self.around // self.rows) for part in self.blocks)

    @property
    def blocks(self) -> tuple[range, ...]:
        """Places in the order of features that are searched together."""
        return tuple(batches(self.features, self.together))


def plan(name: str, model: Classifier) -> Plan:
    """Say how much of a network is measured in a world.

    Raises:
        core.problems.InputError: If a class has fewer than two test pictures.
        core.data.DataError: If the pictures are not here.
    """
    test, train, world = labelled.load(name, "test"), labelled.load(name, "train"), worlds.get(name)
    classes = len(test.classes)
    counts = torch.bincount(test.y(), minlength=classes)
    if int(counts.min()) < 2:
        which = test.classes[int(counts.argmin())]
        raise InputError(
            f"{world.title} has fewer than two test pictures of “{which}”; usefulness needs two or more of each class"
        )
    seen = min(len(test), max(4 * classes, world.batch(SHIPPED)))
    around = min(seen, max(2 * classes, AROUND))
    once = counted(model, placed(test.x([0]), model))
    each = 2 * around * len(RADII) * 2 * once  # there and back, in both directions
    rows, at_once = (max(4, int(most / world.scale**2)) for most in (ROWS, AT_ONCE))
    d = model.head.in_features
    return Plan(
        seen=seen,
        taught=min(len(train), max(4 * classes, world.batch(TAUGHT))),
        around=around,
        features=min(d, max(FEWEST, int(OPERATIONS / each))),
        of=d,
        together=max(1, rows // (2 * around)),
        at_once=at_once,
        rows=rows,
    )


def measure(name: str, *, model: Classifier | None = None, seed: int = 0, on_step: OnCount | None = None) -> Atlas:
    """Measure a part of a network's atlas.

    Features that were not searched have rho, and NaN for gamma.

    Args:
        name: The network; its header says in which world it lives.
        model: It, if the caller has it.
        seed: Of the choice of pictures.
        on_step: Returning True ends the search with the features that are done; `Plan.steps` calls in all.

    Raises:
        core.attacks.Stop: If it was ended before any feature was done.
        core.problems.InputError, core.data.DataError: As `plan`.
    """
    ready = model if model is not None else loaded(name)
    world = worlds.get(checkpoints.header(name).world)
    todo = plan(world.name, ready)
    test, train = labelled.load(world.name, "test"), labelled.load(world.name, "train")
    watch = _Watch(on_step)
    rows = spread(test.y(), todo.seen, seed)
    z, y = _read(ready, test, rows, todo, watch)
    taught = spread(train.y(), todo.taught, seed)
    z_train, y_train = _read(ready, train, taught, todo, watch)
    deviation, centre = torch.std_mean(z, dim=0, correction=0)
    deviation = deviation.clamp_min(1e-12)
    classes = len(test.classes)
    order = order_of((z - centre) / deviation, y, classes, seed)
    radii = tuple(world.scale * eps for eps in RADII)
    found = _search(ready, test.x(rows[: todo.around]), order, radii, todo, watch)
    searched = int(found.f[0].isfinite().sum())
    if not searched:
        raise Stop
    gram, cross = normal_equations((z_train - centre) / deviation, y_train, classes)
    fast = compute.has_fast_bf16(next(ready.parameters()).device)
    about = {
        "model": name,
        results.STAMPS: results.stamps_of([name]),
        "radii": list(found.radii),
        "norm": "L2",
        "n": len(z),
        "n_pushed": todo.around,
        "n_train": len(z_train),
        "searched": searched,
        "live": True,
        "seed": seed,
        "date": results.today(),
        "world": world.name,
        "how": "pushes by one walk of PGD through all radii, one step in each; gradients and values in"
        f" {'bf16' if fast else 'fp32'}; torch {torch.__version__}",
    }
    measured = Measured.of(z, y, found, y[: todo.around], classes)
    names = tuple(fingerprint(test.images[i]) for i in rows)
    return Atlas(name, measured, centre, deviation, z, y, names, gram, cross, about)


def missing(recipe: UsefulnessRecipe) -> tuple[str, ...]:
    """List the networks of a recipe whose features no command has measured."""
    return tuple(name for name in dict.fromkeys((recipe.standard, recipe.robust)) if not path_of(name).is_file())


def atlases(recipe: UsefulnessRecipe) -> Mapping[str, Atlas]:
    """Measure those networks of a recipe whose features no command has measured."""
    return {name: measure(name) for name in missing(recipe)}


def order_of(f: Features, y: Labels, classes: int, seed: int) -> list[int]:
    """Order columns of standardised features (N, D): the most useful one of each class, then the others at random."""
    means = torch.stack([f[y == c].mean(0) for c in range(classes)])
    rho = (means - (means.sum(0) - means) / (classes - 1)).abs() / 2  # against the rest (K, D)
    drawn = torch.randperm(f.shape[1], generator=torch.Generator().manual_seed(seed)).tolist()
    return list(dict.fromkeys([*rho.argmax(1).tolist(), *drawn]))


class _Watch:
    """Counts the steps, and remembers whether one was told to end."""

    def __init__(self, on_step: OnCount | None) -> None:
        self.on_step, self.taken, self.ended = on_step, 0, False

    def __call__(self, *_: int) -> bool:
        self.ended = self.on_step is not None and bool(self.on_step(self.taken))
        self.taken += 1
        return self.ended


def _read(model: Classifier, of: Pictures, rows: list[int], todo: Plan, watch: _Watch) -> tuple[Features, Labels]:
    found = []
    for part in batches(len(rows), todo.at_once):
        with torch.no_grad():
            found.append(model.features(placed(of.x(rows[part.start : part.stop]), model)).cpu().float())
        if watch():
            raise Stop
    return torch.cat(found), of.y(rows)


def _search(
    model: Classifier,
    x: Images,
    order: list[int],
    radii: tuple[float, ...],
    todo: Plan,
    watch: _Watch,
) -> Extremes:
    """Search features in their order, block by block; what was not searched is NaN."""
    x = placed(x, model)
    low = torch.full((len(radii), len(x), todo.of), torch.nan)
    f, high = low[0].clone(), low.clone()

    def some(own: list[int], images: Images) -> Features:
        return model.features(images)[:, own]

    for block in todo.blocks:
        own = order[block.start : block.stop]
        read = partial(some, own)
        try:
            found = extremes(read, x, L2, radii, rows=todo.rows, precision="auto", on_rows=watch)
        except InputError:  # ended before the first picture
            if not watch.ended:
                raise
            break
        if len(found.f) < len(x):
            break
        f[:, own], low[..., own], high[..., own] = found.f, found.low, found.high
        if watch.ended:
            break
    return Extremes(radii, f, low, high)
