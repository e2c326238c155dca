"""The Saliency page in a real Chromium: maps are crisp, the attack plays, links return, a phone is wide enough."""

import pytest

from core.saliency import METHODS
from core.saliency.recipe import SaliencyRecipe
from tests.browser.tools import BEYOND, address, settles

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
PHOTO = {"picture": "photo/chelsea"}


@pytest.fixture(scope="module", autouse=True)
def models(checkpoint) -> None:
    for name in (SaliencyRecipe().standard, SaliencyRecipe().robust):
        checkpoint(name)


@pytest.fixture
def visit(open_page):
    """Open a view of the page."""

    def go(query: dict[str, str], width: int = 1280) -> "playwright.Page":
        page = open_page("saliency", query, width=width)
        page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
        return page

    return go


def test_every_map_is_crisp_and_has_its_sentence(visit):
    page = visit(PHOTO)
    page.locator(".crisp img").nth(2 * len(METHODS)).wait_for()
    found = page.locator(".crisp img").evaluate_all(
        "all => all.map(i => [getComputedStyle(i).imageRendering, i.alt, i.naturalWidth, i.src.slice(0, 15)])"
    )
    assert len(found) == 1 + 2 * len(METHODS)
    assert all(row[0] == "pixelated" and row[1] and row[2:] == [32, "data:image/png;"] for row in found)


def test_a_control_is_in_the_link_and_the_link_brings_it_back(visit):
    page = visit({**PHOTO, "view": "pictures", "method": "input_x_gradient"})
    page.get_by_text("Input × gradient.").wait_for()
    page.get_by_text("One for all", exact=True).click()
    page.wait_for_function("location.search.includes('scale=common')")
    page.get_by_text("the same colour is the same value").wait_for()
    found = address(page)
    assert found == {**PHOTO, "view": "pictures", "method": "input_x_gradient", "scale": "common"}
    again = visit(found)
    again.get_by_text("the same colour is the same value").wait_for()
    maps = [p.locator(".crisp img").evaluate_all("all => all.map(i => i.src)") for p in (page, again)]
    assert maps[0] == maps[1]


def test_the_gradient_plays_along_the_attack(visit):
    page = visit({**PHOTO, "view": "attack", "frame": "3"})
    slider = page.locator(".scrubber[data-ready] .range").first
    playwright.expect(slider).to_have_value("3", timeout=WAIT_MS)
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('frame=4')")


@pytest.mark.parametrize("view", ["methods", "attack", "classes"])
def test_a_phone_is_wide_enough(view, visit):
    page = visit({**PHOTO, "view": view}, width=390)
    assert not settles(page, BEYOND), "what reaches beyond the right edge"


def test_coming_from_another_page_with_a_view_of_its_own(visit):
    """Both pages have a control called "view", with other options."""
    page = visit({**PHOTO, "view": "classes"})
    page.get_by_role("link", name="Robust frog").click()
    page.get_by_text("Wanted: ").wait_for()
    page.get_by_role("link", name="Saliency").click()
    page.get_by_role("button", name="Noise and outline").wait_for()  # a preset of this page
    page.get_by_text("Save and share").wait_for()
    assert page.get_by_test_id("stException").count() == 0
