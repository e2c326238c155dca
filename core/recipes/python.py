"""A view as Python: the program that its page offers for copying.

    to_python(recipe, ["from core.perturb import attack"], '''
        for name in (recipe.standard, recipe.robust):
            print(attack(recipe, name).threshold)
    ''')

writes the imports in order, the app's CPU settings, the whole recipe, and then that body.
"""

import os
import sys
from collections.abc import Iterable
from textwrap import dedent
from typing import Any

from core.recipes.base import named_fields

HEAD = '"""Made by Robust Frog. Run it from the project\'s folder: python this_file.py"""'
UPLOADED = """# The picture of this view was uploaded, so no data set has it. Where a function below takes `picture`,
# hand it core.data.pictures.from_upload(Path("your file").read_bytes()); or choose another picture in the recipe.
"""
PLUGINS = "ROBUST_FROG_PLUGINS"  # names files of networks that are Python, see core.models.plugins
SETTINGS = "setup_cpu(1)  # as the app, so that sums round alike"


def to_python(recipe: Any, imports: Iterable[str], body: str) -> str:
    """Write the program of a recipe's view.

    Args:
        recipe: What the body knows as `recipe`.
        imports: What the body needs, a statement each; the recipe's class comes by itself.
        body: The rest of the program, indented as one likes.
    """
    kind = type(recipe).__name__
    fields = "".join(f"    {name}={value!r},\n" for name, value in named_fields(recipe).items())
    note = UPLOADED if str(getattr(recipe, "picture", "")).startswith("upload/") else ""
    return program(
        [*imports, f"from {type(recipe).__module__} import {kind}"],
        f"{note}recipe = {kind}(\n{fields})\n{dedent(body).strip()}",
    )


def program(imports: Iterable[str], body: str) -> str:
    """Write a program that computes as the app does: its imports in their usual order, the CPU settings, the body."""
    sections: list[list[str]] = [[], [], []]  # the standard library, other people's packages, ours
    also, before = plugged()
    for line in sorted(
        {*imports, *also, "from core.compute import setup_cpu"}, key=lambda line: (line[0] == "f", line)
    ):
        package = line.split()[1].partition(".")[0]
        sections[0 if package in sys.stdlib_module_names else 2 if package == "core" else 1].append(line)
    return "\n\n".join([HEAD, *("\n".join(lines) for lines in sections if lines), f"{before}{SETTINGS}\n{body}\n"])


def plugged() -> tuple[list[str], str]:
    """Return what a program needs to find the networks of its owner's files, if there are any: an import, a line."""
    files = os.environ.get(PLUGINS, "")
    return (["import os"], f'os.environ.setdefault("{PLUGINS}", {files!r})\n') if files else ([], "")
