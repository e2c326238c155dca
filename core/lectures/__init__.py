"""Lectures: steps, each a link to a view with what to say, what to look for, and now and then a question to predict.

    lecture = shelf.get("paper")                 # one of those that ship, assets/lectures/*.toml
    step = lecture.steps[6]
    step.path, step.query                        # "perturb", {"target": "truck"}: the address of its view
    text = write(lecture); read(text) == lecture

lecture   what a lecture is
shown     pictures that a question shows, and what the models say of them
links     pages and the recipes that say which of their views
files     the TOML file, read strictly and written
shelf     the lectures that ship
ballots   a question and its votes
room      one talk: where it stands, who listens, what has been voted
rooms     all talks of a server
"""

from core.lectures.files import read, write
from core.lectures.lecture import Lecture, Question, Step
from core.lectures.links import recipe_kind

__all__ = ["Lecture", "Question", "Step", "read", "recipe_kind", "write"]
