"""The pictures of a question in the browser: on the stage, on phones, and later with what the models say of them."""

import logging
from typing import Any

from core.files import render
from core.lectures import Question
from core.lectures.shown import MODELS, Made, make
from core.models.titles import titles
from core.problems import UserError
from core.words import percent
from core.worlds import get
from pages.ui import flights, store, work

log = logging.getLogger(__name__)


def made(question: Question) -> tuple[Made, ...]:
    """Return the pictures of a question, the same for everybody; none where a model or a picture is not here."""
    if not question.shows:
        return ()
    try:
        key = ("shown", question.shows, tuple(store.stamp(name) for name in MODELS))
        found: tuple[Made, ...] = store.results().of(key, lambda: make(question.shows, store.model))
    except UserError as problem:
        log.warning("a question is asked without its pictures: %s", problem)
        return ()
    return found


def ahead(question: Question | None) -> None:
    """Begin to make them in turn with all other work, before they are asked for."""
    if question is not None and question.shows:
        flights.turn(work.desk().account, lambda: made(question))


def urls(question: Question | None) -> tuple[str, ...]:
    """Return the pictures as addresses that hold them, lossless."""
    if question is None:
        return ()
    return tuple(render.data_url(render.png(render.to_uint8(one.x)[0])) for one in made(question))


def said(question: Question) -> list[list[dict[str, Any]]]:
    """Say what each model predicts for each picture, and which choice that is, counted from 1; 0 where it is none."""
    called = dict(zip(MODELS, titles(*MODELS), strict=True))
    return [
        [
            {
                "who": called[name],
                "says": f"{get().classes[k]} {percent(p)}",
                "choice": question.choices.index(get().classes[k]) + 1 if get().classes[k] in question.choices else 0,
            }
            for name, (k, p) in one.says.items()
        ]
        for one in made(question)
    ]
