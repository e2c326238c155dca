"""What several page tests do with a page under Streamlit's AppTest."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Protocol

import pytest
from starlette.websockets import WebSocketDisconnect
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Radio

from pages.ui import work

SPOKEN = ("markdown", "caption", "info", "warning", "error", "success", "title")


class Runs(Protocol):
    """A page, or a widget that was moved."""

    def run(self) -> AppTest: ...


def ran(page_or_moved_widget: Runs) -> AppTest:
    """Run the page; an exception in it fails the test."""
    app = page_or_moved_widget.run()
    assert not app.exception, app.exception[0].value
    return app


def said(app: AppTest) -> str:
    """All text on the page, but for HTML."""
    return "\n".join(element.value for kind in SPOKEN for element in getattr(app, kind))


def html(app: AppTest) -> str:
    """All HTML on the page, with ordinary spaces where no line may break."""
    return "\n".join(element.proto.body for element in app.get("html")).replace("\u00a0", " ")


def rows(app: AppTest) -> list[list[str]]:
    """All rows of all tables on the page, a string of HTML for each cell."""
    found = re.findall(r"<tr>(.*?)</tr>", html(app))
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in found]


def question(app: AppTest) -> Radio:
    """What is asked before the answer is shown."""
    (found,) = [one for one in app.radio if (one.key or "").startswith("guess-")]
    return found


def stop_once(monkeypatch: pytest.MonkeyPatch, *ends: int) -> SimpleNamespace:
    """Press Stop in the first run that computes: its loops end at these steps, one a piece.

    Later ones run to their end.

    Returns:
        `runs`: how often something was computed.
    """
    ask, watch, state = work.ask, work._watch, SimpleNamespace(runs=0)

    def counted(*args, **more):
        state.runs += 1
        return watch(*args, **more)

    def first(pieces, *, group, **more):
        if state.runs == 0:
            state.runs, here = 1, work.desk()
            here.stopped = group
            each = zip(pieces, ends * len(pieces) if len(ends) == 1 else ends, strict=False)
            here.partial = {piece.key: _ended(piece, end) for piece, end in each}
        return ask(pieces, group=group, **more)

    monkeypatch.setattr(work, "_watch", counted)
    monkeypatch.setattr(work, "ask", first)
    return state


def _ended(piece: work.Piece, end: int) -> work.Outcome:
    at = []

    def on_step(i: int, _: object = None) -> bool:
        at.extend([i] * (i >= end))
        return i >= end

    made = piece.make(on_step)
    return work.Outcome(made, at[0] if at else None)


_watches: list[list[str]] = []


def _heard(event: str, args: tuple[object, ...]) -> None:
    if not _watches or event != "open":
        return
    path, _, flags = args
    if isinstance(path, str) and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        for watch in _watches:
            watch.extend([path] * ("__pycache__" not in path))


sys.addaudithook(_heard)  # there is no taking it away again


@contextmanager
def files_written() -> Iterator[list[str]]:
    """List every file that is opened for writing meanwhile, wherever it is."""
    written: list[str] = []
    _watches.append(written)
    try:
        yield written
    finally:
        _watches.remove(written)


def computes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test where something is computed beside the page."""
    monkeypatch.setattr(work, "_watch", lambda *_, **__: pytest.fail("computed again"))


class Socket:
    """A browser's end, in Python: says what it is told to, and hears everything."""

    def __init__(self, token: str = "", origin: str | None = None) -> None:
        self.path_params = {"token": token}
        self.headers = {"host": "here:1", **({"origin": origin} if origin else {})}
        self.heard, self.closed, self.accepted = [], None, False
        self.says: asyncio.Queue[str | None] = asyncio.Queue()
        self.news = asyncio.Event()

    async def accept(self) -> None:
        self.accepted = True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed, self.reason = code, reason

    async def send_text(self, text: str) -> None:
        self.heard.append(json.loads(text))
        self.news.set()
        if self.heard[-1]["is"] == "frame":
            self.say(do="seen")

    async def receive_text(self) -> str:
        text = await self.says.get()
        if text is None:
            raise WebSocketDisconnect(1001)
        if isinstance(text, bytes):
            raise KeyError("text")  # as Starlette does
        return text

    def say(self, **message) -> None:
        self.says.put_nowait(json.dumps(message))

    async def until(self, kind: str, times: int = 1) -> dict:
        while sum(m["is"] == kind for m in self.heard) < times:
            self.news.clear()
            await asyncio.wait_for(self.news.wait(), 60)
        return [m for m in self.heard if m["is"] == kind][-1]
