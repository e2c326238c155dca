"""What is handed in: the address of a view, its recipe, a file that carries it, a picture, a choice or a number."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
from PIL import Image, UnidentifiedImageError

from core.data import pictures
from core.exercises.catalog import Exercise
from core.files.playable import recipe_in
from core.files.render import RGB, png_text
from core.gaussian.recipe import GaussianRecipe
from core.inversion.recipe import InvertRecipe
from core.perturb.recipe import PerturbRecipe
from core.problems import InputError
from core.recipes import from_json, from_query, to_json
from core.usefulness.recipe import UsefulnessRecipe

KINDS: dict[str, type[Any]] = {
    "perturb": PerturbRecipe,
    "frog": InvertRecipe,
    "gaussian": GaussianRecipe,
    "usefulness": UsefulnessRecipe,
}
PNG = b"\x89PNG"
LARGEST = 2_000_000  # bytes of a file


@dataclass(frozen=True)
class Answer:
    """What was handed in for an exercise.

    Args:
        recipe: JSON of the view, "" where a word or a number is the answer.
        picture: Base64 of the PNG that was handed in, or "".
        said: The chosen word, or the number as text.
    """

    recipe: str = ""
    picture: str = ""
    said: str = ""

    @property
    def png(self) -> bytes:
        """The picture's file."""
        return base64.b64decode(self.picture)

    def of(self, kind: type[Any]) -> Any:
        """Return the recipe.

        Raises:
            core.problems.InputError: If there is none, or it is of another page.
        """
        return from_json(kind, self.recipe)


def handed(exercise: Exercise, given: str | bytes) -> Answer:
    """Read what was handed in.

    Args:
        exercise: For which.
        given: An address or a recipe as text, or the bytes of a PNG, a JSON file or a playable page.

    Raises:
        core.problems.InputError: If it is nothing of that, or of another page than the exercise's.
    """
    if isinstance(given, bytes):
        if len(given) > LARGEST:
            raise InputError(f"the file has {len(given) / 1e6:.1f} MB; an answer has {LARGEST / 1e6:g} MB at most")
        return _file(exercise, given)
    text = given.strip()
    if exercise.page not in KINDS or exercise.check == "brittle_accuracy":
        return Answer(said=text)
    kind = KINDS[exercise.page]
    if not text.startswith("{"):
        return Answer(recipe=to_json(_named(_linked(exercise, kind, text))))
    return Answer(recipe=to_json(_named(from_json(kind, text))))


def _linked(exercise: Exercise, kind: type[Any], text: str) -> Any:
    parts = urlsplit(text)
    if parts.path.rstrip("/").rpartition("/")[2] != exercise.page:
        raise InputError(
            f"hand in the address of your view on the page {exercise.page}, or its recipe; got {text[:80]!r}"
        )
    recipe, bad = from_query(kind, dict(parse_qsl(parts.query)))
    if bad:
        raise InputError(f"the address says something that cannot be in {', '.join(bad)}")
    return recipe


def _named(recipe: Any) -> Any:
    """Name the picture that the page opens with: which one that is depends on the computer."""
    if getattr(recipe, "picture", None) == "":
        recipe = replace(recipe, picture=pictures.default_id())
    # Gradients in bfloat16 differ from one processor to the next; a check must not.
    return replace(recipe, precision="fp32") if hasattr(recipe, "precision") else recipe


def _file(exercise: Exercise, data: bytes) -> Answer:
    if not data.startswith(PNG):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError("hand in a PNG, a recipe or a playable page that was saved here") from error
        return handed(exercise, text if text.lstrip().startswith("{") else recipe_in(text))
    try:
        recipe = png_text(data).get("recipe", "")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError("this PNG is damaged") from error
    if not recipe:
        raise InputError(
            "this PNG has no recipe inside, so nobody knows from which picture it was made; save it here again"
        )
    return replace(handed(exercise, recipe), picture=base64.b64encode(data).decode())


def to_dict(answer: Answer) -> dict[str, str]:
    """Return what is not empty."""
    return {name: value for name, value in vars(answer).items() if value}


def from_dict(values: Mapping[str, Any]) -> Answer:
    """Read what `to_dict` wrote.

    Raises:
        core.problems.InputError: If it is no such thing.
    """
    known = {"recipe", "picture", "said"}
    if not values or not set(values) <= known or not all(isinstance(v, str) for v in values.values()):
        raise InputError("an answer has a recipe, a picture or a word, as text")
    if "recipe" in values:
        try:
            json.loads(values["recipe"])
        except ValueError as error:
            raise InputError("the recipe of an answer is not JSON") from error
    return Answer(**values)


def pixels(answer: Answer) -> RGB:
    """Return the picture that was handed in: uint8 (H, W, 3).

    Raises:
        core.problems.InputError: If it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(answer.png)) as image:
            if image.size[0] * image.size[1] > 10**6:
                raise InputError("the picture is larger than any that this app makes")
            return np.array(image.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InputError("the picture of an answer cannot be read") from error
