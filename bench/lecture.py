"""What each step of a lecture costs, given with a clicker's keys in headless Chromium.

    python -m bench.lecture [NAME] [--from 1] [--to 18] [--presenter] [--json FILE]

The next step is computed while the present one is shown, as in a lecture; then the key is pressed. *Title*: seconds
until the page says what it is. *Picture*: until its first picture, plot or drawing is visible. *Rest*: until its script
has ended. *CPU*: seconds that the server computed meanwhile, of all its threads. *kB*: what it sent. The times depend
on whatever else the machine does, the last two hardly.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.commands import command, whole
from core.lectures import Step, shelf
from pages.lectures import bar
from tests.app_process import serving
from tests.browser.costs import Wire, cpu_of

PATIENCE_MS = 60_000
CALM_MS = 250  # a page that rests that long has ended; the bar begins to compute the next step later than that

# Looks at the page often, and notes when what was asked for is there. A step's view is there once the bar has its data.
WATCH = """([question, look]) => {
  const began = performance.now(), at = (window.__at = {}), calm = CALM;
  let busy = 0;
  const inner = (root) => [...root.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean);
  const roots = (root) => [root, ...inner(root).flatMap(roots)];
  const bars = () => roots(document).map((root) => root.querySelector('section.lecture')).find(Boolean);
  let found = bars();
  const here = (selector) => {
    if (!found?.isConnected) found = bars();
    return found ? found.querySelector(selector)?.textContent ?? '' : null;
  };
  const DRAWN = 'canvas, figure, video, svg.main-svg, table, .bars, [data-testid=stDataFrame], img';
  const seen = (one) => {
    const box = one.getBoundingClientRect();
    return box.width > 30 && box.height > 30 && (!one.matches('img') || (one.complete && one.naturalWidth > 0));
  };
  const old = (root) => root.host?.closest('[data-stale=true]') || (root.host && root.querySelector('section.lecture'));
  const pictures = () => roots(document.querySelector('[data-testid=stMain]'))
    .flatMap((root) => (old(root) ? [] : [...root.querySelectorAll(DRAWN)]))
    .some((one) => !one.closest('[data-stale=true], section.lecture') && seen(one));
  const timer = window.setInterval(() => {
    const now = performance.now() - began;
    if (document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'notRunning') busy = now;
    if (!at.title) {
      const there = here('.ask:not([hidden]) .question') === question && here('.look') === look;
      if (there && (question || document.querySelector('[data-testid=stMain] h1'))) at.title = now;
      else return;
    }
    if (!at.picture && (question || pictures())) at.picture = now;
    if (at.picture && now - busy > calm) { at.rest = Math.max(busy, at.title); clearInterval(timer); }
  }, 30);
}""".replace("CALM", str(CALM_MS))


class Walk:
    """A lecture given in one tab.

    Args:
        page: The tab.
        cpu: Of the server, in seconds.
    """

    def __init__(self, page: Any, cpu: Callable[[], float]) -> None:
        self.page, self.cpu, self.wire = page, cpu, Wire(page)

    def ready(self) -> None:
        """Wait until the bar says that the next step is computed, and the page rests."""
        self.page.locator(".ready[data-ready=true]").wait_for(state="attached")
        self.page.wait_for_timeout(500)

    def turn(self, place: bar.Place, step: Step) -> dict[str, Any]:
        """Press the clicker's key; return what it took until the page at that place rests."""
        self.wire.bytes, before = 0, self.cpu()
        question = step.question.ask if step.question and not place.shown else ""
        self.page.evaluate(WATCH, [question, step.look_for if place.shown else ""])
        self.page.keyboard.press("PageDown")
        self.page.wait_for_function("() => window.__at.rest", polling=100)
        took = self.page.evaluate("window.__at")
        return {
            "step": place.step,
            "asks": not place.shown,
            **{name: round(took[name] / 1000, 3) for name in ("title", "picture", "rest")},
            "cpu": round(self.cpu() - before, 2),
            "bytes": self.wire.bytes,
        }


def given(name: str, first: int, last: int, presenter: bool, chromium: str) -> list[dict[str, Any]]:
    """Give the lecture from one step to another; return what each place took."""
    from playwright.sync_api import sync_playwright

    lecture = shelf.get(name)
    every = [(place, step) for place, step in bar.places(name, lecture) if first <= place.step <= last]
    at, step = every[0]
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as url:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        width, height = (1920, 1080) if presenter else (1440, 900)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.set_default_timeout(PATIENCE_MS)
        page.goto(f"{url}/{bar.link(at, step)}{'&present=true' if presenter else ''}")
        page.locator(".bar").wait_for()
        walk, found = Walk(page, cpu_of(url)), []
        for place, step in every[1:]:
            walk.ready()
            found.append({**walk.turn(place, step), "page": step.page, "load": os.getloadavg()[0]})
            print(line(found[-1]), flush=True)
        browser.close()
    return found


HEAD = f"{'step':<6} {'page':<12} {'title':>7} {'picture':>8} {'rest':>7} {'CPU':>6} {'kB':>7} {'load':>6}"


def line(one: dict[str, Any]) -> str:
    """Return a row of the table."""
    step = f"{one['step']}{' ?' if one['asks'] else ''}"
    return (
        f"{step:<6} {one['page']:<12} {one['title']:7.2f} {one['picture']:8.2f} {one['rest']:7.2f} {one['cpu']:6.2f}"
        f" {one['bytes'] / 1000:7.0f} {one['load']:6.1f}"
    )


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.lecture", description="Time the steps of a lecture.")
    parser.add_argument("lecture", nargs="?", default="paper", help=f"of {', '.join(shelf.names())}")
    parser.add_argument("--from", type=whole(1, 100), default=1, dest="first", help="the step that is open at first")
    parser.add_argument("--to", type=whole(1, 100), default=100, dest="last")
    parser.add_argument("--presenter", action="store_true", help="as on a stage, 1920 × 1080")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args(arguments)
    print(HEAD)
    found = given(asked.lecture, asked.first, asked.last, asked.presenter, asked.chromium)
    shown = [one for one in found if not one["asks"]]
    if shown:
        middle = {name: statistics.median(one[name] for one in shown) for name in ("title", "picture", "rest", "cpu")}
        print(f"median of {len(shown)} views: " + ", ".join(f"{name} {value:.2f} s" for name, value in middle.items()))
    print(f"{os.cpu_count()} cores, {platform.machine()}; load: of the last minute, this command's own among it")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
