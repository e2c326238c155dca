"""The recipe of the Lecture page."""

from dataclasses import dataclass

from core.recipes.base import option

MINE = "mine"  # the lecture that a visitor puts together


@dataclass(frozen=True)
class LecturesRecipe:
    """Which lecture is open.

    Args:
        shelf: Its name, see `core.lectures.shelf`; "mine" is the visitor's own.
        view: "talk", or "choice": the experiment with two pictures.
    """

    shelf: str = option("paper")
    view: str = option("talk", among=("talk", "choice"), silent=True)
