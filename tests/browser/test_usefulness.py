"""The Usefulness page in a real Chromium.

The cloud moves with the slider, a brush and a click choose, a phone is wide enough.
"""

import pytest

from core.usefulness import atlas
from core.usefulness.recipe import UsefulnessRecipe
from tests.browser.tools import address, settles, still

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
WIDER = (
    """() => [...document.querySelectorAll('[data-testid=stMain], html')].some(e => e.scrollWidth > e.clientWidth)"""
)


@pytest.fixture(scope="module", autouse=True)
def models(checkpoint) -> None:
    for name in (UsefulnessRecipe().standard, UsefulnessRecipe().robust):
        checkpoint(name)
        if name not in atlas.names():
            pytest.skip(f"the atlas of {name} is not here")


@pytest.fixture
def visit(open_page):
    """Open a view of the page with the gallery's pictures."""

    def go(query: dict[str, str], width: int = 1280) -> "playwright.Page":
        page = open_page("usefulness", {"source": "gallery", **query}, width=width, height=1000)
        page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
        page.wait_for_function("document.querySelector('[data-test-script-state=notRunning]')", timeout=WAIT_MS)
        return page

    return go


def count(page: "playwright.Page", panel: int) -> "playwright.Locator":
    return page.locator(".atlas[data-ready] .count b").nth(panel)


def surviving(name: str, frame: int) -> str:
    found, _ = atlas.lookup(atlas.load(name), "best")
    return str(int((found.gamma[frame - 1] > 0).sum()) if frame else len(found.rho))


def test_the_slider_moves_the_cloud_and_only_its_release_reaches_the_address(visit):
    page = visit({"frame": "2"})
    recipe = UsefulnessRecipe()
    playwright.expect(count(page, 0)).to_have_text(surviving(recipe.standard, 2))
    page.locator(".atlas .range").focus()
    for frame in (3, 4, 5):
        page.keyboard.press("ArrowRight")
        playwright.expect(count(page, 0)).to_have_text(surviving(recipe.standard, frame))
        playwright.expect(count(page, 1)).to_have_text(surviving(recipe.robust, frame))
    page.wait_for_function("location.search.includes('frame=5')", timeout=WAIT_MS)
    playwright.expect(page.locator(".atlas .range")).to_have_value("5")
    assert page.locator(".atlas .point.robust").count() == sum(
        int(surviving(name, 5)) for name in (recipe.standard, recipe.robust)
    )


def test_a_brush_and_a_click_choose_and_come_back_from_the_link(visit):
    page = visit({})
    box = still(page.locator(".atlas .plot").first)
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.mouse.move(*at(0.3, 0.45))
    page.mouse.down()
    page.mouse.move(*at(0.6, 0.6), steps=4)
    page.mouse.move(*at(0.95, 0.88), steps=4)
    page.mouse.up()
    page.wait_for_function("location.search.includes('brush=standard')", timeout=WAIT_MS)
    chosen = page.locator(".atlas .point.in")
    chosen.first.wait_for(state="attached", timeout=WAIT_MS)
    held = chosen.count()
    assert 20 < held < 256
    page.get_by_text(f"One of the {held} that the brush holds.").wait_for(timeout=WAIT_MS)
    again = visit(address(page))
    again.locator(".atlas .point.in").first.wait_for(state="attached", timeout=WAIT_MS)
    assert again.locator(".atlas .point.in").count() == held
    point = still(again.locator(".atlas .panel").nth(1).locator(".point").nth(17))
    again.mouse.click(point["x"] + point["width"] / 2, point["y"] + point["height"] / 2)
    again.wait_for_function("location.search.includes('side=robust')", timeout=WAIT_MS)
    again.wait_for_function("/feature=\\d+/.test(location.search)", timeout=WAIT_MS)
    again.get_by_text(f"feature {address(again)['feature']}, for").or_(
        again.get_by_text(f"feature −{address(again)['feature']}, for")
    ).first.wait_for(timeout=WAIT_MS)


@pytest.mark.parametrize("view", ["features", "head", "linear"])
def test_a_phone_is_wide_enough(view, visit):
    page = visit({"view": view, **({"frame": "0"} if view == "head" else {})}, width=390)
    page.locator(".atlas[data-ready], .scrubber[data-ready]").first.wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(500)
    assert not settles(page, WIDER)


def test_the_linear_slider_plays_goh(visit):
    page = visit({"view": "linear", "linear": "containment"})
    page.locator(".scrubber[data-ready] .range").first.focus()
    page.keyboard.press("End")
    page.wait_for_function("location.search.includes('frame=18')", timeout=WAIT_MS)
    assert address(page)["linear"] == "containment"
