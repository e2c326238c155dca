"""The room beside the lecture: phones vote, the speaker's second window follows, and the stage hears of it.

No script runs for any of them. A phone may connect with the code that is on the screen; the stage and the notes need
the talk's key, which only the lecturer's browser has.
"""

import asyncio
import contextlib
import functools
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.files import arrays
from core.lectures.room import Talk
from core.lectures.rooms import Rooms
from core.problems import UserError
from pages.ui.sockets import answers, heard, may_connect, sockets, tell

T = TypeVar("T")
ASSETS = Path(__file__).parents[2] / "assets"
WINDOWS = ASSETS / "lectures" / "windows"
SCRIPTS = (ASSETS / "shared" / "line.js", ASSETS / "lectures" / "question.js")  # what the windows share with the app
CHECK_S = 15.0  # between looks at whether a talk goes on
BREATH_S = 0.05  # sixty votes at once are told once
LONGEST = 500  # characters that a phone may say at a time
OVER = "This room has ended. Thank you for voting."
NO_ROOM = "There is no room with this code now. Look at the screen and type it again."
HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


@functools.cache
def rooms() -> Rooms:
    """Return all talks of this server."""
    return Rooms(first=os.environ.get("ROBUST_FROG_REPLICA", ""))


async def phone(socket: WebSocket) -> None:
    """Serve one phone: what is asked, and its vote."""
    talk = rooms().joined(socket.path_params["code"])
    if not await may_connect(socket):
        await socket.close(1008)
        return
    await socket.accept()
    try:
        if talk is None:
            await tell(socket, {"is": "over", "text": NO_ROOM})
            await socket.close()
            return
        try:
            me = talk.join(socket.query_params.get("phone", ""))
        except UserError as problem:
            await tell(socket, {"is": "over", "text": str(problem)})
            return
        await tell(socket, {"is": "welcome", "phone": me})
    except WebSocketDisconnect:  # gone before it was welcome
        return

    async def hear(vote: float) -> None:
        try:
            talk.vote(me, vote)
        except UserError as problem:
            await tell(socket, {"is": "problem", "text": str(problem)})

    read = lambda told: float(told["vote"])
    await talk_to(socket, talk, lambda: _for_phone(talk, me), read, hear, talk.connected())


async def stage(socket: WebSocket) -> None:
    """Serve the lecturer's first window: how many are here and have voted, and the votes once they may be seen."""

    async def hear(_: None) -> None:
        """It has nothing to say."""

    if (talk := await _lecturer(socket)) is not None:
        await talk_to(socket, talk, lambda: _for_stage(talk), lambda _: None, hear, talk.attended())


async def follow(socket: WebSocket) -> None:
    """Serve the lecturer's second window: the notes, and its clicker."""
    if (talk := await _lecturer(socket)) is not None:

        async def hear(turn: int) -> None:
            talk.turn(1 if turn > 0 else -1)

        await talk_to(socket, talk, lambda: _for_notes(talk), lambda told: int(told["turn"]), hear, nullcontext())


async def _lecturer(socket: WebSocket) -> Talk | None:
    talk = rooms().find(socket.path_params["key"])
    if talk is None or not await may_connect(socket):
        await socket.close(1008)
        return None
    await socket.accept()
    return talk


async def talk_to(
    socket: WebSocket,
    talk: Talk,
    state: Callable[[], dict[str, Any]],
    read: Callable[[Any], T],
    hear: Callable[[T], Awaitable[None]],
    while_there: AbstractContextManager[None],
) -> None:
    """Tell a window its state whenever that has changed, and hear what it says, until it goes or the talk ends.

    Args:
        socket: An accepted connection.
        talk: The talk.
        state: What the window shows.
        read: Reads a message; what makes no sense is not answered.
        hear: Does what it says.
        while_there: Entered as long as the window is there.
    """
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    async def tell_all() -> None:
        last = None
        while talk.alive():
            changed.clear()
            now = state()
            if now != last:
                await tell(socket, now)
                last = now
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), CHECK_S)
            await asyncio.sleep(BREATH_S)
        await tell(socket, {"is": "over", "text": OVER})
        await socket.close()

    stop = talk.listen(lambda: loop.call_soon_threadsafe(changed.set))
    teller = asyncio.create_task(tell_all())
    try:
        with while_there:
            while True:
                text = await heard(socket, LONGEST)
                try:
                    said = read(json.loads(text))
                except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
                    continue
                await hear(said)
    except WebSocketDisconnect:  # gone, closed by `tell_all`, or sent away
        pass
    finally:
        stop()
        teller.cancel()
        with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect):
            await teller


def _for_phone(talk: Talk, me: str) -> dict[str, Any]:
    ballot = talk.asked()
    if ballot is None:
        return {
            "is": "state",
            "question": None,
            "voted": None,
            "text": "Look at the screen. The next question comes here.",
        }
    asked = ballot.question
    question = {
        "ask": asked.ask,
        "choices": asked.choices,
        "low": asked.low,
        "high": asked.high,
        "unit": asked.unit,
        "pictures": ballot.pictures,
    }
    return {"is": "state", "question": question, "voted": talk.voted(me), "text": ""}


def _for_stage(talk: Talk) -> dict[str, Any]:
    tally = talk.tally(talk.lecture, talk.step)
    shown = tally and {"n": tally.n, "counts": tally.counts, "values": tally.values}
    at = f"{talk.lecture} {talk.step}"
    return {"here": talk.here, "votes": talk.votes(), "tally": shown, "at": at, "turned": talk.turned}


def _for_notes(talk: Talk) -> dict[str, Any]:
    return {"notes": talk.notes, "here": talk.here, "votes": talk.votes(), "code": talk.code}


async def votes(request: Request) -> Response:
    """Answer with all that was voted and revealed, as CSV."""
    talk = rooms().find(request.path_params["key"])
    if talk is None:
        return Response("There is no such talk.", 404)
    return Response(arrays.table(talk.table()), media_type="text/csv", headers=HEADERS)


def window(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers with one of the windows: a page of its own, light enough for a phone."""

    async def answer(_: Request) -> Response:
        page = (WINDOWS / f"{name}.html").read_text("utf-8")
        parts = {"/*shared*/": (WINDOWS / "shared.css",), "/*script*/": (*SCRIPTS, WINDOWS / f"{name}.js")}
        for place, paths in parts.items():
            page = page.replace(place, "".join(path.read_text("utf-8") for path in paths))
        return HTMLResponse(page, headers=HEADERS)

    return answer


ROUTES = [
    *answers("join", window("join")),
    *answers("notes", window("notes")),
    *answers("_talk/{key}/votes.csv", votes),
    *sockets("_room/{code}", phone),
    *sockets("_talk/{key}", stage),
    *sockets("_notes/{key}", follow),
]
