"""Pages and their recipes: which page a recipe belongs to, and which recipe a page takes."""

import importlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from core.problems import InputError
from core.recipes import from_json

CORE = Path(__file__).parents[1]
HOME = "home"
PAGE_OF = {"inversion": "frog"}  # topics whose page has another address
ADDRESSES = {HOME: ""}  # pages whose address is not their name


@dataclass(frozen=True)
class HomeRecipe:
    """The home page has one view."""


@cache
def pages() -> Mapping[str, str]:
    """Return the topic of each page that takes a recipe, by the page's name."""
    topics = sorted(path.parent.name for path in CORE.glob("*/recipe.py"))
    return {PAGE_OF.get(topic, topic): topic for topic in topics}


@cache
def recipe_kind(page: str) -> type:
    """Return the class of a page's recipe.

    Raises:
        InputError: If there is no such page.
    """
    if page == HOME:
        return HomeRecipe
    if page not in pages():
        raise InputError(f"there is no page {page!r}; have {', '.join((HOME, *pages()))}")
    module = importlib.import_module(f"core.{pages()[page]}.recipe")
    return next(
        kind
        for name, kind in vars(module).items()
        if name.endswith("Recipe") and isinstance(kind, type) and kind.__module__ == module.__name__
    )


def opened(text: str) -> tuple[str, Any]:
    """Read a recipe of any page from its JSON, and return that page with it.

    Raises:
        InputError: If it is no recipe, or if no page takes it.
    """
    for page in (HOME, *pages()):
        kind = recipe_kind(page)
        if f'"{kind.__name__}"' in text:
            return page, from_json(kind, text)
    with suppress(InputError):  # at first, files of this page did not say whose they are
        return "datasets", from_json(recipe_kind("datasets"), text)
    raise InputError("no page takes this recipe")
