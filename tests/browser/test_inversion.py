"""The Robust frog page in a real Chromium: frames play, Stop keeps, links return, a phone is wide enough."""

import re

import pytest

from core.inversion.recipe import InvertRecipe
from tests.browser.tools import BEYOND, address, settles

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
PHOTO = {"picture": "photo/chelsea"}
VIEWS = ("emergence", "gallery", "feature", "between")


@pytest.fixture(scope="module", autouse=True)
def models(checkpoint) -> None:
    for name in (InvertRecipe().standard, InvertRecipe().robust):
        checkpoint(name)


@pytest.fixture
def visit(open_page):
    """Open a view of the page."""

    def go(query: dict[str, str], width: int = 1280, *, wait: bool = True) -> "playwright.Page":
        page = open_page("frog", query, width=width)
        if wait:
            page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
        return page

    return go


def frame(page: "playwright.Page") -> int:
    return int(page.locator(".scrubber[data-ready] .range").first.input_value())


def reaches(page: "playwright.Page", wanted: int) -> None:
    """Wait until the scrubber stands there (it lives in a shadow tree that page functions do not see)."""
    playwright.expect(page.locator(".scrubber[data-ready] .range").first).to_have_value(str(wanted), timeout=30_000)


def test_frames_play_from_the_start_to_the_result(visit):
    page = visit(PHOTO)
    last = frame(page)
    assert last > 20
    scrubber = page.locator(".scrubber[data-ready]").first
    scrubber.locator(".range").focus()
    page.keyboard.press("Home")
    assert frame(page) == 0
    scrubber.get_by_role("button", name="Play").click()
    reaches(page, last)


def test_stop_keeps_the_best_and_all_of_it_can_still_be_had(visit):
    page = visit({**PHOTO, "setting": "paper", "seed": "11"}, wait=False)
    # Both can be watched: what has not begun cannot be kept.
    page.get_by_text("so far").nth(1).wait_for(timeout=WAIT_MS)
    page.get_by_role("button", name="Stop", exact=True).click()
    stopped = page.get_by_text(re.compile(r"Stopped at step \d+"))
    stopped.wait_for(timeout=WAIT_MS)
    step = int(re.search(r"at step (\d+)", stopped.inner_text())[1])
    assert step < 1000
    page.locator(".scrubber[data-ready]").first.wait_for()
    page.wait_for_timeout(1500)
    assert stopped.is_visible(), "it did not start again by itself"
    assert page.get_by_role("button", name="Compute all of it").is_visible()


def test_a_link_brings_back_frame_and_view(visit):
    page = visit({**PHOTO, "view": "between", "canvas": "grey", "frame": "8"})
    page.locator(".scrubber[data-ready]").first.wait_for()
    assert frame(page) == 8
    page.locator(".scrubber[data-ready] .range").first.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('frame=7')")
    found = address(page)
    assert found == {**PHOTO, "view": "between", "canvas": "grey", "frame": "7"}
    again = visit(found)
    again.locator(".scrubber[data-ready]").first.wait_for()
    assert frame(again) == 7


def test_another_view_starts_at_its_own_frame(visit):
    page = visit({**PHOTO, "frame": "3"})
    assert frame(page) == 3
    page.get_by_text("Between two pictures", exact=True).click()
    page.wait_for_function("location.search.includes('view=between')")
    page.get_by_text("Pixels alone").wait_for(timeout=WAIT_MS)
    reaches(page, 5)
    assert "frame" not in address(page)


def test_a_picture_of_the_gallery_opens(visit):
    page = visit({**PHOTO, "view": "gallery"})
    page.get_by_role("button", name="Watch it emerge").nth(2).click()
    page.get_by_text("Wanted: ").wait_for(timeout=WAIT_MS)
    page.wait_for_function("!location.search.includes('view=gallery')")
    assert address(page)["picture"].startswith("photo/")


def test_the_quiz_can_be_played_to_its_end(visit):
    page = visit({**PHOTO, "view": "gallery", "quiz": "true"})
    for pair in range(1, 5):
        page.get_by_text(f"Pair {pair} of 4").wait_for()
        page.get_by_role("button", name="It is A").click()
    page.get_by_text("Score: ").wait_for()
    page.get_by_role("button", name="Again").wait_for()


@pytest.mark.parametrize(("view", "width"), [*((view, 390) for view in VIEWS), ("emergence", 1280)])
def test_a_phone_is_wide_enough_and_so_is_a_laptop(view, width, visit):
    page = visit({**PHOTO, "view": view}, width=width)
    page.get_by_role("columnheader", name="Feature distance left").wait_for(timeout=WAIT_MS)  # wider than a phone
    assert not settles(page, BEYOND), "what reaches beyond the right edge"


@pytest.mark.parametrize("view", ["gallery", "feature", "between"])
def test_every_small_picture_is_crisp_and_has_its_sentence(view, visit):
    page = visit({**PHOTO, "view": view})
    pictures = page.locator(".crisp img")
    pictures.nth(7).wait_for()
    found = pictures.evaluate_all("all => all.map(i => [getComputedStyle(i).imageRendering, i.alt, i.naturalWidth])")
    assert len(found) >= 8
    assert all(rendering == "pixelated" and alt and width == 32 for rendering, alt, width in found)
