"""The work of a page with two models beside each other: one result a model.

A complete result is kept for everybody, under what it depends on. A stopped one is the session's own, is marked as such,
and stays in sight until the person asks for all of it or for something else.
"""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import streamlit as st
from torch import nn

from core.attacks import OnStep
from core.attacks.rules import State
from core.models import checkpoints
from pages.ui import jobs
from pages.ui.store import model, results

T = TypeVar("T")
SESSION = "pair-session"  # where it is kept between the runs of the page
Work = Callable[[str, nn.Module, OnStep], T]
PATIENCE_S = 60  # a stopped loop needs one step, but may still be waiting for its turn


class Pair(Protocol):
    """A recipe for two models: the names of their checkpoints."""

    @property
    def standard(self) -> str: ...

    @property
    def robust(self) -> str: ...


@dataclass
class Session(Generic[T]):
    """What one visitor has running: the work, each model's outcome (with the step where it was stopped), the Stop."""

    key: Hashable | None = None
    outcomes: dict[str, Future[tuple[T, int | None]]] = field(default_factory=dict)
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True

    def go_on(self) -> None:
        self.stopped = False


def both(
    recipe: Pair,
    work: Work[T],
    *,
    steps: int,
    show: Callable[[dict[str, State]], None],
    key: Hashable,
) -> tuple[T, T]:
    """Return the results of the left and of the right model, computing what is missing side by side.

    Args:
        recipe: Its models are asked.
        work: Computes one model's result: (name, model, on_step) -> result.
        steps: Steps it takes, for the progress bar.
        show: Puts what there is so far on the page: (name -> state).
        key: What one model's result depends on, besides the model.
    """
    names = list(dict.fromkeys((recipe.standard, recipe.robust)))
    found = {name: results().get((key, name)) for name in names}
    missing = [name for name in names if found[name] is None]
    session: Session[T] = st.session_state.setdefault(SESSION, Session())
    if session.key != key:
        session = st.session_state[SESSION] = Session(key)
    if missing and session.stopped and all(name in session.outcomes for name in missing):
        ended = {name: session.outcomes[name].result(PATIENCE_S) for name in missing}
        _say_stopped(session, {name: step for name, (_, step) in ended.items()}, steps)
        found |= {name: result for name, (result, _) in ended.items()}
    elif missing:
        _compute(key, missing, work, session, steps, show)
        st.rerun()
    return found[recipe.standard], found[recipe.robust]


def _say_stopped(session: Session[T], ended: dict[str, int | None], steps: int) -> None:
    where = " and ".join(f"at step {step} ({checkpoints.header(name).title})" for name, step in ended.items())
    with st.container(horizontal=True, vertical_alignment="center", key="pair-stopped"):
        st.caption(f"Stopped {where} of {steps}; what you see is the best so far.", width="content")
        st.button("Compute all of it", key="go-on", on_click=session.go_on, width="content")


def _compute(
    key: Hashable,
    names: list[str],
    work: Work[T],
    session: Session[T],
    steps: int,
    show: Callable[[dict[str, State]], None],
) -> None:
    session.outcomes, session.stopped = {name: Future() for name in names}, False
    live: dict[str, State] = {}

    def job(name: str) -> Callable[[OnStep], T]:
        ready = model(name)  # loaded here: Streamlit's cache wants the script's own thread
        outcome, store = session.outcomes[name], results()

        def run(on_step: OnStep) -> T:
            ended: int | None = None

            def watch(i: int, state: State) -> bool:
                nonlocal ended
                live[name] = state
                if on_step(i, state):
                    ended = i
                return ended is not None

            try:
                result = work(name, ready, watch)
            except Exception as problem:
                outcome.set_exception(problem)
                raise
            if ended is None:
                store.put((key, name), result)
            outcome.set_result((result, ended))
            return result

        return run

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Stop", key="stop", on_click=session.stop, width="content", help="Keeps the best so far.")
        jobs.run([job(name) for name in names], steps, text="Computing in both models…", show=lambda: show(dict(live)))
