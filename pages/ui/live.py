"""Live connections: a WebSocket beside Streamlit's own, on the same port, for what moves while nobody clicks.

Streamlit reruns a script for everything a widget says, which is too slow for a picture that moves (and a fragment on a
timer would rerun for nothing all the time). `st.App` lets an app add routes, so a component talks to one of these
directly, and no script runs meanwhile. At its other end is `assets/shared/line.js`.

    class Board(Held): ...                     # what the session keeps; its token goes into the component's data
    class BoardTalk(Talk[Board]): ...          # greet, hear, leave
    ROUTES = routes("_board", Board, BoardTalk)

Who may connect: whoever knows the token that the page put into the component, from a page of the same origin. Work is
done in short jobs in the line that all work of the app stands in, so a talk shares the cores step by step with others.
"""

import asyncio
import base64
import functools
import json
import logging
import math
import secrets
import weakref
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

import numpy as np
from starlette.routing import BaseRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from torch import Tensor

from core.files.render import Frames
from core.problems import InputError, UserError
from pages.ui import flights
from pages.ui.sockets import heard, may_connect, sockets, tell
from pages.ui.turns import Account

H = TypeVar("H", bound="Held")


log = logging.getLogger(__name__)
NO_OBJECT, NO_SENSE = "a message must be a JSON object", "this message lacks something, or has something that cannot be"
FAULT = "The program met a fault of its own; the server's log says where."
WORDS = 2000  # characters of a message besides its pictures


class Held:
    """What a visitor's session holds for a component with a live connection; it goes with the session.

    Args:
        account: Whose share of the cores its work takes; by default one of its own.
    """

    def __init__(self, account: Account | None = None) -> None:
        self.account = account if account is not None else Account()
        self.token = secrets.token_urlsafe(24)
        _held[self.token] = self


_held: "weakref.WeakValueDictionary[str, Held]" = weakref.WeakValueDictionary()


def find(token: str) -> Held | None:
    """Return what has that token, if its session is still there."""
    return _held.get(token)


class Talk(ABC, Generic[H]):
    """One connection: what the component says, in order.

    Args:
        held: What it is about.
        socket: An accepted connection.
    """

    def __init__(self, held: H, socket: WebSocket) -> None:
        self.held, self.socket = held, socket

    async def greet(self) -> None:
        """Say what a component has to know that has just connected."""

    @abstractmethod
    def longest(self) -> int:
        """Return how many characters a message may have: `room` for its pictures and `WORDS`."""

    @abstractmethod
    async def hear(self, asked: dict[str, Any]) -> None:
        """Do what the component asks.

        Raises:
            UserError: If it cannot be; the component is told the sentence. Of any other error it learns nothing.
        """

    async def leave(self) -> None:
        """End what is under way when the component has gone."""

    async def serve(self) -> None:
        """Serve until the component goes away."""
        try:
            await self.attempt(self.greet())
            while True:
                await self.attempt(self.hear(await self.next_message()))
        except WebSocketDisconnect:
            pass
        finally:
            await self.leave()

    async def attempt(self, work: Awaitable[None]) -> None:
        """Wait for work; say in a sentence why it could not be done. A fault of ours goes to the log."""
        try:
            await work
        except WebSocketDisconnect:
            raise
        except UserError as problem:
            await self.problem(str(problem))
        except Exception:
            log.exception("a live connection met an error")
            await self.problem(FAULT)

    async def next_message(self) -> dict[str, Any]:
        """Wait for a message; what is none is answered."""
        while True:
            text = await heard(self.socket, self.longest())
            try:
                said = json.loads(text)
            except (ValueError, RecursionError):  # no JSON
                said = None
            if isinstance(said, dict):
                return said
            await self.problem(NO_OBJECT)

    async def in_turn(self, make: Callable[..., Any], *arguments: Any) -> Any:
        """Run short work when it is this visitor's turn."""
        future = flights.turn(self.held.account, functools.partial(make, *arguments))
        return await asyncio.wrap_future(future)

    async def tell(self, message: dict[str, Any]) -> None:
        """Send a message."""
        await tell(self.socket, message)

    async def problem(self, text: str) -> None:
        """Say in a sentence what was wrong with what the component said."""
        await self.tell({"is": "problem", "text": text})


def served(kind: type[H], talk: Callable[[H, WebSocket], Talk[H]]) -> Callable[[WebSocket], Awaitable[None]]:
    """Return what talks to one component, if it knows the token of something of that kind, until it goes away."""

    async def serve(socket: WebSocket) -> None:
        held = find(socket.path_params["token"])
        if not isinstance(held, kind) or not await may_connect(socket):
            await socket.close(1008)
            return
        await socket.accept()
        await talk(held, socket).serve()

    return serve


def routes(path: str, serve: Callable[[WebSocket], Awaitable[None]]) -> list[BaseRoute]:
    """Serve such connections below a path of the app."""
    return sockets(f"{path}/{{token}}", serve)


def top(logits: Tensor, classes: Sequence[str], n: int = 3) -> list[list[Any]]:
    """Name the n most likely classes of one picture's logits (K) with their probabilities."""
    best = logits.softmax(0).topk(min(n, len(logits)))
    return [[classes[k], round(p, 4)] for k, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def room(shape: Sequence[int]) -> int:
    """Return how many characters pictures of that shape are, packed."""
    return sum(4 * -(-math.prod(shape[1:]) // 3) + len('"", ') for _ in range(shape[0]))


@contextmanager
def understood() -> Iterator[None]:
    """Read a component's message: where it makes no sense, say so, not what Python says of it.

    Raises:
        InputError: If it makes none.
    """
    try:
        yield
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, OverflowError) as problem:
        raise InputError(NO_SENSE) from problem


def packed(frame: Frames) -> str:
    """Pack an 8-bit picture (H, W, C) as base64."""
    return base64.b64encode(np.ascontiguousarray(frame).tobytes()).decode()


def unpacked(pixels: list[str], shape: tuple[int, ...]) -> Frames:
    """Read what `packed` wrote, for each of the pictures of that shape (M, H, W, C).

    Raises:
        ValueError: If it is not as long as it should be.
    """
    if len(pixels) != shape[0]:
        raise InputError(f"expected {shape[0]} pictures, got {len(pixels)}")
    raw = b"".join(base64.b64decode(text, validate=True) for text in pixels)
    if len(raw) != math.prod(shape):
        raise InputError(f"expected {math.prod(shape)} bytes, got {len(raw)}")
    return np.frombuffer(raw, np.uint8).reshape(shape).copy()
