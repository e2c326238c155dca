"""A gallery of robustified pictures: several representations inverted in one batch.

For example:

    grid = gallery(InvertRecipe(view="gallery"), "resnet9-l2")
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import worlds
from core.attacks import OnStep
from core.compute import arrived
from core.data import pictures
from core.inversion.invert import invert, relative_distance, representation
from core.inversion.recipe import InvertRecipe
from core.inversion.starts import draws_of, ready_for, setting_of, source_of, start_of
from core.models.ready import placed
from core.types import Images

GALLERY = 10


@dataclass(frozen=True)
class Grid:
    """Several pictures and what one model's representations keep of them.

    Args:
        ids: Names of the N pictures.
        x: The pictures (N, C, H, W).
        x0: What each inversion starts from (N, C, H, W).
        labels: Their classes; None where unknown.
        made: Their inversions (N, C, H, W): of D_R through a robust model, of D_NR through a standard one.
        distance: |g(made) - g(x)| / |g(x)| (N).
        logits: What the inverted model says of them (N, K).
    """

    ids: tuple[str, ...]
    x: Images
    x0: Images
    labels: tuple[int | None, ...]
    made: Images
    distance: Tensor
    logits: Tensor


def drawn(recipe: InvertRecipe) -> tuple[str, ...]:
    """Draw the gallery's pictures: ten of one class, or one of each; all of a source that has no more."""
    source = source_of(recipe)
    everything = pictures.ids(source)
    if len(everything) <= GALLERY:
        return everything
    draws = draws_of(replace(recipe, picture=source))

    def some(label: int, n: int) -> list[str]:
        of_class = pictures.ids(source, label)
        return [of_class[i] for i in torch.randperm(len(of_class), generator=draws)[:n].tolist()]

    classes = worlds.of(recipe).classes
    if recipe.only in classes:
        return tuple(some(classes.index(recipe.only), GALLERY))
    return tuple(id for label in range(len(classes)) for id in some(label, 1))


def gallery(recipe: InvertRecipe, name: str, *, model: nn.Module | None = None, on_step: OnStep | None = None) -> Grid:
    """Invert all pictures of the gallery in one batch; each starts where the emergence view starts it.

    The arguments are those of `core.inversion.emergence.emerge`; stopping keeps each picture's best iterate.
    """
    ready, block = ready_for(recipe, name, model)
    chosen = [pictures.get(id) for id in drawn(recipe)]
    x = placed(torch.cat([picture.x for picture in chosen]), ready)
    x0 = placed(torch.cat([start_of(replace(recipe, picture=picture.id))[0] for picture in chosen]), ready)
    wanted = representation(ready, x, block)
    made = invert(ready, wanted, x0, setting=setting_of(recipe), block=block, on_step=on_step)
    with torch.no_grad():
        distance, logits = relative_distance(ready, wanted, block)(made), ready(made)
    return arrived(Grid(tuple(p.id for p in chosen), x, x0, tuple(p.label for p in chosen), made, distance, logits))
