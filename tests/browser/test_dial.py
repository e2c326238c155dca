"""The dial in a real Chromium: it turns, a link brings it back, its picture is large, a phone is wide enough."""

import json
import re
from pathlib import Path

import pytest

from core.dial.networks import RADII, here
from tests.browser.tools import address, settles

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
PHOTO = {"picture": "photo/chelsea", "view": "paint", "target": "dog"}
WIDER = (
    "() => [...document.querySelectorAll('[data-testid=stMain], html')].filter(e => e.scrollWidth >"
    " e.clientWidth).length"
)


@pytest.fixture(scope="module", autouse=True)
def two_networks() -> None:
    if len(here()) < 2:
        pytest.skip("fewer than two networks of the dial are here; make them with: python -m core.train.zoo build")


@pytest.fixture
def visit(open_page):
    """Open the page, and wait until every network's part is there."""

    def go(query: dict[str, str], **size: int) -> "playwright.Page":
        page = open_page("dial", query, **size)
        page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
        page.locator(f".crisp figure >> nth={len(here()) - 1}").wait_for(timeout=WAIT_MS)
        return page

    return go


def test_the_dial_turns_by_keys_and_a_link_brings_it_back(visit):
    page = visit({**PHOTO, "frame": "1"})
    dial = page.locator(".scrubber[data-ready] .range").first
    playwright.expect(dial).to_have_value("1", timeout=30_000)
    before = page.locator(".scrubber .current canvas").first.evaluate("canvas => canvas.toDataURL()")
    dial.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('frame=0')")
    after = page.locator(".scrubber .current canvas").first.evaluate("canvas => canvas.toDataURL()")
    assert after != before, "another network's picture"
    assert address(page) == {**PHOTO, "frame": "0"}
    again = visit(address(page))
    playwright.expect(again.locator(".scrubber[data-ready] .range").first).to_have_value("0", timeout=30_000)


def test_what_stands_in_the_address_is_what_leaves_the_page(visit):
    """After a drag, Back, a preset: the dial, the address, the recipe and the lecture's step are of one network."""
    page = visit(PHOTO)
    dial = page.locator(".scrubber[data-ready] .range").first
    page.get_by_text("Save and share").click()
    recipe = page.get_by_role("button", name="Recipe, JSON")
    recipe.wait_for()

    def agrees(frame: int) -> None:
        playwright.expect(dial).to_have_value(str(frame), timeout=30_000)
        expected = f"frame={frame}" if frame != len(RADII) - 1 else ""
        page.wait_for_function(
            "said => said ? location.search.includes(said) : !location.search.includes('frame=')", arg=expected
        )
        page.locator("[data-test-script-state=notRunning]").wait_for(state="attached", timeout=WAIT_MS)
        with page.expect_download() as saved:
            recipe.click()
        assert json.loads(Path(saved.value.path()).read_text())["frame"] == frame

    box = dial.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 11, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 11, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    agrees(0)
    page.get_by_role("button", name="Add to my lecture").click()
    page.get_by_text("Step 1 of your lecture").wait_for()
    page.wait_for_timeout(2000)  # sooner, Back is taken for an address on its way
    page.go_back()
    agrees(len(RADII) - 1)
    page.get_by_role("button", name="Turn it up").click()
    agrees(0)
    page.get_by_text(re.compile(r"^\d+ more$")).click()
    page.locator("a[href$='/lectures']").first.click()
    page.get_by_text("My lecture", exact=True).first.click()
    page.get_by_role("link", name=re.compile(": paint$")).click()
    page.wait_for_function("location.search.includes('frame=0') && location.search.includes('view=paint')")
    playwright.expect(page.locator(".scrubber[data-ready] .range").first).to_have_value("0", timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("query", "width", "height", "least"),
    [({}, 1440, 900, 300), ({"present": "true"}, 1920, 1080, 480)],
    ids=["page", "stage"],
)
def test_the_picture_is_large(visit, query, width, height, least):
    page = visit({**PHOTO, **query}, width=width, height=height)
    box = page.locator(".scrubber .current canvas").first.bounding_box()
    assert box["width"] >= least
    assert box["y"] + 0.5 * box["height"] < height, "in sight without scrolling"


@pytest.mark.parametrize("view", ["inversion", "gradient", "paint"])
def test_a_phone_is_wide_enough(visit, view):
    page = visit({**PHOTO, "view": view}, width=390)
    assert not settles(page, WIDER)
