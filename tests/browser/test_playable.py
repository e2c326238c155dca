"""Playable pages in a real Chromium: from disk, without a network, equal to the app byte for byte."""

from pathlib import Path

import numpy as np
import pytest

from core.files import playable
from core.files.playable import page, scrubbing
from core.gaussian.recipe import GaussianRecipe
from core.recipes import to_json
from core.transfer.recipe import TransferRecipe
from core.usefulness.recipe import UsefulnessRecipe
from tests.browser.scrubber_demo import AXIS, rows
from tests.browser.tools import held, settles

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser

HOSTILE = '</script><img src=x onerror="document.title=1">'


@pytest.fixture
def play(browser, tmp_path: Path):
    """Open a page's text from disk with the network off.

    A request, an error or a word on the console fails the test.
    """
    contexts, problems = [], []

    def go(text: str, **options):
        file = tmp_path / "page.html"
        file.write_text(text, "utf-8")
        contexts.append(browser.new_context(offline=True, **({"viewport": {"width": 1280, "height": 900}} | options)))
        opened = contexts[-1].new_page()
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on("console", lambda said: problems.append(said.text))
        opened.on("request", lambda asked: asked.url == file.as_uri() or problems.append(asked.url))
        opened.goto(file.as_uri())
        opened.locator(".component[data-ready]").wait_for()
        return opened

    yield go
    for context in contexts:
        context.close()
    assert not problems


def frames_of(opened, nth: int) -> np.ndarray:
    """The pixels of every frame of a column, as the component draws them."""
    canvas = opened.locator(".current canvas").nth(nth)
    return held(canvas, int(opened.locator(".range").get_attribute("max")) + 1, -1)


def test_every_frame_is_the_apps_byte_for_byte(play):
    shown = rows(2)
    opened = play(page(scrubbing(shown, AXIS, frame=3), "{}"))
    for nth, row in enumerate(shown):
        assert (frames_of(opened, nth) == row.frames.reshape(len(row.frames), -1)).all()


def test_it_plays_and_the_keyboard_moves_it(play):
    opened = play(page(scrubbing(rows(2), AXIS), "{}"))
    opened.get_by_label("Play", exact=True).click()
    slider = opened.locator(".range")
    for _ in range(50):  # the page's policy forbids what Playwright waits with
        if int(slider.input_value()) > 3:
            break
        opened.wait_for_timeout(100)
    opened.get_by_label("Pause", exact=True).click()
    assert int(slider.input_value()) > 3
    slider.press("Home")
    slider.press("ArrowRight")
    assert slider.input_value() == "1"
    assert "0.5/255" in opened.locator(".current canvas").first.get_attribute("aria-label")


def test_a_hostile_name_stays_a_name(play):
    from dataclasses import replace

    shown = [replace(rows(1)[0], title=HOSTILE)]
    scene = replace(scrubbing(shown, AXIS), title=HOSTILE, claim=HOSTILE)
    opened = play(page(scene, '{"kind": "</script>"}'))
    assert opened.title() == HOSTILE
    assert opened.locator("h3").inner_text() == HOSTILE
    assert opened.locator("img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_the_reader_wants_and_by_its_button(play, scheme: str):
    opened = play(page(scrubbing(rows(1), AXIS), "{}"), color_scheme=scheme)
    theme = "document.getElementById('stage').shadowRoot.firstElementChild.nextElementSibling.dataset.theme"
    assert opened.evaluate(theme) == scheme
    opened.get_by_label("Light or dark").click()
    other = "dark" if scheme == "light" else "light"
    assert not settles(opened, f"{theme} !== '{other}'")


def test_a_phone_shows_it_without_scrolling_sideways(play):
    opened = play(page(scrubbing(rows(3), AXIS), "{}"), viewport={"width": 390, "height": 844})
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts_it_still_says_what_is_to_be_seen(browser, tmp_path: Path):
    file = tmp_path / "page.html"
    file.write_text(page(scrubbing(rows(1), AXIS, frame=2), "{}"), "utf-8")
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(file.as_uri())
    assert rows(1)[0].alt[2] in opened.locator("main").inner_text()
    context.close()


def made(recipe) -> str:
    return page(playable.scene_of(to_json(recipe)), to_json(recipe))


def test_the_plane_moves_from_disk(play):
    opened = play(made(GaussianRecipe(eps=1.0)))
    before = opened.locator(".readouts").nth(1).inner_text()
    opened.locator(".range").press("End")
    assert opened.locator(".value").inner_text() == "ε = 12.00"
    assert opened.locator(".readouts").nth(1).inner_text() != before


def test_the_scatter_marks_what_is_brushed_though_no_page_listens(play):
    opened = play(made(UsefulnessRecipe()))
    count = opened.locator(".count").first.inner_text()
    opened.locator(".range").press("Home")
    assert opened.locator(".count").first.inner_text() != count
    box = opened.locator(".plot").first.bounding_box()
    opened.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.05 * box["height"])
    opened.mouse.down()
    opened.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    opened.mouse.up()
    assert opened.locator(".panel").first.locator(".point.in").count() > 10


def test_the_matrix_goes_dark_for_noise_and_says_what_is_clicked(play):
    opened = play(made(TransferRecipe()))
    cell = opened.get_by_role("button", name="ResNet-9, shown to VGG:")
    attacked = int(cell.inner_text().split()[0])
    opened.get_by_label("noise of that size").check(force=True)
    assert int(cell.inner_text().split()[0]) < attacked / 4
    cell.click()
    assert "n = 1,749" in opened.locator(".chosen").inner_text()
    opened.get_by_label("ℓ∞", exact=True).check(force=True)
    assert "/255" in opened.locator(".where").inner_text()
