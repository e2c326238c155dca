"""A recipe is the whole input of a view: cache key, URL, metadata in an exported picture, and the header of a script.

A recipe is a frozen dataclass whose fields are strings, numbers, booleans or tuples of strings, each declared with
`option(...)`: its default and what is allowed. From that alone follow

    to_query(recipe)            {"eps": "8"}: only what differs from the default
    from_query(Recipe, params)  the recipe, and the names of the parameters that were not usable and fell back
    to_json / from_json         everything, for files
    to_python(recipe, ...)      the program that computes the view

A page's recipe lives with its topic (`core.TOPIC.recipe`); `base` and `python` here are the machinery.
"""

from importlib import import_module

from core.aliases import RECIPES
from core.recipes.base import as_before, from_json, from_query, from_values, option, to_json, to_query
from core.recipes.python import program, to_python

__all__ = [
    "as_before",
    "from_json",
    "from_query",
    "from_values",
    "option",
    "program",
    "to_json",
    "to_python",
    "to_query",
]


def __getattr__(name: str) -> object:
    """Find a recipe by the name that scripts copied earlier import from here."""
    if name in RECIPES:
        return as_before(getattr(import_module(RECIPES[name]), name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
