"""Routes of our own beside Streamlit's, on the same port: what a script that reruns is too slow or too much for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
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


def sockets(path: str, serve: Callable[[WebSocket], Awaitable[Any]]) -> list[BaseRoute]:
    """Serve web sockets at a path, with and without `server.baseUrlPath` in front.

    A proxy may or may not take it away.
    """
    return [WebSocketRoute(f"/{path}", serve), WebSocketRoute(f"/{{base:path}}/{path}", serve)]


def answers(path: str, serve: Callable[[Request], Awaitable[Response]]) -> list[BaseRoute]:
    """Answer GET at a path, with and without `server.baseUrlPath` in front."""
    return [Route(f"/{path}", serve), Route(f"/{{base:path}}/{path}", serve)]
