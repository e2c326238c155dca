"""Columns of the scrubber for an inversion, shared by the topics that show one."""

from core.data.sets import CIFAR10_CLASSES
from core.files import render
from core.inversion.emergence import Emergence
from core.models import checkpoints
from pages.ui.judge import JUDGE, seen_by
from pages.ui.scrubber import Row
from pages.ui.words import verdicts


def row(title: str, subtitle: str, made: Emergence, label: int | None, other: tuple[str, str]) -> Row:
    """Build a column of the scrubber; the reference is the start, to which something is added."""
    said = verdicts(made.logits, CIFAR10_CLASSES)
    viewers = [other, *([("third network says", JUDGE)] if JUDGE in checkpoints.names() else [])]
    judge = [(what, verdicts(seen_by(name, made.frames), CIFAR10_CLASSES)) for what, name in viewers]
    return Row(
        title=title,
        subtitle=subtitle,
        frames=render.to_uint8(made.frames),
        reference=render.to_uint8(made.x0)[0],
        delta=made.frames - made.x0,
        classes=CIFAR10_CLASSES,
        probabilities=made.logits.softmax(1),
        truth=label if label is not None else int(made.clean_logits.argmax()),
        curve=tuple(float(d) for d in made.distance),
        curve_name="feature distance",
        readouts=(
            ("feature distance", tuple(f"{100 * float(d):.1f} %" for d in made.distance)),
            ("pixel distance", tuple(f"{float(d):.1f}" for d in made.pixel_distance)),
            *judge,
        ),
        alt=tuple(
            f"{title}, step {i}: the model says {verdict}; feature distance {100 * float(d):.1f} per cent."
            for i, verdict, d in zip(made.steps, said, made.distance, strict=True)
        ),
    )
