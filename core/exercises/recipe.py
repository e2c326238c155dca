"""The recipe of the Exercises page."""

from dataclasses import dataclass

from core.recipes.base import option


@dataclass(frozen=True)
class ExercisesRecipe:
    """Which exercise is open.

    Args:
        exercise: Its name in assets/exercises/exercises.toml; "" is the first.
    """

    exercise: str = option("")
