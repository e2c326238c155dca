"""What a page costs whatever else the machine does: the server's CPU seconds, and the bytes that it sends."""

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(url: str) -> Callable[[], float]:
    """Return what tells the CPU seconds so far of the server at that address, of all its threads.

    Raises:
        LookupError: If its process is not found in /proc, which is Linux's.
    """
    port = url.rsplit(":", 1)[1].encode()
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if port in words and b"streamlit" in words:
                where = folder / "stat"
                return lambda: sum(map(int, where.read_text().rsplit(")", 1)[1].split()[11:13])) / TICKS
    raise LookupError(f"no process in /proc serves {url}")


class Wire:
    """Counts what a page of Chromium receives, over HTTP and web sockets.

    Args:
        page: The page.
    """

    def __init__(self, page: Any) -> None:
        self.bytes = 0
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.on("Network.dataReceived", self._body)
        session.on("Network.webSocketFrameReceived", self._frame)

    def _body(self, told: dict[str, Any]) -> None:
        self.bytes += told["encodedDataLength"]

    def _frame(self, told: dict[str, Any]) -> None:
        payload, binary = told["response"]["payloadData"], told["response"]["opcode"] == 2
        self.bytes += len(base64.b64decode(payload)) if binary else len(payload)
