"""Routes of our own beside Streamlit's, on the same port: what a script that reruns is too slow or too much for.

What the other end says goes through `heard`, what it is told through `tell`: a message has a length at most, and an end
that has gone is a `WebSocketDisconnect`, so that a `RuntimeError` is never the connection's but a fault of ours.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.web.server import server_util


async def may_connect(socket: WebSocket) -> bool:
    """Tell whether the page that connects was served under this very address, or is one that Streamlit lets in, too.

    Scripts send no origin. Behind a proxy that sets `Host` the address differs from what the visitor sees; then it is
    `server.corsAllowedOrigins` and `server.enableCORS` that decide, as for Streamlit's own socket.
    """
    origin = socket.headers.get("origin")
    if origin is None or urlsplit(origin).netloc == socket.headers.get("host"):
        return True
    return bool(await asyncio.to_thread(server_util.is_url_from_allowed_origins, origin))  # it may ask the network


TOO_LONG = 1009  # the code of the protocol for a message that is too big


async def heard(socket: WebSocket, longest: int) -> str:
    """Wait for a message of so many characters at most; one of bytes is "".

    Raises:
        WebSocketDisconnect: If the other end has gone, or was sent away because it said more.
    """
    try:
        text = await socket.receive_text()
    except KeyError:  # bytes
        return ""
    except RuntimeError as problem:  # Starlette's: it is closed already
        raise WebSocketDisconnect(1006) from problem
    if len(text) > longest:
        await socket.close(TOO_LONG, f"a message has {longest} characters at most")
        raise WebSocketDisconnect(TOO_LONG)
    return text


async def tell(socket: WebSocket, message: Any) -> None:
    """Send a message as JSON.

    Raises:
        WebSocketDisconnect: If the other end has gone.
    """
    text = json.dumps(message)
    try:
        await socket.send_text(text)
    except RuntimeError as problem:  # Starlette's: it is closed already
        raise WebSocketDisconnect(1006) from problem


def sockets(path: str, serve: Callable[[WebSocket], Awaitable[Any]]) -> list[BaseRoute]:
    """Serve web sockets at a path, with and without `server.baseUrlPath` in front.

    A proxy may or may not take it away.
    """
    return [WebSocketRoute(f"/{path}", serve), WebSocketRoute(f"/{{base:path}}/{path}", serve)]


def answers(path: str, serve: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
    """Answer GET at a path, with and without `server.baseUrlPath` in front."""
    return [Route(f"/{path}", serve), Route(f"/{{base:path}}/{path}", serve)]
