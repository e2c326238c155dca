"""The Transfer page in a real Chromium: a click on the heat map, its cells by keyboard, Stop, a phone."""

import pytest

from core.transfer.recipe import TransferRecipe
from core.transfer.results import RESULTS
from tests.browser.tools import BEYOND, address, settles, still

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not RESULTS.is_file(), reason="nothing is measured; python -m core.transfer measure"),
]

WAIT_MS = 120_000
STANDARD, ROBUST = TransferRecipe().source, "resnet9-l2"


@pytest.fixture(scope="module", autouse=True)
def models(checkpoint) -> None:
    for name in (STANDARD, ROBUST):
        checkpoint(name)


@pytest.fixture
def visit(open_page):
    """Open a view of the page."""

    def go(query: dict[str, str], width: int = 1280, *, wait: bool = True) -> "playwright.Page":
        page = open_page("transfer", query, width=width)
        if wait:
            page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
        return page

    return go


def cell(page: "playwright.Page", source: str, target: str) -> "playwright.Locator":
    """The cell of a pair, by what a screen reader hears of it."""
    return page.locator(f'.matrix button[aria-label^="{source}, shown to {target}: "]')


def test_a_click_on_the_heat_map_opens_the_cell_and_the_link_brings_it_back(visit):
    page = visit({"target": ROBUST})
    page.get_by_text("Made for ResNet-9, shown to ResNet-9, robust").wait_for()
    box = still(cell(page, "ResNet-9, robust L2", "ResNet-9"))
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function(f"location.search.includes('source={ROBUST}')", timeout=WAIT_MS)
    page.get_by_text("Made for ResNet-9, robust L2, shown to ResNet-9 (").wait_for(timeout=WAIT_MS)
    found = address(page)
    assert found == {"source": ROBUST, "target": STANDARD}
    again = visit(found)
    again.get_by_text("Made for ResNet-9, robust L2, shown to ResNet-9 (").wait_for(timeout=WAIT_MS)
    images = again.locator(".crisp img")
    images.nth(2).wait_for()
    seen = images.evaluate_all("all => all.map(i => [getComputedStyle(i).imageRendering, i.alt, i.naturalWidth])")
    assert all(rendering == "pixelated" and alt and width == 32 for rendering, alt, width in seen)


def test_the_keyboard_chooses_a_cell(visit):
    page = visit({"target": ROBUST})
    page.get_by_text("Made for ResNet-9, shown to ResNet-9, robust").wait_for()
    chosen = cell(page, "ResNet-9", "ResNet-9, robust L2")
    assert chosen.get_attribute("aria-pressed") == "true"
    cell(page, "ResNet-9, robust L2", "ResNet-9").press("Enter")
    page.wait_for_function(f"location.search.includes('source={ROBUST}')", timeout=WAIT_MS)
    playwright.expect(chosen).to_have_attribute("aria-pressed", "false")


def test_a_live_matrix_can_be_stopped_and_stays_so(visit):
    page = visit({"numbers": "live", "n": "512", "steps": "50", "target": ROBUST}, wait=False)
    page.get_by_role("button", name="Stop", exact=True).click(timeout=WAIT_MS)
    page.get_by_text("Stopped: 0 of").wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Compute the rest").wait_for()
    page.wait_for_timeout(1500)
    assert page.get_by_text("Stopped: 0 of").is_visible(), "it did not start again by itself"


@pytest.mark.parametrize("view", ["matrix", "curve", "similarity", "figure3"])
def test_a_phone_is_wide_enough(view, visit):
    page = visit({"target": ROBUST, "view": view}, width=390)
    page.wait_for_function("document.querySelector('[data-test-script-state=notRunning]')", timeout=WAIT_MS)
    assert not settles(page, BEYOND), "what reaches beyond the right edge"
