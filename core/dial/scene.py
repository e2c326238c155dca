"""What the scrubber shows of the dial, on the page and without it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from core import worlds
from core.data import pictures
from core.data.pictures import Picture
from core.dial.networks import judges
from core.dial.recipe import DialRecipe
from core.dial.views import Position, begun, look, target_of
from core.files import render
from core.files.playable import Scene, scrubbing
from core.files.trajectory import Axis, Row
from core.inversion.scene import wanted
from core.models import judge
from core.models.titles import stamped, titles
from core.problems import InputError
from core.saliency.methods import METHODS
from core.types import Images
from core.words import verdicts

TITLE = "The dial"
CLAIM = (
    "One network, one seed, one recipe; only the adversary of its training grows. Turn robustness up, and what the"
    " network sees becomes what you see."
)
HEADS = {"inversion": "What its representation keeps", "gradient": "What its answer hangs on", "paint": "Painted"}
VALUES = {
    "inversion": "feature distance left",
    "gradient": "correlation of neighbouring pixels",
    "paint": "distance travelled",
}
ALIKE = "ResNet-9 of width 16: the same seed and recipe at each ε"
See = Callable[[str, Images], Tensor]


def axis(made: Sequence[Position], total: int | None = None) -> Axis:
    """Describe what the dial turns through: the radii of these networks, of `total` that there will be."""
    values = tuple(one.eps for one in made)
    return Axis("trained at ε", values, tuple(f"{eps:g}" for eps in values), "adversary in training, L2", total)


def captions(recipe: DialRecipe, made: Sequence[Position]) -> tuple[str, str]:
    """Name the two small pictures: what a frame is compared with, and the difference."""
    if recipe.view == "gradient":
        return f"trained at ε = {made[0].eps:g}", "what changed in the map"
    return "start", "what was added"


def truth_of(recipe: DialRecipe, picture: Picture) -> int | None:
    """Return the class wanted in what the networks make: the target, or what is on the picture if that is known."""
    return target_of(recipe) if recipe.view == "paint" else picture.label


def judged(recipe: DialRecipe, made: Sequence[Position], see: See) -> dict[str, Tensor]:
    """Ask every judge that is here what it sees in each network's picture: logits (F, K) by its name.

    Of maps nobody.
    """
    return {} if recipe.view == "gradient" else {name: see(name, joined(made, "made")) for name in judges()}


def joined(made: Sequence[Position], what: str) -> Tensor:
    """Put a tensor of all positions together, the first dimension being the dial's (F, ...)."""
    return torch.cat([getattr(one, what) for one in made])


def columns(recipe: DialRecipe, made: Sequence[Position], picture: Picture, seen: Mapping[str, Tensor]) -> list[Row]:
    """Build the columns: what the networks made, and the picture that it is to be compared with.

    Args:
        recipe: The view.
        made: Each network's part, in the order of their radii.
        picture: The picture.
        seen: What `judged` returned.
    """
    if recipe.view == "paint":
        still = wanted(
            begun(recipe, picture),
            (
                picture.caption
                if recipe.canvas == "picture"
                else f"{recipe.target}, drawn from the class's mean and covariance"
            ),
        )
        return [column(recipe, made, picture, seen), beside(retitled(still, "Painted on"))]
    still = wanted(picture.x, picture.caption)
    return [
        column(recipe, made, picture, seen),
        beside(still if recipe.view == "inversion" else retitled(still, "The picture")),
    ]


def beside(row: Row) -> Row:
    """Show a picture that stands still as large as the one that moves: the two are to be compared."""
    return replace(row, minor=False)


def retitled(row: Row, title: str) -> Row:
    """Give a picture that stands still another title."""
    return Row(**{**vars(row), "title": title, "alt": (f"{title}: {row.subtitle}.",)})


def column(recipe: DialRecipe, made: Sequence[Position], picture: Picture, seen: Mapping[str, Tensor]) -> Row:
    """Build the column that the dial moves: a frame for each network."""
    classes, wants = worlds.of(recipe).classes, truth_of(recipe, picture)
    frames, logits = joined(made, "made"), joined(made, "logits")
    maps, paints = recipe.view == "gradient", recipe.view == "paint"
    called = dict(zip(seen, titles(*seen), strict=True))
    curve, curve_name = curve_of(recipe, made, seen, called, wants)
    head = f"{HEADS['paint']}: {recipe.target}" if paints else HEADS[recipe.view]
    return Row(
        title=f"{head} ({METHODS[recipe.method].title})" if maps and recipe.method != "gradient" else head,
        subtitle=ALIKE,
        frames=render.to_uint8(frames),
        reference=render.to_uint8(frames[:1] if maps else made[0].x0)[0],
        delta=None if maps else frames - made[0].x0,
        classes=classes,
        probabilities=logits.softmax(1),
        truth=None if paints else wants,
        target=wants if paints else None,
        curve=curve,
        curve_name=curve_name,
        readouts=(
            (VALUES[recipe.view], tuple(worded(recipe, one.value) for one in made)),
            *((f"{called[name]} sees", verdicts(said, classes)) for name, said in seen.items()),
        ),
        alt=tuple(
            sentence(
                recipe, one, said, {called[name]: verdicts(of[i : i + 1], classes)[0] for name, of in seen.items()}
            )
            for i, (one, said) in enumerate(zip(made, verdicts(logits, classes), strict=True))
        ),
    )


def curve_of(
    recipe: DialRecipe,
    made: Sequence[Position],
    seen: Mapping[str, Tensor],
    called: Mapping[str, str],
    wants: int | None,
) -> tuple[tuple[float, ...], str]:
    """Return what is drawn along the dial, and its name.

    What the last judge makes of the pictures, or the maps' measure.
    """
    if not seen or wants is None:
        return tuple(one.value for one in made), VALUES[recipe.view]
    name = list(seen)[-1]
    return (
        tuple(seen[name].softmax(1)[:, wants].tolist()),
        f"{called[name]}: probability of “{worlds.of(recipe).classes[wants]}”",
    )


def worded(recipe: DialRecipe, value: float) -> str:
    """Write the value of a position with its unit."""
    match recipe.view:
        case "inversion":
            return f"{100 * value:.1f} %"
        case "gradient":
            return f"{value:+.2f}"
        case _:
            return f"{value:.2f} (ℓ₂)"


def sentence(recipe: DialRecipe, one: Position, said: str, judges_: Mapping[str, str]) -> str:
    """Say what is known of a position, for screen readers."""
    others = "".join(f"; {name} sees {verdict}" for name, verdict in judges_.items())
    of = "of the picture " if recipe.view == "gradient" else ""
    return (
        f"The network trained at ε = {one.eps:g} says {of}{said}; {VALUES[recipe.view]}"
        f" {worded(recipe, one.value)}{others}."
    )


def played(recipe: DialRecipe, rows: Sequence[Row], along: Axis, made: Sequence[Position]) -> Scene:
    """Make a playable page of the dial."""
    return scrubbing(
        rows,
        along,
        frame=recipe.frame,
        gain=1,
        captions=captions(recipe, made),
        title=TITLE,
        claim=CLAIM,
        models=stamped(*(one.name for one in made)),
    )


def scene(recipe: DialRecipe) -> Scene:
    """Compute the recipe's view as the page does.

    Raises:
        core.problems.InputError: If it is not a view of one picture, or no network of the dial is here.
    """
    if recipe.view == "measured":
        raise InputError("this command plays a view of one picture of a DialRecipe, not what was measured")
    picture = pictures.get(recipe.picture or pictures.default_id())
    made = look(recipe)
    if not made:
        raise InputError("no network of the dial is here")
    rows = columns(recipe, made, picture, judged(recipe, made, judge.logits_of))
    return played(recipe, rows, axis(made), made)
