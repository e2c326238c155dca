"""Heavy work beside the page: in the pool, watched by the page, ended when the page is.

A loop inside the script would hold the page until it ends, and an abandoned run would go on in a zombie thread. Here the
script only watches; whatever ends it (Stop, another control, a closed tab) cancels the work within one step.
"""

import threading
from collections.abc import Callable
from concurrent.futures import wait
from typing import TypeVar

import streamlit as st

from core.attacks import OnStep
from core.attacks.rules import State
from core.compute import pool

T = TypeVar("T")
GLANCE_S = 0.05


def run(
    jobs: list[Callable[[OnStep], T]],
    steps: int,
    *,
    before: float = 0.0,
    after: float = 1.0,
    text: str,
    show: Callable[[], None] | None = None,
) -> list[T]:
    """Run jobs side by side, with a progress bar.

    Args:
        jobs: Each takes an `on_step` to hand to its loop, and returns its result.
        steps: Steps that each of them takes, for the bar.
        before: Where the bar stands at the start, in [0, 1].
        after: Where it stands at the end.
        text: What is said beside the bar.
        show: Called at each glance, to put something on the page.

    Returns:
        The results, in order. If the page run is interrupted, the loops stop within one step and nothing is returned;
        a job that wants to keep what it has so far puts it somewhere itself.
    """
    cancelled = threading.Event()
    done = [0] * len(jobs)

    def watched(k: int, job: Callable[[OnStep], T]) -> T:
        def on_step(i: int, _: State) -> bool:
            done[k] = i + 1
            return cancelled.is_set()

        return job(on_step)

    bar = st.progress(before, text)
    futures = [pool().submit(watched, k, job) for k, job in enumerate(jobs)]
    try:
        while wait(futures, timeout=GLANCE_S).not_done:
            # Touching the page is what lets Streamlit interrupt this run.
            part = sum(done) / max(1, steps * len(jobs))
            bar.progress(before + (after - before) * min(1.0, part), text)
            if show is not None:
                show()
        return [future.result() for future in futures]
    finally:
        cancelled.set()
        bar.empty()
