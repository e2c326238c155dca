"""One picture painted in the texture of another through one network, and how far from it another one finds the result.

For example:

    made = transfer(StyleRecipe(), "resnet9-l2")
    made.frames[-1], made.value[-1]            # the picture, and the objective that it reached
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import worlds
from core.attacks import OnStep, descend
from core.attacks.balls import L2
from core.attacks.recording import Recorder, picked
from core.attacks.rules import lbfgs
from core.compute import arrived
from core.models import Classifier
from core.models.ready import load, placed
from core.problems import InputError
from core.recipes.python import to_python
from core.style import pictures
from core.style.gram import content_distance, layers_of, painted, style_distance
from core.style.recipe import StyleRecipe
from core.types import Images

RADIUS = 2.0  # first trust radius of L-BFGS, pixel units
FRAMES = 41
AT_ONCE = 8  # frames that a judge looks at


@dataclass(frozen=True)
class Painting:
    """A style transfer, frame by frame; the first frame is the content, the last the result.

    Args:
        steps: The step of each frame (F).
        frames: (F, C, S, S) in [0, 1].
        value: The objective at each frame (F), in the painting network's own terms.
        stopped: The step at which it was stopped, or None.
    """

    steps: tuple[int, ...]
    frames: Images
    value: Tensor
    stopped: int | None = None

    def at(self, rows: list[int]) -> "Painting":
        """Return the recording with these frames alone."""
        return replace(self, **picked(self, rows, "steps", "frames", "value"))


def originals(recipe: StyleRecipe) -> tuple[Images, Images]:
    """Return content and style of a recipe, each (1, 3, side, side).

    Raises:
        InputError: If one of them is an upload: it lives only in the session that uploaded it.
    """
    if "upload" in (recipe.content, recipe.style):
        raise InputError("An uploaded picture lives only in the session that uploaded it; please upload it again.")
    return pictures.content(recipe.content, recipe.side), pictures.style(recipe.style, recipe.side)


def kept(steps: int, frames: int = FRAMES) -> tuple[int, ...]:
    """Choose the steps that become frames, at most so many of them: dense at first, where most happens."""
    return tuple(sorted({round(steps * (i / (frames - 1)) ** 1.6) for i in range(frames)} - {steps}))


def transfer(
    recipe: StyleRecipe,
    name: str,
    *,
    given: tuple[Images, Images] | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> Painting:
    """Paint the recipe's content in its style through one network.

    Args:
        recipe: What to do.
        name: The checkpoint whose layers are asked.
        given: Content and style, where the recipe alone does not give them (uploads).
        model: The loaded network, if the caller has it; it must be prepared by `core.models.ready.load`.
        on_step: See `core.attacks.descend`. Stopping keeps the frames so far and the best iterate.
    """
    ready = model if model is not None else load(name)
    assert isinstance(ready, Classifier)
    content, style = (placed(x, ready) for x in (given if given is not None else originals(recipe)))
    objective = painted(ready, content, style, 10**recipe.strength)
    recorder = Recorder(kept(recipe.steps, worlds.of(recipe).frames(FRAMES)), on_step)
    best = descend(
        objective,
        content,
        L2(math.inf),
        steps=recipe.steps,
        rule=lbfgs(RADIUS),
        best=True,
        on_step=recorder,
    )
    with torch.no_grad():
        frames, value = torch.cat([*recorder.frames, best]), torch.cat([*recorder.values, objective(best)])
    return arrived(Painting(recorder.steps(recipe.steps), frames, value, recorder.stopped))


def distances_by(judge: nn.Module, frames: Tensor, content: Images, style: Images) -> tuple[Tensor, Tensor]:
    """Ask a network that took no part how far frames (F, C, S, S) are from the style and from the content: (F,) each.

    The style distance is in units of the content's own: 1 is as far as the untouched content, 0 is the style.
    """
    assert isinstance(judge, Classifier)
    layers = layers_of(judge)
    with torch.no_grad():
        far = style_distance(judge, layers.style, style)
        moved = content_distance(judge, layers.content, content)
        parts = frames.split(AT_ONCE)  # at 224 pixels all of them together take gigabytes
        found = torch.cat([far(part) for part in parts]) / far(content)
        return found.cpu(), torch.cat([moved(part) for part in parts]).cpu()


def script(recipe: StyleRecipe) -> str:
    """Write the Python program that paints the recipe's picture through both networks and saves the results."""
    uploads = "upload" in (recipe.content, recipe.style)
    lines = [f"{role} = {_source(role, getattr(recipe, role))}" for role in ("content", "style")]
    return to_python(
        recipe,
        [
            "from pathlib import Path",
            "from core.files import render",
            "from core.style import pictures",
            "from core.style.scene import judged, judging",
            "from core.style.transfer import transfer",
        ],
        "\n".join([*["# Nobody kept what was uploaded: put your file in its place."] * uploads, *lines]) + _PAINT,
    )


def _source(role: str, name: str) -> str:
    if name == "upload":
        return f'pictures.from_upload(Path("your-{role}.png").read_bytes(), recipe.side)'
    return f"pictures.{role}(recipe.{role}, recipe.side)"


_PAINT = """
names = list(dict.fromkeys((recipe.standard, recipe.robust)))
for name in names:
    made = transfer(recipe, name, given=(content, style))
    for judge, (left, _) in judged(made, content, style, judging(*names)).seen.items():
        print(f"{name}: {judge} finds {float(left[-1]):.3f} of the distance to the style left")
    Path(f"{name}-style.png").write_bytes(render.png(render.to_uint8(made.frames[-1:])[0]))
"""
