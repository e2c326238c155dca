"""What the views of the Robust frog page have in common: what each depends on, and each as a program."""

from dataclasses import replace

from core.inversion import emergence
from core.inversion.between import between
from core.inversion.feature import feature
from core.inversion.gallery import gallery
from core.inversion.recipe import InvertRecipe
from core.inversion.starts import source_of
from core.recipes import to_python

__all__ = ["between", "cache_key", "feature", "gallery", "script"]  # three are asked for here by scripts copied earlier
# What each view does not depend on.
IGNORED = {
    "emergence": ("only", "feature", "canvas"),
    "gallery": ("feature", "canvas"),
    "feature": ("only", "start", "block", "setting"),
    "between": ("only", "feature", "start"),
}


def cache_key(recipe: InvertRecipe) -> InvertRecipe:
    """Return the recipe with everything at its default that one model's result in this view does not depend on."""
    default = InvertRecipe()
    unused = ("standard", "robust", "frame", *IGNORED[recipe.view])
    kept = replace(recipe, **{name: getattr(default, name) for name in unused})
    return replace(kept, picture=f"{source_of(recipe)}/") if recipe.view == "gallery" else kept


def script(recipe: InvertRecipe) -> str:
    """Write the Python program that computes the recipe's view and saves its pictures."""
    if recipe.view == "emergence":
        return emergence.script(recipe)
    if recipe.view == "feature":
        body = """
        for name in (recipe.standard, recipe.robust):
            made = feature(recipe, name)
            Path(f"{name}.png").write_bytes(render.png(render.to_uint8(made.made)[0]))
        """
    else:
        body = f"""
        for name in (recipe.standard, recipe.robust):
            made = {recipe.view}(recipe, name)
            for i, picture in enumerate(made.made):
                Path(f"{{name}}-{{i}}.png").write_bytes(render.png(render.to_uint8(picture[None])[0]))
        """
    page = f"from core.inversion.{recipe.view} import {recipe.view}"
    return to_python(recipe, ["from pathlib import Path", "from core.files import render", page], body)
