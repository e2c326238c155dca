"""What pages import is imported beside a server that has just started, so that nobody's first visit waits for it."""

import contextlib
import importlib
import logging
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
PAGES = Path(__file__).parents[1]
BREATH_S = 0.02  # between two modules, in which whoever visits goes first


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


@contextlib.asynccontextmanager
async def beside_the_server(_: Any) -> AsyncIterator[None]:
    """Begin when the server has started, in a thread that ends with it."""
    threading.Thread(target=import_all, name="robust-frog-imports", daemon=True).start()
    yield
