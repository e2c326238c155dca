"""Columns of the scrubber for an inversion, shared by the topics that show one."""

from core.files import render
from core.inversion.emergence import Emergence
from core.models import checkpoints
from pages.ui.judge import JUDGE, seen_by
from pages.ui.scrubber import Row
from pages.ui.titles import title, titles
from pages.ui.words import verdicts
from pages.ui.world import current


def row(name: str, made: Emergence, label: int | None, other: str) -> Row:
    """Build a model's column of the scrubber; the reference is the start, to which something is added.

    Args:
        name: The model that was inverted, which gives the column its title.
        made: Its inversion.
        label: The wanted picture's class, if it is known.
        other: The model beside it, which is asked too, as is the independent judge.
    """
    said = verdicts(made.logits, current().classes)
    viewers = [viewer for viewer in dict.fromkeys((other, JUDGE)) if viewer != name and viewer in checkpoints.names()]
    shown = dict(zip((name, *viewers), titles(name, *viewers), strict=True))
    others = [
        (f"{shown[viewer]} predicts", verdicts(seen_by(viewer, made.frames), current().classes)) for viewer in viewers
    ]
    return Row(
        title=shown[name],
        subtitle=title(name),
        frames=render.to_uint8(made.frames),
        reference=render.to_uint8(made.x0)[0],
        delta=made.frames - made.x0,
        classes=current().classes,
        probabilities=made.logits.softmax(1),
        truth=label,
        curve=tuple(float(d) for d in made.distance),
        curve_name="feature distance",
        readouts=(
            ("feature distance", tuple(f"{100 * float(d):.1f} %" for d in made.distance)),
            ("pixel distance", tuple(f"{float(d):.1f}" for d in made.pixel_distance)),
            *others,
        ),
        alt=tuple(
            f"{shown[name]}, step {i}: prediction {verdict}; feature distance {100 * float(d):.1f} per cent."
            for i, verdict, d in zip(made.steps, said, made.distance, strict=True)
        ),
    )
