"""What runs beside the server: imports, so that nobody's first visit waits for them, and the collection of garbage.

Streamlit would collect all garbage after every run of a page. Each time no other thread computes, for 0.1 to 0.5 s;
with a class of sixty that was most of the time in which Python ran. So it is told not to (`.streamlit/config.toml`),
and all is collected here, at most every ten seconds, and while pages are being made every minute.

And sessions whose browser has not come back for two minutes are let go. Streamlit does so too, but only when the next
visitor comes: until then a class that has left keeps its sockets and its memory.
"""

import asyncio
import contextlib
import gc
import importlib
import logging
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from streamlit import runtime

from pages.ui import doors

log = logging.getLogger(__name__)
PAGES = Path(__file__).parents[1]
BREATH_S = 0.02  # between two modules, in which whoever visits goes first
COLLECT_S, RUSH_S = 10.0, 60.0
LET_GO_S = 5.0


def modules() -> list[str]:
    """Name all that pages import of their own folders; `page.py` itself is a script that runs for each visit."""
    found = sorted(path for path in PAGES.glob("*/*.py") if path.name not in ("page.py", "__init__.py"))
    return [f"pages.{path.parent.name}.{path.stem}" for path in found]


def import_all() -> None:
    """Import them one by one; one that cannot be imported is its page's problem, which says so."""
    for name in modules():
        try:
            importlib.import_module(name)
        except Exception:
            log.exception("%s cannot be imported", name)
        time.sleep(BREATH_S)


def collect(ended: threading.Event, every: float = COLLECT_S, latest: float = RUSH_S) -> None:
    """Collect garbage now and then, where anything was allocated since; return when that event is set.

    Args:
        ended: The event.
        every: Seconds between two collections.
        latest: Seconds between two while people come: a class that opens its pages should not stand still for it.
    """
    seen, last = -1, time.monotonic()
    while not ended.wait(every):
        young, now = gc.get_stats()[0]["collections"], time.monotonic()
        if young > seen and (now - last >= latest or not doors.rush()):
            gc.collect()
            seen, last = young, now


def let_go() -> None:
    """Forget the sessions that have expired; must run in the server's thread, like all that looks at them."""
    kept: Any = runtime.get_instance() if runtime.exists() else None
    for inner in ("_session_mgr", "_session_storage", "_cache"):  # Streamlit has no door to it
        kept = getattr(kept, inner, None)
    if callable(expire := getattr(kept, "expire", None)):
        expire()


async def _let_go_now_and_then() -> None:
    while True:
        await asyncio.sleep(LET_GO_S)
        let_go()


@contextlib.asynccontextmanager
async def beside_the_server(_: Any) -> AsyncIterator[None]:
    """Begin when the server has started, in threads and a task that end with it."""
    ended = threading.Event()
    threading.Thread(target=import_all, name="robust-frog-imports", daemon=True).start()
    threading.Thread(target=collect, args=(ended,), name="robust-frog-garbage", daemon=True).start()
    task = asyncio.create_task(_let_go_now_and_then())
    try:
        yield
    finally:
        ended.set()
        task.cancel()
