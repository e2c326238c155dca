"""The Datasets page in a real Chromium: the sheets play, the frame is in the address, a phone is wide enough."""

import pytest

from core.datasets.recipe import DatasetsRecipe
from core.models import checkpoints
from tests.browser.tools import settles

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
FEW = {"n": "4", "steps": "6"}


WRONGLY_AMPLIFIED = """() => {
  const inner = (root) => [...root.querySelectorAll('*')].map((one) => one.shadowRoot).filter(Boolean);
  const roots = (root) => [root, ...inner(root).flatMap(roots)];
  const row = roots(document).map((root) => root.querySelector('.scrubber .row')).find(Boolean);
  const pixels = (name) => {
    const canvas = row.querySelector(`.${name} canvas`);
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const [before, now, shown] = ['reference', 'current', 'delta'].map(pixels);
  const wanted = Uint8ClampedArray.from(now, (level, i) => i % 4 === 3 ? 255 : 127.5 + 10 * (level - before[i]));
  return { most: Math.max(...shown.map((level, i) => Math.abs(level - wanted[i]))), grey: new Set(shown).size < 10 };
}"""


@pytest.fixture(scope="module", autouse=True)
def models(checkpoint) -> None:
    for name in (DatasetsRecipe.standard, DatasetsRecipe.robust):
        checkpoint(name)


@pytest.fixture
def visit(open_page):
    """Open a view of the page, with few pictures and steps."""

    def go(query: dict[str, str], width: int = 1280) -> "playwright.Page":
        return open_page("datasets", {**FEW, **query}, width=width)

    return go


def test_the_sheets_play_and_the_frame_is_in_the_address(visit):
    page = visit({})
    slider = page.locator(".scrubber[data-ready] .range").first
    playwright.expect(slider).to_have_value("6", timeout=WAIT_MS)
    assert page.evaluate(WRONGLY_AMPLIFIED) == {"most": 0, "grey": False}, "what was added, ten times, around grey"
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("location.search.includes('frame=0')", timeout=WAIT_MS)
    page.get_by_text("As a network is shown them, through Robust ResNet-9").wait_for()
    page.locator(".scrubber[data-ready]").first.get_by_role("button", name="Play").click()
    playwright.expect(slider).to_have_value("6", timeout=WAIT_MS)


def test_a_student_shows_what_it_holds_of_a_picture(visit, checkpoint):
    for name in ("student-robust", "student-nonrobust"):
        checkpoint(name)
    page = visit(
        {"view": "student", "student": "student-robust", "beside": "student-nonrobust", "picture": "gallery/7"}
    )
    slider = page.locator(".scrubber[data-ready] .range").first
    slider.wait_for(timeout=WAIT_MS)
    playwright.expect(page.get_by_text("This network has seen")).to_be_visible(timeout=WAIT_MS)
    for name in ("student-robust", "student-nonrobust"):
        page.locator(".scrubber h3, .scrubber h4, .scrubber").get_by_text(
            checkpoints.header(name).title
        ).first.wait_for()
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("location.search.includes('frame=0')", timeout=WAIT_MS)


@pytest.mark.parametrize("view", ["build", "quiz", "results", "student"])
def test_a_phone_needs_no_sideways_scrolling(view, visit, checkpoint):
    if view == "student":
        checkpoint("student-robust")
    page = visit({"view": view}, width=390)
    last = {"build": "Save and share", "quiz": "Picture 1 of 10", "results": "K. Jordan", "student": "Save and share"}[
        view
    ]
    page.get_by_text(last).first.wait_for()
    wide = "[...document.querySelectorAll('[data-testid=stMain], html')].some(e => e.scrollWidth > e.clientWidth)"
    assert not settles(page, wide)
    if view == "build":
        in_a_row = "el => getComputedStyle(el).gridTemplateColumns.split(' ').length"
        assert page.locator(".made").first.evaluate(in_a_row) == 2, "one below the other they are twelve screens"
