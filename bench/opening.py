"""How long a visitor waits for the first picture of each page, in headless Chromium.

    python -m bench.opening [PAGE ...] [--runs 5] [--world imagenet] [--json FILE]

*Fresh*: the first visitor of a server that has just started, one server a run. *Warm*: a new browser context on a
server that has shown the page before. *Again*: the same, once that browser has Streamlit's scripts. Time runs from the
request of the address to the first visible picture, plot or drawing (on Lecture, the table of steps), and to the moment
when the page's script has ended. The row *(Streamlit)* is a script of one picture, so what any page of Streamlit costs
in this browser. The last column is the most memory that the server had while it showed the page, above what it had with
Home open and nothing to do (Linux).
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from bench.classroom import server
from core import worlds
from core.commands import command, whole
from core.problems import InputError
from pages.ui.rooms import ROOMS
from tests.app_process import serving

PATIENCE_MS = 120_000
# Some pages have no picture: bars of a component of ours, or a table.
DRAWN = ("canvas", "img", "svg.main-svg", "figure", "video", "table", ".bars")
# Looked for by the browser, in our components' shadow trees too: playwright's own waiting looks twice a second.
SHOWN = """what => {
  const trees = root => [...root.querySelectorAll('*')].map(e => e.shadowRoot).filter(Boolean);
  const within = root => [root, ...trees(root).flatMap(within)];
  const main = document.querySelector('.stMain');
  return Boolean(main) && within(main).flatMap(root => [...root.querySelectorAll(what)]).some(
    e => e.checkVisibility() && e.getBoundingClientRect().width > 0);
}"""
LOOK_MS = 10
REST_S = 5  # after which a server has nothing to do
ONE_PICTURE = 'import numpy, streamlit\nstreamlit.image(numpy.zeros((32, 32, 3), "uint8"))\n'
ENDED = "() => document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'"


def visit(browser: Any, url: str, before: str | None = None) -> tuple[float, float]:
    """Open an address in a context of its own; return the seconds to the first picture and to the end of the script.

    Args:
        browser: Of playwright.
        url: The address.
        before: An address that this context opens first, untimed, in a tab that is closed again.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    if before is not None:
        earlier = context.new_page()
        earlier.goto(before)
        _wait(earlier)
        earlier.close()
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    _wait(page)
    shown = time.perf_counter() - began
    page.wait_for_function(ENDED, polling=LOOK_MS)
    ended = time.perf_counter() - began
    context.close()
    return shown, ended


def memory(pid: int, what: str) -> int:
    """Read megabytes of a process of this machine: what it has ("VmRSS"), or had at most ("VmHWM")."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(what))


def forget_peak(pid: int) -> None:
    """Let the kernel begin anew to note the most memory that a process has."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")


def _wait(page: Any) -> None:
    page.wait_for_function(SHOWN, arg=", ".join(DRAWN), polling=LOOK_MS)


def summary(found: list[tuple[float, float]]) -> dict[str, float]:
    """Return the medians, and the slowest first picture."""
    first, whole_page = zip(*found, strict=True)
    return {"first": statistics.median(first), "slowest": max(first), "whole": statistics.median(whole_page)}


def _timed(browser: Any, url: str, runs: int, before: str | None = None) -> dict[str, float]:
    return summary([visit(browser, url, before) for _ in range(runs)])


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    from playwright.sync_api import sync_playwright

    names = [room.name for room in ROOMS]
    parser = argparse.ArgumentParser(prog="python -m bench.opening", description="Time how pages open.")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--runs", type=whole(1, 50), default=5)
    parser.add_argument("--world", choices=worlds.known(), default=worlds.DEFAULT, help="in which the pages are opened")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    given = parser.parse_args(arguments)
    if unknown := set(given.pages) - {*names}:
        raise InputError(f"no page {', '.join(sorted(unknown))}; have {', '.join(names)}")
    chosen = given.pages or names
    found: dict[str, dict[str, dict[str, float]]] = {}
    peak: dict[str, int] = {}
    where = "" if given.world == worlds.DEFAULT else f"?world={given.world}"
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=given.chromium, args=["--no-sandbox", "--disable-gpu"])
        log = Path(folder) / "server.log"
        fresh = []
        for _ in range(given.runs):
            with serving(log) as url:
                fresh.append(visit(browser, f"{url}/{chosen[0]}{where}"))
        found[chosen[0]] = {"fresh": summary(fresh)}
        with server() as (url, pid):
            visit(browser, url)
            time.sleep(REST_S)
            idle = memory(pid, "VmRSS")
            for name in chosen:
                address = f"{url}/{name}{where}"
                forget_peak(pid)
                visit(browser, address)
                peak[name] = memory(pid, "VmHWM") - idle
                found.setdefault(name, {})["warm"] = _timed(browser, address, given.runs)
                found[name]["again"] = _timed(browser, address, given.runs, address)
        (script := Path(folder) / "app.py").write_text(ONE_PICTURE, "utf-8")
        with serving(log, script) as url:
            visit(browser, url)
            found["(Streamlit)"] = {
                "warm": _timed(browser, url, given.runs),
                "again": _timed(browser, url, given.runs, url),
            }
        browser.close()
    print(f"seconds, medians of {given.runs}; {os.cpu_count()} cores, {platform.machine()}, torch {torch.__version__}")
    print(f"{'page':<12} {'':<6} {'first picture':>14} {'(slowest)':>10} {'whole page':>11} {'MB':>6}")
    for name, kinds in found.items():
        for kind, took in kinds.items():
            more = f"{peak[name]:6d}" if kind == "warm" and name in peak else ""
            print(f"{name:<12} {kind:<6} {took['first']:14.2f} {took['slowest']:10.2f} {took['whole']:11.2f} {more}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
