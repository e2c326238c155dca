"""The files that every view of the Errors page lets out."""

from dataclasses import replace

from core.errors import views
from core.errors.recipe import ErrorsRecipe
from core.recipes import to_json
from pages.ui.exports import Download


def files(view: str, recipe: ErrorsRecipe) -> list[Download]:
    """Offer what was measured for a view, and its recipe."""
    return [
        Download("Numbers (CSV)", f"errors-{view}.csv", "text/csv", lambda: views.table(view)),
        Download(
            "Recipe (JSON)", f"errors-{view}.json", "application/json", lambda: to_json(replace(recipe, view=view))
        ),
    ]
