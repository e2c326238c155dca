"""What the page Beyond the ball computes: one picture changed step by step, and what each network says of it.

    recipe = FrequencyRecipe(view="weather", picture="gallery/7", corruption="fog")
    seen = look(recipe, ["resnet9-standard", "resnet9-l2"])
    seen.frames, seen.logits["resnet9-l2"]

The page and the script that it offers for copying call these same functions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from core.data import pictures
from core.frequency.corruptions import corrupt
from core.frequency.filters import as_picture
from core.frequency.networks import CUTS, NETWORKS, NOISE
from core.frequency.recipe import SOFT, FrequencyRecipe
from core.frequency.waves import add_wave, signs, wave
from core.models import checkpoints, ready
from core.recipes import to_python


@dataclass(frozen=True)
class Look:
    """A picture on its way, and what is said of it.

    Args:
        x: The picture (1, C, H, W).
        frames: What the networks see at each position (F, C, H, W).
        logits: Of each network (F, K), by name.
    """

    x: Float[Tensor, "1 c h w"]
    frames: Float[Tensor, "f c h w"]
    logits: Mapping[str, Tensor]


def look(
    recipe: FrequencyRecipe,
    names: Sequence[str],
    *,
    picture: pictures.Picture | None = None,
    models: Mapping[str, nn.Module] | None = None,
) -> Look:
    """Change the recipe's picture as its view does, and ask networks.

    Args:
        recipe: What to do.
        names: Checkpoints.
        picture: The picture, where the id alone does not give it (uploads).
        models: Loaded models by name, if the caller has them, prepared by `core.models.ready.load`.

    Raises:
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
    """
    x = (picture if picture is not None else pictures.get(recipe.picture)).x
    frames = changed(recipe, x)
    logits = {}
    with torch.no_grad():
        for name in names:
            model = models[name] if models is not None else ready.load(name)
            logits[name] = model(ready.placed(frames, model)).cpu()
    return Look(x, frames, logits)


def changed(recipe: FrequencyRecipe, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "f c h w"]:
    """Return the picture (1, C, H, W) at every position of the slider (F, C, H, W)."""
    match recipe.view:
        case "lens":
            pattern = wave(recipe.u, recipe.v, x.shape[-1])
            sign = wave_signs(recipe, x.shape[1])
            return torch.cat([add_wave(x, pattern, norm, sign) for norm in recipe.positions])
        case "filters":
            soft = SOFT if recipe.soft else 0.0
            return torch.cat([as_picture(x, recipe.kind, cut, soft) for cut in recipe.positions])
        case _:
            # The same draws at every severity: the same cloud grows, as far as its roughness is the same.
            draws = [torch.Generator().manual_seed(recipe.seed) for _ in recipe.positions]
            return torch.cat(
                [corrupt(x, recipe.corruption, int(s), g) for s, g in zip(recipe.positions, draws, strict=True)]
            )


def wave_signs(recipe: FrequencyRecipe, channels: int = 3) -> Tensor:
    """Draw the wave's sign in each channel: (1, channels, 1, 1)."""
    return signs(1, channels, torch.Generator().manual_seed(recipe.seed))


def networks(recipe: FrequencyRecipe) -> tuple[str, ...]:
    """List the networks of the recipe whose weights are here: the pair, then the one that learnt among noise."""
    asked = dict.fromkeys((recipe.standard, recipe.robust, NOISE))
    return tuple(name for name in asked if checkpoints.path_of(name).is_file())


def students(kind: str) -> dict[float, str]:
    """Return the students of a kind of filter whose weights are here, by cut-off."""
    found = {cut: name for cut in CUTS[kind] for name, one in NETWORKS.items() if (one.kind, one.cut) == (kind, cut)}
    return {cut: name for cut, name in found.items() if checkpoints.path_of(name).is_file()}


def nearest_student(kind: str, cut: float) -> str | None:
    """Return the student whose filter cuts closest to there."""
    here = students(kind)
    return here[min(here, key=lambda own: abs(own - cut))] if here else None


def script(recipe: FrequencyRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves the frame in sight as a PNG."""
    return to_python(
        recipe,
        [
            "from pathlib import Path",
            "from core.files import render",
            "from core import worlds",
            "from core.frequency.views import look, networks",
        ],
        """
        seen = look(recipe, networks(recipe))
        for name, logits in seen.logits.items():
            sure, k = logits[recipe.at].softmax(0).max(0)
            print(f"{name}: {worlds.of(recipe).classes[int(k)]} ({float(sure):.0%}) at {recipe.positions[recipe.at]:g}")
        frame = seen.frames[recipe.at : recipe.at + 1]
        Path("frequency.png").write_bytes(render.png(render.to_uint8(frame)[0]))
        """,
    )
