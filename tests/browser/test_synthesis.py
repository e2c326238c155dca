"""The Synthesis page in a real Chromium: draw, hold, release, undo, export; two visitors at once; a phone."""

import io
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image

from core.synthesis.recipe import SynthesisRecipe
from tests.browser.tools import BEYOND, settles, still

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

WAIT_MS = 120_000
SHORT = {"picture": "photo/chelsea", "start": "sketch/pond", "holds": "frog:4"}
PIXELS = """canvas => { const {data} = canvas.getContext('2d').getImageData(0, 0, 32, 32);
  return Array.from(data).filter((_, i) => i % 4 < 3); }"""


@pytest.fixture(scope="module", autouse=True)
def models(checkpoint) -> None:
    for name in (SynthesisRecipe().standard, SynthesisRecipe().robust):
        checkpoint(name)


@pytest.fixture
def visit(open_page):
    """Open the page, without motion."""

    def go(query: dict[str, str] = SHORT, width: int = 1280) -> "playwright.Page":
        page = open_page("synthesis", query, width=width, height=1000, reduced_motion="reduce")
        page.locator(".morph[data-ready]").wait_for(timeout=WAIT_MS)
        page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
        return page

    return go


def pictures(page: "playwright.Page") -> np.ndarray:
    """What the two canvases show: (2, 32, 32, 3)."""
    found = [page.locator(".stage canvas").nth(k).evaluate(PIXELS) for k in range(2)]
    return np.array(found, dtype=np.uint8).reshape(2, 32, 32, 3)


def film(page: "playwright.Page") -> int:
    return int(page.locator(".film .range").get_attribute("max")) + 1


def longer_than(page: "playwright.Page", frames: int) -> None:
    """Wait until the film has more frames (it lives in a shadow tree that page functions do not see)."""
    page.locator(f".film .range:not([max='{frames - 1}'])").wait_for(state="attached", timeout=WAIT_MS)


def released(page: "playwright.Page") -> None:
    """Wait until the other side has said that the hold is over."""
    page.locator(".morph[data-ready]:not([data-busy])").wait_for(timeout=WAIT_MS)


def press(page: "playwright.Page", name: str) -> None:
    page.locator(f".classes [data-name={name}]").hover()
    page.mouse.down()


def saved(page: "playwright.Page", label: str) -> bytes:
    with page.expect_download(timeout=WAIT_MS) as download:
        page.get_by_role("button", name=label, exact=True).click()
    return download.value.path().read_bytes()


def pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def test_draw_hold_release_undo_export(visit):
    page = visit()
    opened = pictures(page)
    assert film(page) == 5

    # Draw: both pictures change, and only where the brush was.
    canvas = page.locator(".stage canvas").first
    box = still(canvas)
    page.locator(".swatches button[value='#c63d2f']").click()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.25 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.25 * box["height"], steps=4)
    page.mouse.up()
    longer_than(page, 5)
    drawn = pictures(page)
    changed = (drawn != opened).any(-1)
    assert changed[:, 8, 10].all(), "on the stroke"
    assert not changed[:, 16:].any(), "below it"
    np.testing.assert_array_equal(changed[0], changed[1])

    # Hold with the mouse: frames arrive while it is held, and none afterwards.
    before = film(page)
    press(page, "cat")
    for _ in range(3):
        longer_than(page, film(page))
    page.mouse.up()
    released(page)
    held = pictures(page)
    assert film(page) >= before + 3
    assert (held != drawn).any(axis=(1, 2, 3)).all()
    assert not np.array_equal(held[0], held[1])

    # Export: the picture, and the film's last frame, are what is in sight.
    page.get_by_text("Save and share").click()
    page.get_by_text("A link cannot carry brush strokes").wait_for()
    np.testing.assert_array_equal(pixels(saved(page, "Picture, Standard ResNet-9")), held[0])
    np.testing.assert_array_equal(pixels(saved(page, "Picture, Robust ResNet-9")), held[1])
    with Image.open(io.BytesIO(saved(page, "Film, APNG"))) as moving:
        assert moving.n_frames == film(page)
        moving.seek(moving.n_frames - 1)
        times = moving.height // 32
        last = np.asarray(moving.convert("RGB"))[::times, ::times]
    np.testing.assert_array_equal(last[:, :32], held[0])
    np.testing.assert_array_equal(last[:, -32:], held[1])

    # Undo: first the hold, then the stroke.
    page.get_by_role("button", name="Undo").click()
    page.locator(f".film .range[max='{before - 1}']").wait_for(state="attached")
    np.testing.assert_array_equal(pictures(page), drawn)
    page.get_by_role("button", name="Undo").click()
    page.locator(".film .range[max='4']").wait_for(state="attached")
    np.testing.assert_array_equal(pictures(page), opened)


def test_a_key_holds_and_the_link_brings_it_back(visit):
    page = visit()
    page.locator(".classes [data-name=dog]").focus()
    before = film(page)
    page.keyboard.down("Enter")
    longer_than(page, before)
    page.keyboard.up("Enter")
    released(page)
    page.keyboard.down("4")  # the cat's key
    page.locator(".classes [data-name=cat][data-held]").wait_for()
    longer_than(page, film(page))
    page.keyboard.up("4")
    released(page)
    page.wait_for_function("decodeURIComponent(location.search).includes('frog:4,dog:')")
    page.wait_for_function("decodeURIComponent(location.search).includes(',cat:')")
    shown = pictures(page)
    again = visit({name: value for name, _, value in (p.partition("=") for p in _query(page))})
    np.testing.assert_array_equal(pictures(again), shown)
    assert film(again) == film(page)


def _query(page: "playwright.Page") -> list[str]:
    return page.evaluate("decodeURIComponent(location.search).slice(1)").split("&")


def test_two_visitors_hold_at_once(visit):
    one, other = visit(), visit({**SHORT, "start": "sketch/sea", "holds": "ship:2"})
    lengths = film(one), film(other)
    press(one, "cat")
    press(other, "truck")
    longer_than(one, lengths[0])
    longer_than(other, lengths[1])
    longer_than(one, film(one))
    other.mouse.up()
    released(other)
    longer_than(one, film(one))
    one.mouse.up()
    released(one)
    assert not np.array_equal(pictures(one), pictures(other))


@pytest.mark.parametrize("view", ["morph", "studio"])
def test_a_phone_is_wide_enough(view, browser, app_server):
    context = browser.new_context(viewport={"width": 390, "height": 900}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{app_server}/synthesis?{urlencode({**SHORT, 'view': view, 'steps': '10'})}")
    page.get_by_text("Save and share").wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(500)
    assert not settles(page, BEYOND), "what reaches beyond the right edge"
    context.close()
