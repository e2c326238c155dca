"""What the scrubber shows of a style transfer, on the page and without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from core.attacks.recording import side_by_side
from core.attacks.steps import step_axis
from core.files import render
from core.files.playable import Scene, scrubbing
from core.files.trajectory import Axis, Row
from core.models import Classifier
from core.models.judge import judges
from core.models.ready import load, placed
from core.models.titles import stamped, title, titles
from core.problems import InputError
from core.style import pictures
from core.style.recipe import StyleRecipe
from core.style.transfer import Painting, distances_by, originals, transfer
from core.types import Images

CAPTIONS = ("content", "what was added")
CLAIM = "The same content, the same style: what two networks that differ only in their training make of them."
Seen = Mapping[str, tuple[Tensor, Tensor]]  # judge: style and content distance of each frame, (F,) each


def judging(*painters: str) -> tuple[str, ...]:
    """List the judges that are here and painted nothing, the ordinary one first."""
    return tuple(name for name in judges() if name not in painters)


@dataclass(frozen=True)
class Judged:
    """A painting, and what the judges see in it.

    Args:
        made: The painting.
        seen: The judges' distances of each of its frames.
    """

    made: Painting
    seen: Seen

    @property
    def steps(self) -> tuple[int, ...]:
        """The step of each frame."""
        return self.made.steps

    def at(self, rows: list[int]) -> "Judged":
        """Return both with these frames alone."""
        return Judged(self.made.at(rows), {name: (far[rows], moved[rows]) for name, (far, moved) in self.seen.items()})


def judged(made: Painting, content: Images, style: Images, judges: Sequence[str]) -> Judged:
    """Ask judges how far each frame is from style and content.

    Args:
        made: What was painted.
        content: (1, C, H, W).
        style: (1, C, H, W).
        judges: Networks that painted neither it nor what stands beside it.
    """
    found = {}
    for name in judges:
        judge = load(name)
        assert isinstance(judge, Classifier)
        found[name] = distances_by(judge, *(placed(x, judge) for x in (made.frames, content, style)))
    return Judged(made, found)


def row(name: str, head: str, made: Painting, seen: Seen) -> Row:
    """Build a network's column; the reference is the content, to which something is added.

    Args:
        name: The network that painted.
        head: What it is called beside the other.
        made: What it painted.
        seen: What the judges see; the curve is the last one's. Without any it is the network's own objective.
    """
    called = dict(zip(seen, titles(*seen), strict=True))
    curve, curve_name, eyes = made.value, "objective, in its own terms", "; objective"
    if seen:
        last = list(seen)[-1]
        curve, curve_name = seen[last][0], f"{called[last]}: distance to the style left"
        eyes = f"; distance to the style left in the eyes of {called[last]}"
    return Row(
        title=head,
        subtitle=title(name),
        frames=render.to_uint8(made.frames),
        reference=render.to_uint8(made.frames[:1])[0],
        delta=made.frames - made.frames[:1],
        curve=tuple(curve.tolist()),
        curve_name=curve_name,
        readouts=(
            *(
                (f"style left, says {called[judge]}", tuple(f"{100 * float(v):.1f} %" for v in found))
                for judge, (found, _) in seen.items()
            ),
            *(
                (f"content distance, says {called[judge]}", tuple(f"{float(v):.2f}" for v in moved))
                for judge, (_, moved) in seen.items()
            ),
            ("moved from the content (L2)", tuple(f"{v:.1f}" for v in _moved(made).tolist())),
        ),
        alt=tuple(f"{head}, step {i}{eyes}: {v:.2f}." for i, v in zip(made.steps, curve.tolist(), strict=True)),
    )


def rows_of(made: Mapping[str, Judged], style: Images, caption: str) -> list[Row]:
    """Build all columns: what each network painted, and the style."""
    heads = titles(*made)
    painted = [row(name, head, one.made, one.seen) for head, (name, one) in zip(heads, made.items(), strict=True)]
    return [*painted, Row.still("Style", render.to_uint8(style), caption, f"The style: {caption}.")]


def played(recipe: StyleRecipe, rows: Sequence[Row], axis: Axis) -> Scene:
    """Make a playable page of the columns."""
    return scrubbing(
        rows,
        axis,
        frame=recipe.frame,
        gain=1,
        captions=CAPTIONS,
        title="Style",
        claim=CLAIM,
        models=stamped(recipe.standard, recipe.robust),
    )


def scene(recipe: StyleRecipe) -> Scene:
    """Compute the recipe's view as the page does.

    Raises:
        core.problems.InputError: If it is not the view of one picture, or of an upload.
    """
    if recipe.view != "transfer":
        raise InputError(f"this command plays the view transfer of a StyleRecipe, not {recipe.view}")
    content, style = originals(recipe)
    names = list(dict.fromkeys((recipe.standard, recipe.robust)))
    painted = (judged(transfer(recipe, name), content, style, judging(*names)) for name in names)
    made = dict(zip(names, side_by_side(*painted), strict=True))
    rows = rows_of(made, style, pictures.STYLES[recipe.style])
    return played(recipe, rows, step_axis(*made.values()))


def _moved(made: Painting) -> Tensor:
    return (made.frames - made.frames[:1]).flatten(1).norm(dim=1)
