"""How many frames a second the duel of Perturb attacks: the core alone, and a page whose camera is none.

    python -m bench.duel [--seconds 10] [--chromium PATH] [--json FILE]

*Core*: both models attacked frame by frame, each in a thread of its own, on frames that differ a little. *CPU* is what
a frame costs both models together; it depends little on who else computes. *Browser*: what a headless Chromium on the
same cores shows, drawing included.
"""

import argparse
import json
import os
import platform
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch

from core import compute
from core.commands import command, whole
from core.models import ready
from core.perturb.duel import STEPS, Chase
from core.perturb.recipe import PerturbRecipe
from tests.app_process import serving

CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
EPS = 0.5
WARM_UP_S = 5.0


def core(seconds: float) -> dict[str, float]:
    """Attack frames for so long; return frames a second and milliseconds of CPU a frame."""
    compute.setup_app()
    recipe = PerturbRecipe()
    chases = [Chase(ready.load(name)) for name in (recipe.standard, recipe.robust)]
    frames = torch.rand(1, 3, 32, 32) + 0.02 * torch.randn(16, 3, 32, 32)
    frames = frames.clamp(0, 1)

    def follow(chase: Chase, k: int) -> None:
        torch.set_flush_denormal(True)
        chase.follow(frames[k : k + 1], norm="L2", eps=EPS, target=None)

    with ThreadPoolExecutor(len(chases)) as threads:
        for _ in range(3):
            list(threads.map(follow, chases, [0, 0]))
        began, cpu, n = time.monotonic(), time.process_time(), 0
        while time.monotonic() - began < seconds:
            list(threads.map(follow, chases, [n % len(frames)] * 2))
            n += 1
        took, used = time.monotonic() - began, time.process_time() - cpu
    return {"frames_per_s": n / took, "cpu_ms": 1000 * used / n, "frames": n}


def page(seconds: float, chromium: str) -> dict[str, float]:
    """Let the page attack the browser's camera; return the frames a second that it shows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "log") as url:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *CAMERA])
        shown = browser.new_page(viewport={"width": 1440, "height": 900})
        shown.goto(f"{url}/perturb?view=duel")
        duel = shown.locator(".duel[data-frames]")
        duel.wait_for(timeout=120_000)
        shown.get_by_role("button", name="Use the camera").click()
        shown.locator(".duel[data-camera]").wait_for(timeout=120_000)
        shown.keyboard.press("Space")
        shown.locator(".duel[data-attacking]").wait_for(timeout=120_000)
        time.sleep(WARM_UP_S)
        first, began = int(duel.get_attribute("data-frames") or 0), time.monotonic()
        time.sleep(seconds)
        n, took = int(duel.get_attribute("data-frames") or 0) - first, time.monotonic() - began
        browser.close()
    return {"frames_per_s": n / took, "frames": n}


@command
def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m bench.duel", description="Time the duel.")
    parser.add_argument("--seconds", type=whole(1, 600), default=10)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="an empty text leaves the browser out")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args(arguments)
    found: dict[str, Any] = {"core": core(given.seconds)}
    loads = [os.getloadavg()[0]]
    if given.chromium:
        found["browser"] = page(given.seconds, given.chromium)
        loads.append(os.getloadavg()[0])
    print(f"{compute.usable_cores()} cores, {platform.machine()}, torch {torch.__version__}, {STEPS} steps a frame")
    for (name, one), load in zip(found.items(), loads, strict=True):
        cpu = f", {one['cpu_ms']:.0f} ms of CPU a frame" if "cpu_ms" in one else ""
        print(f"{name:<8} {one['frames_per_s']:5.1f} frames a second, n = {one['frames']}{cpu}; load {load:.1f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
