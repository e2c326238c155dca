"""A student looks at a picture: what it says, which pixels that hangs on, and what its representation holds.

    recipe = DatasetsRecipe(view="student", picture="gallery/7")
    seen = look(recipe, recipe.student)              # a Look
    seen.logits, seen.attribution, seen.emergence.frames[-1]

A student has learnt from a constructed set alone (`core.datasets.experiments`). The page and the script that it offers
for copying call these same functions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.attacks import OnStep
from core.data import pictures
from core.datasets.recipe import DatasetsRecipe
from core.inversion.emergence import Emergence, emerge
from core.inversion.invert import SETTINGS
from core.inversion.recipe import InvertRecipe
from core.models import checkpoints
from core.models.ready import load, placed
from core.recipes.python import to_python
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import explain
from core.types import Images

METHOD = "gradient"
STEPS = SETTINGS[InvertRecipe.setting].steps


@dataclass(frozen=True)
class Look:
    """One network and one picture.

    Args:
        x: The picture (1, C, H, W).
        logits: What the network says of it (1, K).
        target: The class that it says, and that the map explains.
        attribution: Gradient of that class's log-odds (1, C, H, W).
        emergence: The picture's representation, inverted from noise.
    """

    x: Images
    logits: Tensor
    target: int
    attribution: Tensor
    emergence: Emergence


def names() -> tuple[str, ...]:
    """List the students whose weights are here."""
    return tuple(name for name in checkpoints.names() if name.startswith(checkpoints.STUDENT))


def recognised(name: str, *, model: nn.Module | None = None, among: int = 100) -> str | None:
    """Find a picture that a network gets right: of the first labelled ones, the one that it is surest of.

    Args:
        name: The checkpoint.
        model: The loaded model, if the caller has it.
        among: How many pictures are tried.

    Returns:
        The picture's id; None where no labelled pictures are here, or none of them is recognised.
    """
    source = pictures.available()[0]
    known = [picture for id in pictures.ids(source)[:among] if (picture := pictures.get(id)).label is not None]
    if not known:
        return None
    ready = model if model is not None else load(name)
    x = placed(torch.cat([picture.x for picture in known]), ready)
    with torch.no_grad():
        p = ready(x).softmax(1).cpu()
    labels = torch.tensor([picture.label for picture in known])
    sure = torch.where(p.argmax(1) == labels, p.max(1).values, 0.0)
    return known[int(sure.argmax())].id if float(sure.max()) > 0 else None


def inversion_of(recipe: DatasetsRecipe) -> InvertRecipe:
    """Return what is inverted: the picture in the student (left) and in the network beside it, from noise."""
    return InvertRecipe(
        picture=recipe.picture, standard=recipe.student, robust=recipe.beside, start="noise", seed=recipe.seed
    )


def map_of(recipe: DatasetsRecipe) -> SaliencyRecipe:
    """Return what is explained: each network's own answer, by the gradient of its log-odds."""
    return SaliencyRecipe(
        picture=recipe.picture, standard=recipe.student, robust=recipe.beside, target="prediction", seed=recipe.seed
    )


def look(
    recipe: DatasetsRecipe,
    name: str,
    *,
    picture: pictures.Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> Look:
    """Let a network look at the recipe's picture.

    Args:
        recipe: The picture and the seed.
        name: The checkpoint.
        picture: The picture, where the id alone does not give it (uploads).
        model: The loaded model, if the caller has it; it must be prepared by `core.models.ready.load`.
        on_step: Called at each of the `STEPS` steps of the inversion; stopping keeps what it reached.

    Raises:
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
    """
    ready = model if model is not None else load(name)
    picture = picture if picture is not None else pictures.get(recipe.picture)
    made = explain(map_of(recipe), name, METHOD, picture=picture, model=ready)
    inverted = emerge(inversion_of(recipe), name, picture=picture, model=ready, on_step=on_step)
    return Look(made.x, made.logits, made.target, made.attribution, inverted)


def script(recipe: DatasetsRecipe) -> str:
    """Write the Python program that lets both networks look, and saves their maps and inversions."""
    imports = [
        "from pathlib import Path",
        "from core.files import render",
        "from core import worlds",
        "from core.saliency.maps import limits",
        "from core.saliency.rows import paint",
        "from core.datasets.student import look, map_of",
    ]
    return to_python(
        recipe,
        imports,
        """
        for name in (recipe.student, recipe.beside):
            seen = look(recipe, name)
            sure = float(seen.logits.softmax(1).max())
            print(f"{name}: says {worlds.of(recipe).classes[seen.target]} ({sure:.0%})")
            drawn = paint(map_of(recipe), seen.attribution, seen.x, limits(seen.attribution))
            Path(f"{name}-map.png").write_bytes(render.png(drawn[0]))
            Path(f"{name}-inverted.png").write_bytes(render.png(render.to_uint8(seen.emergence.frames[-1:])[0]))
        """,
    )
