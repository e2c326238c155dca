"""What the page Dial computes: one picture in the hands of each network, by the topics that have the views.

    recipe = DialRecipe(picture="gallery/7")
    for made in look(recipe):                        # a Position for each network of the dial that is here
        made.eps, made.made, made.logits

Nothing is computed in a way of its own here: inversions are those of Robust frog, maps those of Saliency, and painting
is that of Synthesis.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core import worlds
from core.attacks import OnStep, Stop
from core.attacks.balls import L2
from core.attacks.objectives import targeted
from core.attacks.recording import Recorder
from core.attacks.rules import State
from core.compute import arrived
from core.data import pictures
from core.data.pictures import Picture
from core.dial.networks import eps_of, here
from core.dial.recipe import DialRecipe
from core.files.render import from_uint8
from core.inversion.emergence import emerge
from core.inversion.invert import SETTINGS
from core.inversion.recipe import InvertRecipe
from core.models.ready import load, placed
from core.problems import InputError
from core.recipes import to_python
from core.saliency import maps, measures
from core.saliency.methods import METHODS
from core.saliency.recipe import SaliencyRecipe
from core.saliency.views import explain
from core.synthesis.morph import limit, start
from core.synthesis.paint import synthesise
from core.types import Images

SETTING = "smooth"  # of the inversion
PAINT_STEPS = 40
# What each view does not depend on, besides where the dial stands and which trend is looked at.
IGNORED = {
    "inversion": ("method", "target", "canvas", "eps"),
    "gradient": ("start", "target", "canvas", "eps"),
    "paint": ("start", "method"),
    "measured": ("start", "method", "target", "canvas", "eps", "picture", "seed"),
}


@dataclass(frozen=True)
class Position:
    """What one network of the dial makes of a picture.

    Args:
        name: Its checkpoint.
        x: The picture (1, C, H, W).
        x0: What it began with (1, C, H, W); of a map, the picture.
        made: What it made (1, C, H, W): an inversion, a painted map, a painting.
        logits: What the network says: of the picture where it made a map, else of what it made (1, K).
        value: The relative feature distance left, the correlation of neighbouring pixels of the map, or the L2 distance
            travelled.
        stopped: The step at which it was stopped, or None.
    """

    name: str
    x: Images
    x0: Images
    made: Images
    logits: Tensor
    value: float
    stopped: int | None = None

    @property
    def eps(self) -> float:
        """The radius at which the network was trained, L2 in pixel units."""
        return eps_of(self.name)


def cache_key(recipe: DialRecipe) -> DialRecipe:
    """Return the recipe with everything at its default that one network's part in the view does not depend on."""
    default = DialRecipe()
    unused = {"frame", "trend", *IGNORED[recipe.view]}
    if recipe.view == "paint":
        unused |= {"picture"} if recipe.canvas == "seed" else {"seed"}
    return replace(recipe, **{name: getattr(default, name) for name in unused})


def steps_of(recipe: DialRecipe) -> int:
    """Return how many steps one network takes, for a progress bar."""
    return {"inversion": SETTINGS[SETTING].steps, "paint": PAINT_STEPS}.get(recipe.view, 1)


def position(
    recipe: DialRecipe,
    name: str,
    *,
    picture: Picture | None = None,
    model: nn.Module | None = None,
    on_step: OnStep | None = None,
) -> Position:
    """Compute one network's part in the recipe's view.

    Args:
        recipe: What to do.
        name: A checkpoint of the dial.
        picture: The picture, where the id alone does not give it (uploads).
        model: The loaded model, if the caller has it; it must be prepared by `core.models.ready.load`.
        on_step: See `core.attacks.descend`. Stopping keeps the best so far; a map that is stopped is none.

    Raises:
        core.problems.InputError: If the view is "measured", or there is no such class.
        core.data.pictures.PictureError, core.models.checkpoints.CheckpointError: If picture or model is not there.
        core.attacks.Stop: If `on_step` asked for it before there was anything.
    """
    if recipe.view == "measured":
        raise InputError("the view measured shows what was measured; it computes nothing")
    picture = picture if picture is not None else pictures.get(recipe.picture or pictures.default_id())
    ready = model if model is not None else load(name)
    compute = {"inversion": _inverted, "gradient": _explained, "paint": _painted}[recipe.view]
    return compute(recipe, name, picture, ready, on_step)


def look(recipe: DialRecipe) -> list[Position]:
    """Compute the part of every network of the dial that is here, in the order of their radii."""
    return [position(recipe, name) for name in here().values()]


def _inverted(recipe: DialRecipe, name: str, picture: Picture, model: nn.Module, on_step: OnStep | None) -> Position:
    asked = InvertRecipe(picture=picture.id, start=recipe.start, setting=SETTING, seed=recipe.seed, world=recipe.world)
    made = emerge(asked, name, picture=picture, model=model, on_step=on_step)
    left = float(made.distance[-1])
    return Position(name, made.x, made.x0, made.frames[-1:], made.logits[-1:], left, made.stopped)


def _explained(recipe: DialRecipe, name: str, picture: Picture, model: nn.Module, on_step: OnStep | None) -> Position:
    asked = SaliencyRecipe(picture=picture.id, method=recipe.method, seed=recipe.seed, world=recipe.world)
    made = explain(asked, name, recipe.method, picture=picture, model=model, on_step=_watch(on_step))
    x, attribution = made.x, made.attribution
    absolute = not METHODS[recipe.method].adds_up and recipe.method != "gradient"
    drawn = from_uint8(maps.painted(attribution, x, absolute=absolute))
    coherent = float(measures.coherence(maps.reduced(attribution)))
    return Position(name, x, x, drawn, made.logits, coherent)


def _painted(recipe: DialRecipe, name: str, picture: Picture, model: nn.Module, on_step: OnStep | None) -> Position:
    y = target_of(recipe)
    x0 = placed(begun(recipe, picture), model)
    recorder = Recorder((), on_step)
    reach = limit(recipe.eps)
    made = synthesise(
        targeted(model, torch.tensor([y], device=x0.device)),
        x0,
        L2(reach),
        steps=PAINT_STEPS,
        step_size=2.5 * min(reach, 12.0) / PAINT_STEPS,
        on_step=recorder,
    )
    with torch.no_grad():
        logits = model(made)
    moved = float((made - x0).norm())
    return arrived(Position(name, picture.x, x0, made, logits, moved, recorder.stopped))


def begun(recipe: DialRecipe, picture: Picture) -> Images:
    """Return what the view "paint" paints on (1, C, H, W)."""
    return picture.x if recipe.canvas == "picture" else start(f"seed/{recipe.target}/{recipe.seed}")


def target_of(recipe: DialRecipe) -> int:
    """Return the index of the class that is painted.

    Raises:
        core.problems.InputError: If there is none of that name.
    """
    classes = worlds.of(recipe).classes
    if recipe.target not in classes:
        raise InputError(f"there is no class {recipe.target!r}; have {', '.join(classes)}")
    return classes.index(recipe.target)


def _watch(on_step: OnStep | None) -> Callable[[int], bool | None] | None:
    """Let the loop's `on_step` watch an attribution, which has no state."""
    if on_step is None:
        return None
    empty = torch.zeros(0, 1, 1, 1)
    nothing = State(empty, torch.zeros(0), empty)

    def watch(i: int) -> bool:
        try:
            return bool(on_step(i, nothing))
        except Stop:
            return True

    return watch


def script(recipe: DialRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves each network's picture as a PNG."""
    if recipe.view == "measured":
        return to_python(
            recipe,
            ["from core.dial.results import read, series"],
            """
            for label, values in series(read(), recipe.trend).items():
                for eps, value in values.items():
                    print(f"{label}, trained at {eps:g}: {value}")
            """,
        )
    return to_python(
        recipe,
        ["from pathlib import Path", "from core.dial.views import look", "from core.files import render"],
        """
        for made in look(recipe):
            print(f"trained at {made.eps:g}: {made.value:.4f}")
            Path(f"dial-{made.eps:g}.png").write_bytes(render.png(render.to_uint8(made.made)[0]))
        """,
    )
