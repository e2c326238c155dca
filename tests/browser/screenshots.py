"""Make the README's screenshots of pages from the running app: python -m tests.browser.screenshots [NAME ...]

The app is started without CIFAR-10, so that none of its pictures is in them.
"""

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import sync_playwright

from tests.app_process import ROOT, serving
from tests.conftest import BROWSERS

FOLDER = ROOT / "assets" / "screenshots"
WIDTH = 1440
READY = "[data-test-script-state=notRunning]"


@dataclass(frozen=True)
class Shot:
    """A view: its page, its link's query, and how much of it is shown (pixels)."""

    page: str
    query: dict[str, str]
    height: int = 980


SHOTS = {
    "perturb": Shot("perturb", {"target": "truck"}),
    "frog": Shot("frog", {"start": "noise"}, 1150),
    "dial": Shot("dial", {}, 1000),
    "synthesis": Shot("synthesis", {"holds": "horse:30"}, 1000),
    "saliency": Shot("saliency", {}, 1100),
    "transfer": Shot("transfer", {}, 1100),
    "students": Shot(
        "datasets",
        {"view": "student", "student": "student-robust", "beside": "student-nonrobust", "picture": "gallery/72"},
        1250,
    ),
    "gaussian": Shot("gaussian", {}, 980),
    "usefulness": Shot("usefulness", {}, 1000),
    "models": Shot("models", {}, 900),
    "style": Shot("style", {}, 1000),
    "planted": Shot("planted", {}, 1500),
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description="Make the screenshots.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SHOTS)}; all without one")
    parser.add_argument("--out", type=Path, default=FOLDER)
    given = parser.parse_args()
    named = (os.environ.get("CHROMIUM"), *BROWSERS)
    chromium = next((path for name in named if name and (path := shutil.which(name))), None)
    if chromium is None:
        sys.exit("no Chromium here; on Debian: apt install chromium-headless-shell")
    if unknown := set(given.names) - set(SHOTS):
        sys.exit(f"there is no {', '.join(sorted(unknown))}; have {', '.join(SHOTS)}")
    with (
        tempfile.TemporaryDirectory() as empty,
        serving(Path(empty) / "server.log", CIFAR10_DIR=empty) as url,
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in given.names or SHOTS:
            shot = SHOTS[name]
            page = browser.new_page(viewport={"width": WIDTH, "height": shot.height}, reduced_motion="reduce")
            page.goto(f"{url}/{shot.page}?{urlencode(shot.query)}")
            page.get_by_text("Save and share").first.wait_for(timeout=120_000)
            page.locator(READY).wait_for(state="attached", timeout=120_000)
            page.wait_for_timeout(3000)  # canvases and charts settle
            page.screenshot(path=given.out / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
