"""What the Transfer page computes, and the script that it offers.

    recipe = TransferRecipe(numbers="live", n=64)
    row(recipe, "resnet9-standard").cells          # one source on all models
    curve(TransferRecipe(view="curve"))            # one pair, radius by radius
    examples(TransferRecipe())                     # a few pictures of one cell

The page and the script call these same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import compute, worlds
from core.attacks import OnStep, balls
from core.attacks.noise import noise_of_length
from core.attacks.rules import State
from core.data import pictures
from core.data.decode import PictureError
from core.models import checkpoints, ready
from core.problems import InputError
from core.recipes import to_python
from core.transfer.matrix import Attack, Ensemble, craft, in_order, other_classes, transfer_matrix
from core.transfer.outcome import Transfer
from core.transfer.recipe import RADII, TransferRecipe
from core.types import Images, Labels

EXAMPLES = 4
LOOKED_AT = 24  # pictures among which examples are sought
AT_ONCE = 32  # pictures, so that a step is short and other visitors may come between
JOIN = "+"  # between the members of an ensemble's name
# What each computation depends on besides the models.
ESSENTIAL = ("norm", "eps", "goal", "steps", "n", "seed", "world")


@dataclass(frozen=True, eq=False)
class Examples:
    """A few pictures of one cell.

    Args:
        ids: Their names.
        x: The pictures (N, C, H, W), which source and target both get right.
        y: Their classes (N,).
        wanted: What a targeted attack wanted (N,), or None.
        x_adv: The adversarial examples, made for the source (N, C, H, W).
        x_noisy: The pictures with noise of the same size (N, C, H, W).
        norm: Length of the perturbations (N,), pixel units.
        of_source: What the source says of the examples, logits (N, K).
        of_target: What the target says of them, logits (N, K).
        noise_of_target: What the target says of the noisy pictures, logits (N, K).
    """

    ids: tuple[str, ...]
    x: Images
    y: Labels
    wanted: Labels | None
    x_adv: Images
    x_noisy: Images
    norm: Tensor
    of_source: Tensor
    of_target: Tensor
    noise_of_target: Tensor


def load(name: str) -> nn.Module:
    """Load a model as `core.models.ready.load` does, with its classes in the order of its world.

    "a+b" is the ensemble of both.

    Raises:
        core.models.checkpoints.CheckpointError: If a model is not there.
        ValueError: If it knows other classes.
    """
    if JOIN in name:
        return Ensemble([load(member) for member in name.split(JOIN)])
    about = checkpoints.header(name)
    return in_order(ready.load(name), about.classes, worlds.get(about.world).classes)


def models_of(recipe: TransferRecipe) -> tuple[str, ...]:
    """Return the models of a live matrix: those of the recipe that are here, or all but the students."""
    chosen = tuple(name for name in checkpoints.names(world=recipe.world) if name in recipe.models)
    return chosen or checkpoints.knowing(worlds.of(recipe).classes, students=False, world=recipe.world)


def sources_of(recipe: TransferRecipe) -> tuple[str, ...]:
    """Return the sources of a live matrix: its models, and their ensemble if the recipe has it."""
    models = models_of(recipe)
    return (*models, JOIN.join(models)) if recipe.ensemble and len(models) > 1 else models


def drawn(recipe: TransferRecipe, n: int) -> tuple[tuple[str, ...], Images, Labels]:
    """Draw pictures with labels from the first source of the world that is here: of CIFAR-10, or else of the gallery.

    Returns:
        Their ids, the images (N, C, H, W) and their classes (N,); fewer than n where there are fewer.

    Raises:
        core.data.pictures.PictureError: If there are none.
    """
    kind = pictures.available(worlds.of(recipe).sources)[0]
    ids = pictures.ids(kind)
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(recipe.seed)).tolist()
    found = [picture for k in order[:n] if (picture := pictures.get(ids[k])).label is not None]
    if not found:
        raise PictureError("There are no labelled pictures here; transfer needs CIFAR-10 or the gallery.")
    x = torch.cat([picture.x for picture in found]).to(compute.device())
    y = torch.tensor([picture.label for picture in found], device=x.device)
    return tuple(p.id for p in found), x.contiguous(memory_format=torch.channels_last), y


def attack_of(recipe: TransferRecipe, y: Labels) -> Attack:
    """Return the recipe's attack on pictures of these classes."""
    wanted = other_classes(y, len(worlds.of(recipe).classes), recipe.seed) if recipe.goal == "targeted" else None
    return Attack(recipe.steps, wanted, batch=AT_ONCE)


def row(
    recipe: TransferRecipe,
    source: str,
    *,
    targets: Sequence[str] | None = None,
    loaded: dict[str, nn.Module] | None = None,
    on_step: OnStep | None = None,
) -> Transfer | None:
    """Compute one source of a live matrix; None if it was stopped.

    Args:
        recipe: What to do.
        source: The source, an element of `sources_of(recipe)`.
        targets: The targets, by default `models_of(recipe)`.
        loaded: Models that the caller has, by name, as made by `load`.
        on_step: See `core.transfer.matrix.transfer_matrix`.
    """
    ready = loaded or {}
    shown = {name: ready.get(name) or load(name) for name in (models_of(recipe) if targets is None else targets)}
    _, x, y = drawn(recipe, recipe.n)
    ball = balls.make(recipe.norm, recipe.radius[1])
    model = ready.get(source) or shown.get(source) or load(source)
    attack = replace(attack_of(recipe, y), batch=max(4, AT_ONCE // (1 + source.count(JOIN))))
    return transfer_matrix({source: model}, shown, x, y, ball, attack, seed=recipe.seed, on_step=on_step)


def curve(
    recipe: TransferRecipe, *, loaded: dict[str, nn.Module] | None = None, on_step: OnStep | None = None
) -> dict[str, Transfer]:
    """Compute one pair at every radius of the recipe's norm; stopping keeps the radii that are complete.

    Returns:
        Radius, as people write it -> what the target and the source say at that radius.
    """
    found: dict[str, Transfer] = {}
    pair = tuple(dict.fromkeys((recipe.source, recipe.target)))
    ready = {name: (loaded or {}).get(name) or load(name) for name in pair}
    batches = steps_of(recipe)
    for k, label in enumerate(RADII[recipe.norm]):

        def watch(i: int, state: State, first: int = k * batches) -> bool:
            return on_step is not None and bool(on_step(first + i, state))

        at = row(replace(recipe, eps=label), recipe.source, targets=pair, loaded=ready, on_step=watch)
        if at is None:
            break
        found[label] = at
    return found


def steps_of(recipe: TransferRecipe) -> int:
    """Count the steps that one source takes, over all batches."""
    return recipe.steps * -(-recipe.n // AT_ONCE)


def examples(recipe: TransferRecipe, *, loaded: dict[str, nn.Module] | None = None) -> Examples:
    """Attack a few pictures on the source that it and the target get right, and ask both what they see.

    Raises:
        ValueError: If the two have no picture in common that both get right.
    """
    ready = loaded or {}
    source, target = (ready.get(name) or load(name) for name in (recipe.source, recipe.target))
    ids, x, y = drawn(recipe, LOOKED_AT)
    with torch.no_grad():
        right = (source(x).argmax(1) == y) & (target(x).argmax(1) == y)
    chosen = right.nonzero()[:EXAMPLES, 0]
    if not len(chosen):
        raise InputError(f"none of {len(x)} pictures is right for both models; choose another pair or seed")
    attack = attack_of(recipe, y)
    x, y = x[chosen], y[chosen]
    wanted = None if attack.wanted is None else attack.wanted[chosen]
    ball = balls.make(recipe.norm, recipe.radius[1])
    x_adv = craft(source, x, y, ball, replace(attack, wanted=wanted))
    assert x_adv is not None
    norm = ball.norm(x_adv - x)
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(recipe.seed)).to(x)
    noisy, _ = noise_of_length(x, direction, norm, recipe.norm)
    with torch.no_grad():
        said = source(x_adv), target(x_adv), target(noisy)
    return compute.arrived(Examples(tuple(ids[int(k)] for k in chosen), x, y, wanted, x_adv, noisy, norm, *said))


def script(recipe: TransferRecipe) -> str:
    """Write the Python program that computes the recipe's view."""
    room, body = _SCRIPTS.get((recipe.view, recipe.numbers), _SCRIPTS[recipe.view, "measured"])
    return to_python(recipe, [f"from core.transfer import {room}"], body)


# The module of core.transfer that a view's program needs, and the program.
_RATE = "{cell.rate(recipe.show, recipe.of, recipe.goal)}"
_SCRIPTS = {
    ("matrix", "measured"): (
        "results",
        f"""
        found = results.Measured.read()
        for (source, target), cell in found.cells[results.setting_of(recipe)].items():
            print(f"{{source}} -> {{target}}: {_RATE}")
        """,
    ),
    ("matrix", "live"): (
        "views",
        f"""
        for source in views.sources_of(recipe):
            for (_, target), cell in views.row(recipe, source).cells.items():
                print(f"{{source}} -> {{target}}: {_RATE}")
        """,
    ),
    ("curve", "measured"): (
        "results",
        f"""
        found = results.Measured.read()
        for setting in results.SETTINGS:
            cell = found.cells.get(setting.name, {{}}).get((recipe.source, recipe.target))
            if cell and (setting.norm, setting.goal) == (recipe.norm, recipe.goal):
                print(f"{{recipe.source}} -> {{recipe.target}}, {{setting.name}}: {_RATE}")
        """,
    ),
    ("curve", "live"): (
        "views",
        f"""
        for eps, found in views.curve(recipe).items():
            cell = found.cell(recipe.source, recipe.target)
            print(f"{{recipe.source}} -> {{recipe.target}}, {{recipe.norm}} {{eps}}: {_RATE}")
        """,
    ),
    ("similarity", "measured"): (
        "results",
        f"""
        found = results.Measured.read()
        cells = found.cells[results.setting_of(recipe)]
        for (a, b), likeness in found.similarity.items():
            for source, target in ((a, b), (b, a)):
                cell = cells[source, target]
                print(f"{{source}} -> {{target}}: CKA {{likeness}}, {_RATE}")
        """,
    ),
    ("figure3", "measured"): (
        "results, similarity",
        """
        for point in results.PAPER:
            print(f"{point.name}: accuracy {point.accuracy:.4f}, transfer {point.transfer:.4f}")
        print("r =", similarity.correlation([p.accuracy for p in results.PAPER], [p.transfer for p in results.PAPER]))
        """,
    ),
}
