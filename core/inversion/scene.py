"""What the scrubber shows of an inversion, on the page and without it."""

from collections.abc import Callable, Sequence

from torch import Tensor

from core import worlds
from core.attacks.recording import side_by_side
from core.attacks.steps import step_axis
from core.data import pictures
from core.data.planted import drawn, marks
from core.data.planted.world import weaves
from core.files import render
from core.files.playable import Scene, scrubbing
from core.files.trajectory import Axis, Row
from core.inversion.emergence import Emergence, emerge
from core.inversion.recipe import InvertRecipe
from core.models import judge
from core.models.titles import stamped, title, titles
from core.problems import InputError
from core.types import Images
from core.words import verdicts

CAPTIONS = ("start", "what was added")
CLAIM = (
    "A robust model's representation holds a picture that you recognise. A standard model's holds something that other"
    " standard networks recognise, too, and you do not."
)
See = Callable[[str, Images], Tensor]


def row(
    name: str, made: Emergence, label: int | None, other: str, classes: tuple[str, ...], see: See = judge.logits_of
) -> Row:
    """Build a model's column of the scrubber; the reference is the start, to which something is added.

    Args:
        name: The model that was inverted, which gives the column its title.
        made: Its inversion.
        label: The wanted picture's class, if it is known.
        other: The model beside it, which is asked too, as is the independent judge.
        classes: Names of the K classes.
        see: Asks a model: name and images (N, C, H, W) to logits (N, K).
    """
    said = verdicts(made.logits, classes)
    viewers = [one for one in dict.fromkeys((other, judge.JUDGE)) if one != name and judge.knows(one, classes)]
    shown = dict(zip((name, *viewers), titles(name, *viewers), strict=True))
    others = [(f"{shown[viewer]} predicts", verdicts(see(viewer, made.frames), classes)) for viewer in viewers]
    reached = (*(f"step {i}" for i in made.steps[:-1]), f"the best of {made.steps[-1]} steps")
    return Row(
        title=shown[name],
        subtitle=title(name),
        frames=render.to_uint8(made.frames),
        reference=render.to_uint8(made.x0)[0],
        delta=made.frames - made.x0,
        classes=classes,
        probabilities=made.logits.softmax(1),
        truth=label,
        curve=tuple(float(d) for d in made.distance),
        curve_name="feature distance",
        readouts=(
            ("feature distance", tuple(f"{100 * float(d):.1f} %" for d in made.distance)),
            ("pixel distance", tuple(f"{float(d):.1f}" for d in made.pixel_distance)),
            *woven(made, classes),
            *others,
        ),
        alt=tuple(
            f"{shown[name]}, {at}: prediction {verdict}; feature distance {100 * float(d):.1f} per cent."
            for at, verdict, d in zip(reached, said, made.distance, strict=True)
        ),
    )


def woven(made: Emergence, classes: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Say, in the world whose features are known, how much of what was added lies on the weaves."""
    if classes != drawn.WORLD.names:
        return ()
    of = weaves(drawn.WORLD.classes, drawn.WORLD.weave).flatten(1)
    shares = marks.share(made.frames - made.x0, of).tolist()
    return (("on the weaves", tuple(map(marks.fraction, shares))),)


def wanted(x: Images, caption: str) -> Row:
    """Build the column of the picture (1, C, H, W) whose representation is wanted."""
    return Row.still("Wanted", render.to_uint8(x), caption, f"The wanted picture: {caption}.")


def played(recipe: InvertRecipe, rows: Sequence[Row], axis: Axis) -> Scene:
    """Make a playable page of columns that start somewhere and add to it."""
    return scrubbing(
        rows,
        axis,
        frame=recipe.frame,
        gain=1,
        captions=CAPTIONS,
        title="Robust frog",
        claim=CLAIM,
        models=stamped(recipe.standard, recipe.robust),
    )


def scene(recipe: InvertRecipe) -> Scene:
    """Compute the recipe's view as the page does.

    Raises:
        core.problems.InputError: If it is not the view of one picture.
    """
    if recipe.view != "emergence":
        raise InputError(f"this command plays the view emergence of an InvertRecipe, not {recipe.view}")
    picture = pictures.get(recipe.picture or worlds.first_picture(worlds.of(recipe)))
    names, classes = (recipe.standard, recipe.robust), worlds.of(recipe).classes
    left, right = side_by_side(*(emerge(recipe, name, picture=picture) for name in names))
    rows = [
        row(names[0], left, picture.label, names[1], classes),
        row(names[1], right, picture.label, names[0], classes),
        wanted(picture.x, picture.caption),
    ]
    return played(recipe, rows, step_axis(left, right))
