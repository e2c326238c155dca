"""A Streamlit script in a process of its own, for tests in a browser and for the README's screenshots."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def serving(log: Path, script: str | Path = "app.py", at: str = "", **environment: str) -> Iterator[str]:
    """Run a script, by default the app, and yield its address, e.g. http://127.0.0.1:40123; it is stopped at the end.

    Args:
        log: Where what the server says goes.
        script: What to run.
        at: The path below which it answers, where that is not the root: "frog/".
        environment: Variables on top of this process's own.

    Raises:
        RuntimeError: If it does not start.
    """
    port = free_port()
    command = [
        *(sys.executable, "-m", "streamlit", "run", str(script)),
        *("--server.headless", "true", "--server.address", "127.0.0.1", "--server.port", str(port)),
    ]
    variables: Mapping[str, str] = {**os.environ, **environment}
    with (
        log.open("wb") as written,
        subprocess.Popen(
            command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=written, stderr=written
        ) as server,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_up(f"{url}/{at}", server, log)
            yield url
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path, patience_s: float = 90) -> None:
    until = time.monotonic() + patience_s
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}_stcore/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise RuntimeError(f"the server did not start; it said:\n{log.read_text(errors='replace')}")
