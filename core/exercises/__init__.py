"""Exercises: a task each, a check that recomputes what was handed in, and a report that cannot be forged.

For example:

    answer = handed(exercises()["ship"], "https://…/perturb?target=ship&frame=9")
    check(exercises()["ship"], answer).passed
"""

from core.exercises.answers import Answer, handed
from core.exercises.catalog import Exercise, exercises
from core.exercises.checks import Verdict, check

__all__ = ["Answer", "Exercise", "Verdict", "check", "exercises", "handed"]
