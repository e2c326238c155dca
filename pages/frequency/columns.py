"""What the views with a picture share: the look, kept for everybody, and its columns under the scrubber."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st
from torch import Tensor

from core.data.pictures import Picture
from core.files import render
from core.files.playable import Scene, scrubbing
from core.files.render import RGB
from core.frequency.recipe import FrequencyRecipe
from core.frequency.views import Look, look, networks, script
from core.models.titles import stamped, titles
from core.types import Images
from core.words import verdicts
from pages.ui import work
from pages.ui.exports import Bundle, downloads
from pages.ui.scrubber import Axis, Row, scrubber
from pages.ui.store import model, stamp
from pages.ui.world import current

CLAIM = "A network leans on what no person sees even where nobody attacks it. Drag the slider and read the answers."


def seen(recipe: FrequencyRecipe, picture: Picture, names: Sequence[str]) -> Look:
    """Return what networks say of the changed picture, computing it once."""
    depends = (recipe.view, *fields(recipe), recipe.seed)
    return work.kept(
        ("frequency", picture.id, depends, tuple(names), tuple(map(stamp, names))),
        lambda: look(recipe, names, picture=picture, models={name: model(name) for name in names}),
        own=picture.private,
    )


def fields(recipe: FrequencyRecipe) -> tuple[object, ...]:
    """List what the view's frames depend on besides picture and seed."""
    match recipe.view:
        case "lens":
            return recipe.u, recipe.v
        case "filters":
            return recipe.kind, recipe.soft
        case _:
            return (recipe.corruption,)


def column(
    name: str,
    made: Look,
    where: Sequence[str],
    label: int | None,
    *,
    frames: Images | None = None,
    called: str = "",
    more: Sequence[tuple[str, tuple[str, ...]]] = (),
) -> Row:
    """Build a network's column of the scrubber.

    Args:
        name: The network.
        made: The look.
        where: The label of each frame, for the alt texts.
        label: What is on the picture, if that is known.
        frames: What is drawn, where that is not what the network sees.
        called: The column's title; by default the network's.
        more: Further readouts.
    """
    logits = made.logits[name]
    said = verdicts(logits, current().classes)
    truth = label if label is not None else int(logits[0].argmax())
    shown = frames if frames is not None else made.frames
    called = called or title(name)
    wrong = [int(k) != truth for k in logits.argmax(1)]
    return Row(
        title=called,
        frames=render.to_uint8(shown),
        reference=render.to_uint8(made.x)[0],
        delta=shown - made.x,
        classes=current().classes,
        probabilities=logits.softmax(1),
        truth=truth,
        curve=tuple(logits.softmax(1)[:, truth].tolist()),
        curve_name=f"probability of “{current().classes[truth]}”",
        readouts=tuple(more),
        flags=tuple(("wrong" if label is not None else "another answer") if w else None for w in wrong),
        threshold=next((i for i, w in enumerate(wrong) if w), None),
        alt=tuple(f"{called}, {at}: the network says {one}." for at, one in zip(where, said, strict=True)),
    )


def stage(
    recipe: FrequencyRecipe, rows: Sequence[Row], axis: Axis, captions: tuple[str, str], *, own: bool
) -> FrequencyRecipe:
    """Mount the scrubber, keep its frame in the address, and return the recipe with the frame in sight."""
    key = f"frequency-{recipe.view}"
    scrubber(rows, axis, key=key, own=own, frame=recipe.at, gain=1, captions=captions, report=True)
    return replace(recipe, frame=recipe.at)


def offer(
    recipe: FrequencyRecipe,
    made: Look,
    numbers: Mapping[str, Sequence[object]],
    rows: Sequence[Row],
    axis: Axis,
    captions: tuple[str, str],
) -> None:
    """Show the downloads of a view with a picture.

    Args:
        recipe: With the frame in sight.
        made: The look.
        numbers: Columns of the measured numbers in sight, for the CSV.
        rows: What the scrubber shows.
        axis: Of the scrubber.
        captions: Of the scrubber.
    """
    out = Bundle(recipe)

    def played() -> Scene:
        models = stamped(*networks(recipe))
        return scrubbing(
            rows, axis, frame=recipe.at, gain=1, captions=captions, title="Beyond the ball", claim=CLAIM, models=models
        )

    def sheet() -> RGB:
        cells = [render.upscaled(frame, 8) for frame in render.to_uint8(made.frames)]
        return render.sheet(cells, min(len(cells), 6), gap=12)

    def packed() -> dict[str, Tensor]:
        logits = {f"logits_{name.replace('/', '_')}": values for name, values in made.logits.items()}
        return {"x": made.x, "frames": made.frames, **logits}

    def answers() -> dict[str, Sequence[object]]:
        said = {name: verdicts(logits, current().classes) for name, logits in made.logits.items()}
        return {"position": recipe.positions, **said}

    out.pixels("Picture", "frequency.png", lambda: render.to_uint8(made.frames[recipe.at : recipe.at + 1])[0])
    out.pixels("Sheet", "sheet.png", sheet, "All positions of the slider")
    out.playable("frequency", played)
    out.table("Answers", "answers.csv", answers)
    out.table("Numbers", "measured.csv", lambda: numbers, "What was measured")
    out.arrays("frequency.npz", packed)
    downloads(out.files, key="frequency", script=script(recipe))


def title(name: str) -> str:
    """Call a network as all pages do, or by its name where its weights are not here."""
    return titles(name)[0]


def here(recipe: FrequencyRecipe) -> tuple[str, ...]:
    """List the networks to ask; say in a sentence if none is there."""
    names = networks(recipe)
    if not names:
        st.warning("None of these networks is here. Make them with: python -m core.frequency train")
        st.stop()
    return names
