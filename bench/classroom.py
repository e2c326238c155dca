"""A class on one server: light clients that speak Streamlit's own protocol, each with its own picture and target.

    python -m bench.classroom --visitors 60 [--windows 3] [--minutes 10] [--json FILE]

Each opens Perturb (a third of them the same link), waits for the whole sweep, drags on and leaves. What each was shown
is compared with what a single visitor is shown of the same link afterwards. With `--windows`, so many windows of a real
Chromium are among them; what they draw takes from the same cores. The server is this command's own, on the loopback
address; no client names another origin, because Streamlit then asks an outside service for the machine's own address.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core import worlds
from core.data import pictures
from pages.ui.exports import LABEL

MOST_VISITORS, MOST_WINDOWS, MOST_MINUTES = 200, 20, 60
TARGETS = ("any", "second", "truck", "ship", "cat")
PAGE = "perturb"


class Client:
    """One visitor: a web socket, and what its page shows.

    Args:
        url: Of the server, on the loopback address.
    """

    def __init__(self, url: str) -> None:
        if not url.startswith("http://127.0.0.1:"):
            raise ValueError(f"a class visits the loopback address alone, got {url}")
        self.url, self.hash, self.query = url, "", ""
        self.socket: ClientConnection | None = None
        self.forget()

    def forget(self) -> None:
        """Begin another measurement."""
        self.began, self.first, self.finished, self.running = time.monotonic(), None, 0, False
        self.available = self.total = 0
        self.scrubber: dict[str, Any] = {}
        self.whole, self.problems = False, list[str]()

    async def open(self, query: str) -> None:
        """Visit Perturb with that query."""
        if self.socket is None:
            address = f"{self.url.replace('http', 'ws', 1)}/_stcore/stream"
            self.socket = await connect(
                address, subprotocols=["streamlit"], max_size=None, open_timeout=120, ping_interval=None
            )
        self.query = query
        self.forget()
        await self.rerun()

    async def rerun(self) -> None:
        """Ask for another run of the page, as a browser does after a click."""
        from streamlit.proto.BackMsg_pb2 import BackMsg

        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.page_name, asked.page_script_hash = self.query, PAGE, self.hash
        asked.context_info.url = f"{self.url}/{PAGE}"
        assert self.socket is not None
        await self.socket.send(message.SerializeToString())

    async def close(self) -> None:
        """Leave."""
        if self.socket is not None:
            with contextlib.suppress(TimeoutError, ConnectionClosed):
                await asyncio.wait_for(self.socket.close(), 5)
            self.socket = None

    @property
    def complete(self) -> bool:
        """Whether the page has all frames and all that stands below them."""
        return self.whole and 0 < self.total == self.available and self.finished > 0 and not self.running

    async def settle(self, seconds: float) -> bool:
        """Listen until the page is complete; return whether it is."""
        until = time.monotonic() + seconds
        assert self.socket is not None
        while not self.complete and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                self.take(await asyncio.wait_for(self.socket.recv(), left))
        return self.complete

    def take(self, data: bytes | str) -> None:
        """Take one message of the server's."""
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        message = ForwardMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode())
        match message.WhichOneof("type"):
            case "new_session":
                self.running = True
            case "navigation":
                self.hash = message.navigation.page_script_hash or self.hash
            case "page_info_changed":
                self.query = message.page_info_changed.query_string
            case "script_finished":
                self.finished, self.running = self.finished + 1, False
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                self._element(message.delta.new_element)
            case "delta" if message.delta.add_block.expandable.label == LABEL:
                self.whole = True

    def _element(self, element: Any) -> None:
        match element.WhichOneof("type"):
            case "exception":
                self.problems.append(f"{element.exception.type}: {element.exception.message}"[:200])
            case "bidi_component":
                found = element.bidi_component
                text = found.json or (found.mixed.json if found.HasField("mixed") else "")
                shown = json.loads(text) if text else {}
                if "available" in shown:
                    self.first = self.first or time.monotonic() - self.began
                    self.scrubber, self.available, self.total = shown, shown["available"], shown["axis"]["total"]

    @property
    def numbers(self) -> str:
        """What the page's columns say, for comparison: curves, readouts and verdicts of every frame."""
        keep = ("title", "curve", "readouts", "flags", "threshold", "top", "probabilities")
        return json.dumps([{k: row.get(k) for k in keep} for row in self.scrubber.get("rows", [])], sort_keys=True)


@dataclass
class Visit:
    """What one visitor waited for: seconds until the first frame and the finished page; None where it did not come."""

    query: str
    first: float | None = None
    page: float | None = None
    numbers: str = field(default="", repr=False)
    problems: list[str] = field(default_factory=list)


async def visit(url: str, query: str, seconds: float, drags: int = 3) -> Visit:
    """Open a link, wait for all of it, drag on, leave."""
    client, made = Client(url), Visit(query)
    try:
        await client.open(query)
        if await client.settle(seconds):
            made.page = time.monotonic() - client.began
        made.first, made.numbers = client.first, client.numbers
        for _ in range(drags if made.page is not None else 0):
            client.finished = 0
            await client.rerun()
            await client.settle(seconds)
        made.problems = client.problems
    except (ConnectionClosed, OSError) as error:
        made.problems.append(f"{type(error).__name__}: {error}")
    finally:
        await client.close()
    return made


def links(visitors: int) -> list[str]:
    """Return a link for each visitor, a third of them the same; no target is what the picture is already."""

    def own(i: int) -> str:
        picture = pictures.get(f"gallery/{i % 90}")
        target = TARGETS[i % len(TARGETS)]
        if picture.label is not None and worlds.get().classes[picture.label] == target:
            target = "any"
        return f"picture={picture.id}&target={target}&norm={'L2' if i % 2 else 'Linf'}"

    return ["picture=gallery/3&target=truck" if i % 3 == 0 else own(i) for i in range(visitors)]


async def lesson(url: str, queries: Sequence[str], seconds: float) -> list[Visit]:
    """Let a visitor of each link come, all at once."""
    if len(queries) > MOST_VISITORS:
        raise ValueError(f"a class has at most {MOST_VISITORS} visitors, got {len(queries)}")
    return list(await asyncio.gather(*(visit(url, query, seconds) for query in queries)))


async def windows(url: str, queries: Sequence[str], seconds: float, chromium: str) -> list[Visit]:
    """Let a real browser open each of the links in a window of its own, all at once, and wait for the whole page."""
    from playwright.async_api import Browser, Error, async_playwright

    async def look(browser: Browser, query: str) -> Visit:
        made, page = Visit(query), await browser.new_page()
        page.set_default_timeout(1000 * seconds)
        began = time.monotonic()
        try:
            await page.goto(f"{url}/{PAGE}?{query}")
            await page.locator(".stMain canvas:visible").first.wait_for()
            made.first = time.monotonic() - began
            await page.get_by_text(LABEL).wait_for()
            made.page = time.monotonic() - began
            made.problems = await page.locator(".stMain .stException, .stMain .stAlert").all_inner_texts()
        except Error as error:
            made.problems.append(error.message.splitlines()[0])
        return made

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        found = list(await asyncio.gather(*(look(browser, query) for query in queries)))
        await browser.close()
    return found


async def alone(url: str, queries: Sequence[str], seconds: float) -> dict[str, str]:
    """Return what each link shows to somebody who is alone."""
    return {query: (await visit(url, query, seconds, drags=0)).numbers for query in dict.fromkeys(queries)}


@dataclass(frozen=True)
class Server:
    """What a process uses: seconds of CPU, resident memory, threads, file descriptors."""

    cpu: float
    mb: int
    threads: int
    files: int

    @staticmethod
    def of(pid: int) -> "Server":
        """Look at a process of this machine (Linux)."""
        here = Path(f"/proc/{pid}")
        fields = (here / "stat").read_text().rsplit(")", 1)[1].split()
        status = dict(line.split(":", 1) for line in (here / "status").read_text().splitlines() if ":" in line)
        ticks = int(fields[11]) + int(fields[12])
        return Server(
            ticks / os.sysconf("SC_CLK_TCK"),
            int(status["VmRSS"].split()[0]) // 1024,
            int(status["Threads"]),
            len(list((here / "fd").iterdir())),
        )


def spread(values: Sequence[float]) -> str:
    """Write median, 95 % point and last."""
    ordered = sorted(values)
    if not ordered:
        return "none"
    late = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"{statistics.median(ordered):.1f} / {late:.1f} / {ordered[-1]:.1f}"


@contextlib.contextmanager
def server() -> Iterator[tuple[str, int]]:
    """Serve the app on the loopback address; yield its address and the number of its process."""
    from tests.app_process import serving

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "server.log") as url:
        port = int(url.rsplit(":", 1)[1])
        yield url, next(pid for pid in _processes() if f"--server.port\0{port}\0" in _command(pid))


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text() + "\0"
    except OSError:
        return ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.classroom", description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=60)
    parser.add_argument("--windows", type=int, default=0, help="of Chromium, besides")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--minutes", type=float, default=10, help="after which whoever still waits is lost")
    parser.add_argument("--check", type=int, default=10, help="links that are compared with a visitor alone")
    parser.add_argument(
        "--rest", type=float, default=130, help="seconds after all have left until the server is looked at"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all visits there too")
    given = parser.parse_args(arguments)
    if not (1 <= given.visitors <= MOST_VISITORS and 0 < given.minutes <= MOST_MINUTES):
        parser.error(f"1 to {MOST_VISITORS} visitors and at most {MOST_MINUTES} minutes")
    if not 0 <= given.windows <= MOST_WINDOWS:
        parser.error(f"0 to {MOST_WINDOWS} windows")
    out, queries, seconds = sys.stdout.write, links(given.visitors), 60 * given.minutes

    async def everybody(url: str) -> tuple[list[Visit], list[Visit]]:
        clients = lesson(url, queries, seconds)
        if not given.windows:
            return await clients, []
        real = windows(url, [queries[k % len(queries)] for k in range(given.windows)], seconds, given.chromium)
        visits, seen = await asyncio.gather(clients, real)
        return visits, seen

    with server() as (url, pid):
        asyncio.run(visit(url, "picture=gallery/0", 120))
        before = Server.of(pid)
        visits, seen = asyncio.run(everybody(url))
        after = Server.of(pid)
        checked = [one for one in visits if one.page is not None][: given.check]
        single = asyncio.run(alone(url, [one.query for one in checked], 120))
        wrong = [one.query for one in checked if one.numbers != single[one.query]]
        time.sleep(given.rest)  # Streamlit keeps a session for two minutes, should its browser come back
        left = Server.of(pid)
    lost = [one for one in (*visits, *seen) if one.page is None or one.problems]
    out(f"{given.visitors} visitors; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    out(f"first frame, s (median / 95 % / last): {spread([v.first for v in visits if v.first is not None])}\n")
    out(f"whole page, s:                         {spread([v.page for v in visits if v.page is not None])}\n")
    if seen:
        took = ", ".join(f"{one.first or 0:.1f} {one.page:.1f}" for one in seen if one.page is not None)
        out(f"windows, first picture and page, s:      {took}\n")
    out(
        f"lost {len(lost)}, wrong {len(wrong)} of {len(checked)} compared, problems"
        f" {sum(len(v.problems) for v in (*visits, *seen))}\n"
    )
    out(f"CPU-seconds a visitor {(after.cpu - before.cpu) / given.visitors:.1f}\n")
    out(f"before, full, after a rest: {asdict(before)}, {asdict(after)}, {asdict(left)}\n")
    if given.json:
        given.json.write_text(json.dumps([asdict(one) for one in (*visits, *seen)], indent=1) + "\n")
    if lost or wrong:
        sys.exit(1)


if __name__ == "__main__":
    main()
