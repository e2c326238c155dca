"""The files that every view of the Errors page lets out."""

from dataclasses import replace

from core.errors import views
from core.errors.recipe import ErrorsRecipe
from pages.ui.exports import Bundle


def bundle(view: str, recipe: ErrorsRecipe) -> Bundle:
    """Offer what was measured for a view, and its recipe."""
    out = Bundle(replace(recipe, view=view))
    out.file("Numbers, CSV", f"errors-{view}.csv", "text/csv", lambda: views.table(view))
    return out
