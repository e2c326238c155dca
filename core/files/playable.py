"""A view as one .html file that plays from disk without a network: for slides, notebooks and learning platforms.

    python -m core.files.playable recipe.json --out frog.html

It is the app's own component (assets/NAME) with the data that the app sends it, and the recipe inside. A file above
`LARGEST` leaves out frames, evenly, and says so; those that stay are the app's, byte for byte. A topic says what it
shows in `core.TOPIC.scene`, whose `scene(recipe)` computes a `Scene`.
"""

import argparse
import html
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlencode

from core import compute
from core.commands import command, output, parsed
from core.files.atomic import replace_with
from core.files.trajectory import Axis, Row
from core.files.wire import payload
from core.problems import InputError
from core.recipes import from_json, to_query

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "assets"
LARGEST = 1_500_000  # bytes of a file
THEME = ("text-color", "background-color", "primary-color")

# What each recipe's topic shows: the module with its class, the one with `scene(recipe)`, and the page in the app.
SCENES: dict[str, tuple[str, str, str]] = {
    "PerturbRecipe": ("core.perturb.recipe", "core.perturb.scene", "perturb"),
    "InvertRecipe": ("core.inversion.recipe", "core.inversion.scene", "frog"),
    "SaliencyRecipe": ("core.saliency.recipe", "core.saliency.scene", "saliency"),
    "StyleRecipe": ("core.style.recipe", "core.style.scene", "style"),
    "DialRecipe": ("core.dial.recipe", "core.dial.scene", "dial"),
    "TransferRecipe": ("core.transfer.recipe", "core.transfer.scene", "transfer"),
    "UsefulnessRecipe": ("core.usefulness.recipe", "core.usefulness.scene", "usefulness"),
    "GaussianRecipe": ("core.gaussian.recipe", "core.gaussian.scene", "gaussian"),
}


@dataclass(frozen=True)
class Scene:
    """What a playable page shows.

    Args:
        component: The folder of assets that plays it.
        data: What the component is sent, ready for JSON.
        alt: What is to be seen, in sentences, where nothing can play.
        title: The page's.
        claim: What to look for, in a sentence or two.
        models: Each network's title, and the stamp of its weights.
        note: What differs from the app.
    """

    component: str
    data: Mapping[str, Any]
    alt: str
    title: str = ""
    claim: str = ""
    models: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


def assets(name: str, ending: str) -> str:
    """Return what assets/NAME has of this kind, below what all components share, in the order of the files' names."""
    folders = (ASSETS / "shared", ASSETS / name)
    return "".join(path.read_text("utf-8") for at in folders for path in sorted(at.glob(f"*.{ending}")))


def scrubbing(
    rows: Sequence[Row],
    axis: Axis,
    *,
    frame: int = 0,
    view: str = "side",
    gain: int | float | str = 10,  # noqa: PYI041 - checked at run time, where a whole number is no float
    captions: tuple[str, str] = ("clean", "perturbation"),
    title: str = "",
    claim: str = "",
    models: Mapping[str, str] | None = None,
    room: int = LARGEST - 150_000,
) -> Scene:
    """Make a scene of a scrubber, with fewer frames where all of them are too many.

    Args:
        rows: As the app shows them.
        axis: What the slider moves along.
        frame: Where it starts.
        view: "side", "split", "flicker" or "difference".
        gain: By how much the perturbation is amplified.
        captions: Names of the reference and of the perturbation.
        title: As of `Scene`.
        claim: As of `Scene`.
        models: As of `Scene`.
        room: Bytes that its data may take.

    Raises:
        core.problems.InputError: If not even three frames have room.
    """
    n = min(len(row.frames) for row in rows)
    frame, every = min(frame, n - 1), 1
    while True:
        kept = _kept(rows, n, frame, every)
        data = payload([_picked(row, kept) for row in rows], _axis(axis, kept), own=True)  # nobody asks for it again
        if len(json.dumps(data)) <= room:
            break
        if every >= n:
            raise InputError(f"these pictures are too large for a playable page of {LARGEST / 1e6:g} MB")
        every += 1
    left_out = n - len(kept)
    note = f"{len(kept)} of {n} frames; the others would make the file larger than {LARGEST / 1e6:g} MB."
    data |= {
        "key": "playable",
        "frame": kept.index(frame),
        "view": view,
        "gain": gain,
        "usual": {"view": view, "gain": gain},
        "captions": list(captions),
        "report": False,
        "breathe": False,
    }
    alt = " ".join(row.alt[frame] for row in rows)
    return Scene("scrubber", data, alt, title, claim, models or {}, note if left_out else "")


def _kept(rows: Sequence[Row], n: int, frame: int, every: int) -> list[int]:
    """Choose frames: one in so many, the ends, the one in sight, and where a flag comes up."""
    marked = {0, frame, n - 1, *(row.threshold for row in rows if row.threshold is not None and row.threshold < n)}
    return sorted(marked | set(range(0, n, every)))


def _axis(axis: Axis, kept: list[int]) -> Axis:
    return Axis(axis.name, tuple(axis.values[i] for i in kept), tuple(axis.labels[i] for i in kept), axis.unit)


def _picked(row: Row, kept: list[int]) -> Row:
    def entries(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(values[i] for i in kept) if values else ()

    return replace(
        row,
        frames=row.frames[kept],
        delta=None if row.delta is None else row.delta[kept],
        probabilities=None if row.probabilities is None else row.probabilities[kept],
        curve=entries(row.curve),
        readouts=tuple((name, entries(texts)) for name, texts in row.readouts),
        flags=entries(row.flags),
        threshold=kept.index(row.threshold) if row.threshold in kept else None,
        alt=entries(row.alt),
    )


def page(scene: Scene, recipe_json: str) -> str:
    """Write the file.

    Args:
        scene: What it shows.
        recipe_json: The recipe's JSON.

    Raises:
        core.problems.InputError: If it would be larger than `LARGEST`.
    """
    text = html.escape
    known = "; ".join(f"{name}, weights {stamp}" for name, stamp in scene.models.items())
    whole = Template(_template("html")).substitute(
        title=text(scene.title),
        claim=text(scene.claim),
        style=_colours() + _template("css"),
        component_style=assets(scene.component, "css"),
        markup=assets(scene.component, "html"),
        alt=text(scene.alt),
        note=f'<p class="note">{text(scene.note)}</p>' if scene.note else "",
        models=text(f"Networks: {known}." if known else ""),
        how=text(_how(recipe_json)),
        recipe=text(recipe_json),
        recipe_json=inert(recipe_json),
        data=inert(json.dumps(scene.data, ensure_ascii=False, separators=(",", ":"))),
        script=_script(scene.component) + _template("js"),
    )
    if (size := len(whole.encode())) > LARGEST:
        raise InputError(f"this page would have {size / 1e6:.1f} MB, and {LARGEST / 1e6:g} MB are allowed")
    return whole


def recipe_in(text: str) -> str:
    """Return the JSON of the recipe inside a playable page.

    Raises:
        core.problems.InputError: If it is no such page.
    """
    return json_in(text, "recipe")


def json_in(text: str, name: str) -> str:
    """Return the JSON that a page of ours carries under that name.

    Raises:
        core.problems.InputError: If there is none.
    """
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)
    if found is None:
        raise InputError(f"this is not a page of Robust Frog with a {name} inside")
    try:
        return json.dumps(json.loads(found[1]), indent=2, ensure_ascii=False)
    except ValueError as error:
        raise InputError(f"the {name} inside this page is damaged") from error


def inert(text: str) -> str:
    """Write JSON such that no name in it can end its script element or begin a comment."""
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _script(component: str) -> str:
    """Return a component's module, with its default export by name: a page has no one to import it."""
    return assets(component, "js").replace("export default ", "const mount = ", 1) + "\n"


@cache
def _template(ending: str) -> str:
    return (ASSETS / "playable" / f"page.{ending}").read_text("utf-8")


@cache
def _colours() -> str:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]

    def block(name: str) -> str:
        camel = {key: re.sub("-(.)", lambda found: found[1].upper(), key) for key in THEME}
        lines = [f"--st-{key}: {theme[name][camel[key]]};" for key in THEME]
        return " ".join([f"color-scheme: {name};", *lines, f"--st-base-radius: {theme['baseRadius']};"])

    light, dark = block("light"), block("dark")
    return (
        f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        f':root[data-theme="light"] {{ {light} }}\n:root[data-theme="dark"] {{ {dark} }}\n'
    )


def _recipe(recipe_json: str) -> Any:
    try:
        kind = json.loads(recipe_json)["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError("this is not a recipe, which is a JSON file that names its kind") from error
    if kind not in SCENES:
        raise InputError(f"a {kind} has no playable page by this command; these have: {', '.join(sorted(SCENES))}")
    return from_json(getattr(import_module(SCENES[kind][0]), kind), recipe_json)


def _how(recipe_json: str) -> str:
    """Say how to make the page again, and where the app shows it."""
    try:
        recipe = _recipe(recipe_json)
    except InputError:
        return "The recipe is the whole input of this view."
    room, query = SCENES[type(recipe).__name__][2], urlencode(to_query(recipe))
    return (
        "The recipe is the whole input of this view. From it, or from this file, the same page is made by: python -m"
        f" core.files.playable recipe.json --out again.html. In the app it is at /{room}{'?' if query else ''}{query}"
    )


def scene_of(recipe_json: str) -> Scene:
    """Compute what a recipe shows.

    Raises:
        core.problems.InputError: If it is no recipe, or of a kind that has no playable page.
    """
    recipe = _recipe(recipe_json)
    make: Callable[[Any], Scene] = import_module(SCENES[type(recipe).__name__][1]).scene
    return make(recipe)


@command
def main(arguments: list[str] | None = None) -> None:
    """Write a recipe's view as a page that plays by itself."""
    parser = argparse.ArgumentParser(prog="python -m core.files.playable", description=main.__doc__)
    parser.add_argument("recipe", type=Path, help="a recipe's JSON, or a playable page that has one inside")
    parser.add_argument("--out", type=output, default="playable.html", help="the .html file to write")
    given = parsed(parser, arguments)
    text = given.recipe.read_text("utf-8")
    recipe = recipe_in(text) if given.recipe.suffix == ".html" else text
    compute.setup_app()  # as the app, so that sums round alike
    replace_with(given.out, page(scene_of(recipe), recipe))


if __name__ == "__main__":
    main()
