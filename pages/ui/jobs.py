"""The old way to run work beside a page; `pages.ui.work.wanted` is the present one."""

from collections.abc import Callable
from typing import TypeVar

from core.attacks import OnStep
from pages.ui.work import Piece, wanted

T = TypeVar("T")


def run(jobs: list[Callable[[OnStep], T]], steps: int, *, text: str, show: Callable[[], None] | None = None) -> list[T]:
    """Run jobs side by side, with a progress bar and Stop; nothing is kept."""
    pieces = [Piece(object(), job, steps) for job in jobs]
    return wanted(pieces, text=text, group=("jobs", text), show=None if show is None else lambda _: show())
